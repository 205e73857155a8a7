"""Verdicts by content: what a testbench said about exactly these files, with exactly these tools.

A value is a JSON file that is renamed into place, so that several processes may share the cache. It never holds a
timeout, an exception or a cancelled run: those say nothing about the files. A file that cannot be read is a miss.
Beside the runs it holds what they depend on, which tells why another verdict was not known.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.durable import write_whole
from veriloop.assistant.verify.results import Mismatch, Outcome, SimResult
from veriloop.assistant.verify.verdict_key import NAME, VerdictKey, digest

DEFAULT_LIMIT_BYTES = 256_000_000

_DIGITS = "0123456789abcdef"
_UNFINISHED = ".new-"
_UNFINISHED_AGE_S = 3600.0
_README = "Made by veriloop: verdicts of testbenches, by content. Safe to delete at any time.\n"


@dataclass(frozen=True, slots=True)
class Difference:
    """A part in which two keys differ; empty where a key lacks it."""

    part: str
    was: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much a cache holds."""

    verdicts: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class VerdictCache:
    """A directory of verdicts.

    Args:
        directory: made when something is kept.
        limit_bytes: what is used longest ago goes when there is more.
    """

    directory: Path
    limit_bytes: int = DEFAULT_LIMIT_BYTES

    def get(self, key: VerdictKey) -> tuple[SimResult, ...] | None:
        """The runs that were stored, or none."""
        path = self._path(key)
        try:
            data = json.loads(path.read_bytes())
            if data["parts"] != key.parts or data["sha256"] != digest(data["results"]):
                return None
            found = tuple(_result(item) for item in data["results"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with contextlib.suppress(OSError):
            # The time of access decides what goes first; that of the last change says when it was stored.
            os.utime(path, ns=(time.time_ns(), path.stat().st_mtime_ns))
        return found

    def when(self, key: VerdictKey) -> float:
        """When runs were stored, in seconds since the epoch; 0 if there are none."""
        try:
            return self._path(key).stat().st_mtime
        except OSError:
            return 0.0

    def put(self, key: VerdictKey, results: Sequence[SimResult]) -> None:
        """Stores runs; those with a timeout among them, and what the disk refuses, are not kept."""
        if not self.limit_bytes or not results or any(result.outcome is Outcome.TIMEOUT for result in results):
            return
        items = [asdict(result) for result in results]
        content = json.dumps({"parts": dict(key.parts), "sha256": digest(items), "results": items})
        path = self._path(key)
        # A full disk or a read-only cache costs time, not the verdict.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            readme = self.directory / "README"
            if not readme.exists():
                readme.write_text(_README)
            write_whole(path, content, prefix=_UNFINISHED)
            self._shrink(path.parent)

    def size(self) -> Size:
        """How much there is now."""
        sizes = [entry.stat.st_size for folder in self._folders() for entry in _entries(folder)]
        return Size(verdicts=len(sizes), size_bytes=sum(sizes))

    def clear(self) -> Size:
        """Removes every verdict; how much that was."""
        before = self.size()
        for folder in self._folders():
            for entry in _entries(folder):
                entry.path.unlink(missing_ok=True)
        return before

    def why_miss(self, key: VerdictKey) -> tuple[Difference, ...] | None:
        """In what the key differs from the nearest one that is kept; none where nothing of that name is kept."""
        nearest: tuple[Difference, ...] | None = None
        for folder in self._folders():
            for entry in _entries(folder):
                parts = _parts(entry.path)
                if parts.get(NAME) != key.parts.get(NAME):
                    continue
                found = _differences(parts, key.parts)
                if nearest is None or len(found) < len(nearest):
                    nearest = found
        return nearest

    def _path(self, key: VerdictKey) -> Path:
        return self.directory / key.digest[0] / f"{key.digest[1:]}.json"

    def _folders(self) -> Iterator[Path]:
        yield from (self.directory / digit for digit in _DIGITS)

    def _shrink(self, folder: Path) -> None:
        """Removes what was used longest ago where a directory holds more than its share.

        A directory at a time, so that nothing is shared between processes but the files themselves.
        """
        entries = sorted(_entries(folder), key=lambda entry: entry.stat.st_atime_ns)
        too_much = sum(entry.stat.st_size for entry in entries) - self.limit_bytes // len(_DIGITS)
        for entry in entries:
            if too_much <= 0:
                return
            entry.path.unlink(missing_ok=True)
            too_much -= entry.stat.st_size


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    stat: os.stat_result


def _entries(folder: Path) -> list[_Entry]:
    """The verdicts of a directory. What a process that died has left unfinished is removed."""
    found = []
    with contextlib.suppress(OSError), os.scandir(folder) as listing:
        for item in listing:
            # Another process may remove it meanwhile.
            with contextlib.suppress(OSError):
                entry = _Entry(Path(item.path), item.stat(follow_symlinks=False))
                if not item.name.startswith(_UNFINISHED):
                    found.append(entry)
                elif time.time() - entry.stat.st_mtime > _UNFINISHED_AGE_S:
                    entry.path.unlink(missing_ok=True)
    return found


def _parts(path: Path) -> dict[str, str]:
    try:
        parts = json.loads(path.read_bytes())["parts"]
        return {str(name): str(value) for name, value in parts.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _differences(was: Mapping[str, str], now: Mapping[str, str]) -> tuple[Difference, ...]:
    names = sorted(name for name in {*was, *now} if was.get(name) != now.get(name))
    return tuple(Difference(name, _said(was, name), _said(now, name)) for name in names)


def _said(parts: Mapping[str, str], name: str) -> str:
    """A part's value; `present` where the name says all."""
    return (parts[name] or "present") if name in parts else ""


def _result(item: dict[str, Any]) -> SimResult:
    facts = dict(item)
    facts["outcome"] = Outcome(facts["outcome"])
    facts["mismatches"] = tuple(Mismatch(**each) for each in facts["mismatches"])
    facts["diagnostics"] = tuple(Diagnostic(**each) for each in facts["diagnostics"])
    facts["failing"], facts["passing"] = tuple(facts["failing"]), tuple(facts["passing"])
    return SimResult(**facts)
