"""A new name for everything that means the same; refused where that cannot be known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.editing.definition import instances_of
from veriloop.assistant.design.symbols.keywords import DIRECTIVES, KEYWORDS
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.references import references
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken

_NAME = re.compile(r"[A-Za-z_][\w$]*")


@dataclass(frozen=True, slots=True)
class Replacement:
    """A range of bytes of a file and its new text."""

    at: Place
    text: str


def renamable(analysis: Analysis, source: Source, at: int) -> Place:
    """The name at a byte, if it can be renamed.

    Raises:
        UsageError: it cannot, and why.
    """
    symbol, start = _symbol(analysis, source, at)
    _require_known(analysis, symbol)
    return Place(source.path, start, start + len(symbol.name.encode()))


def rename(
    analysis: Analysis, source: Source, at: int, name: str, cancel: CancelToken | None = None
) -> list[Replacement]:
    """What changes if the name at a byte becomes another one.

    Raises:
        UsageError: it cannot be renamed, or the new name is none, is a keyword, or is taken where it would be seen.
    """
    symbol, _ = _symbol(analysis, source, at)
    _require_known(analysis, symbol)
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name", hint="letters, digits, _ and $, not beginning with a digit")
    if name in (DIRECTIVES if symbol.is_macro else KEYWORDS):
        raise UsageError(f"{name} is a reserved word")
    taken = analysis.lookup.inside(symbol.source, symbol.scope, name) if not symbol.is_macro else None
    if taken is not None:
        line = taken.source.lines.line(taken.declaration.at) + 1
        raise UsageError(f"{name} is declared already, in {taken.source.path.name}:{line}")
    found: list[Replacement] = []
    for use in references(analysis.lookup, symbol, cancel):
        place = Place(use.source.path, use.start, use.end)
        implied = analysis.lookup.implied(use.source, use.start)
        if implied is None:
            _require_free(analysis, use.source, use.start, name, symbol)
            found.append(Replacement(place, name))
        elif implied == symbol:
            # `.clk` stands for `.clk(clk)`: the port keeps its name, the signal gets the new one.
            found.append(Replacement(place, f"{symbol.name}({name})"))
        else:
            found.append(Replacement(place, f"{name}({symbol.name})"))
    return found


def _symbol(analysis: Analysis, source: Source, at: int) -> tuple[Symbol, int]:
    found = analysis.lookup.near(source, at)
    if found is None:
        raise UsageError("nothing that is declared in this project has its name here")
    return found


def _require_known(analysis: Analysis, symbol: Symbol) -> None:
    path = symbol.source.path
    kind = symbol.declaration.kind
    if analysis.workspace.project_of(path) is None and symbol.scope == 0:
        raise UsageError(f"{symbol.name} may be used in files that are not known: {path.name} belongs to no project")
    if _is_outside(analysis, path):
        raise UsageError(f"{symbol.name} is declared in {path}, which is not part of the project")
    if len({one.path for one, _ in analysis.workspace.top(symbol.name)}) > 1 and symbol.scope == 0:
        others = [one.path.name for one, _ in analysis.workspace.top(symbol.name) if one.path != path]
        raise UsageError(
            f"{symbol.name} is declared in several files, also in {others[0]}: which one is used is not known"
        )
    if kind == "port":
        unit = _unit_of(analysis, symbol)
        for place, _ in instances_of(analysis, unit) if unit is not None else ():
            user = analysis.source(place.path)
            instance = user.outline.instance_at(place.start)
            if instance is not None and b".*" in user.content[instance.ports_at : instance.end].replace(b" ", b""):
                line = user.lines.line(place.start) + 1
                raise UsageError(
                    f"{symbol.name} is connected by .* in {user.path.name}:{line}, which would connect it no more"
                )
    if b"``" in symbol.source.content and symbol.is_macro:
        raise UsageError(f"{symbol.name} may be put together by `` in a macro")


def _unit_of(analysis: Analysis, symbol: Symbol) -> Symbol | None:
    scope = symbol.source.outline.scopes[symbol.scope]
    return analysis.lookup.unit(scope.name, symbol.source) if scope.name else None


def _require_free(analysis: Analysis, source: Source, at: int, name: str, symbol: Symbol) -> None:
    """Refuses a name that something nearer than the symbol has already where the symbol is used."""
    if source.words.role(symbol.name, at) != "plain":
        return
    for where, scope in analysis.lookup.visible(source, at):
        if (str(where.path), scope) == (symbol.path, symbol.scope):
            return
        if name in where.outline.scopes[scope].names:
            line = where.lines.line(where.outline.declarations[where.outline.scopes[scope].names[name][0]].at) + 1
            raise UsageError(f"{name} means something else where {symbol.name} is used: {where.path.name}:{line}")


def _is_outside(analysis: Analysis, path: Path) -> bool:
    return (
        bool(analysis.workspace.projects)
        and analysis.workspace.project_of(path) is None
        and path not in analysis.workspace.buffers
    )
