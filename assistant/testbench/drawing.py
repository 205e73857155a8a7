"""Stimulus drawn from seeds, the same on every machine and in every release of Python.

The text of this module from the line below on goes into each testbench that is written, so that it draws the same
cycles without Veriloop. Only `getrandbits` is used: what `random` makes of it has changed between releases.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

# --- pasted ---

STYLES = ("uniform", "uniform", "uniform", "hold", "corner", "corner", "sparse", "dense", "small", "walk", "count")
BIT_STYLES = ("uniform", "uniform", "hold", "rare", "often", "often", "steady")
CHANCES = (0, 0, 1, 4)  # of 64: how often a reset comes in the middle of a phase
RATES = (4, 4, 3, 2, 1)  # of 4: how often a clock rises, where there are several


@dataclass(frozen=True)
class Input:
    """An input: its width, the values worth trying, and for a reset the value that resets."""

    name: str
    width: int
    corners: tuple[int, ...] = ()
    reset: int | None = None


@dataclass(frozen=True)
class Phase:
    """Cycles that are drawn from one seed; `after` cycles of reset come first, none go on from where it is.

    In an idle phase every input is 0, and no reset comes in its middle. A sweep counts through all values of all inputs
    together; it needs no seed.
    """

    seed: int
    cycles: int
    after: int = 0
    idle: bool = False
    sweep: bool = False


def draw(source: random.Random, style: str, given: Input, before: int) -> int:
    """The next value of an input."""
    full = (1 << given.width) - 1
    if style == "hold":
        return before if source.getrandbits(3) < 6 else source.getrandbits(given.width)
    if style == "corner" and given.corners:
        return given.corners[source.getrandbits(16) % len(given.corners)]
    if style == "sparse":
        return source.getrandbits(given.width) & source.getrandbits(given.width) & source.getrandbits(given.width)
    if style == "dense":
        return source.getrandbits(given.width) | source.getrandbits(given.width) | source.getrandbits(given.width)
    if style == "small":
        return source.getrandbits(2) & full
    if style == "walk":
        return 1 << source.getrandbits(16) % given.width
    if style == "count":
        return (before + 1) & full
    if style == "rare":
        return int(source.getrandbits(4) == 0)
    if style == "often":
        return int(source.getrandbits(4) != 0)
    if style == "steady":
        return before if source.getrandbits(5) else 1 - before
    if style == "still":
        return before
    return source.getrandbits(given.width)


def phase_rows(phase: Phase, inputs: tuple[Input, ...], clocks: int) -> Iterator[tuple[tuple[int, ...], int]]:
    """The cycles of a phase: the values of the inputs, and which clocks rise (a bit each)."""
    if phase.sweep:
        for word in range(phase.cycles):
            swept = []
            for given in inputs:
                swept.append(word & ((1 << given.width) - 1))
                word >>= given.width
            yield tuple(swept), (1 << clocks) - 1
        return
    source = random.Random(phase.seed)
    styles = [(BIT_STYLES if given.width == 1 else STYLES) for given in inputs]
    chosen = [style[source.getrandbits(16) % len(style)] for style in styles]
    if source.getrandbits(2) == 0:  # a calm phase: what is one bit wide stays as it is, so that counters get far
        chosen = ["still" if given.width == 1 else style for given, style in zip(inputs, chosen, strict=True)]
    chance = CHANCES[source.getrandbits(16) % len(CHANCES)]
    alike = source.getrandbits(3) == 0  # inputs of one width get nearly the same value
    rates = [RATES[source.getrandbits(16) % len(RATES)] if clocks > 1 else 4 for _ in range(clocks)]
    before = [source.getrandbits(given.width) for given in inputs]
    for cycle in range(phase.after + phase.cycles):
        resets = cycle < phase.after
        again = not resets and source.getrandbits(6) < chance
        values = []
        for index, given in enumerate(inputs):
            if given.reset is not None:
                active = resets or (again and not phase.idle and source.getrandbits(2) != 0)
                values.append(given.reset if active else 1 - given.reset)
                continue
            value = 0 if phase.idle else draw(source, chosen[index], given, before[index])
            twin = next((one for one in range(index) if inputs[one].width == given.width > 1), None)
            if alike and not phase.idle and twin is not None and inputs[twin].reset is None and source.getrandbits(1):
                value = (values[twin] + (1, 0, 0, -1)[source.getrandbits(2)]) & ((1 << given.width) - 1)
            values.append(value)
        before = values
        mask = sum(1 << index for index, rate in enumerate(rates) if resets or source.getrandbits(2) < rate)
        yield tuple(values), mask if mask or not clocks else 1
