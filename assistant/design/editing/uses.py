"""Where the name under the cursor is used."""

from __future__ import annotations

from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.references import Use, references, uses_in
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken


def find_references(
    analysis: Analysis, source: Source, at: int, *, declarations: bool = True, cancel: CancelToken | None = None
) -> list[Place]:
    """Every use of the name at a byte, in all files; its declarations first, the file itself before the others."""
    symbol = target(analysis, source, at)
    if symbol is None:
        return []
    found = references(analysis.lookup, symbol, cancel)
    return [_place(use) for use in found if declarations or not use.is_declaration]


def highlight(analysis: Analysis, source: Source, at: int) -> list[tuple[Place, bool]]:
    """The uses of the name at a byte in its file, and whether each writes it."""
    symbol = target(analysis, source, at)
    if symbol is None:
        return []
    return [
        (_place(use), use.is_declaration or _is_written(source, use))
        for use in uses_in(analysis.lookup, symbol, source)
    ]


def target(analysis: Analysis, source: Source, at: int) -> Symbol | None:
    """What the name at a byte stands for; in `.name` without parentheses the port."""
    found = analysis.lookup.near(source, at)
    return found[0] if found is not None else None


def _is_written(source: Source, use: Use) -> bool:
    """Whether an assignment to the name follows: `name = `, `name[3] <= `."""
    content = source.content
    at = use.end
    depth = 0
    while at < len(content) and at - use.end < 400:
        byte = content[at]
        if byte == 0x5B:
            depth += 1
        elif byte == 0x5D:
            depth -= 1
        elif depth == 0 and not content[at : at + 1].isspace():
            break
        at += 1
    following = content[at : at + 3]
    if following[:2] == b"<=":
        line = content[content.rfind(b"\n", 0, use.start) + 1 : use.start]
        return not any(word in line for word in (b"if", b"?", b"while", b"assign", b"return", b"==", b"&&", b"||"))
    return following[:1] == b"=" and following[:2] != b"=="


def _place(use: Use) -> Place:
    return Place(use.source.path, use.start, use.end)
