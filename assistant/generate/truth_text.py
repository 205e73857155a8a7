"""Functions that a specification lists: truth tables, characteristic tables, codes with their meaning, minterms."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from veriloop.assistant.generate.interface import Bit, Interface
from veriloop.assistant.generate.reference import (
    CellsReference,
    Expected,
    Inputs,
    Reference,
    RegisterReference,
    bit_of,
)
from veriloop.assistant.generate.tables import Table, tables
from veriloop.assistant.generate.text import bare_lines, sentences
from veriloop.assistant.generate.truth_table import TruthTable, concatenation, words


@dataclass(frozen=True, slots=True)
class Made:
    """RTL of a module's body, and what the text says as a model that can be run."""

    lines: str
    reference: Reference


@dataclass(frozen=True, slots=True)
class _Meanings:
    """Outputs that each stand for some codes of an input."""

    port: str
    rows: tuple[tuple[int, str], ...]
    names: tuple[str, ...]

    def corners(self) -> Sequence[Inputs]:
        """The codes."""
        return [{self.port: code} for code, _ in self.rows]

    def outputs(self, inputs: Inputs) -> Expected:
        """1 for the output that the code means, 0 for the others."""
        return {Bit(name): str(int((inputs[self.port], name) in self.rows)) for name in self.names}

    def tick(self, inputs: Inputs) -> None:
        """Nothing: there is no state."""


_LITERAL = re.compile(r"(?:(\d+)'([bdh])|(0x))?([0-9a-fA-F_]+)")
_REST = re.compile(r"(?:anything|everything|all|any)? ?(?:else|others?)|otherwise|default", re.I)
_LIST = r"((?:\d+\s*,\s*)*(?:(?:and|or)\s+)?\d+(?:\s*,?\s*(?:and|or)\s+\d+)?)"
_ONES = re.compile(rf"logic[- ]1\s+when\s+(?:the\s+)?{_LIST}\s+(?:appears?|occurs?)", re.I)
_ZEROS = re.compile(rf"logic[- ]0\s+when\s+(?:the\s+)?{_LIST}\s+(?:appears?|occurs?)", re.I)
_NEVER = re.compile(rf"(?:numbers?|conditions?|inputs?)\s+{_LIST}\s+never\s+(?:occur|appear)", re.I)
_VARIABLES = re.compile(r"inputs?\s*\(([^()]*)\)", re.I)
_OLD = re.compile(r"(~|!)?\s*(\w+?)_?(?:old|prev|n|\(t\))?(')?", re.I)


def read_truth_table(text: str, interface: Interface) -> TruthTable | None:
    """A table of all inputs and outputs in zeros and ones; `-` and `x` stand for any input, or a free output."""
    for table in map(_without_index, [*tables(text), *columned(text)]):
        columns = [interface.word(re.sub(r"\[\d+:\d+\]", "", cell)) for cell in table.header]
        if any(not column for column in columns):
            continue
        bits = [bit for column in columns for bit in column or ()]
        names = {port.name for port in interface.inputs}
        places = [number for number, bit in enumerate(bits) if bit.port in names]
        inputs = tuple(bits[place] for place in places)
        outputs = tuple(bit for bit in bits if bit.port not in names)
        if not inputs or not outputs or interface.clock in {interface.port(bit.port) for bit in inputs}:
            continue
        rows: dict[int, str] = {}
        for row in table.rows:
            cells = re.sub(r"\s", "", "".join(row)).lower().replace("x", "-").replace("d", "-")
            if len(cells) != len(bits) or set(cells) - set("01-"):
                rows = {}
                break
            key = "".join(cells[place] for place in places)
            value = "".join(cell for place, cell in enumerate(cells) if place not in places)
            for word in words([key], len(inputs)):
                if rows.setdefault(word, value) != value:
                    return None
        missing = {bit.port for bit in outputs} != {port.name for port in interface.outputs}
        if rows and not missing and len(rows) == 1 << len(inputs):
            return TruthTable(inputs=inputs, outputs=outputs, rows=rows)
    return None


def _without_index(table: Table) -> Table:
    """A table without a first column that only counts its rows."""
    if (
        not re.fullmatch(r"row|#|no\.?|n|index|minterm|case|decimal|dec", table.header[0].strip(), re.I)
        or len(table.header) < 3
    ):
        return table
    return Table(header=table.header[1:], rows=tuple(row[1:] for row in table.rows))


def columned(text: str) -> Iterator[Table]:
    """Tables whose columns are kept apart by spaces alone."""
    waiting: list[tuple[str, ...]] = []
    for line in [*bare_lines(text), ""]:
        cells = tuple(line.split()) if "|" not in line else ()
        if waiting and len(cells) != len(waiting[0]):
            if len(waiting) > 2:
                yield Table(header=waiting[0], rows=tuple(waiting[1:]))
            waiting = []
        if len(cells) > 1:
            waiting.append(cells)


def read_characteristic(text: str, interface: Interface) -> Made | None:
    """A flip-flop's table, whose output column says what becomes of the value before the edge."""
    clock = interface.clock
    if clock is None or len(interface.outputs) != 1 or interface.outputs[0].width_bits != 1:
        return None
    output = Bit(interface.outputs[0].name)
    for table in tables(text):
        inputs = [interface.bit(cell) for cell in table.header[:-1]]
        if None in inputs or interface.bit(table.header[-1].rstrip("+")) != output:
            continue
        bits = [bit for bit in inputs if bit is not None]
        values = [_following(row[-1], output.port) for row in table.rows]
        keys = ["".join(row[:-1]) for row in table.rows]
        complete = len(keys) == len(set(keys)) == 1 << len(bits) and all(re.fullmatch("[01]+", key) for key in keys)
        if None in values or not complete or interface.reset is not None:
            continue
        lines = [f"  always_ff @(posedge {clock.name})", f"    case ({concatenation(bits)})"]
        lines += [f"      {len(bits)}'b{key}: {output} <= {value};" for key, value in zip(keys, values, strict=True)]
        meaning = dict(zip(keys, values, strict=True))

        def following(inputs: Inputs, old: str | None, bits: list[Bit] = bits, meaning: Any = meaning) -> str | None:
            value = meaning["".join(bit_of(inputs, bit, interface) for bit in bits)]
            if value.startswith("1'b"):
                return str(value[-1])
            return old if old is None or value == output.port else str(1 - int(old))

        return Made("\n".join([*lines, "    endcase"]), RegisterReference(output, following))
    return None


def _following(cell: str, name: str) -> str | None:
    if cell in {"0", "1"}:
        return f"1'b{cell}"
    if re.fullmatch(r"hold|no change|keep|unchanged", cell, re.I):
        return name
    if re.fullmatch(r"toggle|invert", cell, re.I):
        return f"~{name}"
    match = _OLD.fullmatch(cell.replace("[t]", "").replace("-", ""))
    if match is None or match[2].lower() != name.lower():
        return None
    return f"~{name}" if match[1] or match[3] else name


def read_meanings(text: str, interface: Interface) -> Made | None:
    """Codes of one input and the output that each of them means, by the output's name."""
    outputs = interface.outputs
    if interface.clock is not None or any(port.width_bits > 1 for port in outputs) or len(interface.inputs) != 1:
        return None
    port = interface.inputs[0]
    for table in tables(text):
        if len(table.header) != 2 or interface.port(re.sub(r"\[.*\]", "", table.header[0])) != port:
            continue
        rows: list[tuple[int, str]] = []
        for code, meaning in table.rows:
            named = [output.name for output in outputs if re.search(rf"\b{re.escape(output.name)}\b", meaning, re.I)]
            if _REST.fullmatch(code.strip()) and not named:
                continue
            value = _number(code.strip())
            if value is None or len(named) != 1:
                return None
            rows.append((value, named[0]))
        if rows and {name for _, name in rows} == {output.name for output in outputs}:
            lines = [
                f"  assign {output.name} = "
                + " || ".join(
                    f"{port.name} == {port.width_bits}'h{value:x}" for value, name in rows if name == output.name
                )
                + ";"
                for output in outputs
            ]
            return Made("\n".join(lines), _Meanings(port.name, tuple(rows), tuple(one.name for one in outputs)))
    return None


def _number(text: str) -> int | None:
    match = _LITERAL.fullmatch(text)
    if match is None:
        return None
    base = {"b": 2, "d": 10, "h": 16}.get(match[2] or ("h" if match[3] else "d"), 10)
    try:
        return int(match[4].replace("_", ""), base)
    except ValueError:
        return None


def read_minterms(text: str, interface: Interface) -> TruthTable | None:
    """A function whose ones, zeros and impossible inputs are listed by number."""
    said = sentences(text)
    if table := _canonical(said, interface):
        return table
    ones, zeros, never = (pattern.search(said) for pattern in (_ONES, _ZEROS, _NEVER))
    named = _VARIABLES.search(said)
    inputs = interface.word(named[1]) if named else None
    outputs = [port for port in interface.outputs if port.width_bits == 1]
    if ones is None or not inputs or len(outputs) != len(interface.outputs) or interface.clock is not None:
        return None
    count = 1 << len(inputs)
    rows: dict[int, str] = {}
    for match, value in ((ones, "1"), (zeros, "0"), (never, "-")):
        for number in re.findall(r"\d+", match[1]) if match else ():
            if int(number) >= count or rows.setdefault(int(number), value) != value:
                return None
    if zeros is None:
        rows |= {word: "0" for word in range(count) if word not in rows}
    if len(rows) != count:
        return None
    outs = tuple(Bit(port.name) for port in outputs)
    return TruthTable(inputs=inputs, outputs=outs, rows={word: value * len(outs) for word, value in rows.items()})


_CANONICAL = re.compile(
    r"(\w+)\s*\(([^()=]*)\)\s*=\s*(?:(\u03a3|\u2211|sum)|(\u03a0|\u220f|product))\s*(?:of\s+(?:min|max)terms\s*)?[mM]?\s*"
    r"\(([\d,\s]+)\)(?:\s*[+.\u00b7*]?\s*(?:\u03a3|\u2211|\u03a0|\u220f|sum|product)?\s*[dD]\s*\(([\d,\s]+)\))?",
    re.I,
)


def _canonical(said: str, interface: Interface) -> TruthTable | None:
    """`y(a,b,c) = \u03a3m(1,2) + d(7)` or `\u03a0M(...)`: the numbers of the ones or the zeros, and what is free."""
    found = _CANONICAL.findall(said)
    output = interface.port(found[0][0]) if len(found) == 1 else None
    if output is None or output.width_bits != 1 or len(interface.outputs) != 1 or interface.clock is not None:
        return None
    _, names, sums, _, listed, free = found[0]
    inputs = interface.word(names)
    if not inputs or any(bit.port == output.name for bit in inputs):
        return None
    numbers, anything = ({int(one) for one in re.findall(r"\d+", part)} for part in (listed, free))
    count = 1 << len(inputs)
    if numbers & anything or max(numbers | anything) >= count:
        return None
    own, other = ("1", "0") if sums else ("0", "1")
    rows = {word: "-" if word in anything else own if word in numbers else other for word in range(count)}
    return TruthTable(inputs=inputs, outputs=(Bit(output.name),), rows=rows)


def read_automaton(text: str, interface: Interface) -> Made | None:
    """A row of cells whose next values a table of a cell and its two neighbours gives."""
    clock, outputs = interface.clock, interface.outputs
    wide = [port for port in interface.data if outputs and port.width_bits == outputs[0].width_bits]
    single = [port for port in interface.data if port.width_bits == 1]
    if clock is None or len(outputs) != 1 or outputs[0].width_bits < 3 or len(wide) != 1 or len(single) != 1:
        return None
    zero_ends = re.search(r"bound\w*[^.]*\b(?:zero|0)\b|\bends?\b[^.]*\b(?:zero|0)\b", sentences(text), re.I)
    for table in tables(text):
        order = _neighbours(table.header)
        if order is None or zero_ends is None or len(table.rows) != 8:
            continue
        rows = {"".join(row[place] for place in order): row[-1] for row in table.rows}
        if len(rows) != 8 or any(set(key + value) - {"0", "1"} for key, value in rows.items()):
            continue
        cells, load, data = outputs[0], single[0].name, wide[0].name
        names = (Bit("left"), Bit(cells.name), Bit("right"))
        function = TruthTable(inputs=names, outputs=(Bit("following"),), rows={int(k, 2): v for k, v in rows.items()})
        high, low, name = cells.msb, cells.lsb, cells.name
        lines = "\n".join(
            [
                f"  logic [{high}:{low}] left, right, following;",
                f"  assign left = {{1'b0, {name}[{high}:{low + 1}]}};",
                f"  assign right = {{{name}[{high - 1}:{low}], 1'b0}};",
                *(f"  {line}" for line in function.statements()),
                "",
                f"  always_ff @(posedge {clock.name})",
                f"    if ({load}) {name} <= {data};",
                f"    else {name} <= following;",
            ]
        )
        return Made(lines, CellsReference(name, data, load, cells.width_bits, low, rows))
    return None


def _neighbours(header: Sequence[str]) -> tuple[int, int, int] | None:
    """The columns of left, centre and right; none if the last column is not the next value of the centre."""
    lowered = [cell.lower() for cell in header]
    if len(lowered) != 4 or "next" not in lowered[3]:
        return None
    found = []
    for word in ("left", "cent|middle|self|cell", "right"):
        places = [number for number, cell in enumerate(lowered[:3]) if re.search(word, cell)]
        if len(places) != 1:
            return None
        found.append(places[0])
    return (found[0], found[1], found[2]) if len(set(found)) == 3 else None
