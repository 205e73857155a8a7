"""What a place is about and other files say: the header of the module that is instantiated, and the declarations of
names that stand nearby."""

from __future__ import annotations

from collections.abc import Iterator

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.editing.completion import owner_at
from veriloop.assistant.design.editing.hover import declaration_text
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.words import read_words

_NEAR_BYTES = 2500
_MOST = 12
_MOST_MEMBERS = 24
_MOST_LINES = 30
_TOLD = frozenset({"type", "parameter", "enum value", "function", "task", "macro", "member"})


def related(analysis: Analysis, source: Source, at: int) -> str:
    """What other files declare of the things that a place is about, as Verilog; empty where there is nothing."""
    return "".join(f"{text}\n" for text in dict.fromkeys(_texts(analysis, source, at)))


def _texts(analysis: Analysis, source: Source, at: int) -> Iterator[str]:
    owner = owner_at(analysis, source, at)
    if owner is not None and owner[0].source.path != source.path:
        yield _header(owner[0])
    yield from _scoped(analysis, source, at)
    yield from _near(analysis, source, at)


def _header(unit: Symbol) -> str:
    text = _short(declaration_text(unit.source, unit.declaration))
    return f"{text}\nend{unit.declaration.kind}" if unit.declaration.kind in DESIGN_UNITS else text


def _scoped(analysis: Analysis, source: Source, at: int) -> Iterator[str]:
    """After `p::`, what the package holds."""
    start = source.content.rfind(b"\n", 0, at) + 1
    before, colons, _ = source.content[start:at].rpartition(b"::")
    if not colons:
        return
    name = before.split()[-1:] or [b""]
    word = name[0].decode("utf-8", errors="replace").split("(")[-1].lstrip("!~&|^-+{")
    for where, one in analysis.workspace.top(word)[:1]:
        if one.kind == "package" and one.inner >= 0:
            members = [inner for inner in where.outline.declarations if inner.scope == one.inner]
            yield from (_short(declaration_text(where, inner)) for inner in members[:_MOST_MEMBERS])


def _near(analysis: Analysis, source: Source, at: int) -> Iterator[str]:
    """The declarations, in other files, of names that stand within some lines above."""
    lowest = max(0, at - _NEAR_BYTES)
    near = read_words(source.content[lowest:at])
    places = [(lowest + place, name) for role, name, place in near.all() if role in ("plain", "scoped", "macro")]
    told: dict[str, str] = {}
    for place, name in sorted(places, reverse=True):
        if name in told or len(told) >= _MOST:
            continue
        found = analysis.lookup.at(source, place)
        if found is not None and found.source.path != source.path and found.declaration.kind in _TOLD:
            told[name] = _short(declaration_text(found.source, found.declaration))
    yield from reversed(told.values())


def _short(text: str) -> str:
    return "\n".join(text.splitlines()[:_MOST_LINES])
