"""Directed corners: each input alone at each value at which things turn, all at once at 0 and at their highest."""

from __future__ import annotations

from collections.abc import Iterator

from veriloop.assistant.testbench.drawing import Input
from veriloop.assistant.testbench.rounds import RESET_CYCLES, Directed
from veriloop.assistant.verify.stimulus.pins import Pins, Row

_MOST_ROWS = 64
_PER_INPUT = 9


def corner_part(pins: Pins, inputs: tuple[Input, ...]) -> tuple[Directed, ...]:
    """One part that starts with a reset where there is one; none where there is nothing to drive."""
    if not pins.data:
        return ()
    reset = [Row(_values(inputs, {}, reset=True), pins.all_clocks)] * (RESET_CYCLES if pins.resets else 0)
    rows = [Row(_values(inputs, given), pins.all_clocks) for given in _corners(inputs)]
    return (Directed((*reset, *rows[:_MOST_ROWS]), note="corners, an input at a time", after=len(reset)),)


def _corners(inputs: tuple[Input, ...]) -> Iterator[dict[str, int]]:
    data = [given for given in inputs if given.reset is None]
    highest = {given.name: (1 << given.width) - 1 for given in data}
    yield {}
    yield highest
    for place in range(_PER_INPUT):
        for given in data:
            values = given.corners or (0, 1)
            if place < len(values):
                # Beside it the others are at rest, then at their highest: an enable that is needed is among them.
                yield {given.name: values[place]}
                yield {**highest, given.name: values[place]}


def _values(inputs: tuple[Input, ...], given: dict[str, int], *, reset: bool = False) -> tuple[int, ...]:
    return tuple(
        given.get(one.name, 0) if one.reset is None else one.reset if reset else 1 - one.reset for one in inputs
    )
