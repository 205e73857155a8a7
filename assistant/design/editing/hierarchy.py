"""The hierarchy of instances, both ways: what a module instantiates, and what instantiates it."""

from __future__ import annotations

from dataclasses import dataclass

from veriloop.assistant.design.editing.analysis import Analysis, Place, name_place
from veriloop.assistant.design.editing.definition import instances_of
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source


@dataclass(frozen=True, slots=True)
class Unit:
    """A module, an interface or a program."""

    name: str
    kind: str
    whole: Place
    at: Place


@dataclass(frozen=True, slots=True)
class Link:
    """Two modules of which one instantiates the other, and where the instances' names stand."""

    unit: Unit
    instances: tuple[Place, ...]
    names: tuple[str, ...]


def unit_at(analysis: Analysis, source: Source, at: int) -> Unit | None:
    """The module that a name at a byte means, of an instance its module; else the module around the byte."""
    found = analysis.lookup.near(source, at)
    if found is not None:
        symbol, _ = found
        if symbol.declaration.kind == "instance":
            of = analysis.lookup.at(symbol.source, symbol.declaration.type_at)
            return _unit(of) if of is not None and of.declaration.kind in DESIGN_UNITS else None
        if symbol.declaration.kind in DESIGN_UNITS:
            return _unit(symbol)
    symbol_around = unit_around(analysis, source, at)
    return _unit(symbol_around) if symbol_around is not None else None


def unit_around(analysis: Analysis, source: Source, at: int) -> Symbol | None:
    """The module that a byte stands in."""
    scope = source.outline.scope_at(at)
    while scope > 0:
        for one in source.outline.declarations:
            if one.inner == scope and one.kind in DESIGN_UNITS:
                return analysis.lookup.at(source, one.at)
        scope = source.outline.scopes[scope].parent
    return None


def below(analysis: Analysis, source: Source, at: int) -> list[Link]:
    """The modules that the module whose name stands at a byte instantiates."""
    symbol = analysis.lookup.at(source, at)
    if symbol is None:
        return []
    found: dict[tuple[str, int], tuple[Unit, list[Place], list[str]]] = {}
    for one in symbol.declarations:
        for instance in symbol.source.outline.instances:
            if not one.start <= instance.start < one.end:
                continue
            unit = analysis.lookup.unit(instance.module, symbol.source)
            if unit is None or instance.declaration < 0:
                continue
            declared = symbol.source.outline.declarations[instance.declaration]
            place = Place(symbol.source.path, declared.at, declared.at + len(declared.name.encode()))
            entry = found.setdefault((unit.path, unit.declaration.at), (_unit(unit), [], []))
            entry[1].append(place)
            entry[2].append(declared.name)
    return [Link(unit, tuple(where), tuple(names)) for unit, where, names in found.values()]


def above(analysis: Analysis, source: Source, at: int) -> list[Link]:
    """The modules that instantiate the module whose name stands at a byte."""
    symbol = analysis.lookup.at(source, at)
    if symbol is None:
        return []
    found: dict[tuple[str, int], tuple[Unit, list[Place], list[str]]] = {}
    for place, name in instances_of(analysis, symbol):
        user = analysis.source(place.path)
        around = unit_around(analysis, user, place.start)
        if around is not None:
            entry = found.setdefault((around.path, around.declaration.at), (_unit(around), [], []))
            entry[1].append(place)
            entry[2].append(name)
    return [Link(unit, tuple(where), tuple(names)) for unit, where, names in found.values()]


def _unit(symbol: Symbol) -> Unit:
    one = symbol.declaration
    return Unit(symbol.name, one.kind, Place(symbol.source.path, one.start, one.end), name_place(symbol))
