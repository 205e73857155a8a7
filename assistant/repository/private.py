"""Private directories under the user's cache, which outlive no process for long.

`trees/<pid>-<random>/` belongs to the process that holds its lock. The kernel drops the lock when that process dies,
however it dies, and the next run removes what it left.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from veriloop.assistant.errors import ConfigError

_LOCK = "lock"
_UNLOCKED_AGE_S = 3600.0
"""A directory without a lock file is one whose owner died at once, or is about to make it."""


def cache_home() -> Path:
    """Where everything is kept that can be made again: `$VERILOOP_CACHE`, or `veriloop` in the user's cache."""
    own = os.environ.get("VERILOOP_CACHE", "")
    if own:
        return Path(own).absolute()
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if Path(named).is_absolute() else Path.home() / ".cache") / "veriloop"


@contextlib.contextmanager
def private_directory(cache: Path) -> Iterator[Path]:
    """A new directory that nobody else uses, removed at the end.

    Raises:
        ConfigError: the cache cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            (cache / "trees").mkdir(parents=True, exist_ok=True)
            directory = Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=cache / "trees"))
            stack.callback(os.close, _locked(directory / _LOCK))
            stack.callback(remove_tree, directory)
        except OSError as error:
            raise ConfigError(f"the cache {cache}: {error.strerror}", hint="export VERILOOP_CACHE=DIR") from error
        yield directory


def clean_up(cache: Path) -> int:
    """Removes the directories whose owner is dead; how many they were."""
    removed = 0
    for directory in (cache / "trees").glob("*-*"):
        if _abandoned(directory):
            remove_tree(directory)
            removed += 1
    return removed


def remove_tree(directory: Path) -> None:
    """Removes a directory, what a test has made read-only included; what cannot be removed stays."""

    def again(function: Callable[[str], object], path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            for blocked in (Path(path).parent, Path(path)):
                if not blocked.is_symlink() and blocked.is_relative_to(directory):
                    blocked.chmod(blocked.stat().st_mode | stat.S_IRWXU)
            shutil.rmtree(path) if function in (os.scandir, os.open, os.listdir, os.lstat) else function(path)

    shutil.rmtree(directory, onerror=again)


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


def _abandoned(directory: Path) -> bool:
    try:
        descriptor = os.open(directory / _LOCK, os.O_RDWR)
    except OSError:
        with contextlib.suppress(OSError):
            return time.time() - directory.stat().st_mtime > _UNLOCKED_AGE_S
        return False
    try:
        # The owner makes the file and locks it in two steps; a lock that is that young is not taken from it.
        young = time.time() - os.fstat(descriptor).st_mtime < 1.0
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return not young
