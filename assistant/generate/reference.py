"""What a specification's data says as a model that can be run, apart from the RTL that was made from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from veriloop.assistant.generate.interface import Bit, Interface
from veriloop.assistant.generate.state_machine import Reset, StateMachine
from veriloop.assistant.generate.truth_table import TruthTable

Inputs = Mapping[str, int]
"""Values of the input ports, the clock left out."""
Expected = Mapping[Bit, str]
"""Output bits that have to be `0` or `1`; one that is not named may be anything."""


class Reference(Protocol):
    """A cycle-accurate model."""

    def corners(self) -> Sequence[Inputs]:
        """Inputs that the data names, which random ones might never meet."""
        ...

    def outputs(self, inputs: Inputs) -> Expected:
        """The outputs in the present state at these inputs."""
        ...

    def tick(self, inputs: Inputs) -> None:
        """A rising edge of the clock with these inputs."""
        ...


def bit_of(inputs: Inputs, bit: Bit, interface: Interface) -> str:
    """The value of one bit of an input port."""
    port = interface.port(bit.port)
    place = 0 if bit.index is None or port is None else bit.index - port.lsb
    return str(inputs[bit.port] >> place & 1)


@dataclass(frozen=True, slots=True)
class TableReference:
    """A function without a state."""

    table: TruthTable
    interface: Interface

    def corners(self) -> Sequence[Inputs]:
        """The words of the rows."""
        found: list[Inputs] = []
        for word in self.table.rows:
            inputs = {port.name: 0 for port in self.interface.inputs}
            for place, bit in enumerate(reversed(self.table.inputs)):
                port = self.interface.port(bit.port)
                shift = 0 if bit.index is None or port is None else bit.index - port.lsb
                inputs[bit.port] |= (word >> place & 1) << shift
            found.append(inputs)
        return found

    def outputs(self, inputs: Inputs) -> Expected:
        """The table's row; what it leaves free is not named."""
        word = int("".join(bit_of(inputs, bit, self.interface) for bit in self.table.inputs), 2)
        row = self.table.row(word)
        return {bit: value for bit, value in zip(self.table.outputs, row, strict=True) if value != "-"}

    def tick(self, inputs: Inputs) -> None:
        """Nothing: there is no state."""


class MachineReference:
    """A state machine in a state, which is unknown until the first reset."""

    def __init__(self, machine: StateMachine, reset: Reset, interface: Interface) -> None:
        self.machine = machine
        self.reset = reset
        self._interface = interface
        self._state: str | None = None

    def corners(self) -> Sequence[Inputs]:
        """None: random inputs go everywhere."""
        return ()

    def outputs(self, inputs: Inputs) -> Expected:
        """The outputs in the present state; an asynchronous reset acts at once."""
        if self.reset.asynchronous and self._in_reset(inputs):
            self._state = self.reset.state
        if self._state is None:
            return {}
        state, values = self._state, self._values(inputs)
        bits = [bit for port in self._interface.outputs for bit in self._interface.bits(port)]
        return {bit: self.machine.output(bit, state, values) for bit in bits}

    def tick(self, inputs: Inputs) -> None:
        """To the reset state in reset, else along the transition that is taken."""
        if self._in_reset(inputs):
            self._state = self.reset.state
        elif self._state is not None:
            self._state = self.machine.next(self._state, self._values(inputs)).target

    def _in_reset(self, inputs: Inputs) -> bool:
        return bool(inputs[self.reset.port]) != self.reset.active_low

    def _values(self, inputs: Inputs) -> Mapping[Bit, str]:
        return {bit: bit_of(inputs, bit, self._interface) for bit in self.machine.guard_bits}


@dataclass(slots=True)
class RegisterReference:
    """One register of one bit: its next value by the inputs and, where it is known, its old one."""

    output: Bit
    following: Callable[[Inputs, str | None], str | None]
    value: str | None = None

    def corners(self) -> Sequence[Inputs]:
        """None: random inputs go everywhere."""
        return ()

    def outputs(self, inputs: Inputs) -> Expected:
        """The register, once it is known."""
        return {} if self.value is None else {self.output: self.value}

    def tick(self, inputs: Inputs) -> None:
        """Its next value."""
        self.value = self.following(inputs, self.value)


@dataclass(slots=True)
class CellsReference:
    """A row of cells that is loaded, and else follows a rule of each cell and its two neighbours."""

    output: str
    data: str
    load: str
    width_bits: int
    lsb: int
    rule: Mapping[str, str]
    """The next value by left, cell and right."""
    cells: int | None = None

    def corners(self) -> Sequence[Inputs]:
        """None: random inputs go everywhere."""
        return ()

    def outputs(self, inputs: Inputs) -> Expected:
        """All cells, once they were loaded."""
        if self.cells is None:
            return {}
        return {Bit(self.output, self.lsb + place): str(self.cells >> place & 1) for place in range(self.width_bits)}

    def tick(self, inputs: Inputs) -> None:
        """Loads, or one step; beyond the ends every cell is 0."""
        if inputs[self.load]:
            self.cells = inputs[self.data]
        elif self.cells is not None:
            wide = self.cells << 1
            self.cells = sum(int(self.rule[f"{wide >> place & 7:03b}"]) << place for place in range(self.width_bits))


@dataclass(frozen=True, slots=True)
class Row:
    """Inputs to set, the clock among them, and what the outputs have to be then."""

    inputs: Inputs
    expected: Expected


def rows(reference: Reference, interface: Interface, steps: Sequence[Inputs]) -> list[Row]:
    """A reference's answers to inputs, each step with an edge of the clock if there is one."""
    clock = interface.clock
    found: list[Row] = []
    for inputs in steps:
        low = {clock.name: 0} if clock else {}
        found.append(Row({**inputs, **low}, reference.outputs(inputs)))
        if clock is not None:
            reference.tick(inputs)
            found.append(Row({clock.name: 1}, {}))
    return found
