"""Mutants: which of them stimulus tells from the design, and what becomes of those that it does not.

A mutant that survives is proved to answer always as the design does, or killed by further stimulus; a hole in a
testbench is a mutant for which neither has happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.testbench.drawing import Input, Phase
from veriloop.assistant.testbench.rounds import RESET_CYCLES, Directed, Part, all_rows, part_rows
from veriloop.assistant.verify.formal.equivalence import compare_always
from veriloop.assistant.verify.formal.harness import frames_to_rows, resets_first
from veriloop.assistant.verify.formal.prover import Answer, Prover
from veriloop.assistant.verify.stimulus.pins import Pins, Row
from veriloop.assistant.verify.stimulus.player import Job, Player
from veriloop.assistant.verify.stimulus.replay import Subject, replay_each
from veriloop.assistant.verify.toolchain import Toolchain

_SWEPT_BITS = 10
_PHASES = 24
_PHASE_CYCLES = 128
_MORE_PHASES = 48
_ALONE_CYCLES = 100_000
_FIRST_SEED = 1_000
_PROOF_S = 6.0


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    EQUIVALENT = "equivalent"
    """Proved to answer always as the design does."""
    UNDECIDED = "undecided"
    UNUSABLE = "unusable"
    """It does not compile beside the design, or does not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Killing:
    """The mutants' fates in their order, and the stimulus that kills those that were killed.

    `by_drawn` counts those that the drawn stimulus killed, before anything was directed at a mutant.
    """

    fates: tuple[Fate, ...]
    parts: tuple[Part, ...]
    by_drawn: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """Where a design and its mutants are played side by side."""

    reference: Subject
    pins: Pins
    inputs: tuple[Input, ...]
    design: Design
    root: Path
    scratch: Path
    toolchain: Toolchain
    prover: Prover | None
    cancel: CancelToken
    proof_reference: Subject | None = None
    """What a proof compares with, where that is not the reference."""
    player: Player | None = None
    """The design, where its answers decide what is driven: handshakes are kept to."""

    def driven(self, rows: Sequence[Row]) -> tuple[Row, ...]:
        """The rows as they are driven into the design from power-up."""
        if self.player is None or not self.pins.holds:
            return tuple(rows)
        return self.player.play([Job(rows=rows, record=True)], cancel=self.cancel)[0].rows

    def differing(self, mutants: Sequence[Subject], rows: Sequence[Row]) -> dict[int, tuple[int, int] | None]:
        """For each mutant that could be played where it first differs; none where it never does."""
        found = replay_each(
            [self.reference, *mutants],
            self.pins,
            self.driven(rows),
            design=self.design,
            root=self.root,
            scratch=self.scratch,
            toolchain=self.toolchain,
            cancel=self.cancel,
        )
        return {index - 1: place for index, place in found.items()}


def general_parts(pins: Pins, inputs: tuple[Input, ...]) -> tuple[Part, ...]:
    """Stimulus for any design: what it does at power-up, all values where they are few, and drawn phases."""
    after = RESET_CYCLES if pins.resets else 0
    bits = sum(given.width for given in inputs)
    drawn = [Phase(_FIRST_SEED + number, _PHASE_CYCLES, after) for number in range(_PHASES)]
    if not pins.clocks and bits <= _SWEPT_BITS:
        return (Phase(0, 1 << bits, sweep=True), *drawn[:2])
    return (Phase(1, 2), *drawn)


def kill(arena: Arena, mutants: Sequence[Subject], parts: Sequence[Part], names: Sequence[str] = ()) -> Killing:
    """Plays the parts against all mutants; what survives is killed by more, or proved equivalent.

    `names` say of each mutant what it changes, for the stimulus that is directed at it.
    """
    fates = [Fate.UNUSABLE] * len(mutants)
    found = arena.differing(mutants, all_rows(parts, arena.inputs, arena.pins))
    for index, place in found.items():
        fates[index] = Fate.UNDECIDED if place is None else Fate.KILLED
    drawn = fates.count(Fate.KILLED)
    chosen = list(parts)
    _prove(arena, mutants, fates, chosen, names or [f"mutant {number}" for number in range(len(mutants))])
    waiting = [index for index, fate in enumerate(fates) if fate is Fate.UNDECIDED]
    if waiting:
        after = RESET_CYCLES if arena.pins.resets else 0
        more = [Phase(_FIRST_SEED + _PHASES + number, _PHASE_CYCLES, after) for number in range(_MORE_PHASES)]
        if arena.pins.clocks and not arena.pins.data:
            # What only a clock drives gets far by itself alone: a day has 86,400 seconds.
            more.append(Phase(0, _ALONE_CYCLES, after, idle=True))
        later = arena.differing([mutants[index] for index in waiting], all_rows(more, arena.inputs, arena.pins))
        places = {waiting[number]: place[0] for number, place in later.items() if place is not None}
        for index in places:
            fates[index] = Fate.KILLED
        chosen += _until(more, max(places.values()), arena) if places else []
    return Killing(fates=tuple(fates), parts=tuple(chosen), by_drawn=drawn)


def _until(parts: Sequence[Phase], row: int, arena: Arena) -> list[Part]:
    """The parts up to the one that a row is in, and that one up to the row."""
    kept: list[Part] = []
    length = 0
    for part in parts:
        if length > row:
            break
        cycles = max(1, min(part.cycles, row + 1 - length - part.after))
        kept.append(replace(part, cycles=cycles))
        length += len(part_rows(part, arena.inputs, arena.pins))
    return kept


def _prove(
    arena: Arena, mutants: Sequence[Subject], fates: list[Fate], chosen: list[Part], names: Sequence[str]
) -> None:
    if arena.prover is None:
        return
    for index, mutant in enumerate(mutants):
        if fates[index] is not Fate.UNDECIDED:
            continue
        for lenient in (False, True):
            fates[index], part = _proved(arena, mutant, names[index], lenient=lenient)
            if part is not None:
                chosen.append(part)
            if fates[index] is not Fate.UNDECIDED:
                break


def _proved(arena: Arena, mutant: Subject, name: str, *, lenient: bool) -> tuple[Fate, Directed | None]:
    """What a proof makes of a mutant, with the stimulus that kills it if there is one."""
    assert arena.prover is not None
    verdict = compare_always(
        arena.proof_reference or arena.reference,
        mutant,
        arena.pins,
        arena.design,
        arena.prover,
        root=arena.root,
        scratch=arena.scratch,
        timeout_s=_PROOF_S,
        cancel=arena.cancel,
        lenient=lenient,
    )
    if verdict is None:
        return Fate.UNDECIDED, None
    if verdict.answer is Answer.HOLDS:
        return Fate.EQUIVALENT, None
    if verdict.frames:
        part = _directed(arena, frames_to_rows(verdict.frames, arena.pins, stepwise=verdict.stepwise), name)
        if arena.differing([mutant], part_rows(part, arena.inputs, arena.pins)).get(0) is not None:
            return Fate.KILLED, part
    return Fate.UNDECIDED, None


def _directed(arena: Arena, rows: Sequence[Row], name: str) -> Directed:
    """The prover's frames with a cycle more, in which a difference in what is kept may show."""
    pins = arena.pins
    before: Sequence[Row] = ()
    if pins.resets and not resets_first(pins):
        before = part_rows(Phase(0, 0, RESET_CYCLES, idle=True), arena.inputs, pins)
    after = RESET_CYCLES if pins.resets else 0
    return Directed((*before, *rows, *rows[-1:]), note=f"kills {name}", after=after)
