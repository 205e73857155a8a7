"""A testbench by what independent answers agree on: offered beside a module that no test of the user's judges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.bench_text import bench_text
from veriloop.assistant.generate.interface import Bit, Interface
from veriloop.assistant.generate.reference import Inputs, Row
from veriloop.assistant.generate.traces import Word, traces
from veriloop.assistant.verify.toolchain import Toolchain

_MOST_STEPS = 600


def agreed_bench(
    text: bytes,
    interface: Interface,
    steps: Sequence[Inputs],
    *,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> str:
    """A testbench that plays steps and expects what the chosen answer said in them; empty where it says nothing.

    The text itself is run, not the one with its memories cleared: what is unknown in it is not compared.
    """
    (trace,) = traces([text], interface, steps[:_MOST_STEPS], scratch=scratch, toolchain=toolchain, cancel=cancel)
    rows = list(_rows(interface, steps, trace.words))
    return bench_text(interface, rows, name=f"{interface.toplevel}_tb") if any(row.expected for row in rows) else ""


def _rows(interface: Interface, steps: Sequence[Inputs], words: Sequence[Word]) -> Iterator[Row]:
    clock = interface.clock
    for step, word in zip(steps, words, strict=False):
        expected = dict(_bits(interface, word))
        if clock is None:
            yield Row(step, expected)
            continue
        yield Row({**step, clock.name: 0}, {})
        yield Row({clock.name: 1}, {})
        yield Row({clock.name: 0}, expected)


def _bits(interface: Interface, word: Word) -> Iterator[tuple[Bit, str]]:
    for port, bits in zip(interface.outputs, word, strict=True):
        for bit, value in zip(interface.bits(port), bits, strict=True):
            if value in "01":
                yield bit, value
