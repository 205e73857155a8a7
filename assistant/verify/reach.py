"""Which HDL files a test command reads, seen by running it once: only those can hold what its test fails on.

The access times of the files are set back before the run and looked at after it. That needs no privilege and no
watcher, and counts every way of reading, by whatever program, through links and as a copy. A file system that keeps no
access times is found out by a control read.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

HDL_SUFFIXES = (".v", ".sv", ".vh", ".svh")

_MARK_NS = 1_000_000_000
"""Older than any file's last change, so that also `relatime` notes the next read (mount(8))."""
_SKIP = {".git"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Seen:
    changed_ns: int
    device: int


def files_read(
    run: Callable[[], T], root: Path, suffixes: Collection[str] = HDL_SUFFIXES
) -> tuple[T, frozenset[Path] | None]:
    """Runs something and tells which files below `root` were read meanwhile, by it or by anybody else.

    Args:
        run: what is watched, e.g. a test command.
        root: a private copy of a tree; access times in it change.
        suffixes: of the files that count, in lower case.

    Returns:
        What `run` returned, and the files' paths relative to `root`: a link stands for the file that it points to.
        Files that the run wrote itself do not count, nor do files outside `root` that links lead to. None where the
        file system keeps no access times: then every file may have been read.
    """
    real = root.resolve()
    marked = _mark(real, suffixes)
    if not _keeps_access_times(real) or any(seen.device != real.stat().st_dev for seen in marked.values()):
        return run(), None
    result = run()
    return result, frozenset(path.relative_to(real) for path in _read_since(marked))


def _mark(root: Path, suffixes: Collection[str]) -> dict[Path, _Seen]:
    """Sets every file's access time back; what the files held last is remembered by their times of change."""
    marked = {}
    for path in _files(root, suffixes):
        status = path.stat()
        os.utime(path, ns=(_MARK_NS, status.st_mtime_ns))
        marked[path] = _Seen(status.st_mtime_ns, status.st_dev)
    return marked


def _read_since(marked: Mapping[Path, _Seen]) -> Iterator[Path]:
    for path, seen in marked.items():
        if path.is_file():
            status = path.stat()
            if status.st_atime_ns != _MARK_NS and status.st_mtime_ns == seen.changed_ns:
                yield path


def _files(root: Path, suffixes: Collection[str]) -> Iterator[Path]:
    """The tree's own files: one behind a link inside the tree is met where it lies, one outside is not the tree's."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIP]
        for name in names:
            path = Path(folder, name)
            if path.suffix.lower() in suffixes and path.is_file() and not path.is_symlink():
                yield path


def _keeps_access_times(root: Path) -> bool:
    """Whether reading a file in `root` shows in its access time."""
    with tempfile.NamedTemporaryFile(dir=root, prefix=".veriloop-") as control:
        control.write(b"read me")
        control.flush()
        os.utime(control.name, ns=(_MARK_NS, Path(control.name).stat().st_mtime_ns))
        Path(control.name).read_bytes()
        return Path(control.name).stat().st_atime_ns != _MARK_NS
