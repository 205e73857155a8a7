"""Stimulus for a draft, and what its reference model answers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from veriloop.assistant.training.draft import Choice, Draft, Machine, Outputs, Pins, State
from veriloop.assistant.training.render import Pin

RESET_CYCLES = 2
_EXHAUSTIVE_BITS = 8
_RESET_AGAIN = 0.5
"""How often a design is reset a second time while it runs."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One cycle: every input by its canonical name, and what the outputs have to be before the clock edge.

    Resets are 1 where they are active, clocks where they tick. Outputs are compared where `expected` names them.
    """

    inputs: Mapping[str, int]
    expected: Mapping[str, int]


def make_trace(draft: Draft, pins: Sequence[Pin], *, seed: int) -> tuple[Cycle, ...]:
    """Draws the stimulus of a seed and runs the reference model on it.

    Raises:
        ValueError: the model answers with an output that is not there, leaves one out, or a number that does not fit.
    """
    random = Random(f"stimulus {seed}")
    if not isinstance(draft.model, Machine):
        return _combinational(draft, draft.model, pins, random)
    return _sequential(draft, draft.model, pins, random)


def _combinational(
    draft: Draft, model: Callable[[Pins], Outputs], pins: Sequence[Pin], random: Random
) -> tuple[Cycle, ...]:
    data = _data(pins)
    if sum(pin.width_bits for pin in data) <= _EXHAUSTIVE_BITS and not draft.stimulus and draft.drive is None:
        every = itertools.product(*(range(1 << pin.width_bits) for pin in data))
        rows = [dict(zip((pin.canonical for pin in data), values, strict=True)) for values in every]
        random.shuffle(rows)
    else:
        rows = []
        for _ in range(draft.cycles):
            row = _inputs(draft, data, random, rows[-1] if rows else {})
            if draft.drive is not None:
                row |= draft.drive(random, State())
            rows.append(row)
    return tuple(Cycle(row, _checked(model(Pins(row)), pins)) for row in rows)


def _sequential(draft: Draft, model: Machine, pins: Sequence[Pin], random: Random) -> tuple[Cycle, ...]:
    data = _data(pins)
    clocks = [pin.canonical for pin in pins if pin.clock]
    resets = [pin.canonical for pin in pins if pin.reset]
    state = State()
    model.reset(state)
    again = random.randrange(draft.cycles // 3, draft.cycles) if resets and random.random() < _RESET_AGAIN else -1
    cycles: list[Cycle] = []
    row: dict[str, int] = {}
    for number in range(draft.cycles + (RESET_CYCLES if resets else 0)):
        row = _inputs(draft, data, random, row)
        if draft.drive is not None:
            row |= draft.drive(random, state)
        at_start = bool(resets) and number < RESET_CYCLES
        active = at_start or number == again
        ticks = {clock: int(active or _ticks(draft, clock, number)) for clock in clocks}
        # A reset in the middle may be seen at once or at the edge, so nothing is compared while it lasts.
        if active:
            model.reset(state)
            expected: dict[str, int] = {}
        else:
            expected = _checked(model.step(state, Pins({**row, **ticks})), pins)
        cycles.append(Cycle({**row, **ticks, **dict.fromkeys(resets, int(active))}, expected))
    return tuple(cycles)


def _ticks(draft: Draft, clock: str, number: int) -> bool:
    period, phase = draft.clocks.get(clock, (1, 0))
    return number % period == phase


def _data(pins: Sequence[Pin]) -> list[Pin]:
    return [pin for pin in pins if not (pin.output or pin.clock or pin.reset)]


def _inputs(draft: Draft, data: Sequence[Pin], random: Random, before: Mapping[str, int]) -> dict[str, int]:
    return {
        pin.canonical: _draw(draft.stimulus.get(pin.canonical), pin.width_bits, random, before.get(pin.canonical, 0))
        for pin in data
    }


def _draw(choice: Choice | None, width_bits: int, random: Random, before: int) -> int:
    """A value of an input; without a choice, mostly uniform, sometimes an extreme, a small one or the last again."""
    top = (1 << width_bits) - 1
    if isinstance(choice, int | float):
        return int(random.random() < choice)
    if callable(choice):
        return choice(random) & top
    if choice is not None:
        return random.choice(choice) & top
    if width_bits == 1:
        return random.getrandbits(1)
    kind = random.random()
    if kind < 0.1:
        return before
    if kind < 0.25:
        return random.choice((0, 1, top, top - 1, 1 << (width_bits - 1), top >> 1))
    if kind < 0.35:
        return random.randrange(min(top, 16) + 1)
    return random.getrandbits(width_bits)


def _checked(outputs: Outputs, pins: Sequence[Pin]) -> dict[str, int]:
    widths = {pin.canonical: pin.width_bits for pin in pins if pin.output}
    if outputs.keys() != widths.keys():
        raise ValueError(f"the model gives {sorted(outputs)}, the module has the outputs {sorted(widths)}")
    for name, value in outputs.items():
        if value is not None and not 0 <= value < 1 << widths[name]:
            raise ValueError(f"the model gives {name} = {value}, which is no number of {widths[name]} bits")
    return {name: int(value) for name, value in outputs.items() if value is not None}
