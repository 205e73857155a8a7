"""Commands that go on when the terminal is closed, and are looked in on later."""

from __future__ import annotations

import json
import os
import re
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.durable import write_whole
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import start_detached

_ABOUT, _OUTPUT, _PROGRESS, _EXIT = "about.json", "stdout", "stderr", "exit"
_NAME = re.compile(r"[0-9a-f]{8}")
_POLL_S = 0.2
_KEPT = 50
"""Ended commands that are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detached:
    """One such command."""

    name: str
    directory: Path
    """Where what it writes is kept."""
    argv: tuple[str, ...]
    cwd: str
    started: float
    """Seconds since 1970."""
    pid: int

    @property
    def exit_code(self) -> int | None:
        """How it ended; none while it runs, 137 where it was killed before it could say."""
        try:
            return int((self.directory / _EXIT).read_text())
        except (OSError, ValueError):
            return None if _lives(self.pid, self.directory) else 137

    @property
    def output(self) -> bytes:
        """What it has written to stdout."""
        return _read(self.directory / _OUTPUT)


def detach(home: Path, argv: Sequence[str], *, cwd: Path) -> Detached:
    """Starts a command that outlives this process.

    Args:
        home: where such commands are kept.
        argv: the command, its program first.
        cwd: where it runs.
    """
    name = secrets.token_hex(4)
    directory = home / name
    directory.mkdir(parents=True, mode=0o700)
    pid = start_detached(
        argv, cwd=cwd, stdout=directory / _OUTPUT, stderr=directory / _PROGRESS, exit_code=directory / _EXIT
    )
    about = {"argv": list(argv), "cwd": str(cwd), "started": time.time(), "pid": pid}
    write_whole(directory / _ABOUT, json.dumps(about))
    _forget_old(home)
    return _load(directory)


def find(home: Path, name: str) -> Detached:
    """The command of a name.

    Raises:
        UsageError: there is none.
    """
    if not _NAME.fullmatch(name) or not (home / name / _ABOUT).is_file():
        raise UsageError(f"no such job: {name}", hint="veriloop farm")
    return _load(home / name)


def known(home: Path) -> tuple[Detached, ...]:
    """All that are remembered, the newest first."""
    found = [_load(path.parent) for path in home.glob(f"*/{_ABOUT}")]
    return tuple(sorted(found, key=lambda one: one.started, reverse=True))


def follow(one: Detached, cancel: CancelToken) -> Iterator[str]:
    """The lines of its progress, those from before too, until it has ended or the token is set."""
    position = 0
    path = one.directory / _PROGRESS
    while True:
        ended = one.exit_code is not None
        text = _read(path)[position:]
        whole = len(text) if ended else text.rfind(b"\n") + 1
        yield from text[:whole].decode("utf-8", errors="replace").splitlines()
        position += whole
        if ended or cancel.wait(_POLL_S):
            return


def _load(directory: Path) -> Detached:
    about = json.loads((directory / _ABOUT).read_text())
    return Detached(
        name=directory.name,
        directory=directory,
        argv=tuple(about["argv"]),
        cwd=about["cwd"],
        started=about["started"],
        pid=about["pid"],
    )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _lives(pid: int, directory: Path) -> bool:
    """Whether the process is there and still ours: its number may have gone to another one."""
    try:
        return Path(f"/proc/{pid}/fd/1").readlink() == (directory / _OUTPUT).resolve()
    except OSError:
        return False


def _forget_old(home: Path) -> None:
    for one in known(home)[_KEPT:]:
        if one.exit_code is not None:
            for path in one.directory.iterdir():
                path.unlink(missing_ok=True)
            os.rmdir(one.directory)  # noqa: PTH106 - only where it is empty now
