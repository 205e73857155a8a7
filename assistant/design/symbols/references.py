"""Where a name is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.design.symbols.lookup import Lookup, Symbol
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.words import Places
from veriloop.assistant.events import CancelToken

_LOCAL = frozenset({"macro argument", "genvar"})
_MODULE_LIKE = frozenset({"module", "interface", "program", "checker", "primitive"})


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a name stands; bytes of the file."""

    source: Source
    start: int
    end: int
    is_declaration: bool


def references(lookup: Lookup, symbol: Symbol, cancel: CancelToken | None = None) -> Iterator[Use]:
    """Every place in the workspace that means a symbol, its declarations included, file by file."""
    own = symbol.source
    yield from uses_in(lookup, symbol, own)
    if _is_local(symbol):
        return
    for source in lookup.workspace.having(symbol.name):
        if cancel is not None:
            cancel.check()
        if source.path != own.path:
            yield from uses_in(lookup, symbol, source)


def uses_in(lookup: Lookup, symbol: Symbol, source: Source) -> Iterator[Use]:
    """The places of one file that mean a symbol, in the order of the text."""
    declared = {one.at for one in symbol.declarations} if source.path == symbol.source.path else set()
    length = len(symbol.name.encode())
    found: list[int] = []
    connections = source.words.connection.get(symbol.name)
    for places in _candidates(lookup, symbol, source):
        for at in places:
            meant = at in declared or lookup.at(source, at) == symbol
            if meant or (places is connections and lookup.implied(source, at) == symbol):
                found.append(at)
    for at in sorted(found):
        yield Use(source, at, at + length, at in declared)


def _candidates(lookup: Lookup, symbol: Symbol, source: Source) -> Iterator[Places]:
    """The places of its name where it can be meant at all."""
    words, name = source.words, symbol.name
    if symbol.is_macro:
        tables = [words.macro]
    elif source.path != symbol.source.path and _in_module(symbol):
        # From outside a module its names are reached by a dot alone, unless a `bind` puts something into it.
        tables = [words.member]
        module = symbol.source.outline.scopes[symbol.scope].name
        if module in words or not module:
            tables.append(words.connection)
        included = symbol.source.path.name in {one.rsplit("/", 1)[-1] for one, _, _ in source.outline.includes}
        bound = any(scope.kind == "bind" for scope in source.outline.scopes)
        if included or bound or lookup.workspace.includers(source.path):
            tables.append(words.plain)
    else:
        tables = [words.plain, words.member, words.connection, words.scoped]
    for table in tables:
        places = table.get(name)
        if places is not None:
            yield places


def _in_module(symbol: Symbol) -> bool:
    """Whether it is declared in a module, however deep."""
    scopes = symbol.source.outline.scopes
    scope = symbol.scope
    if symbol.declaration.kind in DESIGN_UNITS:
        return False
    while scope > 0:
        if scopes[scope].kind in _MODULE_LIKE:
            return True
        if scopes[scope].kind in ("package", "class"):
            return False
        scope = scopes[scope].parent
    return False


def _is_local(symbol: Symbol) -> bool:
    return symbol.declaration.kind in _LOCAL or symbol.source.outline.scopes[symbol.scope].kind == "loop"
