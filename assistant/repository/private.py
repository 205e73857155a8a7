"""Private directories under the user's cache, which outlive no process for long.

`trees/<pid>-<random>-<host>/` belongs to the process that holds the lock of the same name beside it. The kernel drops
the lock when that process dies, however it dies, and the next run on that host removes what it left: a home may be
mounted so that a host does not see the locks of another one. The lock is there before the directory, goes after it, and
lies where nothing that runs in the directory can reach it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from veriloop.assistant.errors import ConfigError

_LOCK = ".lock"
_UNLOCKED_AGE_S = 3600.0
"""Until a directory without a lock file goes: none of ours is."""
_OTHER_HOST_AGE_S = 7 * 86_400.0
"""Until what another host has left goes here, if nobody holds it."""


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
            descriptor, lock = _locked(cache / "trees")
            stack.callback(os.close, descriptor)
            stack.callback(lock.unlink, missing_ok=True)
            directory = lock.with_suffix("")
            stack.callback(remove_tree, directory)
            directory.mkdir(mode=0o700)
        except OSError as error:
            raise ConfigError(f"the cache {cache}: {error.strerror}", hint="export VERILOOP_CACHE=DIR") from error
        yield directory


def clean_up(cache: Path) -> int:
    """Removes the directories whose owner is dead; how many they were."""
    locks = (cache / "trees").glob(f"*-*{_LOCK}")
    removed = sum(_removed(lock) for lock in locks if lock.name.endswith(_of_this_host()) or _is_old(lock))
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


def _locked(trees: Path) -> tuple[int, Path]:
    """A new lock file, and its descriptor, which holds it."""
    while True:
        descriptor, name = tempfile.mkstemp(prefix=f"{os.getpid()}-", suffix=_of_this_host(), dir=trees)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:
            os.close(descriptor)
            Path(name).unlink()
            raise
        if os.path.lexists(name):
            return descriptor, Path(name)
        # It was taken for a dead one's in the moment before it was locked.
        os.close(descriptor)


def _removed(lock: Path) -> bool:
    """Removes a directory with its lock, if nobody holds that."""
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_tree(lock.with_suffix(""))
        lock.unlink(missing_ok=True)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _of_this_host() -> str:
    return f"-{socket.gethostname()}{_LOCK}"


def _abandoned(directory: Path) -> bool:
    if directory.suffix == _LOCK or directory.with_name(directory.name + _LOCK).exists():
        return False
    return _is_old(directory, _UNLOCKED_AGE_S)


def _is_old(path: Path, age_s: float = _OTHER_HOST_AGE_S) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime > age_s
    return False
