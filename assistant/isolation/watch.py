"""Looks at a running program and all that it has started: how many, how much memory, how much disk is left."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from veriloop.assistant.isolation.confinement import Isolation

_DISK_RESERVE_BYTES = 100_000_000
_PERIOD_S = 0.05
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """Says why a program has to be stopped.

    Args:
        pid: the program.
        isolation: what it may use.
        places: where it writes.
    """

    def __init__(self, pid: int, isolation: Isolation, places: Sequence[Path]) -> None:
        self._pid = pid
        self._isolation = isolation
        self._next = 0.0
        self.stopped = ""
        # One directory a file system: they are looked at many times a second.
        devices: dict[int, Path] = {}
        for place in places:
            with contextlib.suppress(OSError):
                devices.setdefault(place.stat().st_dev, place)
        self._places = tuple(devices.values())

    def over(self) -> bool:
        """Whether it has to be stopped, looked at no more than every 50 ms; `stopped` then says why."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + _PERIOD_S
        self.stopped = self.reason()
        return bool(self.stopped)

    def reason(self) -> str:
        """Why it has to be stopped; empty while it may go on."""
        memory = 0
        for count, pid in enumerate(self._tree(), 1):
            if count > self._isolation.processes:
                return f"more than {self._isolation.processes} processes at once"
            memory += _resident_bytes(pid)
        if memory > self._isolation.memory_bytes:
            return f"more than {self._isolation.memory_bytes / 1e6:.0f} MB of memory"
        for place in self._places:
            with contextlib.suppress(OSError):
                disk = os.statvfs(place)
                reserve = min(_DISK_RESERVE_BYTES, disk.f_blocks * disk.f_frsize // 20)
                if disk.f_bavail * disk.f_frsize < reserve:
                    return "the disk is nearly full"
        return ""

    def _tree(self) -> Iterator[int]:
        waiting = [self._pid]
        while waiting:
            pid = waiting.pop()
            yield pid
            waiting.extend(_children(pid))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.scandir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):
                found += map(int, Path(task.path, "children").read_bytes().split())
    return found


def _resident_bytes(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError, ValueError):
        return 0
