"""State tables: a row a state, or a row a transition."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from veriloop.assistant.generate.guards import read_guard, read_outputs
from veriloop.assistant.generate.interface import Bit, Interface
from veriloop.assistant.generate.state_machine import Arc, Cube, StateMachine
from veriloop.assistant.generate.tables import Table, tables
from veriloop.assistant.generate.text import bare_lines
from veriloop.assistant.generate.wording import read_state_outputs

_CONDITION = re.compile(r"([A-Za-z_]\w*(?:\[\d+\])?)\s*=\s*([01]+)")
_OUTPUT = re.compile(r"^outputs?\b[\s:(]*|[)\s]+$", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Column:
    """A column, or one of the parts that commas make of it."""

    kind: str
    """`state`, `next`, `input` or `output`."""
    guard: Cube
    bits: tuple[Bit, ...] = ()


def read_state_table(text: str, interface: Interface) -> StateMachine | None:
    """The machine that a table in a specification describes; none if there is no such table."""
    for table in [*tables(text), *_spaced(text, interface)]:
        machine = _machine(table, interface)
        if machine is None:
            continue
        if not any(machine.moore.values()) and not any(arc.outputs for arc in machine.arcs):
            return replace(machine, moore=read_state_outputs(text, machine.states, interface))
        return machine
    return None


_HEADING = re.compile(r"\s*(?:present |current )?state\s+([01]+(?:\s+[01]+)+)\s*", re.I)


def _spaced(text: str, interface: Interface) -> Iterator[Table]:
    """Tables without bars: a line that names the inputs, one with their values, and a line a state."""
    above, header, rows = "", None, list[tuple[str, ...]]()
    for line in [*bare_lines(text), ""]:
        cells = re.sub(r"\bnext state\b", " ", line, flags=re.I).split()
        if header is not None and len(cells) == len(header):
            rows.append(tuple(cells))
            continue
        if header is not None and rows:
            yield Table(header=header, rows=tuple(rows))
        header, rows = None, []
        heading = _HEADING.fullmatch(line)
        bits = interface.word(above) if heading is not None else None
        values = heading[1].split() if heading is not None else []
        if bits and all(len(value) == len(bits) for value in values):
            guards = [", ".join(f"{bit}={one}" for bit, one in zip(bits, value, strict=True)) for value in values]
            header = ("state", *(f"next state {guard}" for guard in guards))
        above = line.strip() or above


def _machine(table: Table, interface: Interface) -> StateMachine | None:
    columns: list[list[_Column]] = []
    for cell in table.header:
        parts = _columns(cell, interface)
        if parts is None:
            return None
        columns.append(parts)
    flat = [column for parts in columns for column in parts]
    if [column.kind for column in flat].count("state") != 1 or all(column.kind != "next" for column in flat):
        return None
    arcs: list[Arc] = []
    moore: dict[str, Cube] = {}
    for row in table.rows:
        cells = _split(row, columns)
        if cells is None:
            return None
        state = next(cell for cell, column in zip(cells, flat, strict=True) if column.kind == "state")
        said = _row(state, cells, flat, interface)
        if said is None:
            return None
        new, outputs = said
        arcs += new
        if moore.setdefault(state, outputs) != outputs:
            return None
    states = tuple(dict.fromkeys(arc.source for arc in arcs))
    return StateMachine(states=states, arcs=tuple(arcs), moore=moore)


def _columns(header: str, interface: Interface) -> list[_Column] | None:
    """What a header cell stands for; none if that cannot be told."""
    parts = [part.strip() for part in header.split(",")]
    words = header.lower()
    if "next" in words or (len(parts) > 1 and all(_CONDITION.fullmatch(part) for part in parts)):
        guards = [_guard(part, interface) for part in parts]
        return None if None in guards else [_Column(kind="next", guard=guard) for guard in guards if guard is not None]
    if re.search(r"\bstate\b|\bpresent\b|\bcurrent\b", words):
        return [_Column(kind="state", guard={})]
    if bits := _bits(re.sub(r"^inputs?\s+", "", header, flags=re.I), interface, inputs=True):
        return [_Column(kind="input", guard={}, bits=bits)]
    if _CONDITION.fullmatch(header.strip()):
        guard = _guard(header, interface)
        return None if guard is None else [_Column(kind="next", guard=guard)]
    if words.startswith("out") or _bits(header, interface, inputs=False):
        found: list[_Column] = []
        for part in parts:
            guard = _guard(part, interface)
            name = _CONDITION.sub("", _OUTPUT.sub("", part)).strip(" ,()")
            bits = _bits(name.removesuffix("when").strip(), interface, inputs=False) or _all_outputs(interface)
            if guard is None or bits is None:
                return None
            found.append(_Column(kind="output", guard=guard, bits=bits))
        return found
    return None


def _guard(text: str, interface: Interface) -> Cube | None:
    said = ",".join(match[0] for match in _CONDITION.finditer(text))
    if not said:
        return {}
    guard = read_guard(said, interface)
    return guard.cube if guard else None


def _bits(name: str, interface: Interface, *, inputs: bool) -> tuple[Bit, ...] | None:
    name = re.sub(r"\[\d+:\d+\]", "", name).strip()
    ports = {port.name for port in (interface.inputs if inputs else interface.outputs)}
    bits = interface.word(name)
    return bits if bits and all(bit.port in ports for bit in bits) else None


def _all_outputs(interface: Interface) -> tuple[Bit, ...] | None:
    outputs = [port for port in interface.outputs if not re.match(r"next", port.name, re.I)]
    single = [port for port in outputs if port.width_bits == 1]
    return (Bit(single[0].name),) if len(single) == 1 else None


def _split(row: tuple[str, ...], columns: list[list[_Column]]) -> list[str] | None:
    found: list[str] = []
    for cell, parts in zip(row, columns, strict=True):
        values = [value.strip() for value in cell.split(",")] if len(parts) > 1 else [cell]
        if len(values) != len(parts):
            return None
        found += values
    return found


def _row(state: str, cells: list[str], columns: list[_Column], interface: Interface) -> tuple[list[Arc], Cube] | None:
    given: dict[Bit, str] = {}
    moore: dict[Bit, str] = {}
    mealy: list[tuple[Cube, Cube]] = []
    for cell, column in zip(cells, columns, strict=True):
        if column.kind == "input":
            if not re.fullmatch(r"[01xX-]+", cell) or len(cell) != len(column.bits):
                return None
            given.update((bit, value) for bit, value in zip(column.bits, cell, strict=True) if value in "01")
        elif column.kind == "output":
            values = cell if re.fullmatch(r"[01]+", cell) and len(cell) == len(column.bits) else None
            if values is None:
                said = read_outputs(cell, interface)
                if said is None:
                    return None
            else:
                said = dict(zip(column.bits, values, strict=True))
            if column.guard:
                mealy.append((column.guard, said))
            else:
                moore.update(said)
    per_transition = bool(given) or any(column.kind == "input" for column in columns)
    arcs: list[Arc] = []
    for cell, column in zip(cells, columns, strict=True):
        if column.kind != "next":
            continue
        outputs: dict[Bit, str] = dict(moore) if per_transition else {}
        # `RUN/1`, `RUN, 1`: the next state with the outputs of the transition.
        if both := re.fullmatch(r"(\w+)\s*/\s*([01]+)", cell):
            said = read_outputs(both[2], interface)
            if not said:
                return None
            cell = both[1]
            outputs.update(said)
        if not re.fullmatch(r"\w+", cell):
            return None
        for guard, said in mealy:
            if guard == column.guard:
                outputs.update(said)
        arcs.append(Arc(source=state, target=cell, guard={**given, **column.guard}, outputs=outputs))
    return arcs, ({} if per_transition else moore)
