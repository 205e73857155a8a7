"""The ports that a specification names, in a list or in a module header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design, Module
from veriloop.assistant.generate.port_lists import Listed, Unreadable, read_port_list
from veriloop.assistant.generate.text import bare_lines

_NAMED = re.compile(r"\bmodule\s+(?:named|called|name\s*:)\s+[`'\"_]?([A-Za-z_]\w*)", re.I)
_HEADER = re.compile(r"\bmodule\s+([A-Za-z_]\w*)[^;]*;", re.S)
_RANGE = re.compile(r"\[(-?\d+):(-?\d+)\]")
_CLOCK = re.compile(r"clk\w*|\w*clock|\w*_clk", re.I)
_RESET = re.compile(r"\w*(?:reset|rst)\w*|clear|clr\w*|aclr\w*", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class PortDeclaration:
    """A port as it is to be declared; its highest index is `lsb + width_bits - 1`."""

    name: str
    direction: Literal["input", "output"]
    width_bits: int = 1
    lsb: int = 0

    @property
    def msb(self) -> int:
        """The highest index."""
        return self.lsb + self.width_bits - 1

    def __str__(self) -> str:
        span = f"[{self.msb}:{self.lsb}] " if self.width_bits > 1 else ""
        return f"{self.direction} logic {span}{self.name}"


@dataclass(frozen=True, slots=True)
class Bit:
    """One bit of a port; `index` is none where the port has one bit."""

    port: str
    index: int | None = None

    def __str__(self) -> str:
        return self.port if self.index is None else f"{self.port}[{self.index}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A module's name and ports, in their order."""

    toplevel: str
    ports: tuple[PortDeclaration, ...]

    def port(self, name: str) -> PortDeclaration | None:
        """The port of a name, which may differ in case."""
        exact = [port for port in self.ports if port.name == name]
        folded = [port for port in self.ports if port.name.lower() == name.lower()]
        found = exact or folded
        return found[0] if len(found) == 1 else None

    @property
    def inputs(self) -> tuple[PortDeclaration, ...]:
        """The inputs, clock and reset among them."""
        return tuple(port for port in self.ports if port.direction == "input")

    @property
    def outputs(self) -> tuple[PortDeclaration, ...]:
        """The outputs."""
        return tuple(port for port in self.ports if port.direction == "output")

    @property
    def clock(self) -> PortDeclaration | None:
        """The input that is named as a clock."""
        return next((port for port in self.inputs if _CLOCK.fullmatch(port.name) and port.width_bits == 1), None)

    @property
    def reset(self) -> PortDeclaration | None:
        """The input that is named as a reset."""
        return next((port for port in self.inputs if _RESET.fullmatch(port.name) and port.width_bits == 1), None)

    @property
    def data(self) -> tuple[PortDeclaration, ...]:
        """The inputs that are neither clock nor reset."""
        return tuple(port for port in self.inputs if port not in (self.clock, self.reset))

    def header(self) -> str:
        """The module's header in SystemVerilog."""
        ports = ",\n".join(f"  {port}" for port in self.ports)
        return f"module {self.toplevel} (\n{ports}\n);"

    def bits(self, port: PortDeclaration) -> tuple[Bit, ...]:
        """A port's bits, the highest first."""
        if port.width_bits == 1:
            return (Bit(port.name),)
        return tuple(Bit(port.name, index) for index in range(port.msb, port.lsb - 1, -1))

    def bit(self, name: str) -> Bit | None:
        """The bit that `x`, `x[2]`, `x2` or `x_2` means; none if there is no such port or index."""
        name = name.strip().strip("_`")
        if port := self.port(name):
            return Bit(port.name) if port.width_bits == 1 else None
        match = re.fullmatch(r"([A-Za-z_]\w*?)_?(?:\[(\d+)\]|(\d+))", name)
        if match is None or (port := self.port(match[1])) is None:
            return None
        index = int(match[2] or match[3])
        if not port.lsb <= index <= port.msb:
            return None
        return Bit(port.name) if port.width_bits == 1 else Bit(port.name, index)

    def word(self, text: str) -> tuple[Bit, ...] | None:
        """The bits that names written together mean, as `ab` or `x[1]x[2]` over a Karnaugh map, the first highest."""
        text = re.sub(r"[\s,{}]+", "", text)
        if not text:
            return ()
        for end in range(len(text), 0, -1):
            head = text[:end]
            found: tuple[Bit, ...] | None
            if bit := self.bit(head):
                found = (bit,)
            elif port := self.port(head):
                found = self.bits(port)
            else:
                continue
            rest = self.word(text[end:])
            if rest is not None:
                return (*found, *rest)
        return None


def read_interface(text: str, *, header: str | None = None) -> Interface | None:
    """The interface that a specification states; none where it states no ports.

    Args:
        text: the specification.
        header: a module header that is given beside it; it comes before what the text lists.
    """
    if header is not None and (given := _from_header(header)):
        return given
    listed = read_port_list(text)
    if isinstance(listed, Unreadable):
        return None
    if listed:
        name = _NAMED.search(text)
        return Interface(toplevel=name[1] if name else "top", ports=tuple(_listed(port, text) for port in listed))
    return _from_header("\n".join(bare_lines(text)))


def listed_ports(text: str) -> tuple[PortDeclaration, ...]:
    """The ports that a text lists, each as often as it does."""
    read = read_port_list(text)
    return () if isinstance(read, Unreadable) else tuple(_listed(port, text) for port in read)


def header_ports(text: str, header: str | None) -> tuple[PortDeclaration, ...]:
    """The ports in the header that is given, else in the text's own of the module that it names."""
    given = _from_header(header if header is not None else "\n".join(bare_lines(text)))
    return given.ports if given is not None and (header is not None or given.toplevel in _names(text)) else ()


def _names(text: str) -> set[str]:
    return set(_NAMED.findall(text))


def _listed(port: Listed, text: str) -> PortDeclaration:
    first = 0 if port.numbered else _first_index(port.name, port.high - port.low + 1, text)
    return _declaration(port.direction, port.name, port.high + first, port.low + first)


def _first_index(name: str, width: int, text: str) -> int:
    """1 where the text counts a vector's bits from 1: it names the bit `width` and never the bit 0."""
    if width == 1:
        return 0
    named = {int(index) for index in re.findall(rf"\b{re.escape(name)}\[(\d+)\]", text)}
    spans = re.findall(rf"\b{re.escape(name)}\[(\d+):(\d+)\]", text)
    named |= {int(index) for span in spans for index in span}
    return 1 if named and max(named) == width and 0 not in named else 0


def _from_header(text: str) -> Interface | None:
    """What slang makes of the first module header in a text; none if there is none that it takes."""
    match = _HEADER.search(text)
    return interface_of(f"{match[0]}\nendmodule\n".encode(), match[1]) if match is not None else None


def interface_of(text: bytes, toplevel: str) -> Interface | None:
    """The ports of a module as slang elaborates them; none if it does not, or the module has ports of other kinds."""
    path = Path("header.sv")
    elaboration = Elaborator(Design(toplevel=toplevel, sources=(path,)), {path: text}).elaborate()
    module = elaboration.modules.get(toplevel)
    return interface_of_module(module) if module is not None and not elaboration.errors else None


def interface_of_module(module: Module) -> Interface | None:
    """The ports of an elaborated module; none if some are of other kinds."""
    if any(port.direction not in ("input", "output") for port in module.ports):
        return None
    ports = []
    for port in module.ports:
        span = _RANGE.search(port.type)
        high, low = (int(span[1]), int(span[2])) if span else (port.width_bits - 1, 0)
        ports.append(_declaration(port.direction, port.name, high, low))
    return Interface(toplevel=module.name, ports=tuple(ports))


def _declaration(direction: str, name: str, one: int, two: int) -> PortDeclaration:
    return PortDeclaration(
        name=name,
        direction="input" if direction.lower() == "input" else "output",
        width_bits=abs(one - two) + 1,
        lsb=min(one, two),
    )
