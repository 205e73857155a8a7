"""AUTOINST, AUTOARG and AUTOWIRE, as Emacs' verilog-mode writes them.

Only what stands between the comment and the closing parenthesis is replaced, so that parameters and connections
written by hand stay. Expanding twice changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.editing.rename import Replacement
from veriloop.assistant.design.symbols.lookup import Symbol, opening_before
from veriloop.assistant.design.symbols.outline import Declaration, Instance
from veriloop.assistant.design.symbols.source import Source

_INST, _ARG, _WIRE = b"/*AUTOINST*/", b"/*AUTOARG*/", b"/*AUTOWIRE*/"
_COLUMN = 40
_FILL_COLUMN = 70
_WIRE_COLUMN = 24
_WIRE_COMMENT_COLUMN = 48
_BEGIN = "// Beginning of automatic wires (for undeclared instantiated-module outputs)"
_END = "// End of automatics"
_GROUPS = (("", "Interfaces"), ("output", "Outputs"), ("inout", "Inouts"), ("input", "Inputs"))
_RANGE = re.compile(r"((?:\[[^\]]*\]\s*)+)$")
_CONNECTED = re.compile(rb"\.\s*(\w+)\s*\(\s*(\w+)\s*((?:\[[^\]]*\])?)\s*\)")
_TEMPLATE = re.compile(rb"/\*\s*(\w+)\s+AUTO_TEMPLATE\s*(?:\"[^\"]*\")?\s*\((.*?)\)\s*;\s*\*/", re.DOTALL)
_ENTRY = re.compile(rb"\.((?:[^\s(]|\\\(|\\\))+)\s*\(((?:[^()]|\([^()]*\))*)\)")


@dataclass(frozen=True, slots=True)
class _Port:
    name: str
    direction: str
    range: str
    """As written, `[W-1:0]`; empty for one bit."""


def expand_autos(analysis: Analysis, source: Source) -> list[Replacement]:
    """What expanding all AUTOs of a file changes: at most one replacement, none where nothing changes."""
    content = source.content
    for edits in (_instances, _wires, _arguments):
        content = _applied(content, edits(analysis, Source(source.path, content)))
    if content == source.content:
        return []
    start = _common(content, source.content)
    tail = min(_common(content[::-1], source.content[::-1]), len(content) - start, len(source.content) - start)
    place = Place(source.path, start, len(source.content) - tail)
    return [Replacement(place, content[start : len(content) - tail].decode("utf-8", errors="replace"))]


def has_autos(source: Source) -> bool:
    """Whether there is something to expand."""
    return any(word in source.content for word in (_INST, _ARG, _WIRE))


def _instances(analysis: Analysis, source: Source) -> Iterator[tuple[int, int, str]]:
    templates = _templates(source)
    for at in _places(source.content, _INST):
        opening = opening_before(source.content, at)
        closing = _closing(source.content, opening)
        instance = source.outline.instance_at(opening + 1)
        unit = analysis.lookup.unit(instance.module, source) if instance is not None else None
        if opening < 0 or closing < 0 or instance is None or unit is None:
            continue
        written = set(re.findall(rb"\.\s*(\w+)", source.content[opening:at]))
        left = [port for port in ports(unit) if port.name.encode() not in written]
        indent = " " * (source.lines.position(opening)[1] + 1)
        name = source.outline.declarations[instance.declaration].name if instance.declaration >= 0 else ""
        rules = templates.get(instance.module, [])
        lines = [
            f".{port.name}".ljust(max(0, _COLUMN - len(indent))) + f"({_connection(port, name, rules)})"
            for port in left
        ]
        yield at + len(_INST), closing, _grouped(left, lines, indent)


def _arguments(analysis: Analysis, source: Source) -> Iterator[tuple[int, int, str]]:
    for at in _places(source.content, _ARG):
        opening = opening_before(source.content, at)
        closing = _closing(source.content, opening)
        unit = next(
            (one for one in source.outline.declarations if one.start <= at < one.end and one.kind == "module"), None
        )
        if opening < 0 or closing < 0 or unit is None:
            continue
        written = set(re.findall(rb"\w+", source.content[opening:at].replace(_ARG, b"")))
        symbol = analysis.lookup.at(source, unit.at)
        found = [
            _port(source, one) for one in source.outline.declarations if one.scope == unit.inner and one.kind == "port"
        ]
        assert symbol is None or symbol.name == unit.name
        left = [port for port in found if port.name.encode() not in written]
        yield at + len(_ARG), closing, _packed(left)


def _wires(analysis: Analysis, source: Source) -> Iterator[tuple[int, int, str]]:
    for at in _places(source.content, _WIRE):
        scope = source.outline.scope_at(at)
        end = at + len(_WIRE)
        following = source.content[end:]
        if following.lstrip().startswith(_BEGIN.encode()):
            last = source.content.find(_END.encode(), end)
            end = last + len(_END) if last >= 0 else end
        line = source.lines.line(at)
        indent = " " * (len(source.lines.text(line)) - len(source.lines.text(line).lstrip()))
        declared = {
            one.name for one in source.outline.declarations if one.scope == scope and not at <= one.at < end
        }  # fmt: skip
        found: dict[str, str] = {}
        for instance in source.outline.instances:
            if source.outline.scope_at(instance.start) == scope:
                for name, text in _driven(analysis, source, instance):
                    if name not in declared:
                        found.setdefault(name, text)
        lines = [indent + text for _, text in sorted(found.items())]
        body = "".join(f"\n{line}" for line in [indent + _BEGIN, *lines, indent + _END]) if lines else ""
        yield at + len(_WIRE), end, body


def _driven(analysis: Analysis, source: Source, instance: Instance) -> Iterator[tuple[str, str]]:
    """The nets that the outputs of an instance drive, each with its declaration."""
    unit = analysis.lookup.unit(instance.module, source)
    if unit is None:
        return
    known = {port.name: port for port in ports(unit)}
    name = source.outline.declarations[instance.declaration].name if instance.declaration >= 0 else ""
    for match in _CONNECTED.finditer(source.content, instance.ports_at, instance.end):
        port = known.get(match[1].decode())
        if port is None or port.direction not in ("output", "inout"):
            continue
        net, part = match[2].decode(), match[3].decode()
        width = part if ":" in part else "" if part else port.range
        text = f"wire {width}".rstrip().ljust(_WIRE_COLUMN - 3) + f"{net};"
        yield net, text.ljust(_WIRE_COMMENT_COLUMN - 3) + f"// From {name} of {unit.source.path.name}"


def ports(unit: Symbol) -> list[_Port]:
    """The ports of a module in the order in which they are declared."""
    inner = {one.inner for one in unit.declarations if one.inner >= 0}
    declared = [one for one in unit.source.outline.declarations if one.scope in inner and one.kind == "port"]
    return list({one.name: _port(unit.source, one) for one in declared}.values())


def _port(source: Source, one: Declaration) -> _Port:
    return _Port(one.name, one.direction, _range(source, one))


def _range(source: Source, one: Declaration) -> str:
    """The packed range of a port as written; `input [3:0] a, b` gives it to both."""
    text = source.text(one.start, one.at)
    before = text.split(",")[0] if one.start != one.at else ""
    if one.start == one.at or not text.strip():
        earlier = [
            other for other in source.outline.declarations if other.scope == one.scope and other.start < one.start
        ]
        if earlier and earlier[-1].kind == "port" and earlier[-1].direction == one.direction:
            return _range(source, earlier[-1])
        return ""
    match = _RANGE.search(before.rstrip()) if "," not in text else re.search(r"((?:\[[^\]]*\]\s*)+)", before)
    return match[1].strip() if match else ""


def _connection(port: _Port, instance: str, rules: Sequence[tuple[re.Pattern[str], str]]) -> str:
    for pattern, value in rules:
        match = pattern.fullmatch(port.name)
        if match:
            number = re.search(r"\d+", instance)
            text = match.expand(value) if "\\" in value else value
            return text.replace("@", number[0] if number else "").replace("[]", port.range)
    return f"{port.name}{port.range}"


def _templates(source: Source) -> dict[str, list[tuple[re.Pattern[str], str]]]:
    """`AUTO_TEMPLATE` comments: for each module the ports, as patterns, and what they are connected to.

    Emacs' Lisp in them (`@"..."`) is not read; a template with it is left out.
    """
    found: dict[str, list[tuple[re.Pattern[str], str]]] = {}
    for match in _TEMPLATE.finditer(source.content):
        rules = []
        for entry in _ENTRY.finditer(match[2]):
            port, value = entry[1].decode("utf-8", errors="replace"), entry[2].decode("utf-8", errors="replace").strip()
            if '@"' in value:
                continue
            try:
                rules.append((re.compile(port.replace("\\(", "(").replace("\\)", ")").replace("@", r"\d+")), value))
            except re.error:
                continue
        found[match[1].decode()] = rules
    return found


def _grouped(found: Sequence[_Port], lines: Sequence[str], indent: str) -> str:
    """Lines under a comment for each direction; a comma after each but the last."""
    text: list[str] = []
    count = len(lines)
    written = 0
    for direction, title in _GROUPS:
        group = [line for port, line in zip(found, lines, strict=True) if port.direction == direction]
        if group:
            text.append(f"\n{indent}// {title}")
        for line in group:
            written += 1
            text.append(f"\n{indent}{line}" + ("," if written < count else ""))
    return "".join(text)


def _packed(found: Sequence[_Port]) -> str:
    """Names under a comment for each direction, as many on a line as fit."""
    text, written = "", 0
    for direction, title in _GROUPS:
        group = [port.name for port in found if port.direction == direction]
        line = "   "
        text += f"\n   // {title}" if group else ""
        for name in group:
            written += 1
            if len(line) + len(name) + 2 > _FILL_COLUMN:
                text += f"\n{line.rstrip()}"
                line = "   "
            line += name + (", " if written < len(found) else "")
        text += f"\n{line.rstrip()}" if group else ""
    return text + ("\n   " if text else "")


def _places(content: bytes, word: bytes) -> Iterator[int]:
    at = content.find(word)
    while at >= 0:
        yield at
        at = content.find(word, at + 1)


def _closing(content: bytes, opening: int) -> int:
    """The parenthesis that closes one; comments are skipped. -1 if there is none."""
    depth, at = 0, opening
    while 0 <= at < len(content):
        byte = content[at]
        if content[at : at + 2] == b"//":
            at = content.find(b"\n", at)
            if at < 0:
                return -1
            continue
        if content[at : at + 2] == b"/*":
            at = content.find(b"*/", at) + 2
            if at < 2:
                return -1
            continue
        if byte == 0x28:
            depth += 1
        elif byte == 0x29:
            depth -= 1
            if depth == 0:
                return at
        at += 1
    return -1


def _applied(content: bytes, edits: Iterator[tuple[int, int, str]]) -> bytes:
    for start, end, text in sorted(edits, reverse=True):
        content = content[:start] + text.encode() + content[end:]
    return content


def _common(one: bytes, two: bytes) -> int:
    """How many leading bytes are equal."""
    count = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        count += 1
    return count
