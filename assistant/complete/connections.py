"""The connections that an instance still lacks, each to the signal that its name tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.editing.completion import connectable, owner_at
from veriloop.assistant.design.symbols.lookup import opening_before
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS, Declaration
from veriloop.assistant.design.symbols.source import Source

_NAMED = re.compile(rb"\.\s*([A-Za-z_][\w$]*)")
_FRESH = re.compile(r"(?:.*[,(])?\s*")
_PORT = re.compile(r"(?:.*[,(\s])?\.(\w*)")
_VALUE = re.compile(r"(?:.*[,(\s])?\.(\w+)\s*\(")
_AFFIX = re.compile(r"^(?:[io]_|in_|out_)|(?:_[io]|_in|_out)$")
_SIGNALS = frozenset({"port", "net", "variable", "parameter", "genvar"})
_LONGEST = 80_000
"""Bytes that are searched for the end of an instance."""


@dataclass(frozen=True, slots=True)
class _Lacking:
    """An instance that is being written."""

    left: tuple[Declaration, ...]
    """What it does not connect yet, in order."""
    values: dict[str, str]
    """What each can be connected to, where something can."""
    closed: bool
    """Whether its parenthesis is closed right after the cursor."""
    more: bool
    """Whether another connection follows after the cursor."""
    outside: str
    """The white space before its first line."""


def connections(analysis: Analysis, source: Source, at: int, hole: Hole) -> Iterator[str]:
    """How an instance may go on at a byte, the longest first; nothing outside of instances."""
    lacking = _lacking(analysis, source, at)
    if lacking is None:
        return
    value = _VALUE.fullmatch(hole.typed)
    port = _PORT.fullmatch(hole.typed)
    if value and value[1] in lacking.values:
        closing = "" if hole.rest.startswith(")") else ")"
        yield from _with_comma(lacking.values[value[1]] + closing, lacking, possible=bool(closing))
    elif port:
        for one in lacking.left:
            if one.name.startswith(port[1]) and one.name in lacking.values:
                yield from _with_comma(f"{one.name[len(port[1]) :]}({lacking.values[one.name]})", lacking)
    elif _FRESH.fullmatch(hole.typed) and hole.ends_line:
        yield from _all(lacking, hole, source)


def _with_comma(text: str, lacking: _Lacking, *, possible: bool = True) -> Iterator[str]:
    """A connection as the text around it needs it: the check tells which it is where the end is missing."""
    if possible and (lacking.more or (len(lacking.left) > 1 and not lacking.closed)):
        yield f"{text},"
    yield text


def _all(lacking: _Lacking, hole: Hole, source: Source) -> Iterator[str]:
    connected = []
    for one in lacking.left:
        if one.name not in lacking.values:
            break
        connected.append(f".{one.name}({lacking.values[one.name]})")
    if not connected:
        return
    blank = not hole.typed.strip()
    indent = hole.indent if blank else lacking.outside + _step(source)
    start = "" if blank or hole.rest.strip() else f"\n{indent}"
    text = start + f",\n{indent}".join(connected)
    if len(connected) < len(lacking.left) or lacking.more:
        yield text + ","
    elif lacking.closed:
        yield text
    else:
        yield f"{text}\n{lacking.outside});"
    if blank:
        yield from _with_comma(connected[0], lacking)


def _lacking(analysis: Analysis, source: Source, at: int) -> _Lacking | None:
    owner = owner_at(analysis, source, at)
    content = source.content
    opening = opening_before(content, at)
    if owner is None or opening < 0:
        return None
    if content[opening : opening + 1] == b"(" and _NAMED.match(content[opening - 40 : opening].rpartition(b".")[1]):
        return None
    unit, wants_parameters = owner
    if unit.declaration.kind not in DESIGN_UNITS:
        return None
    opening = _instance_opening(content, opening)
    end = _end(content, at)
    written = content[opening:at] + b" " + content[at:end]
    last = content[opening:at].rstrip()
    taken = {name.decode() for name in _NAMED.findall(written)}
    half = re.search(rb"\.\s*(\w*)\s*\(?$", last)
    if half:
        taken.discard(half[1].decode())
    wanted = {one.name: one for one in connectable(unit) if (one.kind == "parameter") == wants_parameters}
    left = tuple(one for name, one in wanted.items() if name not in taken)
    names = _names(analysis, source, at)
    values = {one.name: found for one in left if (found := _signal(one, names) or _default(unit.source, one))}
    after = content[at:end].lstrip()
    line = source.lines.text(source.lines.line(opening)).decode("utf-8", errors="replace")
    return _Lacking(
        left=left,
        values=values,
        closed=content[end : end + 1] == b")" and not after.startswith(b".") and not after,
        more=after.startswith(b"."),
        outside=line[: len(line) - len(line.lstrip())],
    )


def _instance_opening(content: bytes, opening: int) -> int:
    """The parenthesis of the instance: of `m u (.a(` the first."""
    before = content[:opening].rstrip()
    if re.search(rb"\.\s*[\w$]+$", before[-200:]):
        outer = opening_before(content, opening)
        return outer if outer >= 0 else opening
    return opening


def _end(content: bytes, at: int) -> int:
    """Where the parenthesis that is open at a byte closes, or a statement ends."""
    depth = 0
    for position in range(at, min(len(content), at + _LONGEST)):
        byte = content[position]
        if byte in b"([{":
            depth += 1
        elif byte in b")]}":
            if depth == 0:
                return position
            depth -= 1
        elif byte == 0x3B:
            return position
    return min(len(content), at + _LONGEST)


def _names(analysis: Analysis, source: Source, at: int) -> dict[str, str]:
    """The signals that are seen at a byte, those that are ports with their direction."""
    found: dict[str, str] = {}
    for where, scope in analysis.lookup.visible(source, at):
        if scope > 0:
            for name, indices in where.outline.scopes[scope].names.items():
                declared = [where.outline.declarations[index] for index in indices]
                if declared[0].kind in _SIGNALS:
                    found.setdefault(name, next((one.direction for one in declared if one.direction), ""))
    return found


def _signal(port: Declaration, names: dict[str, str]) -> str:
    """The signal that a port's name tells: the same, or the same but for what says its direction."""
    able = {name for name, direction in names.items() if port.direction != "output" or direction != "input"}
    if port.name in able:
        return port.name
    plain = _AFFIX.sub("", port.name)
    alike = sorted(name for name in able if _AFFIX.sub("", name) == plain)
    return alike[0] if len(alike) == 1 else ""


def _default(source: Source, one: Declaration) -> str:
    """A parameter's own value, where it is a plain one."""
    if one.kind != "parameter":
        return ""
    text = source.text(one.at + len(one.name.encode()), one.end)
    match = re.match(r"\s*=\s*([\w']+)\s*(?:,|$|\))", text)
    return match[1] if match else ""


def _step(source: Source) -> str:
    """How the file indents: a tab, four blanks or two."""
    starts: Sequence[bytes] = re.findall(rb"^(\t|  +)(?=\S)", source.content[:20_000], re.MULTILINE)
    if any(one == b"\t" for one in starts):
        return "\t"
    shortest = min(map(len, starts), default=2)
    return " " * (shortest if shortest in (2, 3, 4) else 2)
