"""The files that names are looked up in: the trees that are open, with the buffers of an editor over what is on disk.

Files are read when they are first asked for; `index` reads the rest a few at a time. Until it is done, a name is found
by looking for its letters in the files, so that answers are the same before and after.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from veriloop.assistant.design.project import HEADER_SUFFIXES, SOURCE_SUFFIXES, Project
from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.design.symbols.outline import Declaration
from veriloop.assistant.design.symbols.source import Source

_MAX_FILE_BYTES = 8_000_000
"""A larger file is a netlist or a memory image: it is read only where it is open."""

_VERILOG_SUFFIXES = SOURCE_SUFFIXES | {".vh", ".svh"}

UNIT_WORDS = (
    "(?:module|macromodule|interface|package|program|primitive|checker|class)(?:\\s+(?:automatic|static|class))?"
)
"""What stands before the name of a module, a package or a class."""

Place = tuple[Source, Declaration]


class Workspace:
    """The Verilog of some trees.

    Args:
        roots: the trees, with what their `veriloop.toml` says; none for a file that stands alone.
    """

    def __init__(self, roots: Mapping[Path, DesignSettings | None] | None = None) -> None:
        self.projects: list[Project] = []
        self.generation = 0
        """Counts the changes; what was worked out at another count may be stale."""
        self.settings = 0
        """Counts how often the trees or their settings have changed."""
        self._buffers: dict[Path, Source] = {}
        self._sources: dict[Path, Source] = {}
        self._missing: set[Path] = set()
        self._known: set[Path] = set()
        self._unread: list[Path] = []
        self._searched: set[tuple[str, str]] = set()
        """What has been looked for in all files before they are in the index, and how."""
        self._indexed: set[Path] = set()
        self._stale: set[Path] = set()
        """Files whose new content is not in the index yet: keys that come faster than questions cost nothing."""
        self._top: dict[str, dict[Path, list[int]]] = defaultdict(dict)
        self._includers: dict[str, set[Path]] = defaultdict(set)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for root, settings in (roots or {}).items():
            self.add_root(root, settings)

    # --- what is in it ---

    def add_root(self, root: Path, settings: DesignSettings | None = None) -> None:
        """Adds a tree; one that is known is read anew."""
        self.projects = [project for project in self.projects if project.root != root]
        self.settings += 1
        project = Project.load(root, settings)
        self.projects.append(project)
        for path in project.files:
            if path.suffix.lower() in _VERILOG_SUFFIXES:
                self._know(root / path)
            else:
                # `.h` and `.inc` may be another language's; they count once a Verilog file includes them.
                self._by_name[path.name].append(root / path)
        for path in (*project.declared_design.sources, *project.declared_design.library_files):
            self._know(root / path)
        self.generation += 1

    def remove_root(self, root: Path) -> None:
        """Takes a tree out."""
        self.projects = [project for project in self.projects if project.root != root]
        self.settings += 1
        for path in [path for path in self._known if path.is_relative_to(root)]:
            if path not in self._buffers and not any(path.is_relative_to(other.root) for other in self.projects):
                self._forget(path)
        self.generation += 1

    def project_of(self, path: Path) -> Project | None:
        """The innermost tree that holds a file."""
        holding = [project for project in self.projects if path.is_relative_to(project.root)]
        return max(holding, key=lambda project: len(project.root.parts), default=None)

    @property
    def paths(self) -> tuple[Path, ...]:
        """All files that are known, sorted."""
        return tuple(sorted(self._known))

    def open(self, path: Path, content: bytes) -> Source:
        """Puts a buffer over a file, or changes it."""
        source = Source(path, content, is_open=True)
        self._buffers[path] = source
        self._replaced(path)
        return source

    def close(self, path: Path) -> None:
        """Takes a buffer away: what is on disk counts again."""
        if self._buffers.pop(path, None) is not None:
            self.changed_on_disk(path)

    def changed_on_disk(self, path: Path) -> None:
        """Another program has made, changed or removed a file."""
        if path in self._buffers:
            return
        self._sources.pop(path, None)
        self._missing.discard(path)
        if path.is_file() and path.suffix.lower() in SOURCE_SUFFIXES | HEADER_SUFFIXES:
            self._replaced(path)
        else:
            self._forget(path)
            self.generation += 1

    @property
    def buffers(self) -> Mapping[Path, Source]:
        """The files that are open."""
        return self._buffers

    def source(self, path: Path) -> Source | None:
        """A file, as its buffer has it, else as it is on disk; none if it cannot be read."""
        found = self._buffers.get(path) or self._sources.get(path)
        if found is None and path not in self._missing:
            try:
                content = path.read_bytes() if path.stat().st_size <= _MAX_FILE_BYTES else b""
            except OSError:
                self._missing.add(path)
                return None
            found = self._sources[path] = Source(path, content)
            self._know(path)
        return found

    def sources(self) -> Iterator[Source]:
        """Every file that can be read."""
        for path in self.paths:
            source = self.source(path)
            if source is not None:
                yield source

    # --- the index ---

    @property
    def indexed(self) -> bool:
        """Whether every file is in the index."""
        return not self._unread

    @property
    def progress(self) -> tuple[int, int]:
        """How many files are in the index, and how many there are."""
        return len(self._indexed), len(self._known)

    @property
    def read_paths(self) -> tuple[Path, ...]:
        """The files that are in the index."""
        return tuple(self._indexed)

    def index(self, budget_s: float = float("inf")) -> bool:
        """Reads files into the index until all are in it or the time is over; true if all are."""
        end = time.monotonic() + budget_s
        while self._unread:
            path = self._unread.pop()
            if path not in self._indexed and path in self._known:
                self._enter(path)
                if time.monotonic() > end:
                    break
        return not self._unread

    def top(self, name: str, *, after: str = "") -> list[Place]:
        """The declarations of a name outside of every module and package, in all files.

        Args:
            name: which name.
            after: the words of which one stands before the name where it is declared, as a pattern; until everything
                is read, files without it need not be.
        """
        self._refresh()
        if not self.indexed and (name, after) not in self._searched:
            self._searched.add((name, after))
            pattern = (
                re.compile(rb"\b(?:" + after.encode() + rb")\s+" + re.escape(name.encode()) + rb"\b") if after else None
            )
            for holder in list(self.sources()):
                content = holder.content
                if name.encode() in content and (pattern is None or pattern.search(content)):
                    self._enter(holder.path)
        found = []
        for path, indices in self._top.get(name, {}).items():
            source = self.source(path)
            if source is not None:
                found += [(source, source.outline.declarations[index]) for index in indices]
        return found

    def top_names(self, holding: str = "") -> Iterator[tuple[str, Place]]:
        """All names that are declared outside of every module and package and hold some small letters."""
        self.index()
        self._refresh()
        for name, places in self._top.items():
            if holding not in name.lower():
                continue
            for path, indices in places.items():
                found = self.source(path)
                if found is not None:
                    declarations = found.outline.declarations
                    for index in indices:
                        yield name, (found, declarations[index])

    def having(self, name: str) -> Iterator[Source]:
        """The files in which a name stands."""
        self._refresh()
        if self.indexed:
            yield from (source for source in self._read() if name in source.words)
            return
        letters = name.encode()
        for source in self.sources():
            if letters in source.content and name in source.words:
                yield source

    def includers(self, path: Path) -> list[Source]:
        """The files that include a file, as far as its name tells."""
        self._refresh()
        if not self.indexed and (path.name, "include") not in self._searched:
            self._searched.add((path.name, "include"))
            letters = path.name.encode()
            for holder in list(self.sources()):
                if letters in holder.content:
                    self._enter(holder.path)
        found = (self.source(includer) for includer in sorted(self._includers.get(path.name, ())))
        return [source for source in found if source is not None]

    def include(self, name: str, source: Source) -> Source | None:
        """The file that an `include` of another names."""
        wanted = Path(name)
        project = self.project_of(source.path)
        directories: Sequence[Path] = [source.path.parent]
        if project is not None:
            directories = [*directories, *(project.root / path for path in project.declared_design.include_dirs)]
        for directory in directories:
            path = directory / wanted
            if path in self._known or path in self._buffers or path.is_file():
                return self.source(path)
        matches = [
            path for path in self._by_name.get(wanted.name, ()) if path.parts[-len(wanted.parts) :] == wanted.parts
        ]
        return self.source(min(matches, key=lambda path: distance(path, source.path))) if matches else None

    def _read(self) -> Iterator[Source]:
        for path in list(self._indexed):
            source = self.source(path)
            if source is not None:
                yield source

    def _know(self, path: Path) -> None:
        if path not in self._known:
            self._known.add(path)
            self._unread.append(path)
            self._searched.clear()
            if path not in self._by_name[path.name]:
                self._by_name[path.name].append(path)
            self._missing.discard(path)

    def _forget(self, path: Path) -> None:
        self._leave(path)
        self._stale.discard(path)
        if path in self._known:
            self._known.discard(path)
            self._by_name[path.name].remove(path)
        self._sources.pop(path, None)

    def _replaced(self, path: Path) -> None:
        self._know(path)
        self._leave(path)
        self._stale.add(path)
        self.generation += 1

    def _refresh(self) -> None:
        while self._stale:
            self._enter(self._stale.pop())

    def _enter(self, path: Path) -> None:
        source = self.source(path)
        if source is None or path in self._indexed:
            return
        self._indexed.add(path)
        assert source.words is not None
        outline = source.outline
        for name, indices in outline.scopes[0].names.items():
            self._top[name][path] = indices
        for name, _, _ in outline.includes:
            self._includers[name.rsplit("/", 1)[-1]].add(path)

    def _leave(self, path: Path) -> None:
        if path in self._indexed:
            self._indexed.discard(path)
            for places in [self._top[name] for name in self._names_of(path)]:
                places.pop(path, None)
            for includers in self._includers.values():
                includers.discard(path)

    def _names_of(self, path: Path) -> list[str]:
        return [name for name, places in self._top.items() if path in places]


def distance(path: Path, other: Path) -> tuple[int, int, str]:
    """How far a file is from another: least for the same file, then the same directory, then near ones."""
    common = 0
    for one, two in zip(path.parts, other.parts, strict=False):
        if one != two:
            break
        common += 1
    return (len(other.parts) - common, len(path.parts) - common, str(path))
