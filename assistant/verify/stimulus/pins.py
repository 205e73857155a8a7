"""The pins of a design as a testbench drives them, and one cycle of stimulus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from veriloop.assistant.design.clocking import CLOCK_NAME, Clocking, ClockInput, ResetInput
from veriloop.assistant.design.model import Module, Port

PATIENCE = 64
"""Cycles for which a handshake waits."""


class Row(NamedTuple):
    """One cycle: the inputs are set, everything settles, the clocks of the mask rise and fall.

    The outputs are looked at twice: before the clocks rise, and while they are high. Without a clock only once.
    """

    values: tuple[int, ...]
    """A value for each of `Pins.inputs`."""
    clocks: int
    """A bit for each of `Pins.clocks`, the first one lowest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A handshake that inputs keep to: while `valid` is given and not taken, they stay as they are.

    What is not taken for `PATIENCE` cycles is taken back, and so is what is given in a reset: stimulus goes on.

    Attributes:
        valid: the input that gives.
        ready: the output that takes, looked at before the clock rises; none: it is always taken.
        payload: inputs that belong to `valid`.
        enable: an input that is given from the second cycle on, and with which alone it is taken (APB's `penable`).
        along: an input that is always given together with `valid` (Wishbone's `cyc`).
        kind: the protocol's name.
    """

    valid: str
    ready: str = ""
    payload: tuple[str, ...] = ()
    enable: str = ""
    along: str = ""
    kind: str = "valid/ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """How a module is driven.

    Attributes:
        module: its name.
        clocks: what rises and falls by itself.
        inputs: all other inputs, resets among them, in the order of the ports.
        outputs: in the order of the ports.
        resets: which of the inputs are resets, and which way.
        holds: the handshakes that are kept to.
    """

    module: str
    clocks: tuple[ClockInput, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    resets: tuple[ResetInput, ...] = ()
    holds: tuple[Hold, ...] = ()

    @property
    def data(self) -> tuple[Port, ...]:
        """The inputs that are no resets."""
        names = {reset.name for reset in self.resets}
        return tuple(port for port in self.inputs if port.name not in names)

    @property
    def all_clocks(self) -> int:
        """The mask of a cycle in which every clock rises."""
        return (1 << len(self.clocks)) - 1

    @property
    def samples(self) -> int:
        """How often the outputs are looked at in a cycle."""
        return 2 if self.clocks else 1

    def idle(self, name: str) -> int:
        """The value of an input that does nothing: a reset that is not active, else 0."""
        return next((1 - reset.active for reset in self.resets if reset.name == name), 0)


def pins_of(module: Module, clocking: Clocking) -> Pins:
    """The pins of an elaborated module; a clock that nothing uses is told by its name."""
    inputs = [port for port in module.ports if port.direction == "input" or port.name in clocking.quiet]
    clocks = clocking.clocks
    if not clocks:
        named = [port for port in inputs if port.width_bits == 1 and CLOCK_NAME.search(port.name)]
        clocks = tuple(ClockInput(name=port.name) for port in named)
    taken = {clock.name for clock in clocks}
    return Pins(
        module=module.name,
        clocks=clocks,
        inputs=tuple(port for port in inputs if port.name not in taken),
        outputs=tuple(port for port in module.ports if port.direction == "output"),
        resets=tuple(reset for reset in clocking.resets if reset.name not in taken),
    )


def same_pins(one: Sequence[Port], other: Sequence[Port]) -> bool:
    """Whether two modules can be driven alike: the same names, directions and widths, in any order."""

    def facts(ports: Sequence[Port]) -> set[tuple[str, str, int]]:
        return {(port.name, port.direction, port.width_bits) for port in ports}

    return facts(one) == facts(other)
