"""The names of a file as a tree, and the names of all files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.symbols.outline import Declaration, Kind
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken

_HIDDEN = frozenset({"macro argument"})
_MOST = 500


@dataclass(slots=True)
class Name:
    """A declared name with what is declared inside of it."""

    name: str
    kind: Kind
    detail: str
    whole: Place
    at: Place
    inner: list[Name] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """A name of the workspace."""

    name: str
    kind: Kind
    inside: str
    at: Place


def document_names(source: Source) -> list[Name]:
    """The declared names of a file, those of a module inside of it; a name declared twice stands once."""
    outline = source.outline
    homes: dict[int, Name] = {}
    top: list[Name] = []
    seen: dict[tuple[int, str, bool], Name] = {}
    for one in outline.declarations:
        if one.kind in _HIDDEN:
            continue
        key = (one.scope, one.name, one.kind == "macro")
        if key in seen and one.inner < 0:
            continue
        name = Name(one.name, one.kind, _detail(source, one), Place(source.path, one.start, one.end), _at(source, one))
        seen[key] = name
        if one.inner >= 0 and one.kind != "variable":
            homes[one.inner] = name
        home = _home(source, one.scope, homes)
        (home.inner if home is not None else top).append(name)
    return top


def workspace_names(analysis: Analysis, query: str, cancel: CancelToken | None = None) -> list[Found]:
    """The names of all files whose letters hold those of the query in order; the best matches first.

    Modules, packages, classes and what stands in packages and classes count, and what stands in modules where the
    query has at least three letters.
    """
    wanted = query.lower()
    ranked: list[tuple[int, str, Found]] = []
    for source in analysis.workspace.sources():
        if cancel is not None:
            cancel.check()
        for one in source.outline.declarations:
            if one.kind in _HIDDEN or (one.scope > 0 and len(wanted) < 3):
                continue
            rank = _rank(one.name.lower(), wanted)
            if rank is not None:
                scope = source.outline.scopes[one.scope]
                ranked.append(
                    (rank + (one.scope > 0), one.name, Found(one.name, one.kind, scope.name, _at(source, one)))
                )
    ranked.sort(key=lambda entry: (entry[0], len(entry[1]), entry[1], str(entry[2].at.path)))
    return [found for _, _, found in ranked[:_MOST]]


def _rank(name: str, wanted: str) -> int | None:
    if name == wanted:
        return 0
    if name.startswith(wanted):
        return 2
    if wanted in name:
        return 4
    letters = iter(name)
    return 6 if all(letter in letters for letter in wanted) else None


def _home(source: Source, scope: int, homes: dict[int, Name]) -> Name | None:
    while scope > 0:
        if scope in homes:
            return homes[scope]
        scope = source.outline.scopes[scope].parent
    return None


def _detail(source: Source, one: Declaration) -> str:
    if one.kind == "instance":
        return next(_names(source, one.type_at), "")
    if one.direction:
        return one.direction
    return next(_names(source, one.type_at), "") if one.type_at >= 0 else ""


def _names(source: Source, at: int) -> Iterator[str]:
    end = at
    while end < len(source.content) and (
        source.content[end : end + 1].isalnum() or source.content[end : end + 1] == b"_"
    ):
        end += 1
    if end > at >= 0:
        yield source.text(at, end)


def _at(source: Source, one: Declaration) -> Place:
    return Place(source.path, one.at, one.at + len(one.name.encode()))
