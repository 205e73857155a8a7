"""From a name to where it is declared, to its type, to its instances."""

from __future__ import annotations

from veriloop.assistant.design.editing.analysis import Analysis, Place, name_place, places
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source


def definition(analysis: Analysis, source: Source, at: int) -> list[Place]:
    """Where the name at a byte is declared; an `include` leads to its file."""
    for name, start, end in source.outline.includes:
        if start <= at <= end:
            header = analysis.workspace.include(name, source)
            return [Place(header.path, 0, 0)] if header is not None else []
    found = analysis.lookup.near(source, at)
    if found is None:
        return []
    symbol, start = found
    answers = _bodies(symbol) or _here(symbol, source, start) or places(symbol)
    if symbol.is_macro and source.outline.by_place.get(start) is None:
        answers = [place for one in analysis.lookup.macros(source, symbol.name) for place in places(one)]
    implied = analysis.lookup.implied(source, start)
    if implied is not None:
        answers += [place for place in places(implied) if place not in answers]
    return answers


def declaration(analysis: Analysis, source: Source, at: int) -> list[Place]:
    """All declarations of the name at a byte: of an old-style port also its `reg`, of a method also its prototype."""
    found = analysis.lookup.near(source, at)
    return [name_place(found[0], one) for one in found[0].declarations] if found is not None else []


def type_definition(analysis: Analysis, source: Source, at: int) -> list[Place]:
    """Where the type of the name at a byte is declared: a typedef, a class, an interface, an instance's module."""
    found = analysis.lookup.near(source, at)
    if found is None:
        return []
    symbol, _ = found
    if symbol.declaration.kind in DESIGN_UNITS:
        return [name_place(symbol)]
    for one in symbol.declarations:
        if one.type_at >= 0:
            of = analysis.lookup.at(symbol.source, one.type_at)
            if of is not None:
                return places(of)
    return []


def implementation(analysis: Analysis, source: Source, at: int) -> list[Place]:
    """The instances of the module at a byte."""
    found = analysis.lookup.near(source, at)
    if found is None or found[0].declaration.kind not in DESIGN_UNITS:
        return []
    return [place for place, _ in instances_of(analysis, found[0])]


def instances_of(analysis: Analysis, unit: Symbol) -> list[tuple[Place, str]]:
    """The instances of a module: where their names stand, and their names."""
    answers = []
    for user in analysis.workspace.having(unit.name):
        for instance in user.outline.instances:
            if instance.module == unit.name and analysis.lookup.at(user, instance.type_at) == unit:
                if instance.declaration >= 0:
                    one = user.outline.declarations[instance.declaration]
                    answers.append((Place(user.path, one.at, one.at + len(one.name.encode())), one.name))
                else:
                    answers.append((Place(user.path, instance.type_at, instance.type_at + len(unit.name)), ""))
    return answers


def _here(symbol: Symbol, source: Source, at: int) -> list[Place]:
    """Of alternatives that declare the same name, the one that a byte stands in."""
    scopes = symbol.source.outline.scopes
    if source.path != symbol.source.path or len(symbol.declarations) < 2:
        return []
    around = [
        one for one in symbol.declarations if one.scope > 0 and scopes[one.scope].start <= at < scopes[one.scope].end
    ]
    apart = len({one.scope for one in symbol.declarations}) > 1
    return [name_place(symbol, one) for one in around] if apart else []


def _bodies(symbol: Symbol) -> list[Place]:
    """Of a function that is declared and defined, the definition."""
    if symbol.declaration.kind not in ("function", "task") or len(symbol.declarations) < 2:
        return []
    longest = max(symbol.declarations, key=lambda one: one.end - one.start)
    return [name_place(symbol, longest)]
