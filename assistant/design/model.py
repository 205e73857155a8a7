"""The nouns of a design, with EDAM's and IEEE 1800's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Severity = Literal["error", "warning", "note"]
Direction = Literal["input", "output", "inout", "ref"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of bytes in a file.

    `start` is the first byte, `end` the byte after the last; `line` is 1-based and `column` the 1-based code point.
    """

    path: Path
    start: int
    end: int
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """What a tool says about a place in a file; `line` and `column` are 1-based, 0 where the tool named none."""

    path: str
    line: int
    column: int
    severity: Severity
    code: str
    """The tool's own name of the rule, e.g. `WIDTHTRUNC`."""
    message: str
    tool: str

    def __str__(self) -> str:
        code = f" [{self.code}]" if self.code else ""
        return f"{self.path}:{self.line}:{self.column}: {self.severity}: {self.message}{code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of an elaborated module."""

    name: str
    direction: Direction
    width_bits: int
    signed: bool = False
    type: str = ""
    """The declared type as the elaborator prints it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """An elaborated module."""

    name: str
    ports: tuple[Port, ...]
    parameters: tuple[tuple[str, str], ...] = ()
    """Names and resolved values."""
    path: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """The files of a design and how they are read (EDAM: toplevel, files, parameters).

    Paths may be relative to the root of a tree; `rooted` makes them absolute in a copy of it.
    """

    toplevel: str
    sources: tuple[Path, ...]
    include_dirs: tuple[Path, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    library_dirs: tuple[Path, ...] = ()
    """`-y`: a module that is missing is looked for in the file of its name."""
    library_files: tuple[Path, ...] = ()
    """`-v`: only those of its modules that are needed are read."""
    library_extensions: tuple[str, ...] = field(default=(".v", ".sv"))

    def rooted(self, root: Path) -> Design:
        """The same design in the tree that lies at `root`."""
        return Design(
            toplevel=self.toplevel,
            sources=tuple(root / path for path in self.sources),
            include_dirs=tuple(root / path for path in self.include_dirs),
            defines=self.defines,
            parameters=self.parameters,
            library_dirs=tuple(root / path for path in self.library_dirs),
            library_files=tuple(root / path for path in self.library_files),
            library_extensions=self.library_extensions,
        )
