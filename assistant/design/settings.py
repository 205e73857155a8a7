"""What a repository says its design is. Apart from the parsers, whose loading not every command waits for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DesignSettings:
    """`[design]` of a `veriloop.toml`; paths are relative to its directory."""

    toplevel: str = ""
    """The module at the top of the design itself, without a testbench."""
    sources: tuple[Path, ...] = ()
    """The design's files in the order in which they are compiled. Empty: found from the tree."""
    filelists: tuple[Path, ...] = ()
    """File lists (`.f`) that name further files."""
    include_dirs: tuple[Path, ...] = ()
    """Where `include` looks."""
    defines: tuple[tuple[str, str], ...] = ()
    """Macros that are set."""
    parameters: tuple[tuple[str, str], ...] = ()
    """Values of the toplevel's parameters."""
