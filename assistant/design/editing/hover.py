"""What a name is: its declaration as written, what elaboration makes of it, and the comment beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from veriloop.assistant.design.editing.analysis import Analysis, Place, name_place
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS, Declaration
from veriloop.assistant.design.symbols.source import Source

if TYPE_CHECKING:
    from veriloop.assistant.design.editing.values import Resolved

_LONGEST_LINES = 40
_COMMENT = re.compile(rb"^[ \t]*//[!/]?[ \t]?(.*)$")
_HEADER_END = re.compile(rb";")


@dataclass(frozen=True, slots=True)
class Hover:
    """What is shown about a name."""

    name: str
    kind: str
    text: str
    """The declaration as written; of a module or function its header."""
    comment: str
    inside: str
    """What it is declared in, e.g. `module top`; empty at the top."""
    declared: Place
    resolved: Resolved | None
    start: int
    end: int


def hover(analysis: Analysis, source: Source, at: int) -> Hover | None:
    """What the name at a byte is; none where nothing is declared by it."""
    found = analysis.lookup.near(source, at)
    if found is None:
        return None
    symbol, start = found
    one = symbol.declaration
    resolved = None
    if one.kind in ("port", "net", "variable", "parameter", "enum value", "type", "argument", "function", "genvar"):
        from veriloop.assistant.design.editing.values import resolve

        # The file at hand is elaborated anyway, and holds what it instantiates.
        elaborated = analysis.live.of(source)
        resolved = resolve(elaborated, symbol, _connected(source, symbol.name, start))
        if resolved is None and symbol.source.path != source.path:
            resolved = resolve(analysis.live.of(symbol.source), symbol)
    return Hover(
        name=symbol.name,
        kind=f"{one.direction} {one.kind}".strip(),
        text=declaration_text(symbol.source, one),
        comment=comment(symbol.source, one),
        inside=inside(symbol),
        declared=name_place(symbol),
        resolved=resolved,
        start=start,
        end=start + len(symbol.name.encode()),
    )


def _connected(source: Source, name: str, at: int) -> str:
    """The instance among whose connections a name stands, as `.name(...)`; empty for other names."""
    if source.words.role(name, at) != "connection":
        return ""
    instance = source.outline.instance_at(at)
    if instance is None or instance.declaration < 0:
        return ""
    return source.outline.declarations[instance.declaration].name


def declaration_text(source: Source, one: Declaration) -> str:
    """A declaration as written, without its body."""
    end = one.end
    if one.inner >= 0 and one.kind in (*DESIGN_UNITS, "package", "class", "function", "task", "property", "sequence"):
        semicolon = source.content.find(b";", one.start, one.end)
        end = semicolon + 1 if semicolon >= 0 else one.end
    elif one.kind in ("block", "covergroup", "clocking"):
        end = source.lines.start(source.lines.line(one.start) + 1)
    lines = source.text(one.start, end).rstrip().splitlines()
    indent = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    kept = [lines[0].strip(), *(line[indent:].rstrip() for line in lines[1:])] if lines else []
    return "\n".join(kept[:_LONGEST_LINES] + (["…"] if len(kept) > _LONGEST_LINES else []))


def comment(source: Source, one: Declaration) -> str:
    """The comment after a declaration on its line, else the comment lines right above it."""
    lines = source.lines
    last = lines.line(max(one.at, one.end - 1) if one.inner < 0 else one.at)
    after = lines.text(last)
    position = after.find(b"//", max(0, one.at - lines.start(last)))
    if position >= 0 and one.inner < 0:
        return after[position:].lstrip(b"/!< \t").decode("utf-8", errors="replace").strip()
    found: list[str] = []
    line = lines.line(one.start) - 1
    while line >= 0 and (match := _COMMENT.match(lines.text(line))):
        found.append(match[1].decode("utf-8", errors="replace").rstrip())
        line -= 1
    if not found and line >= 0 and lines.text(line).rstrip().endswith(b"*/"):
        end = lines.start(line) + len(lines.text(line))
        start = source.content.rfind(b"/*", 0, end)
        block = source.text(start, end).strip("/*").splitlines()
        return "\n".join(text.strip().lstrip("*").strip() for text in block).strip()
    return "\n".join(found[::-1]).strip()


def inside(symbol: Symbol) -> str:
    """What a symbol is declared in."""
    scopes = symbol.source.outline.scopes
    scope = symbol.scope
    while scope > 0 and not scopes[scope].name:
        scope = scopes[scope].parent
    return f"{scopes[scope].kind} {scopes[scope].name}" if scope > 0 else ""
