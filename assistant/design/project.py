"""What the design of a tree is: as its `veriloop.toml` says, else as its files tell.

The elaborator says which modules, packages, interfaces and headers it misses; the index of the tree's files says where
they are. So macros, generate blocks and parameters count exactly as they do in the design itself.
"""

from __future__ import annotations

import dataclasses
import graphlib
import os
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from veriloop.assistant.design.filelist import read_filelist
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.errors import UsageError

if TYPE_CHECKING:
    from veriloop.assistant.design.elaborate import Elaboration

SOURCE_SUFFIXES = frozenset({".v", ".sv"})
HEADER_SUFFIXES = frozenset({".vh", ".svh", ".h", ".inc"})

_SKIPPED = frozenset({"build", "node_modules", "obj_dir", "sim_build", "venv", "__pycache__", "site-packages"})
_RTL_DIRECTORIES = frozenset({"rtl", "src", "hdl", "source", "design"})
_MAX_ROUNDS = 30
"""How deep the hierarchy below the given files may reach."""
_MAX_FILE_BYTES = 20_000_000
"""A larger file is a netlist or a memory image, and is read only where it is named."""
_SCOPED = re.compile(rb"\b(\w+)\s*::")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A design and how it was found."""

    design: Design
    """Its paths are relative to the root of the tree, where they lie in it."""
    notes: tuple[str, ...] = ()
    """What was guessed, a line each."""
    missing: tuple[str, ...] = ()
    """Modules and headers that are nowhere in the tree."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What the tree's files declare; a name may be declared in several files."""

    modules: Mapping[str, tuple[Path, ...]]
    packages: Mapping[str, tuple[Path, ...]]
    declares: Mapping[Path, frozenset[str]]

    @property
    def duplicates(self) -> Mapping[str, tuple[Path, ...]]:
        """The modules that several files declare."""
        return {name: paths for name, paths in self.modules.items() if len(paths) > 1}


class Project:
    """The Verilog of one tree.

    Args:
        root: where the tree lies; paths of the result are relative to it.
        settings: what its `veriloop.toml` says.
    """

    def __init__(self, root: Path, settings: DesignSettings | None = None) -> None:
        self.root = root
        self.settings = settings or DesignSettings()

    @classmethod
    def load(cls, root: Path, settings: DesignSettings | None = None) -> Project:
        """The project at a root. Files are read when they are needed.

        Raises:
            UsageError: the root is no directory.
        """
        if not root.is_dir():
            raise UsageError(f"{root} is not a directory")
        return cls(root, settings)

    @cached_property
    def files(self) -> tuple[Path, ...]:
        """All Verilog files of the tree, headers included, sorted; links to directories are not followed."""
        found: list[Path] = []
        for directory, inner, names in os.walk(self.root):
            inner[:] = sorted(name for name in inner if not _is_skipped(Path(directory, name)))
            for name in names:
                path = Path(directory, name)
                if path.suffix.lower() in SOURCE_SUFFIXES | HEADER_SUFFIXES and path.is_file():
                    found.append(path.relative_to(self.root))
        return tuple(sorted(found))

    @cached_property
    def index(self) -> Index:
        """Where each module and package of the tree is declared."""
        # slang is loaded when it is first needed: which files a tree has is asked before anything of them is.
        from veriloop.assistant.design.elaborate import declared

        modules: dict[str, list[Path]] = defaultdict(list)
        packages: dict[str, list[Path]] = defaultdict(list)
        declares: dict[Path, frozenset[str]] = {}
        for path in self.files:
            if path.suffix.lower() not in SOURCE_SUFFIXES:
                continue
            found = declared(self.read(path))
            declares[path] = frozenset(found[0])
            for name in dict.fromkeys(found[0]):
                modules[name].append(path)
            for name in dict.fromkeys(found[1]):
                packages[name].append(path)
        return Index(
            modules={name: tuple(paths) for name, paths in modules.items()},
            packages={name: tuple(paths) for name, paths in packages.items()},
            declares=declares,
        )

    @cached_property
    def declared_design(self) -> Design:
        """What the settings and their file lists name; without sources if they name none."""
        settings = self.settings
        lists = [read_filelist(self.root / path, base=self.root) for path in settings.filelists]
        sources = [*settings.sources, *(self._relative(path) for each in lists for path in each.sources)]
        include_dirs = [*settings.include_dirs, *(self._relative(path) for each in lists for path in each.include_dirs)]
        defines = {name: value for each in lists for name, value in each.defines} | dict(settings.defines)
        extensions = tuple(dict.fromkeys(name for each in lists for name in each.library_extensions))
        return Design(
            toplevel=settings.toplevel or next((each.toplevel for each in lists if each.toplevel), ""),
            sources=tuple(dict.fromkeys(sources)),
            include_dirs=tuple(dict.fromkeys(include_dirs)),
            defines=tuple(defines.items()),
            parameters=settings.parameters,
            library_dirs=tuple(self._relative(path) for each in lists for path in each.library_dirs),
            library_files=tuple(self._relative(path) for each in lists for path in each.library_files),
            library_extensions=extensions or Design(toplevel="", sources=()).library_extensions,
        )

    def design(self) -> Found:
        """The design itself, without testbenches: as declared, else every RTL file of the tree.

        Raises:
            UsageError: the tree holds no RTL.
        """
        named = self.declared_design
        if named.sources:
            return self._with_only_top(_Closure(self, named.sources).complete())
        sources = tuple(path for path in self.index.declares if not is_test_path(path))
        if not sources:
            raise UsageError(f"no Verilog files in {self.root}", hint="name the design's files")
        packages = {path for paths in self.index.packages.values() for path in paths}
        whole = _Closure(self, sources, packages=[path for path in sources if path in packages]).complete()
        found = self._with_only_top(whole)
        top = self.index.modules.get(found.design.toplevel, ())
        if len(top) != 1:
            return found
        # Only what the toplevel needs: a tree may hold older copies and other designs.
        below = _Closure(self, top).complete()
        return dataclasses.replace(below, design=_with_toplevel(below.design, found.design.toplevel))

    def _with_only_top(self, found: Found) -> Found:
        """With the toplevel that the settings leave open, where there is only one module that it can be."""
        if found.design.toplevel:
            return found
        from veriloop.assistant.design.elaborate import elaborate

        tops = elaborate(found.design.rooted(self.root)).tops
        if len(tops) == 1:
            return dataclasses.replace(found, design=_with_toplevel(found.design, tops[0]))
        note = f"several modules are instantiated by nobody: {', '.join(tops)}" if tops else "no toplevel was found"
        return dataclasses.replace(found, notes=(*found.notes, note))

    def design_for(self, files: Sequence[Path], extra: Sequence[Path] = ()) -> Found:
        """The files that some files need, found in the tree.

        Args:
            files: the files at the top, a testbench's for instance; they come last.
            extra: files that are part of it in any case, the DUT's for instance; what they declare is looked for
                nowhere else.

        Raises:
            UsageError: a file is not there.
        """
        given = [self._given(path) for path in (*extra, *self.declared_design.sources, *files)]
        return _Closure(self, tuple(dict.fromkeys(given))).complete()

    def testbench_design(
        self, testbench_files: Sequence[Path], rtl_files: Sequence[Path] = (), *, toplevel: str = ""
    ) -> Found:
        """The design of a Verilog testbench; its toplevel is the module of its files that nobody instantiates.

        Raises:
            UsageError: a file is not there, or the toplevel is none or several.
        """
        found = self.design_for(testbench_files, rtl_files)
        elaboration = _look(found.design.rooted(self.root))
        own = {self.root / self._given(path) for path in testbench_files}
        tops = [name for name in elaboration.tops if elaboration.modules[name].path in own]
        names = ", ".join(str(path) for path in testbench_files)
        if toplevel:
            if toplevel not in elaboration.declared_modules:
                raise UsageError(f"there is no module {toplevel} in {names} or in what it uses")
        elif not tops:
            raise UsageError(f"{names} has no module that is not instantiated elsewhere", hint="--top MODULE")
        elif len(tops) > 1:
            raise UsageError(f"{names} has several toplevels: {', '.join(tops)}", hint=f"--top {tops[0]}")
        # The parameters of the settings are the design's own, not the testbench's.
        chosen = _with_toplevel(found.design, toplevel or tops[0], parameters=())
        return Found(design=chosen, notes=found.notes, missing=found.missing)

    def _given(self, path: Path) -> Path:
        """A path that was given, relative to the root of the tree where it lies in it."""
        if not (self.root / path).is_file():
            raise UsageError(f"no such file: {path}")
        return self._relative(self.root / path)

    def _relative(self, path: Path) -> Path:
        normal = Path(os.path.normpath(path))
        root = Path(os.path.normpath(self.root))
        return normal.relative_to(root) if normal.is_relative_to(root) else normal

    def read(self, path: Path) -> bytes:
        """A file's content; empty where it cannot be read or is too large to be a design."""
        full = self.root / path
        try:
            return full.read_bytes() if full.stat().st_size <= _MAX_FILE_BYTES else b""
        except OSError:
            return b""


@dataclass(slots=True)
class _Closure:
    """Completes a list of files from a project's index until nothing that the tree has is missing."""

    project: Project
    given: tuple[Path, ...]
    found: list[Path] = field(default_factory=list)
    packages: list[Path] = field(default_factory=list)
    include_dirs: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def complete(self) -> Found:
        elaboration = self._elaborate()
        for _ in range(_MAX_ROUNDS):
            if not (self._headers(elaboration) + self._declarations(elaboration)):
                break
            elaboration = self._elaborate()
        missing = (*elaboration.missing_modules, *elaboration.missing_includes)
        return Found(design=self._design(), notes=tuple(self.notes), missing=missing)

    def _design(self) -> Design:
        named = self.project.declared_design
        given = [path for path in self.given if path not in self.packages]
        return Design(
            toplevel=named.toplevel,
            sources=tuple(dict.fromkeys([*self._ordered(), *self.found, *given])),
            include_dirs=tuple(dict.fromkeys([*named.include_dirs, *self.include_dirs])),
            defines=named.defines,
            parameters=named.parameters,
            library_dirs=named.library_dirs,
            library_files=named.library_files,
            library_extensions=named.library_extensions,
        )

    def _elaborate(self) -> Elaboration:
        # Every module that nobody instantiates is a top here, so that all files are looked at.
        return _look(_with_toplevel(self._design(), "", parameters=()).rooted(self.project.root))

    def _headers(self, elaboration: Elaboration) -> int:
        """Adds the directories of headers that were not found; returns how many."""
        added = 0
        for name in elaboration.missing_includes:
            wanted = Path(name)
            matches = [path for path in self.project.files if path.parts[-len(wanted.parts) :] == wanted.parts]
            if matches:
                path = self._choose(name, matches)
                directory = Path(*path.parts[: -len(wanted.parts)])
                if directory not in self.include_dirs:
                    self.include_dirs.append(directory)
                    added += 1
        return added

    def _declarations(self, elaboration: Elaboration) -> int:
        """Adds the files of modules, packages and interfaces that are missing; returns how many."""
        if not elaboration.missing_modules and not elaboration.missing_names:
            return 0
        index = self.project.index
        before = len(self.found) + len(self.packages)
        for name in dict.fromkeys((*elaboration.missing_modules, *elaboration.missing_names)):
            for table, into in ((index.packages, self.packages), (index.modules, self.found)):
                known = {*self.given, *self.found, *self.packages}
                if name in table and not known & set(table[name]) and not self._spelled(name):
                    into.append(self._choose(name, table[name]))
        return len(self.found) + len(self.packages) - before

    def _spelled(self, name: str) -> bool:
        """Whether a given file declares a module in a way that does not parse: then no other file stands in for it."""
        pattern = re.compile(rb"\b(?:module|interface|package)\s+" + re.escape(name.encode()) + rb"\b")
        return any(pattern.search(self.project.read(path)) for path in self.given)

    def _choose(self, name: str, paths: Sequence[Path]) -> Path:
        """The likeliest of several files; says so where there is a choice."""
        ranked = sorted(paths, key=self._rank)
        if len(ranked) > 1:
            others = ", ".join(str(path) for path in ranked[1:4])
            self.notes.append(f"{name} is taken from {ranked[0]}; it is also in {others}")
        return ranked[0]

    def _rank(self, path: Path) -> tuple[bool, bool, bool, bool, int, str]:
        """Least is likeliest: declares nothing twice, lies beside the given files, among the RTL, no test, near."""
        index = self.project.index
        known = {name for other in (*self.given, *self.found) for name in index.declares.get(other, ())}
        return (
            bool(known & index.declares.get(path, frozenset())),
            path.parent not in {other.parent for other in self.given},
            not _RTL_DIRECTORIES & {part.lower() for part in path.parts[:-1]},
            is_test_path(path),
            len(path.parts),
            str(path),
        )

    def _ordered(self) -> list[Path]:
        """The files of packages, each after those of the packages that it uses."""
        index = self.project.index if self.packages else Index(modules={}, packages={}, declares={})
        files = set(self.packages)
        uses = {
            path: {
                other
                for scope in _SCOPED.findall(self.project.read(path))
                for other in index.packages.get(scope.decode(), ())
                if other in files and other != path
            }
            for path in sorted(files)
        }
        try:
            return list(graphlib.TopologicalSorter(uses).static_order())
        except graphlib.CycleError:
            return list(self.packages)


def _is_skipped(directory: Path) -> bool:
    """Whether a directory holds no sources: hidden, built, installed, or a virtual environment."""
    return directory.name.startswith(".") or directory.name in _SKIPPED or (directory / "pyvenv.cfg").is_file()


def _look(design: Design) -> Elaboration:
    """Elaborates a design of which a file may be so broken that it swallows those after it."""
    from veriloop.assistant.design.elaborate import Elaborator

    elaborator = Elaborator(design)
    found = elaborator.elaborate()
    expected = {name for path in design.sources for name in _declared_in(path)}
    return found if expected <= set(found.declared_modules) else elaborator.elaborate(separate=True)


def _declared_in(path: Path) -> tuple[str, ...]:
    from veriloop.assistant.design.elaborate import declared

    try:
        return declared(path.read_bytes())[0]
    except OSError:
        return ()


def _with_toplevel(design: Design, toplevel: str, *, parameters: tuple[tuple[str, str], ...] | None = None) -> Design:
    values = design.parameters if parameters is None else parameters
    return dataclasses.replace(design, toplevel=toplevel, parameters=values)
