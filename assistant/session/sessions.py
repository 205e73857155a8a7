"""The sessions of a repository: one directory each, under the user's state, never in the repository itself."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.errors import ConfigError, UsageError
from veriloop.assistant.places import user_state_directory
from veriloop.assistant.session.record import FORMAT, Entry, Record, read

_RECORD = "record.jsonl"
_LOCK = "lock"
_HISTORY = 500
"""Lines of input that are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A session that was held here."""

    name: str
    path: Path
    began: float
    """Seconds since the epoch."""
    first: str
    """What was said first; empty: nothing."""
    turns: int
    applied: int
    """Changes that were applied in it."""
    is_open: bool
    """Whether a process is holding it now."""


class Place:
    """A session's directory, locked as long as this is held."""

    def __init__(self, directory: Path, lock: int) -> None:
        self.directory = directory
        self._lock = lock

    @property
    def name(self) -> str:
        """What `--resume` takes."""
        return self.directory.name

    @property
    def record(self) -> Path:
        """The file of the record."""
        return self.directory / _RECORD

    def patch(self, number: int) -> Path:
        """Where the diff is kept that an entry is about."""
        return self.directory / f"{number}.diff"

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._lock)


def directory_of(root: Path, environment: Mapping[str, str] | None = None) -> Path:
    """Where the sessions of a work tree are kept."""
    digest = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]
    state = user_state_directory(os.environ if environment is None else environment)
    return state / "sessions" / f"{root.name}-{digest}"


def begin(root: Path) -> Place:
    """A new session's place.

    Raises:
        ConfigError: it cannot be written.
    """
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
    return _hold(directory_of(root) / name)


def resume(root: Path, name: str = "") -> Place:
    """An earlier session's place: the one that is named, else the last one that nobody holds.

    Raises:
        UsageError: there is none, or it is open in another terminal.
        ConfigError: it cannot be written.
    """
    found = past(root)
    if name:
        found = tuple(one for one in found if one.name.startswith(name))
        if len(found) != 1:
            said = "several sessions begin with" if found else "there is no session"
            raise UsageError(f"{said} {name} here", hint="veriloop --resume")
    for one in found:
        if not one.is_open:
            return _hold(one.path)
    if found:
        raise UsageError("that session is open in another terminal", hint="veriloop    (begins a new one)")
    raise UsageError("there is no session to resume here", hint="veriloop    (begins a new one)")


def past(root: Path) -> tuple[Past, ...]:
    """The sessions of a work tree in which something was said, the newest first."""
    found = []
    for path in directory_of(root).glob(f"*/{_RECORD}"):
        entries = read(path)
        said = [entry for entry in entries if entry.kind == "said"]
        if said:
            found.append(
                Past(
                    name=path.parent.name,
                    path=path.parent,
                    began=entries[0].at,
                    first=str(said[0].data.get("text", "")),
                    turns=len(said),
                    applied=sum(entry.kind == "applied" for entry in entries),
                    is_open=_is_held(path.parent),
                )
            )
    return tuple(sorted(found, key=lambda one: (one.began, one.name), reverse=True))


def opened(place: Place | None, root: Path, version: str) -> Record:
    """The record of a session, with an entry that says that it was opened.

    Raises:
        ConfigError: it cannot be read or written.
    """
    record = Record(place.record if place else None)
    data: dict[str, Any] = {"format": FORMAT, "veriloop": version, "root": str(root)}
    if record.skipped:
        data["skipped"] = record.skipped
    record.add("session", data)
    return record


def typed(root: Path, current: Sequence[Entry] = ()) -> list[str]:
    """What was typed in this work tree before, the oldest first, each once: where it was typed last."""
    texts: dict[str, None] = {}
    found = [entry for path in directory_of(root).glob(f"*/{_RECORD}") for entry in read(path)]
    for entry in (*sorted(found, key=lambda one: one.at), *current):
        if entry.kind == "said":
            text = str(entry.data.get("text", ""))
            texts.pop(text, None)
            texts[text] = None
    return list(texts)[-_HISTORY:]


def _hold(directory: Path) -> Place:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(f"the session {directory}: {error.strerror}", hint="export XDG_STATE_HOME=DIR") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise UsageError("that session is open in another terminal", hint="veriloop    (begins a new one)") from error
    except OSError as error:
        os.close(lock)
        hint = "export XDG_STATE_HOME=DIR    (on a local disk)"
        raise ConfigError(f"the session {directory} cannot be locked: {error.strerror}", hint=hint) from error
    return Place(directory, lock)


def _is_held(directory: Path) -> bool:
    with contextlib.suppress(OSError):
        lock = os.open(directory / _LOCK, os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
    return False
