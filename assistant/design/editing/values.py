"""What elaboration adds to a declaration: the resolved type, the width, the value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pyslang import ast

from veriloop.assistant.design.editing.live import Elaborated
from veriloop.assistant.design.elaborate import Elaboration
from veriloop.assistant.design.symbols.lookup import Symbol

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Resolved:
    """A declaration as it is elaborated."""

    type: str = ""
    width_bits: int = 0
    """0 for what has no bits (a real, a string)."""
    value: str = ""
    """A constant's."""
    instance: str = ""
    """The hierarchical name of the instance that this is true of; empty for a top, a package, a file."""


def resolve(elaborated: Elaborated, symbol: Symbol, instance: str = "") -> Resolved | None:
    """A declaration in an instance of its module, or in its package; none where it is not elaborated.

    Args:
        elaborated: the file at hand with what it needs.
        symbol: what is asked about.
        instance: the name of an instance, whose parameters count; else those of the first one do.
    """
    names = _path(symbol)
    if names is None:
        return None
    top, *inner = names
    path, found = _instance(elaborated.elaboration, top, instance)
    scope: Any = found.body if found is not None else elaborated.elaboration.compilation.getPackage(top)
    for name in (*inner, symbol.name):
        if scope is None:
            return None
        scope = _entered(scope)
        scope = scope.find(name) if hasattr(scope, "find") else None
    resolved = _resolved(scope)
    return replace(resolved, instance=path) if resolved is not None and "." in path else resolved


def _instance(elaboration: Elaboration, module: str, name: str) -> tuple[str, ast.InstanceSymbol | None]:
    """An instance of a module, of this name if there is one, and where it stands in the hierarchy."""
    first: tuple[str, ast.InstanceSymbol | None] = ("", None)
    for path, one in elaboration.instances.items():
        if one.definition.name == module:
            if not name or one.name == name:
                return path, one
            first = first if first[1] is not None else (path, one)
    return first


def _path(symbol: Symbol) -> list[str] | None:
    """The names of the scopes around a declaration, the module's or package's first."""
    scopes = symbol.source.outline.scopes
    names: list[str] = []
    scope = symbol.scope
    while scope > 0:
        if scopes[scope].kind not in ("loop",):
            if not scopes[scope].name:
                return None
            names.append(scopes[scope].name)
        scope = scopes[scope].parent
    return names[::-1] or None


def _entered(scope: Any) -> Any:
    if isinstance(scope, ast.GenerateBlockArraySymbol):
        return scope.entries[0] if len(scope.entries) else None
    if isinstance(scope, ast.InstanceSymbol):
        return scope.body
    if isinstance(scope, ast.TypeAliasType):
        return scope.canonicalType
    return scope


def _resolved(symbol: Any) -> Resolved | None:
    if isinstance(symbol, ast.TransparentMemberSymbol):
        symbol = symbol.wrapped
    if isinstance(symbol, ast.ParameterSymbol | ast.EnumValueSymbol):
        value = str(symbol.value)
        return Resolved(
            str(symbol.type), symbol.type.bitWidth, value if len(value) <= _LONGEST else value[:_LONGEST] + "…"
        )
    if isinstance(symbol, ast.TypeParameterSymbol):
        return Resolved(value=str(symbol.targetType.type) if hasattr(symbol.targetType, "type") else "")
    if isinstance(symbol, ast.ValueSymbol):
        return Resolved(str(symbol.type), symbol.type.bitWidth)
    if isinstance(symbol, ast.TypeAliasType):
        return Resolved(str(symbol.canonicalType), symbol.canonicalType.bitWidth)
    if isinstance(symbol, ast.SubroutineSymbol):
        return Resolved(str(symbol.returnType), symbol.returnType.bitWidth)
    return None
