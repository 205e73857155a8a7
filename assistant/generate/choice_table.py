"""Tables whose outputs are inputs, constants or expressions of them: codes of a selector, and what each chooses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from veriloop.assistant.generate.interface import Bit, Interface, PortDeclaration
from veriloop.assistant.generate.prose.circuit import Expr, const
from veriloop.assistant.generate.prose.values import boolean, number, operand
from veriloop.assistant.generate.questions import Decided, Question
from veriloop.assistant.generate.reference import Expected, Inputs, bit_of
from veriloop.assistant.generate.tables import Table, tables
from veriloop.assistant.generate.truth_table import concatenation, words

_REST = re.compile(r"(?:any(?:thing)? )?(?:else|others?)|otherwise|default|all others?", re.I)
_MOST_SELECTOR_BITS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What is chosen at each code of the selecting inputs.

    Attributes:
        selector: the selecting bits, the highest first.
        outputs: the outputs, in the order of the expressions.
        rows: patterns of `0`, `1` and `-` with an expression an output, in the order of the table.
        rest: the expressions where no pattern fits; none where they leave nothing out.
    """

    selector: tuple[Bit, ...]
    outputs: tuple[PortDeclaration, ...]
    rows: tuple[tuple[str, tuple[Expr, ...]], ...]
    rest: tuple[Expr, ...] | None = None

    def lines(self) -> Iterator[str]:
        """The body of the module."""
        width = len(self.selector)
        wild = any("-" in pattern for pattern, _ in self.rows)
        yield "  always_comb"
        yield f"    {'casez' if wild else 'case'} ({concatenation(self.selector)})"
        for pattern, values in self.rows:
            yield f"      {width}'b{pattern.replace('-', '?')}: {self._set(values)}"
        yield f"      default: {self._set(self.rest or self.rows[-1][1])}"
        yield "    endcase"

    def _set(self, values: Sequence[Expr]) -> str:
        pairs = [f"{port.name} = {value.text};" for port, value in zip(self.outputs, values, strict=True)]
        return pairs[0] if len(pairs) == 1 else f"begin {' '.join(pairs)} end"


@dataclass(frozen=True, slots=True)
class ChoiceReference:
    """The table as a model."""

    found: Choices
    interface: Interface

    def corners(self) -> Sequence[Inputs]:
        """Each code, with the other inputs all different."""
        rows: list[Inputs] = []
        for pattern, _ in self.found.rows:
            row = {port.name: 0x5A5A5A5A * (place + 3) for place, port in enumerate(self.interface.inputs)}
            row = {port.name: row[port.name] & ((1 << port.width_bits) - 1) for port in self.interface.inputs}
            for bit, value in zip(self.found.selector, pattern.replace("-", "0"), strict=True):
                port = self.interface.port(bit.port)
                place = 0 if bit.index is None or port is None else bit.index - port.lsb
                row[bit.port] = row[bit.port] & ~(1 << place) | int(value) << place
            rows.append(row)
        return rows

    def outputs(self, inputs: Inputs) -> Expected:
        """What the first pattern that fits chooses."""
        code = "".join(bit_of(inputs, bit, self.interface) for bit in self.found.selector)
        values = next((values for pattern, values in self.found.rows if _fits(code, pattern)), self.found.rest)
        expected: dict[Bit, str] = {}
        for port, value in zip(self.found.outputs, values or (), strict=bool(values)):
            bits = f"{value.value(inputs):0{port.width_bits}b}"
            expected |= dict(zip(self.interface.bits(port), bits, strict=True))
        return expected

    def tick(self, inputs: Inputs) -> None:
        """Nothing: there is no state."""


def _fits(code: str, pattern: str) -> bool:
    return all(want in ("-", bit) for bit, want in zip(code, pattern, strict=True))


def read_choices(text: str, interface: Interface, decided: Decided) -> Choices | Question | None:
    """The table in a specification; a question where it leaves codes out or contradicts itself; none without one."""
    if interface.clock is not None:
        return None
    for table in tables(text):
        found = _read(table, interface)
        if found is not None:
            return _checked(found, decided)
    return None


def _read(table: Table, interface: Interface) -> Choices | None:
    columns = [_column(cell, interface) for cell in table.header]
    ports = [port for port in columns if port is not None]
    if len(ports) != len(columns) or len({port.name for port in ports}) != len(ports):
        return None
    given = [place for place, port in enumerate(ports) if port.direction == "input"]
    made = [place for place, port in enumerate(ports) if port.direction == "output"]
    selector = tuple(bit for place in given for bit in interface.bits(ports[place]))
    if not given or {ports[place].name for place in made} != {port.name for port in interface.outputs}:
        return None
    rows: list[tuple[str, tuple[Expr, ...]]] = []
    rest: tuple[Expr, ...] | None = None
    for cells in table.rows:
        values = [_value(cells[place], ports[place], interface) for place in made]
        known = tuple(value for value in values if value is not None)
        if len(known) != len(values):
            return None
        if all(_REST.fullmatch(cells[place].strip("` ")) for place in given):
            rest = known
            continue
        codes = [_code(cells[place], ports[place]) for place in given]
        if rest is not None or None in codes:
            return None
        rows.append(("".join(code or "" for code in codes), known))
    outputs = tuple(ports[place] for place in made)
    names = " ".join(value.text for _, values in rows for value in values)
    unused = [
        port.name
        for port in interface.inputs
        if port.name not in {bit.port for bit in selector} and not re.search(rf"\b{re.escape(port.name)}\b", names)
    ]
    plain = all(re.fullmatch(r"\d+'\w+", value.text) for _, values in rows for value in values)
    # Constants alone are a truth table, which is read as such, or examples.
    if not rows or unused or plain or len(selector) > _MOST_SELECTOR_BITS:
        return None
    return Choices(selector=selector, outputs=outputs, rows=tuple(rows), rest=rest)


def _checked(found: Choices, decided: Decided) -> Choices | Question:
    """The table, if it says one thing at every code, or it was decided what it says at all that it leaves out."""
    width = len(found.selector)
    name = concatenation(found.selector)
    said: dict[int, tuple[str, ...]] = {}
    for pattern, values in found.rows:
        texts = tuple(value.text for value in values)
        for word in words([pattern], width):
            if said.setdefault(word, texts) != texts:
                both = " and ".join(" ".join(one) for one in (said[word], texts))
                return Question(f"the table chooses {both} at {name} = {word:0{width}b}")
    missing = [word for word in range(1 << width) if word not in said]
    if not missing or found.rest is not None:
        return found
    zeros = tuple(const(0, port.width_bits) for port in found.outputs)
    rests = {"0": zeros, **{", ".join(value.text for value in values): values for _, values in found.rows}}
    asked = Question(
        f"the table says nothing of {name} = {missing[0]:0{width}b}{' and others' if missing[1:] else ''}: "
        f"what is {', '.join(port.name for port in found.outputs)} then?",
        tuple(rests),
    )
    answer = decided.to(asked)
    return asked if answer is None else replace(found, rest=rests[answer])


def _column(cell: str, interface: Interface) -> PortDeclaration | None:
    """The port that a header names, alone, with its range, or in brackets behind a word."""
    plain = re.sub(r"\[\d+:\d+\]", "", cell).strip("` *")
    inner = re.fullmatch(r"(?:in|out)puts? \(?[`*]*(\w+)[`*]*\)?", plain, re.I)
    return interface.port(inner[1] if inner else plain)


def _code(cell: str, port: PortDeclaration) -> str | None:
    """A cell as a pattern of as many characters as the port has bits."""
    text = cell.strip("` ").replace("_", "").lower()
    width = port.width_bits
    text = re.sub(rf"^{width}'b", "", text)
    if re.fullmatch(rf"[01x?-]{{{width}}}", text):
        return re.sub(r"[x?]", "-", text)
    if re.fullmatch(r"[x?-]", text):
        return "-" * width
    value = number(text) if re.match(r"0x|\d+'[dh]|[2-9]", text) else None
    return f"{value:0{width}b}" if value is not None and value < 1 << width else None


def _value(cell: str, port: PortDeclaration, interface: Interface) -> Expr | None:
    """A cell as an expression of the port's width."""
    text = cell.strip("` ")
    text = re.sub(rf"^{re.escape(port.name)}\s*=\s*", "", text)
    width = port.width_bits
    if re.fullmatch(rf"[01]{{{width}}}", text):
        return const(int(text, 2), width)
    found = operand(text, interface, width=width) if re.fullmatch(r"[A-Za-z_\d'\[\]:]+", text) else None
    found = found or boolean(text, interface)
    if found is None or found.width != width:
        return None
    # An output in a cell would be a loop.
    if any(re.search(rf"\b{re.escape(one.name)}\b", found.text) for one in interface.outputs):
        return None
    return found
