"""What names mean to the elaborator: an independent word on every name that stands in an elaborated expression."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pyslang
from pyslang import ast, syntax

from veriloop.assistant.design.elaborate import Elaboration

Spot: TypeAlias = tuple[Path, int]
"""A file and a byte of it."""

_SEPARATORS = (b"::", b".")


def meanings(elaboration: Elaboration) -> dict[Spot, Spot]:
    """Where each name in an expression stands, to where it is declared.

    Names with a dot or a double colon before them, names out of macros' bodies, and genvars (which slang takes for
    constants of their own in each iteration) are left out.
    """
    manager = elaboration.compilation.sourceManager
    found: dict[Spot, Spot] = {}

    def spot(location: pyslang.SourceLocation) -> Spot | None:
        if manager is None or manager.isMacroLoc(location) or not manager.isFileLoc(location):
            return None
        return Path(str(manager.getFullPath(location.buffer))), location.offset

    def visit(node: Any) -> None:
        if isinstance(node, ast.NamedValueExpression) and not _is_loop_constant(node.symbol):
            use, declared = spot(node.sourceRange.start), spot(node.symbol.location)
            if use is not None and declared is not None and _is_simple(manager, node, use):
                found.setdefault(use, declared)

    for instance in _distinct(elaboration):
        instance.body.visit(visit)
    return found


def _distinct(elaboration: Elaboration) -> Iterator[ast.InstanceSymbol]:
    """One instance of each module: others say the same of where its names are declared."""
    yield from elaboration.bodies.values()


def _is_loop_constant(symbol: Any) -> bool:
    """Whether it is a genvar in one iteration of its loop: no declaration of a parameter stands behind it."""
    return isinstance(symbol, ast.ParameterSymbol) and not isinstance(symbol.syntax, syntax.DeclaratorSyntax)


def _is_simple(manager: Any, node: ast.NamedValueExpression, use: Spot) -> bool:
    """Whether the expression is the name alone, in parentheses of a connection or not: then it begins with it."""
    name = node.symbol.name
    text = manager.getSourceText(node.sourceRange.start.buffer)
    return bool(text[use[1] : use[1] + len(name)] == name and text[max(0, use[1] - 1) : use[1]] != ".")
