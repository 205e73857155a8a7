"""One attempt at a bug: the report, the suspected places, what was tried, what the gate said, and why all that."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from veriloop.assistant.durable import write_whole
from veriloop.assistant.errors import ConfigError, UsageError

FOLDER = ".veriloop"
_ATTEMPTS = "attempts"
_FORMAT = 1
_MOST_REFUTED = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is kept of one attempt."""

    id: str
    time: float
    """Seconds since 1970."""
    report: str
    """The report's text."""
    test: str
    """The command or the testbench that failed."""
    base: str
    """The tree that it started from."""
    status: str
    reason: str = ""
    places: tuple[tuple[str, float, tuple[str, ...]], ...] = ()
    """Suspected places, their scores and the reasons for them."""
    tried: int = 0
    operators: tuple[str, ...] = ()
    diff: str = ""
    evidence: str = ""
    replay: str = ""
    """The command that judges the same again."""
    cause: str = ""
    """The attempt that this one goes on from."""
    commit: str = ""
    key: str = ""
    """Equal for attempts at the same tree by the same test: what one refuted, the next need not try."""
    refuted: tuple[str, ...] = field(default=(), repr=False)


def attempt_key(test: str, base: str) -> str:
    """The key of attempts by a test at a tree: whatever changes in the tree, its tests for instance, changes it."""
    return hashlib.sha256(f"{base}\0{test}".encode(errors="surrogateescape")).hexdigest()[:24]


def new_id() -> str:
    """A name for an attempt: sorts by time."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + secrets.token_hex(2)


class Attempts:
    """The attempts of one repository, oldest first.

    Args:
        root: the root of its work tree.
    """

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER / _ATTEMPTS

    def all(self) -> list[Attempt]:
        """Those that can be read; a damaged file is passed over."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                found.append(_decode(json.loads(path.read_bytes())))
        return found

    def get(self, name: str) -> Attempt:
        """The attempt of an id, or of the beginning of one.

        Raises:
            UsageError: there is none, or several.
        """
        found = [one for one in self.all() if one.id.startswith(name)]
        if len(found) != 1:
            raise UsageError(f"{len(found) or 'no'} attempts begin with {name}", hint="veriloop log")
        return found[0]

    def refuted(self, key: str) -> frozenset[bytes]:
        """What earlier attempts with the same key have seen fail."""
        return frozenset(bytes.fromhex(mark) for one in self.all() if one.key == key for mark in one.refuted)

    def last(self, key: str) -> str:
        """The id of the last attempt with a key."""
        return next((one.id for one in reversed(self.all()) if one.key == key), "")

    def keep(self, attempt: Attempt) -> None:
        """Writes an attempt, and makes git ignore the folder.

        Raises:
            ConfigError: the folder cannot be written.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            ignore = self._folder.parent / ".gitignore"
            if not ignore.exists():
                write_whole(ignore, "*\n")
            content = json.dumps({"format": _FORMAT, **asdict(attempt)}, indent=1)
            write_whole(self._folder / f"{attempt.id}.json", content)
        except OSError as error:
            raise ConfigError(f"{error.filename}: cannot be written: {error.strerror}") from error


def limited(refuted: Sequence[bytes]) -> tuple[str, ...]:
    """Fingerprints as they are kept."""
    return tuple(mark.hex() for mark in refuted[:_MOST_REFUTED])


def _decode(data: Any) -> Attempt:
    values = {name: data[name] for name in Attempt.__dataclass_fields__}
    values["places"] = tuple((place, score, tuple(reasons)) for place, score, reasons in values["places"])
    for name in ("operators", "refuted"):
        values[name] = tuple(values[name])
    return Attempt(**values)


def training_row(attempt: Attempt) -> dict[str, Any]:
    """An attempt as a row to train on: what was reported, where it was looked for, what was verified."""
    return {
        "report": attempt.report,
        "test": attempt.test,
        "places": [place for place, _, _ in attempt.places],
        "status": attempt.status,
        "diff": attempt.diff,
        "evidence": attempt.evidence,
        "operators": list(attempt.operators),
    }
