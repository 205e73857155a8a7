"""Which mutants a testbench fails on: those whose outputs, on its very stimulus, are not as it expects."""

from __future__ import annotations

from collections.abc import Sequence

from veriloop.assistant.testbench.expected import Sample
from veriloop.assistant.testbench.killing import Arena
from veriloop.assistant.verify.stimulus.pins import Row
from veriloop.assistant.verify.stimulus.replay import Subject, replay

_MOST_BITS = 64_000_000
"""Of outputs that one simulation may write down."""


def first_differences(
    arena: Arena, subjects: Sequence[Subject], rows: Sequence[Row], samples: Sequence[Sample | None]
) -> dict[int, int | None]:
    """For each subject that can be played the sample in which it is first not as expected; none where it always is."""
    wanted = ["".join(sample) if sample is not None else "" for sample in samples]
    each = max(1, len(samples) * sum(port.width_bits for port in arena.pins.outputs))
    most = max(1, _MOST_BITS // each)
    waiting = [list(range(start, min(start + most, len(subjects)))) for start in range(0, len(subjects), most)]
    found: dict[int, int | None] = {}
    while waiting:
        part = waiting.pop()
        played = replay(
            [subjects[index] for index in part],
            arena.pins,
            rows,
            design=arena.design,
            root=arena.root,
            scratch=arena.scratch,
            toolchain=arena.toolchain,
            cancel=arena.cancel,
            record=True,
        )
        if played is not None:
            for place, index in enumerate(part):
                seen = (line[place] for line in played.outputs)
                differs = (number for number, pair in enumerate(zip(wanted, seen, strict=True)) if not _matches(*pair))
                found[index] = next(differs, None)
        elif len(part) > 1:
            # One of them does not compile or does not end; halving finds which.
            half = len(part) // 2
            waiting += [part[:half], part[half:]]
    return found


def _matches(wanted: str, seen: str) -> bool:
    """Whether bits are as expected; `-` may be anything, and no bits expect nothing."""
    if not wanted or wanted == seen:
        return True
    return all(one in ("-", other) for one, other in zip(wanted, seen, strict=True))
