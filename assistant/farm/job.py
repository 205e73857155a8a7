"""A job as data: what runs, on which content, within which limits, by which tools."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TypeAlias

PYTHON = "{python}"
"""In `argv`, the Python of the worker, which has the same Veriloop."""

Tools: TypeAlias = tuple[tuple[str, str], ...]
"""Names and versions of everything that a verdict depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One program to run in an empty directory of its own.

    It depends on nothing that is not named here, so it may run anywhere, and twice.
    """

    argv: tuple[str, ...]
    inputs: tuple[tuple[str, str], ...] = ()
    """Files by their path in the job's directory, and the SHA-256 of their content."""
    outputs: tuple[str, ...] = ()
    """Files that the job writes and that come back."""
    timeout_s: float = 3600.0
    tools: Tools = ()
    """What it must be run by; a worker that has anything else refuses it."""

    @property
    def key(self) -> str:
        """The name of the job: equal for jobs that must come to the same."""
        return digest(json.dumps(asdict(self), sort_keys=True).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a job came to; equal for equal jobs but for where and when it ran, and how long it took."""

    returncode: int
    outputs: tuple[tuple[str, bytes], ...]
    """Of the files that were asked for, those that are there."""
    log_tail: str = ""
    timed_out: bool = False
    host: str = ""
    worker: str = ""
    """The process that ran it."""
    started_s: float = 0.0
    """Seconds since 1970, by the host's clock."""
    wall_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def verdict(self) -> tuple[int, bool, tuple[tuple[str, str], ...]]:
        """What must not depend on where it ran."""
        return self.returncode, self.timed_out, tuple((path, digest(content)) for path, content in self.outputs)


def digest(content: bytes) -> str:
    """The name of a content: its SHA-256 in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def differences(wanted: Tools, found: Tools) -> tuple[str, ...]:
    """In what two machines' tools differ, a phrase each."""
    want, have = dict(wanted), dict(found)
    return tuple(
        f"{name} is {have.get(name) or 'absent'} there and {want.get(name) or 'absent'} here"
        for name in sorted({*want, *have})
        if want.get(name, "") != have.get(name, "")
    )
