"""What every question of an editor is answered from: the names, and the elaboration of what is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.design.symbols.lookup import Lookup, Symbol
from veriloop.assistant.design.symbols.outline import Declaration
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.workspace import Workspace
from veriloop.assistant.errors import UsageError

if TYPE_CHECKING:
    from veriloop.assistant.design.editing.live import Live


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A range of bytes in a file."""

    path: Path
    start: int
    end: int


class Analysis:
    """The names and the elaboration of some trees.

    Args:
        roots: the trees, with what their `veriloop.toml` says; none for files that stand alone.
    """

    def __init__(self, roots: Mapping[Path, DesignSettings | None] | None = None) -> None:
        self.workspace = Workspace(roots)
        self.lookup = Lookup(self.workspace)

    @cached_property
    def live(self) -> Live:
        """The elaboration of single files with what they need."""
        # slang is loaded when it is first needed: what a name means is answered without it.
        from veriloop.assistant.design.editing.live import Live

        return Live(self.workspace, self.lookup)

    def source(self, path: Path) -> Source:
        """A file.

        Raises:
            UsageError: it cannot be read.
        """
        found = self.workspace.source(path)
        if found is None:
            raise UsageError(f"{path} cannot be read")
        return found


def name_place(symbol: Symbol, declaration: Declaration | None = None) -> Place:
    """Where the name of a declaration stands."""
    at = (declaration or symbol.declaration).at
    return Place(symbol.source.path, at, at + len(symbol.name.encode()))


def places(symbol: Symbol) -> list[Place]:
    """Where the names of a symbol's declarations stand: of a port only the port, not the `reg` of the same name."""
    chosen = [one for one in symbol.declarations if one.kind == "port"] or list(symbol.declarations)
    return [name_place(symbol, one) for one in chosen]
