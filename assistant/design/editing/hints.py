"""What the text leaves out: names of ports connected by order, of arguments, widths and values of parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.editing.completion import connectable
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.outline import Instance
from veriloop.assistant.design.symbols.source import Source

_PLAIN_NUMBER = re.compile(r"\s*\d+\s*")


@dataclass(frozen=True, slots=True)
class Hint:
    """A text that is shown before or after a byte, and is not part of the file."""

    at: int
    text: str
    is_parameter: bool
    """Whether it names what follows; else it tells of what stands before."""


def hints(analysis: Analysis, source: Source, start: int, end: int) -> list[Hint]:
    """The hints of a range of bytes."""
    found = [*_connections(analysis, source, start, end), *_values(analysis, source, start, end)]
    return sorted(found, key=lambda hint: hint.at)


def _connections(analysis: Analysis, source: Source, start: int, end: int) -> Iterator[Hint]:
    for instance in source.outline.instances:
        if instance.end < start or instance.start > end:
            continue
        unit = analysis.lookup.unit(instance.module, source)
        if unit is None:
            continue
        yield from _ordered(source, unit, instance)


def _ordered(source: Source, unit: Symbol, instance: Instance) -> Iterator[Hint]:
    """`m #(4) u (a, b)`: the name of each parameter and port, and its direction."""
    declared = connectable(unit)
    ports = list({one.name: one for one in declared if one.kind == "port"}.values())
    parameters = [one for one in declared if one.kind == "parameter"]
    opening = source.content.find(b"#", instance.type_at, instance.ports_at)
    regions = [(instance.ports_at, ports)]
    if opening >= 0:
        regions.append((source.content.find(b"(", opening, instance.ports_at), parameters))
    for region, names in regions:
        if region < 0:
            continue
        for one, at in zip(names, _arguments(source.content, region), strict=False):
            if source.content[at : at + 1] == b".":
                break
            arrow = {"input": "→ ", "output": "← ", "inout": "↔ "}.get(one.direction, "")
            yield Hint(at, f"{arrow}{one.name}:", True)
    if b".*" in source.content[instance.ports_at : instance.end]:
        taken = set(re.findall(rb"\.\s*(\w+)", source.content[instance.ports_at : instance.end]))
        left = [one.name for one in ports if one.name.encode() not in taken]
        at = source.content.find(b".*", instance.ports_at) + 2
        yield Hint(at, f" {', '.join(left)}", False)


def _arguments(content: bytes, opening: int) -> Iterator[int]:
    """The first byte of each argument after an opening parenthesis."""
    depth, at, fresh = 0, opening + 1, True
    while at < len(content):
        byte = content[at]
        if byte in b"([{":
            depth += 1
        elif byte in b")]}":
            if depth == 0:
                return
            depth -= 1
        elif byte == 0x2C and depth == 0:
            fresh = True
            at += 1
            continue
        if fresh and not content[at : at + 1].isspace():
            if content[at : at + 2] == b"//":
                at = content.find(b"\n", at)
                if at < 0:
                    return
                continue
            yield at
            fresh = False
        at += 1


def _values(analysis: Analysis, source: Source, start: int, end: int) -> Iterator[Hint]:
    """`localparam W = A + 1`: the value; `logic [W-1:0] x`: the width."""
    wanted = [one for one in source.outline.declarations if start <= one.at <= end]
    if not any(one.kind in ("parameter", "port", "net", "variable") for one in wanted):
        return
    from veriloop.assistant.design.editing.values import resolve

    elaborated = analysis.live.of(source)
    for one in wanted:
        if one.kind not in ("parameter", "port", "net", "variable"):
            continue
        symbol = analysis.lookup.at(source, one.at)
        resolved = resolve(elaborated, symbol) if symbol is not None else None
        if resolved is None:
            continue
        if one.kind == "parameter" and resolved.value:
            after = source.content[one.at : one.end].partition(b"=")[2].split(b",")[0].split(b";")[0]
            if not _PLAIN_NUMBER.fullmatch(after.decode("utf-8", errors="replace")) and len(resolved.value) <= 24:
                yield Hint(one.at + len(one.name.encode()), f" : {resolved.value}", False)
        elif resolved.width_bits > 1:
            written = source.text(one.start, one.at)
            if re.search(r"\[[^\]]*[A-Za-z`][^\]]*\]", written) or one.type_at >= 0:
                yield Hint(one.at + len(one.name.encode()), f" : {resolved.width_bits} bits", False)
