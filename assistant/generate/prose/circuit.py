"""Small circuits as expressions, each with its SystemVerilog and what it is worth: one reading, two ways to run it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from veriloop.assistant.generate.interface import Bit, Interface, PortDeclaration
from veriloop.assistant.generate.reference import Expected, Inputs, Row

Values = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Expr:
    """A value of some bits: how it is written, and what it is at given values of ports and registers."""

    width: int
    text: str
    value: Callable[[Values], int]
    atom: bool = False
    """Whether it can stand beside an operator without parentheses."""

    @property
    def closed(self) -> str:
        """The text, in parentheses where it needs them."""
        return self.text if self.atom else f"({self.text})"


def const(value: int, width: int) -> Expr:
    """A constant."""
    value &= (1 << width) - 1
    text = f"{width}'b{value:b}" if width == 1 else f"{width}'d{value}" if width <= 8 else f"{width}'h{value:x}"
    return Expr(width, text, lambda values: value, atom=True)


def name(port: str, width: int) -> Expr:
    """A port or a register."""
    return Expr(width, port, lambda values: values[port], atom=True)


def part(port: PortDeclaration, high: int, low: int) -> Expr:
    """Some bits of a port, by the port's own indices."""
    if port.width_bits == 1 or (high, low) == (port.msb, port.lsb):
        return name(port.name, port.width_bits)
    width = high - low + 1
    text = f"{port.name}[{high}]" if width == 1 else f"{port.name}[{high}:{low}]"
    shift, mask = low - port.lsb, (1 << width) - 1
    return Expr(width, text, lambda values: values[port.name] >> shift & mask, atom=True)


def inverse(one: Expr) -> Expr:
    """Every bit turned round."""
    mask = (1 << one.width) - 1
    return Expr(one.width, f"~{one.closed}", lambda values: ~one.value(values) & mask, atom=True)


_OPERATIONS: Mapping[str, Callable[[int, int], int]] = {
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}


def bitwise(operator: str, operands: Sequence[Expr]) -> Expr:
    """`&`, `|` or `^` of operands of one width."""
    width = operands[0].width
    assert all(one.width == width for one in operands)

    def value(values: Values) -> int:
        result = operands[0].value(values)
        for one in operands[1:]:
            result = _OPERATIONS[operator](result, one.value(values))
        return result

    if len(operands) == 1:
        return operands[0]
    return Expr(width, f" {operator} ".join(one.closed for one in operands), value)


def reduce(operator: str, one: Expr) -> Expr:
    """`&`, `|` or `^` over the bits of a value."""

    def value(values: Values) -> int:
        word = one.value(values)
        if operator == "&":
            return int(word == (1 << one.width) - 1)
        return int(word != 0) if operator == "|" else word.bit_count() & 1

    return Expr(1, f"{operator}{one.closed}", value, atom=True) if one.width > 1 else one


def joined(parts: Sequence[Expr]) -> Expr:
    """A concatenation, the highest part first."""

    def value(values: Values) -> int:
        word = 0
        for one in parts:
            word = word << one.width | one.value(values)
        return word

    if len(parts) == 1:
        return parts[0]
    return Expr(sum(one.width for one in parts), f"{{{', '.join(one.text for one in parts)}}}", value, atom=True)


def repeated(one: Expr, count: int) -> Expr:
    """A value `count` times beside itself."""
    if count == 1:
        return one

    def value(values: Values) -> int:
        word, result = one.value(values), 0
        for _ in range(count):
            result = result << one.width | word
        return result

    return Expr(one.width * count, f"{{{count}{{{one.text}}}}}", value, atom=True)


def extended(one: Expr, width: int, *, signed: bool = False) -> Expr:
    """A value with zeros, or with copies of its highest bit, in front; `signed` takes a plain port."""
    if one.width == width:
        return one
    if not signed:
        return joined([const(0, width - one.width), one])
    top = f"{one.text}[{one.width - 1}]" if one.width > 1 else one.text
    sign = Expr(1, top, lambda values: one.value(values) >> (one.width - 1) & 1, atom=True)
    return joined([repeated(sign, width - one.width), one])


def arithmetic(operator: str, left: Expr, right: Expr) -> Expr:
    """`+`, `-` or `*` of two values of one width, modulo that width."""
    assert left.width == right.width
    mask = (1 << left.width) - 1
    steps: Mapping[str, Callable[[int, int], int]] = {
        "+": lambda a, b: a + b,
        "-": lambda a, b: a - b,
        "*": lambda a, b: a * b,
    }
    step = steps[operator]
    return Expr(
        left.width,
        f"{left.closed} {operator} {right.closed}",
        lambda values: step(left.value(values), right.value(values)) & mask,
    )


def compared(operator: str, left: Expr, right: Expr) -> Expr:
    """`==`, `!=`, `<`, `<=`, `>` or `>=` of two unsigned values of one width."""
    assert left.width == right.width
    steps: Mapping[str, Callable[[int, int], bool]] = {
        "==": lambda a, b: a == b,
        "!=": lambda a, b: a != b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    step = steps[operator]
    return Expr(
        1, f"{left.closed} {operator} {right.closed}", lambda values: int(step(left.value(values), right.value(values)))
    )


def chosen(condition: Expr, yes: Expr, no: Expr) -> Expr:
    """One of two values."""
    assert yes.width == no.width
    assert condition.width == 1
    return Expr(
        yes.width,
        f"{condition.closed} ? {yes.closed} : {no.closed}",
        lambda values: yes.value(values) if condition.value(values) else no.value(values),
    )


def picked(vector: str, selector: Expr, lsb: int = 0) -> Expr:
    """The bit of a vector that a selector names; the selector is as wide as the index needs."""
    index = f"{vector}[{selector.text}]" if lsb == 0 else f"{vector}[{selector.text} + {lsb}]"
    return Expr(1, index, lambda values: values[vector] >> selector.value(values) & 1, atom=True)


def counted_ones(one: Expr, width: int) -> Expr:
    """How many bits are 1."""
    return Expr(width, f"{width}'($countones({one.text}))", lambda values: one.value(values).bit_count(), atom=True)


@dataclass(frozen=True, slots=True)
class Register:
    """What is clocked: its next value, and its value in reset."""

    name: str
    following: Expr
    reset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """How the registers are reset."""

    port: str
    asynchronous: bool = False
    active_low: bool = False

    def given(self, values: Values) -> bool:
        """Whether it is given."""
        return bool(values[self.port]) != self.active_low


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit:
    """Registers and what the outputs are made of.

    Attributes:
        outputs: each output that is no register, with its value.
        registers: what is clocked.
        clock: its port; empty where nothing is clocked.
        rising: at which edge.
        reset: none where nothing resets them: they start at their reset value.
        raw: further lines of the body, for what no expression says; then nothing is played.
    """

    outputs: Mapping[str, Expr] = field(default_factory=dict)
    registers: tuple[Register, ...] = ()
    clock: str = ""
    rising: bool = True
    reset: Reset | None = None
    raw: str = ""

    def lines(self, interface: Interface) -> str:
        """The body of the module."""
        found: list[str] = []
        ports = {port.name for port in interface.ports}
        for one in self.registers:
            if one.name not in ports:
                width = one.following.width
                found.append(f"  logic {f'[{width - 1}:0] ' if width > 1 else ''}{one.name};")
        if self.registers and self.reset is None:
            starts = " ".join(f"{one.name} = {const(one.reset, one.following.width).text};" for one in self.registers)
            found.append(f"  initial begin {starts} end")
        found += self._clocked()
        found += [f"  assign {output} = {value.text};" for output, value in self.outputs.items()]
        return "\n".join([*found, *([self.raw] if self.raw else [])])

    def _clocked(self) -> Iterator[str]:
        if not self.registers:
            return
        edge = f"{'pos' if self.rising else 'neg'}edge {self.clock}"
        reset = self.reset
        if reset is not None and reset.asynchronous:
            edge += f" or {'neg' if reset.active_low else 'pos'}edge {reset.port}"
        # An initial block may not write what an always_ff writes.
        keyword = "always_ff" if reset is not None else "always"
        yield f"  {keyword} @({edge})"
        if reset is None:
            yield from self._assigned("    ", [(one.name, one.following.text) for one in self.registers])
            return
        condition = f"!{reset.port}" if reset.active_low else reset.port
        starts = [(one.name, const(one.reset, one.following.width).text) for one in self.registers]
        yield f"    if ({condition})" + (" begin" if len(starts) > 1 else "")
        yield from self._plain("      ", starts)
        yield ("    end else" if len(starts) > 1 else "    else") + (" begin" if len(starts) > 1 else "")
        yield from self._plain("      ", [(one.name, one.following.text) for one in self.registers])
        if len(starts) > 1:
            yield "    end"

    def _assigned(self, indent: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
        if len(pairs) == 1:
            yield from self._plain(indent, pairs)
            return
        yield f"{indent[:-2]}begin"
        yield from self._plain(indent, pairs)
        yield f"{indent[:-2]}end"

    @staticmethod
    def _plain(indent: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
        for target, value in pairs:
            yield f"{indent}{target} <= {value};"


class CircuitReference:
    """The circuit as a model; unknown until the first reset, where there is one."""

    def __init__(self, circuit: Circuit, interface: Interface) -> None:
        self._circuit = circuit
        self._interface = interface
        start = {one.name: one.reset for one in circuit.registers}
        self._state: dict[str, int] | None = start if circuit.reset is None else None

    def corners(self) -> Sequence[Inputs]:
        """None: random inputs go everywhere."""
        return ()

    def outputs(self, inputs: Inputs) -> Expected:
        """The outputs in the present state; an asynchronous reset acts at once."""
        circuit = self._circuit
        if circuit.reset is not None and circuit.reset.asynchronous and circuit.reset.given(inputs):
            self._restart()
        if self._state is None and circuit.registers:
            return {}
        values = {**inputs, **(self._state or {})}
        found: dict[Bit, str] = {}
        for port in self._interface.outputs:
            word = circuit.outputs[port.name].value(values) if port.name in circuit.outputs else values.get(port.name)
            if word is not None:
                bits = f"{word:0{port.width_bits}b}"
                found |= dict(zip(self._interface.bits(port), bits, strict=True))
        return found

    def tick(self, inputs: Inputs) -> None:
        """An active edge of the clock."""
        circuit = self._circuit
        if circuit.reset is not None and circuit.reset.given(inputs):
            self._restart()
        elif self._state is not None:
            values = {**inputs, **self._state}
            self._state = {one.name: one.following.value(values) for one in circuit.registers}

    def _restart(self) -> None:
        self._state = {one.name: one.reset for one in self._circuit.registers}


def played(circuit: Circuit, interface: Interface, steps: Sequence[Inputs]) -> list[Row]:
    """A circuit's answers to inputs, each step with an active edge of the clock if there is one."""
    reference = CircuitReference(circuit, interface)
    found: list[Row] = []
    idle, active = (0, 1) if circuit.rising else (1, 0)
    for inputs in steps:
        held = {circuit.clock: idle} if circuit.clock else {}
        found.append(Row({**inputs, **held}, reference.outputs(inputs)))
        if circuit.clock:
            reference.tick(inputs)
            found.append(Row({circuit.clock: active}, {}))
    return found
