"""Files that are there as a whole or not at all, whatever ends the process or the machine in between."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes | str, *, prefix: str = ".new-") -> None:
    """Writes a file beside its place, has the disk take it, and moves it there.

    Where two processes write, one of them wins as a whole, on NFS as well. There a reader on the same host may for a
    moment find no file, while one that somebody has open is being replaced: who cannot do with that holds a lock. A
    process that is killed leaves at most a file with the prefix.

    Args:
        path: its directory is there.
        content: text is written as UTF-8.
        prefix: of the file that is written first.

    Raises:
        OSError: the disk is full or read-only; what was there is as it was, and nothing new lies beside it.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Has the disk take what was renamed in a directory; some network file systems cannot, and do so by themselves."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
