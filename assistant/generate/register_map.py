"""Register maps: a table of addresses, names and accesses, and the registers behind a plain bus that it describes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from veriloop.assistant.generate.interface import Bit, Interface, PortDeclaration
from veriloop.assistant.generate.prose.register_words import AT_ONCE, LATER, read_words
from veriloop.assistant.generate.prose.values import number
from veriloop.assistant.generate.questions import Decided, Question
from veriloop.assistant.generate.reference import Expected, Inputs
from veriloop.assistant.generate.state_machine import Reset
from veriloop.assistant.generate.tables import Table, tables
from veriloop.assistant.generate.wording import read_reset

Access = Literal["rw", "ro", "wo"]

_COLUMNS: Mapping[str, str] = {
    "address": r"(?:register )?(?:address|addr|offset)(?: \(hex\))?",
    "name": r"(?:register )?name|register|reg",
    "access": r"access(?: type)?|type|mode|r/w|permissions?",
    "reset": r"(?:reset|default|initial)(?: value)?",
    "words": r"description|function|purpose|notes?|comment|meaning",
}
_ACCESSES: Mapping[str, Access] = {
    "rw": "rw", "r/w": "rw", "read/write": "rw", "read-write": "rw",
    "ro": "ro", "r": "ro", "read-only": "ro", "read only": "ro",
    "wo": "wo", "w": "wo", "write-only": "wo", "write only": "wo",
}  # fmt: skip
_MORE = re.compile(
    r"\b(?:clear\w*|self|sticky|toggl\w+|increment\w*|decrement\w*|trigger\w*|start\w*|lock\w*|ignored?"
    r"|only (?:if|when)|one to|1 to|reserved|bits? \d|\[\d)",
    re.I,
)
"""What a description says that reading and writing do beside storing."""
_ROLES: Mapping[str, str] = {
    "address": r"p?addr(?:ess)?(?:_i|_in)?|reg_?addr(?:ess)?|a",
    "write": r"we|wen|wr|write|wr_?en(?:able)?|write_?en(?:able)?|pwrite",
    "read": r"re|ren|rd|read|rd_?en(?:able)?|read_?en(?:able)?",
    "data": r"w(?:r|rite)?_?data|pwdata|data_?in|din|wd(?:at)?",
    "shown": r"r(?:ea)?d?_?data|prdata|data_?out|dout|rd(?:at)?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRegister:
    """A row of a map; `port` carries its value out, or in where the bus only reads it."""

    address: int
    name: str
    access: Access
    reset: int
    port: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """The registers, the ports by what they do, and when what is read is there."""

    registers: tuple[MappedRegister, ...]
    roles: Mapping[str, PortDeclaration]
    reset: Reset
    clock: str
    registered: bool
    assumed: tuple[str, ...] = ()

    @property
    def width_bits(self) -> int:
        """Of every register."""
        return self.roles["data"].width_bits


def read_register_map(text: str, interface: Interface, decided: Decided) -> RegisterMap | Question | None:
    """The map in a specification; a question where it does not say when what is read is there; none without a map.

    A map is taken as a whole or not at all: each port has a role in it, each sentence beside it is understood, and no
    register does more than to be written and read.
    """
    rows = next((rows for table in tables(text) if (rows := _rows(table))), None)
    clock, roles = interface.clock, _roles(interface)
    if rows is None or clock is None or interface.reset is None or {"address", "write", "data", "shown"} - set(roles):
        return None
    reset, assumed = read_reset(text, interface, ("",))
    data, shown = roles["data"], roles["shown"]
    if reset is None or data.width_bits != shown.width_bits:
        return None
    registers = _placed(rows, roles, interface)
    said = read_words(text, shown=shown.name, write=roles["write"].name)
    if registers is None or said is None:
        return None
    if not said.timing:
        asked = Question(f"is {shown.name} {AT_ONCE} or {LATER}?", (AT_ONCE, LATER))
        answer = decided.to(asked)
        if answer is None:
            return asked
        said.timing = answer
    if said.timing == AT_ONCE and "read" in roles:
        return None
    notes = [line for line in assumed if "state" not in line]
    if not said.unmapped:
        notes.append(f"{shown.name} is 0 at addresses that the map does not name")
    return RegisterMap(
        registers=registers,
        roles=roles,
        reset=reset,
        clock=clock.name,
        registered=said.timing == LATER,
        assumed=tuple(notes),
    )


def _rows(table: Table) -> tuple[MappedRegister, ...]:
    """The registers of a table; none if it is no map, or says more of one than can be read."""
    places: dict[str, int] = {}
    for place, cell in enumerate(table.header):
        kind = next((kind for kind, pattern in _COLUMNS.items() if re.fullmatch(pattern, cell.strip(), re.I)), None)
        if kind is None or kind in places:
            return ()
        places[kind] = place
    if {"address", "name", "access"} - set(places):
        return ()
    found = []
    for row in table.rows:
        cells = {kind: row[place].strip("` ") for kind, place in places.items()}
        address, access = number(cells["address"]), _ACCESSES.get(cells["access"].lower())
        start = cells.get("reset", "0")
        reset = 0 if start in {"", "-", "n/a", "N/A"} else number(start)
        named = re.fullmatch(r"[A-Za-z]\w*", cells["name"])
        if address is None or access is None or reset is None or not named or _MORE.search(cells.get("words", "")):
            return ()
        found.append(MappedRegister(address=address, name=cells["name"].lower(), access=access, reset=reset))
    distinct = len({one.address for one in found}) == len({one.name for one in found}) == len(found)
    return tuple(found) if distinct else ()


def _roles(interface: Interface) -> dict[str, PortDeclaration]:
    """The bus's ports by what they do; a name that two ports fit fits none."""
    found: dict[str, PortDeclaration] = {}
    for kind, pattern in _ROLES.items():
        ports = interface.outputs if kind == "shown" else interface.data
        fitting = [port for port in ports if re.fullmatch(pattern, port.name, re.I)]
        if len(fitting) == 1 and (kind in ("address", "data", "shown") or fitting[0].width_bits == 1):
            found[kind] = fitting[0]
    return found


def _placed(
    rows: Sequence[MappedRegister], roles: Mapping[str, PortDeclaration], interface: Interface
) -> tuple[MappedRegister, ...] | None:
    """The registers with the ports that carry them; none if a port is left over or does not fit."""
    width, span = roles["data"].width_bits, roles["address"].width_bits
    left = {port.name: port for port in interface.ports if port not in roles.values()}
    for driven in (interface.clock, interface.reset):
        left.pop(driven.name if driven else "", None)
    found = []
    for row in rows:
        if row.address >= 1 << span or row.reset >= 1 << width:
            return None
        wanted = "input" if row.access == "ro" else "output"
        names = [name for name in left if re.fullmatch(rf"{row.name}(?:_[qio]|_out|_in|_reg|_value)?", name, re.I)]
        fitting = [name for name in names if left[name].direction == wanted and left[name].width_bits == width]
        if len(names) > 1 or len(fitting) != len(names):
            return None
        found.append(replace(row, port=left.pop(names[0]).name if names else ""))
    return tuple(found) if not left else None


def register_lines(found: RegisterMap) -> str:
    """The body of the module."""
    return "\n".join(_lines(found))


def _lines(found: RegisterMap) -> Iterator[str]:
    roles, width = found.roles, found.width_bits
    address, data, shown = roles["address"], roles["data"].name, roles["shown"].name
    kept = [one for one in found.registers if one.access != "ro"]
    yield f"  logic [{width - 1}:0] {', '.join(_own(one) for one in kept)};" if kept else ""
    edge = (
        f" or {'neg' if found.reset.active_low else 'pos'}edge {found.reset.port}" if found.reset.asynchronous else ""
    )
    if kept:
        yield f"  always_ff @(posedge {found.clock}{edge})"
        yield f"    if ({found.reset.condition}) begin"
        yield from (f"      {_own(one)} <= {width}'h{one.reset:x};" for one in kept)
        yield f"    end else if ({roles['write'].name})"
        yield f"      case ({address.name})"
        yield from (f"        {address.width_bits}'h{one.address:x}: {_own(one)} <= {data};" for one in kept)
        yield "        default: ;"
        yield "      endcase"
        yield ""
    yield f"  logic [{width - 1}:0] selected;"
    yield "  always_comb"
    yield f"    case ({address.name})"
    for one in found.registers:
        if one.access != "wo":
            value = _own(one) if one.access == "rw" else one.port or f"{width}'h{one.reset:x}"
            yield f"      {address.width_bits}'h{one.address:x}: selected = {value};"
    yield f"      default: selected = {width}'h0;"
    yield "    endcase"
    if found.registered:
        yield f"  always_ff @(posedge {found.clock}{edge})"
        yield f"    if ({found.reset.condition}) {shown} <= {width}'h0;"
        yield f"    else{_when_read(found)} {shown} <= selected;"
    else:
        yield f"  assign {shown} = selected;"
    yield from (f"  assign {one.port} = {_own(one)};" for one in kept if one.port)


def _when_read(found: RegisterMap) -> str:
    return f" if ({found.roles['read'].name})" if "read" in found.roles else ""


def _own(one: MappedRegister) -> str:
    return f"stored_{one.name}"


@dataclass(slots=True)
class MapReference:
    """The registers as a model, unknown until the first reset."""

    found: RegisterMap
    interface: Interface
    values: dict[str, int] | None = None
    shown: int = 0
    _kept: tuple[MappedRegister, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Tells the registers that can be written."""
        self._kept = tuple(one for one in self.found.registers if one.access != "ro")

    def corners(self) -> Sequence[Inputs]:
        """Each address written and read, with all ones and with a pattern, after a reset."""
        roles, reset = self.found.roles, self.found.reset
        quiet = {port.name: 0 for port in self.interface.inputs} | {reset.port: int(reset.active_low)}
        full = (1 << self.found.width_bits) - 1
        rows: list[Inputs] = [{**quiet, reset.port: int(not reset.active_low)}] * 2
        read = {roles["read"].name: 1} if "read" in roles else {}
        for one in self.found.registers:
            at = {**quiet, roles["address"].name: one.address}
            for value in (full, full // 3):
                rows += [{**at, roles["write"].name: 1, roles["data"].name: value}, {**at, **read}, {**at, **read}]
        return rows

    def outputs(self, inputs: Inputs) -> Expected:
        """What is shown, and what the registers carry out."""
        if self.found.reset.asynchronous and self._in_reset(inputs):
            self._start()
        if self.values is None:
            return {}
        found = self._bits(self.found.roles["shown"], self.shown if self.found.registered else self._selected(inputs))
        for one in self._kept:
            port = self.interface.port(one.port) if one.port else None
            found |= self._bits(port, self.values[one.name]) if port is not None else {}
        return found

    def tick(self, inputs: Inputs) -> None:
        """A write, and what is read."""
        if self._in_reset(inputs):
            self._start()
        elif self.values is not None:
            roles = self.found.roles
            if "read" not in roles or inputs[roles["read"].name]:
                self.shown = self._selected(inputs)
            for one in self._kept:
                if inputs[roles["write"].name] and inputs[roles["address"].name] == one.address:
                    self.values[one.name] = inputs[roles["data"].name]

    def _start(self) -> None:
        self.values, self.shown = {one.name: one.reset for one in self._kept}, 0

    def _in_reset(self, inputs: Inputs) -> bool:
        return bool(inputs[self.found.reset.port]) != self.found.reset.active_low

    def _selected(self, inputs: Inputs) -> int:
        for one in self.found.registers:
            if inputs[self.found.roles["address"].name] == one.address and one.access != "wo":
                if one.access == "ro":
                    return inputs[one.port] if one.port else one.reset
                return (self.values or {}).get(one.name, 0)
        return 0

    def _bits(self, port: PortDeclaration, value: int) -> dict[Bit, str]:
        places = zip(self.interface.bits(port), f"{value:0{port.width_bits}b}", strict=True)
        return dict(places)
