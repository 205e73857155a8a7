"""Goes through a door while strace looks at every system call that names an address."""

from __future__ import annotations

import os
import select
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.airgap.doors import Door
from veriloop.assistant.airgap.sockets import Contact, contacts, traced
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute, in_terminal
from veriloop.assistant.repository.private import cache_home

_TIMEOUT_S = 300.0
_START_S = 60.0
_PROMPT = b"Say what is wrong"
_LEAVE_S = 20.0
_NOBODY = "192.0.2.1"
"""An address that is nobody's (RFC 5737)."""
_CTRL_Q = b"\x11"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of one door.

    Attributes:
        door: its name.
        through: whether it did what it is for.
        why: why not.
        contacts: every address that it or what it started named.
        seconds: that it took.
    """

    door: str
    through: bool
    contacts: tuple[Contact, ...]
    seconds: float
    why: str = ""

    @property
    def outside(self) -> tuple[Contact, ...]:
        """Those that are not of this machine."""
        return tuple(one for one in self.contacts if not one.loopback)


def tried(door: Door, strace: Path, *, root: Path, own: Path, cancel: CancelToken) -> Trial:
    """Goes through one door.

    Args:
        door: which.
        strace: observes.
        root: the repository of `FILES`.
        own: an existing directory for settings and state, in which nothing names a host.
        cancel: stops it.
    """
    log = own / f"{door.name.replace(' ', '_')}.strace"
    command = [sys.executable, "-m", "veriloop.assistant.cli.main", *door.words]
    argv = traced(strace, command, log)
    env = {name: str(own / name.lower()) for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME")}
    env |= {"VERILOOP_CACHE": str(cache_home()), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    started = time.monotonic()
    if door.terminal:
        why = _in_terminal(argv, root, env, cancel)
    else:
        done = execute(argv, cwd=root, timeout_s=_TIMEOUT_S, cancel=cancel, env=env, stdin=door.stdin)
        why = "" if done.returncode in door.exits else _last_line(done.output) or f"exit code {done.returncode}"
        if done.timed_out:
            why = f"not done after {_TIMEOUT_S:.0f} s"
    seen = contacts(log) if log.is_file() else ()
    if not log.is_file():
        why = "strace has written nothing: it may not observe here"
    return Trial(door=door.name, through=not why, why=why, contacts=seen, seconds=time.monotonic() - started)


def observes(strace: Path, *, own: Path, cancel: CancelToken) -> bool:
    """Whether strace sees what it is to see here: a datagram socket that is pointed outside, and sends nothing."""
    log = own / "control.strace"
    code = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(({_NOBODY!r}, 9))"
    # A process of the program's, as most are.
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}])"
    execute(traced(strace, [sys.executable, "-c", inner], log), cwd=own, timeout_s=_START_S, cancel=cancel)
    return log.is_file() and any(one.address == f"{_NOBODY}:9" and not one.loopback for one in contacts(log))


def _in_terminal(argv: Sequence[str | Path], root: Path, env: dict[str, str], cancel: CancelToken) -> str:
    """Starts it, waits until it has drawn its prompt, and leaves it; why that was not possible, else empty."""
    with in_terminal(argv, cwd=root, columns=80, rows=24, env=env) as terminal:
        if not _read(terminal.descriptor, _PROMPT, _START_S, cancel):
            return "its prompt was not drawn"
        os.write(terminal.descriptor, _CTRL_Q)
        end = time.monotonic() + _LEAVE_S
        while time.monotonic() < end:
            _read(terminal.descriptor, b"", 0.2, cancel)
            if os.waitid(os.P_PID, terminal.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                return ""
        return "Ctrl-Q does not leave it"


def _read(descriptor: int, wanted: bytes, limit_s: float, cancel: CancelToken) -> bool:
    """Reads until something is seen, or the time is over."""
    seen, end = b"", time.monotonic() + limit_s
    while time.monotonic() < end:
        cancel.check()
        if select.select([descriptor], [], [], 0.1)[0]:
            seen += os.read(descriptor, 1 << 16)
        if wanted and wanted in seen:
            return True
    return False


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
