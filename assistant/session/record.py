"""What happened in a session, as it happens: JSON lines that are only ever added to.

Each entry names the entry that caused it, so that the way from a changed line back to what was asked for can be told.
A process that is killed loses no entry that it has written; a line that it left half written is skipped.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from veriloop.assistant.errors import ConfigError

FORMAT = 1
_PASSING = frozenset({"stage", "tried"})
"""Kinds that tell of progress: after a power cut, the last of them may be missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened.

    `kind` is, in the order in which they come: `session` (it was opened), `said` (by the user), `plan` (the command
    line that it was taken for, with the reason), `stage`, `tried` and `note` (the workflow's events), `result`,
    `change` (what the result proposes, whole), `end`; of that change, `choice` (a hunk was accepted, rejected or
    edited), `verdict` (the gate's word about a choice), `applying`, `applied`, `undone`; and `answer` (words of the
    assistant itself) and `context` (files that were taken in or left out).
    """

    number: int
    kind: str
    cause: int = 0
    """The number of the entry that this one follows from; 0: none."""
    at: float = 0.0
    """Seconds since the epoch."""
    data: Mapping[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """As JSON, without the end of the line."""
        plain = {"n": self.number, "kind": self.kind, "cause": self.cause, "at": round(self.at, 3), **self.data}
        return json.dumps(plain, ensure_ascii=False)


_OWN = ("n", "kind", "cause", "at")


class Record:
    """The entries of one session, in memory and, where it has a file, on disk."""

    def __init__(self, path: Path | None = None) -> None:
        """Opens a record, which need not be there yet; its lines are read.

        Args:
            path: none: nothing is kept.

        Raises:
            ConfigError: it cannot be read or written.
        """
        self.path = path
        self.entries: list[Entry] = []
        self.skipped = 0
        """Lines that could not be read: a process was killed while it wrote them."""
        self._stream: Any = None
        if path is not None:
            self._open(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, kind: str, data: Mapping[str, Any] | None = None, *, cause: int = 0) -> Entry:
        """Adds an entry and writes it at once.

        Raises:
            ConfigError: the disk does not take it.
        """
        number = self.entries[-1].number + 1 if self.entries else 1
        entry = Entry(number=number, kind=kind, cause=cause, at=time.time(), data=dict(data or {}))
        if self._stream is not None:
            try:
                # One call a line, so that a line is there as a whole or is the last one.
                self._stream.write((entry.line() + "\n").encode("utf-8", errors="surrogateescape"))
                if kind not in _PASSING:
                    os.fsync(self._stream.fileno())
            except OSError as error:
                raise ConfigError(f"the session cannot be kept: {self.path}: {error.strerror}") from error
        self.entries.append(entry)
        return entry

    def close(self) -> None:
        """Closes the file; what was written stays."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def find(self, number: int) -> Entry | None:
        """An entry by its number."""
        return next((entry for entry in reversed(self.entries) if entry.number == number), None)

    def causes(self, entry: Entry) -> tuple[Entry, ...]:
        """The entries that led to one, the nearest first."""
        found: list[Entry] = []
        known = {one.number: one for one in self.entries}
        # A cause is always older, so this ends; a damaged file may say otherwise.
        while 0 < entry.cause < entry.number and entry.cause in known:
            entry = known[entry.cause]
            found.append(entry)
        return tuple(found)

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = list(_lines(path)) if path.exists() else []
            self.entries = [entry for entry in found if entry is not None]
            self.skipped = found.count(None)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._stream = os.fdopen(descriptor, "ab", buffering=0)
            if found and not _ends_with_newline(path):
                self._stream.write(b"\n")
        except OSError as error:
            raise ConfigError(f"the session {path}: {error.strerror}", hint="export XDG_STATE_HOME=DIR") from error


def read(path: Path) -> tuple[Entry, ...]:
    """The entries of a record that somebody may be writing; those that cannot be read are left out."""
    with contextlib.suppress(OSError):
        return tuple(entry for entry in _lines(path) if entry is not None)
    return ()


def _lines(path: Path) -> Iterator[Entry | None]:
    """The entries; none for a line that is none."""
    with path.open("rb") as stream:
        for line in stream:
            if line.strip():
                yield _entry(line)


def _entry(line: bytes) -> Entry | None:
    try:
        plain = json.loads(line.decode("utf-8", errors="surrogateescape"))
        return Entry(
            number=int(plain["n"]),
            kind=str(plain["kind"]),
            cause=int(plain["cause"]),
            at=float(plain["at"]),
            data={name: value for name, value in plain.items() if name not in _OWN},
        )
    except (ValueError, KeyError, TypeError):
        return None


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        if stream.tell() == 0:
            return True
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) == b"\n"
