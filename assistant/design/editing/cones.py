"""What drives a signal and what it drives, across instances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from veriloop.assistant.design.dataflow import Dataflow
from veriloop.assistant.design.editing.analysis import Analysis, Place, name_place
from veriloop.assistant.design.symbols.lookup import Symbol
from veriloop.assistant.design.symbols.source import Source

Side: TypeAlias = Literal["drivers", "loads"]
_MOST = 500


@dataclass(frozen=True, slots=True)
class Reached:
    """A signal of the cone, and how many assignments away it is."""

    name: str
    distance: int
    at: Place


def drivers(analysis: Analysis, source: Source, at: int) -> list[Place]:
    """The assignments and connections that write the signal at a byte."""
    found = _signal(analysis, source, at)
    if found is None:
        return []
    symbol, module = found
    elaborated = analysis.live.of(symbol.source)
    spans = Dataflow.of(elaborated.elaboration).drivers(module, symbol.name)
    return [Place(span.path, span.start, span.end) for span in spans]


def cone(analysis: Analysis, source: Source, at: int, side: Side) -> list[Reached]:
    """The signals of the module that decide the signal at a byte, or that it decides, the nearest first."""
    found = _signal(analysis, source, at)
    if found is None:
        return []
    symbol, module = found
    flow = Dataflow.of(analysis.live.of(symbol.source).elaboration)
    distances = dict(flow.cone([symbol.name], module=module)) if side == "drivers" else _loads(flow, symbol, module)
    reached = []
    for name, distance in distances.items():
        other = analysis.lookup.inside(symbol.source, symbol.scope, name) if name != symbol.name else None
        if other is None:
            home = next((scope for scope in symbol.source.outline.scopes if scope.name == module), None)
            other = (
                analysis.lookup.inside(symbol.source, symbol.source.outline.scopes.index(home), name) if home else None
            )
        if other is not None and distance > 0:
            reached.append(Reached(name, distance, name_place(other)))
    return sorted(reached, key=lambda one: (one.distance, one.name))[:_MOST]


def _loads(flow: Dataflow, symbol: Symbol, module: str) -> dict[str, int]:
    """Every signal of the module in whose cone the symbol stands."""
    scope = symbol.source.outline.scopes
    names = {one.name for one in symbol.source.outline.declarations
             if one.kind in ("port", "net", "variable") and _module_of(symbol, one.scope) == module}  # fmt: skip
    assert scope
    found = {}
    for name in names:
        if name != symbol.name:
            distance = flow.cone([name], module=module).get(symbol.name)
            if distance is not None:
                found[name] = distance
    return found


def _signal(analysis: Analysis, source: Source, at: int) -> tuple[Symbol, str] | None:
    found = analysis.lookup.near(source, at)
    if found is None or found[0].declaration.kind not in ("port", "net", "variable"):
        return None
    module = _module_of(found[0], found[0].scope)
    return (found[0], module) if module else None


def _module_of(symbol: Symbol, scope: int) -> str:
    scopes = symbol.source.outline.scopes
    while scope > 0 and scopes[scope].kind not in ("module", "interface", "program"):
        scope = scopes[scope].parent
    return scopes[scope].name if scope > 0 else ""
