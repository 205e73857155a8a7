"""The nouns of an import: where an answer comes from, what is compiled together, what tests it, what that needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

BuildKind = Literal["simulation", "lint", "synthesis", "formal", "files"]
NeedKind = Literal["program", "python package", "submodule", "core", "file"]
Verdict = Literal["results.xml", "pytest", "log", "exit code", "sby", "VUnit"]
"""By what a test's outcome is told: a JUnit file, a test runner's summary, the words of its log, its exit code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The place from which an answer comes; `path` is relative to the root of the tree, `line` 0 for the whole file."""

    path: Path
    reader: str
    line: int = 0

    def __str__(self) -> str:
        if self.path == Path():
            return f"`{self.reader}`"
        return f"{self.path}:{self.line}" if self.line else str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """Files that one place of the repository compiles together. Paths are relative to the root, and are there."""

    name: str
    origin: Origin
    kind: BuildKind = "files"
    toplevels: tuple[str, ...] = ()
    sources: tuple[Path, ...] = ()
    include_dirs: tuple[Path, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    library_dirs: tuple[Path, ...] = ()
    library_files: tuple[Path, ...] = ()
    absent: tuple[str, ...] = ()
    """What it names and the tree does not have: generated files, files of submodules, files of other repositories."""
    tool: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Something that a command needs beside the repository itself."""

    kind: NeedKind
    name: str
    hint: str = ""
    """The command that brings it; empty where none is known."""
    present: bool = False
    wanted_by: tuple[str, ...] = ()
    """Origins and tests that want it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """A command of the repository that judges its design."""

    __test__ = False  # what pytest would otherwise take for a test class

    name: str
    command: str
    """Run by `sh -c` at the root of the tree."""
    origin: Origin
    verdict: Verdict
    kind: str
    """Who runs it: `make`, `cocotb`, `pytest`, `fusesoc` ..."""
    builds: tuple[Build, ...] = ()
    """What it compiles, as far as its files say."""
    toplevel: str = ""
    """The DUT, where the test names it or instantiates just one design."""
    simulator: str = ""
    needs: tuple[Need, ...] = ()
    modules: tuple[str, ...] = ()
    """The modules of the design that it exercises, by the hierarchy below its toplevels."""
    notes: tuple[str, ...] = ()

    @property
    def runnable(self) -> bool:
        """Whether all that it is known to need is here."""
        return all(need.present for need in self.needs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """A module at the top of a design."""

    name: str
    path: Path | None
    why: str
    files: tuple[Path, ...] = ()
    """What it needs, found by instantiation; packages first."""
    lines: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One value and every place that says so."""

    value: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """RTL that a program writes: never patched."""

    path: Path
    generator: str
    """The program or the file that makes it, as far as is known."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackBox:
    """A module whose inside cannot be seen: a vendor's primitive, encrypted IP, or what lies in another repository."""

    name: str
    why: str
    used_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Findings:
    """What one reader found."""

    builds: tuple[Build, ...] = ()
    tests: tuple[Test, ...] = ()
    needs: tuple[Need, ...] = ()
    questions: tuple[str, ...] = ()
    """What the reader saw and could not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What a repository is, by its own files."""

    root: Path
    tops: tuple[Top, ...] = ()
    rtl: tuple[Path, ...] = ()
    """The design's own files, without tests."""
    headers: tuple[Path, ...] = ()
    bench_files: tuple[Path, ...] = ()
    """Verilog that judges: testbenches, models, checkers."""
    include_dirs: tuple[Answer, ...] = ()
    defines: tuple[Answer, ...] = ()
    builds: tuple[Build, ...] = ()
    tests: tuple[Test, ...] = ()
    """The one to try first stands first."""
    needs: tuple[Need, ...] = ()
    generated: tuple[Generated, ...] = ()
    black_boxes: tuple[BlackBox, ...] = ()
    questions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()
    """Who had something to say."""
    lines: int = field(default=0)
    """Lines of Verilog that were read."""
