"""Finite state machines as data, checked for gaps and contradictions, and the RTL that they come to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from veriloop.assistant.generate.interface import Bit, Interface
from veriloop.assistant.generate.truth_table import TruthTable

Cube = Mapping[Bit, str]
"""Bits that have to be `0` or `1`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arc:
    """A transition; `outputs` are those of a Mealy machine while it is taken."""

    source: str
    target: str
    guard: Cube = field(default_factory=dict)
    outputs: Cube = field(default_factory=dict)
    otherwise: bool = False
    """Whether it is taken where no other arc of its source is."""

    def taken(self, values: Cube) -> bool:
        """Whether the guard holds."""
        return all(values[bit] == value for bit, value in self.guard.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """How a machine is reset."""

    port: str
    state: str
    asynchronous: bool
    active_low: bool

    @property
    def condition(self) -> str:
        """The expression that is true in reset."""
        return f"!{self.port}" if self.active_low else self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class StateMachine:
    """States, transitions and outputs."""

    states: tuple[str, ...]
    arcs: tuple[Arc, ...]
    moore: Mapping[str, Cube]
    """The outputs of a state; one that is not named is 0."""

    @property
    def guard_bits(self) -> tuple[Bit, ...]:
        """The inputs that any transition looks at."""
        return tuple(dict.fromkeys(bit for arc in self.arcs for bit in arc.guard))

    @property
    def output_bits(self) -> tuple[Bit, ...]:
        """The outputs that any state or transition names."""
        named = [bit for outputs in self.moore.values() for bit in outputs]
        return tuple(dict.fromkeys([*named, *(bit for arc in self.arcs for bit in arc.outputs)]))

    def leaving(self, state: str) -> tuple[Arc, ...]:
        """The transitions from a state, one that is taken otherwise last."""
        found = [arc for arc in self.arcs if arc.source == state]
        return (*(arc for arc in found if not arc.otherwise), *(arc for arc in found if arc.otherwise))

    def next(self, state: str, values: Cube) -> Arc:
        """The transition that is taken."""
        return next(arc for arc in self.leaving(state) if arc.otherwise or arc.taken(values))

    def inputs(self) -> Iterator[Cube]:
        """Every combination of the inputs that matter."""
        for chosen in itertools.product("01", repeat=len(self.guard_bits)):
            yield dict(zip(self.guard_bits, chosen, strict=True))

    def output(self, bit: Bit, state: str, values: Cube) -> str:
        """The value of an output in a state at these inputs."""
        return self.next(state, values).outputs.get(bit) or self.moore.get(state, {}).get(bit, "0")


def clocked(machine: StateMachine, interface: Interface, clock: str, reset: Reset | None, *, one_hot: bool) -> str:
    """The machine with its state register.

    Args:
        machine: one without faults.
        interface: the ports; every output bit that the machine does not name is 0.
        clock: the clock, used at its rising edge.
        reset: how it is reset; none where there is no reset.
        one_hot: one flip-flop a state.
    """
    width = len(machine.states) if one_hot else max(1, (len(machine.states) - 1).bit_length())
    codes = {state: 1 << number if one_hot else number for number, state in enumerate(machine.states)}
    names = _constants(machine.states, interface)
    span = f"[{width - 1}:0] " if width > 1 else ""
    lines = [
        f"  localparam logic {span}{names[state]} = {width}'b{codes[state]:0{width}b};" for state in machine.states
    ]
    present, following = _free("state", interface), _free("next", interface)
    lines += ["", f"  logic {span}{present}, {following};", "", "  always_comb begin", f"    case ({present})"]
    for state in machine.states:
        lines.append(f"      {names[state]}: {following} = {_choice(machine, state, names)};")
    lines += [
        f"      default: {following} = {names[reset.state if reset else machine.states[0]]};",
        "    endcase",
        "  end",
        "",
    ]
    lines += _register(clock, reset, present, following, names)
    for port in interface.outputs:
        for bit in interface.bits(port):
            lines.append(f"  assign {bit} = {_output(machine, bit, present, names)};")
    return "\n".join(lines)


def _register(clock: str, reset: Reset | None, present: str, following: str, names: Mapping[str, str]) -> list[str]:
    if reset is None:
        return [f"  always_ff @(posedge {clock}) {present} <= {following};", ""]
    edge = f" or {'neg' if reset.active_low else 'pos'}edge {reset.port}" if reset.asynchronous else ""
    return [
        f"  always_ff @(posedge {clock}{edge})",
        f"    if ({reset.condition}) {present} <= {names[reset.state]};",
        f"    else {present} <= {following};",
        "",
    ]


def _choice(machine: StateMachine, state: str, names: Mapping[str, str]) -> str:
    arcs = machine.leaving(state)
    text = names[arcs[-1].target]
    for arc in reversed(arcs[:-1]):
        if names[arc.target] != text:
            text = f"{condition(arc.guard)} ? {names[arc.target]} : {text}"
    return text


def condition(guard: Cube) -> str:
    """A guard as an expression."""
    if len(guard) == 1:
        ((bit, value),) = guard.items()
        return str(bit) if value == "1" else f"!{bit}"
    return f"({' && '.join(str(bit) if value == '1' else f'!{bit}' for bit, value in guard.items())})"


def _output(machine: StateMachine, bit: Bit, present: str, names: Mapping[str, str]) -> str:
    terms: list[str] = []
    for state in machine.states:
        values = [
            (arc, arc.outputs.get(bit) or machine.moore.get(state, {}).get(bit, "0")) for arc in machine.leaving(state)
        ]
        if all(value == "1" for _, value in values):
            terms.append(f"({present} == {names[state]})")
            continue
        for number, (arc, value) in enumerate(values):
            if value != "1":
                continue
            others = [other for other, _ in values[:number] + values[number + 1 :]]
            guard = " || ".join(condition(other.guard) for other in others)
            taken = f"!({guard})" if arc.otherwise else condition(arc.guard)
            terms.append(f"({present} == {names[state]} && {taken})")
    return " || ".join(terms) or "1'b0"


def _constants(states: Sequence[str], interface: Interface) -> dict[str, str]:
    """A name in capitals for each state, its own where two would be the same."""
    plain = {state: state if state[0].isalpha() else f"S{state}" for state in states}
    distinct = len({name.upper() for name in plain.values()}) == len(states)
    return {state: _free(name.upper() if distinct else name, interface) for state, name in plain.items()}


def _free(name: str, interface: Interface) -> str:
    taken = {port.name for port in interface.ports}
    while name in taken:
        name += "_q" if name[0].islower() else "_STATE"
    return name


def next_state_table(
    machine: StateMachine, codes: Mapping[str, int], state: Sequence[Bit], wanted: Mapping[Bit, object]
) -> TruthTable:
    """The combinational part, where the present state is an input.

    Args:
        machine: one without faults.
        codes: each state's code.
        state: the bits of the present state, the highest first.
        wanted: for each output bit a bit of the next state's code (a number) or an output of the machine (a `Bit`).
    """
    guards = machine.guard_bits
    rows: dict[int, str] = {}
    for name, code in codes.items():
        for values in machine.inputs():
            word = int(f"{code:0{len(state)}b}" + "".join(values[bit] for bit in guards), 2)
            following = codes[machine.next(name, values).target]
            rows[word] = "".join(
                str(following >> source & 1) if isinstance(source, int) else machine.output(output, name, values)
                for output, source in wanted.items()
            )
    return TruthTable(inputs=(*state, *guards), outputs=tuple(wanted), rows=rows)


def one_hot_equations(
    machine: StateMachine, codes: Mapping[str, int], state: Sequence[Bit], wanted: Mapping[Bit, object]
) -> list[str]:
    """The combinational part by inspection of a one-hot code: each state's bit alone says that it is in it."""
    place = {name: state[len(state) - code.bit_length()] for name, code in codes.items()}
    lines: list[str] = []
    for output, source in wanted.items():
        terms: list[str] = []
        if isinstance(source, int):
            for arc in machine.arcs:
                if codes[arc.target] == 1 << source:
                    terms.append(" & ".join([str(place[arc.source]), *_literals(machine, arc)]))
        else:
            for name in machine.states:
                arcs = [
                    arc for arc in machine.leaving(name) if machine.output(output, name, _example(machine, arc)) == "1"
                ]
                if arcs and len(arcs) == len(machine.leaving(name)):
                    terms.append(str(place[name]))
                else:
                    terms += [" & ".join([str(place[name]), *_literals(machine, arc)]) for arc in arcs]
        lines.append(
            f"assign {output} = {' | '.join(f'({term})' if ' ' in term else term for term in terms) or _ZERO};"
        )
    return lines


_ZERO = "1'b0"


def _literals(machine: StateMachine, arc: Arc) -> list[str]:
    if arc.otherwise:
        others = [" & ".join(_literals(machine, other)) for other in machine.leaving(arc.source) if not other.otherwise]
        return [f"~({' | '.join(f'({other})' for other in others)})"] if others else []
    return [str(bit) if value == "1" else f"~{bit}" for bit, value in arc.guard.items()]


def _example(machine: StateMachine, arc: Arc) -> Cube:
    return next(values for values in machine.inputs() if machine.next(arc.source, values) == arc)
