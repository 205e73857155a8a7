"""The files of a repository: listed once, read at most once, never followed out of the tree."""

from __future__ import annotations

import fnmatch
import functools
import glob
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from veriloop.assistant.design.project import HEADER_SUFFIXES, SOURCE_SUFFIXES

_SKIPPED = frozenset(
    {".git", ".hg", ".veriloop", ".tox", ".nox", ".venv", ".bender", "node_modules", "venv", "__pycache__"}
    | {"site-packages", "obj_dir", "sim_build", ".mypy_cache", ".pytest_cache"}
)
_TEXT_LIMIT_BYTES = 2_000_000
"""What is larger is data, whatever its name."""
_SUBMODULE = re.compile(r"^\s*path\s*=\s*(.+?)\s*$", re.M)
_HDL_LIMIT_BYTES = 5_000_000
"""A larger file is a netlist or a memory image."""


class Tree:
    """The files below a root. Paths that it gives are relative to the root, with `/`.

    Links to directories are not walked through, so that a loop of links ends; a file that is named through a link is
    found.
    """

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.normpath(root.absolute()))
        self._prefix = f"{self.root}/"
        # Caches of the tree's own, so that they go with it: a server imports anew whenever a file changes.
        self._inside = functools.lru_cache(maxsize=100_000)(self._relative)
        self._real_directory = functools.lru_cache(maxsize=10_000)(_real_directory)
        self._kept_text = functools.lru_cache(maxsize=512)(self._text)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All files, sorted, without links that lead out of the tree or nowhere."""
        found: list[str] = []
        waiting = [""]
        while waiting:
            prefix = waiting.pop()
            try:
                with os.scandir(self._prefix + prefix) as entries:
                    here = list(entries)
            except OSError:
                continue
            if prefix and any(entry.name == "pyvenv.cfg" for entry in here):
                continue
            for entry in here:
                if entry.is_symlink():
                    if _leads_to_file(entry) and self._is_inside(entry.path):
                        found.append(prefix + entry.name)
                elif entry.is_dir():
                    if entry.name not in _SKIPPED:
                        waiting.append(f"{prefix}{entry.name}/")
                elif entry.is_file():
                    found.append(prefix + entry.name)
        return tuple(sorted(found))

    @cached_property
    def _real(self) -> str:
        return os.path.realpath(self.root) + "/"

    def _is_inside(self, full: str) -> bool:
        """Whether a file lies in the tree, whatever links lead to it."""
        directory, _, name = full.rpartition("/")
        near = self._real_directory(directory) + name
        return (os.path.realpath(near) if os.path.islink(near) else near).startswith(self._real)  # noqa: PTH114

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.names)

    @cached_property
    def by_name(self) -> dict[str, list[str]]:
        """The files of each base name."""
        found: dict[str, list[str]] = {}
        for name in self.names:
            found.setdefault(name.rpartition("/")[2], []).append(name)
        return found

    @cached_property
    def modules(self) -> frozenset[str]:
        """Names under which Python finds modules of the tree itself: files, and folders that hold some."""
        python = [name for name in self.names if name.endswith(".py")]
        folders = {part for name in python for part in name.split("/")[:-1]}
        return frozenset(folders | {name.rpartition("/")[2][:-3] for name in python})

    @cached_property
    def hdl(self) -> tuple[Path, ...]:
        """Verilog sources that are no larger than a design is."""
        found = (Path(name) for name in self.names if os.path.splitext(name)[1].lower() in SOURCE_SUFFIXES)  # noqa: PTH122 - as above
        return tuple(path for path in found if self._is_plain(path))

    @cached_property
    def headers(self) -> tuple[Path, ...]:
        """Verilog headers; a `.h` may as well be C's."""
        found = (Path(name) for name in self.names if os.path.splitext(name)[1].lower() in HEADER_SUFFIXES)  # noqa: PTH122 - as above
        return tuple(path for path in found if path.suffix.lower() != ".h" or self._is_verilog_header(path))

    @cached_property
    def submodules(self) -> dict[str, bool]:
        """The paths of submodules, and whether each is checked out."""
        paths = _SUBMODULE.findall(self.text(Path(".gitmodules")))
        return {path: any(name.startswith(path + "/") for name in self.names) for path in paths}

    def files(self, *patterns: str) -> Iterator[Path]:
        """The files of which the base name matches one of the patterns."""
        match = re.compile("|".join(f"(?:{fnmatch.translate(pattern)})" for pattern in patterns)).match
        for base, names in self.by_name.items():
            if match(base):
                yield from map(Path, names)

    def is_file(self, path: Path) -> bool:
        """Whether a path, relative to the root or absolute, is a file inside the tree."""
        if str(path) in self._known:
            return True
        inside = self.relative(path)
        if inside is None or inside.as_posix() in self._known:
            return inside is not None
        # What lies in a folder that is not walked through; a link in it may lead anywhere.
        full = f"{self._prefix}{inside.as_posix()}"
        return os.path.isfile(full) and self._is_inside(full)  # noqa: PTH113 - asked tens of thousands of times

    def is_dir(self, path: Path) -> bool:
        """Whether a path, relative to the root or absolute, is a directory inside the tree."""
        inside = self.relative(path)
        return inside is not None and (self.root / inside).is_dir()

    def relative(self, path: Path) -> Path | None:
        """The path relative to the root, without `..`; none where it leads out of the tree."""
        return self._inside(str(path))

    def _relative(self, path: str) -> Path | None:
        normal = os.path.normpath(path if path.startswith("/") else self._prefix + path)
        if normal == self._prefix[:-1]:
            return Path()
        return Path(normal[len(self._prefix) :]) if normal.startswith(self._prefix) else None

    def text(self, path: Path) -> str:
        """A file's text; Latin-1 where it is no UTF-8, empty where it cannot be read or is no text."""
        return self._kept_text(path)

    def _text(self, path: Path) -> str:
        full = self.root / path
        try:
            content = full.read_bytes() if full.stat().st_size <= _TEXT_LIMIT_BYTES else b""
        except OSError:
            return ""
        if b"\0" in content[:4096]:
            return ""
        try:
            return content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError:
            return content.decode("latin-1").replace("\r\n", "\n")

    def glob(self, pattern: str, base: Path = Path()) -> list[Path]:
        """The files and directories inside the tree that a shell's pattern matches, relative to the root, sorted."""
        full = os.path.normpath(self.root / base / pattern)
        if not full.startswith(str(self.root)):
            return []
        if not glob.has_magic(full):
            inside = self.relative(Path(full))
            return [inside] if inside is not None and os.path.lexists(full) else []
        found = (self.relative(Path(name)) for name in glob.glob(full, recursive=True))  # noqa: PTH207 - absolute patterns
        return sorted(path for path in found if path is not None)

    def ending(self, tail: str) -> list[str]:
        """The files whose path ends in some path, `rtl/fifo.v` for instance."""
        wanted = tail.lstrip("./")
        base = wanted.rpartition("/")[2]
        return [name for name in self.by_name.get(base, ()) if name == wanted or name.endswith("/" + wanted)]

    def _is_plain(self, path: Path) -> bool:
        full = self.root / path
        try:
            return full.is_file() and full.stat().st_size <= _HDL_LIMIT_BYTES
        except OSError:
            return False

    def _is_verilog_header(self, path: Path) -> bool:
        return "`" in self.text(path)[:20_000] and "#include" not in self.text(path)


def _real_directory(directory: str) -> str:
    return os.path.realpath(directory) + "/"


def _leads_to_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        # A loop.
        return False
