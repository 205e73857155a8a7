"""What is drawn for each input of a design: its width, the values worth trying, and whether it resets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from veriloop.assistant.testbench.drawing import Input
from veriloop.assistant.verify.stimulus.pins import Pins

_MOST_CORNERS = 40


def drawn_inputs(pins: Pins, numbers: Sequence[int]) -> tuple[Input, ...]:
    """The inputs of a design; `numbers` are those that its text names."""
    resets = {reset.name: reset.active for reset in pins.resets}
    return tuple(
        Input(
            name=port.name,
            width=port.width_bits,
            corners=() if port.width_bits == 1 else tuple(corners(port.width_bits, numbers)),
            reset=resets.get(port.name),
        )
        for port in pins.inputs
    )


def corners(width: int, numbers: Sequence[int]) -> Iterable[int]:
    """The values at which arithmetic and comparisons turn, for a width, then those near numbers that the text names."""
    full = (1 << width) - 1
    top = 1 << (width - 1)
    alternating = sum(1 << place for place in range(0, width, 2))
    wanted = [0, full, 1, top, top - 1, full - 1, top + 1, alternating, full ^ alternating]
    if width % 2 == 0 and width >= 8:
        half = width // 2
        wanted += [(1 << half) - 1, 1 << half]
    for number in numbers:
        if number <= full:
            wanted += [number, number + 1, number - 1, (-number) & full]
    kept = dict.fromkeys(value for value in wanted if 0 <= value <= full)
    return list(kept)[:_MOST_CORNERS]
