"""Contents by their digests in a directory: what jobs need, shipped to a machine once."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from veriloop.assistant.durable import write_whole
from veriloop.assistant.farm.job import digest


class ContentStore:
    """Files named by the SHA-256 of what they hold.

    Several processes, and on a shared file system several machines, may use one directory: each file is renamed into
    place whole, and read only if it is what its name says.

    Args:
        directory: where; made when the first content is kept.
        limit_bytes: what is kept; what was used longest ago goes first.
    """

    def __init__(self, directory: Path, *, limit_bytes: int = 4_000_000_000) -> None:
        self.directory = directory
        self._limit_bytes = limit_bytes

    def missing(self, digests: Iterable[str]) -> tuple[str, ...]:
        """Those that are not here."""
        return tuple(name for name in digests if not self._path(name).is_file())

    def get(self, name: str) -> bytes | None:
        """The content; none where it is not here, or is not what its name says."""
        path = self._path(name)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        if digest(content) != name:
            # A disk that ran full, or a hand that wrote here.
            path.unlink(missing_ok=True)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content

    def keep(self, contents: Mapping[str, bytes]) -> None:
        """Takes contents in.

        Raises:
            OSError: the directory cannot be written, or the disk is full.
        """
        for name, content in contents.items():
            path = self._path(name)
            if path.is_file():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, content, prefix=".")
        self._shrink()

    def _path(self, name: str) -> Path:
        return self.directory / name[:2] / name

    def _shrink(self) -> None:
        known = []
        for path in self.directory.glob("??/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                known.append((status.st_mtime, status.st_size, path))
        total = sum(size for _, size, _ in known)
        for _, size, path in sorted(known):
            if total <= self._limit_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size
