"""Verdicts by content: what a testbench said about exactly these files, with exactly these tools.

A value is a JSON file that is renamed into place, so that several processes may share the cache. It never holds a
timeout, an exception or a cancelled run: those say nothing about the files. A file that cannot be read is a miss.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.verify.results import Mismatch, Outcome, SimResult
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)

SCHEMA = 1
"""Raised when the way in which runs are judged changes."""

_README = "Made by veriloop: verdicts of testbenches, by content. Safe to delete at any time.\n"
_READS_FILES = re.compile(
    rb'\$(?:readmem[bh]|f?open|fopen|fread|system)\b|import\s+"DPI|`include\s*[<"][^">]*/|`include\s+`'
)


@dataclass(frozen=True, slots=True)
class VerdictCache:
    """A directory of verdicts."""

    directory: Path

    def get(self, key: str) -> tuple[SimResult, ...] | None:
        """The runs that were stored, or none."""
        try:
            data = json.loads(self._path(key).read_bytes())
            if data["key"] != key or data["sha256"] != _digest(data["results"]):
                return None
            return tuple(_result(item) for item in data["results"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def when(self, key: str) -> float:
        """When runs were stored, in seconds since the epoch; 0 if there are none."""
        try:
            return self._path(key).stat().st_mtime
        except OSError:
            return 0.0

    def put(self, key: str, results: Sequence[SimResult]) -> None:
        """Stores runs; those with a timeout among them, and what the disk refuses, are not kept."""
        if not results or any(result.outcome is Outcome.TIMEOUT for result in results):
            return
        items = [asdict(result) for result in results]
        content = json.dumps({"key": key, "sha256": _digest(items), "results": items})
        path = self._path(key)
        # A full disk or a read-only cache costs time, not the verdict.
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            readme = self.directory / "README"
            if not readme.exists():
                readme.write_text(_README)
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
            try:
                with os.fdopen(descriptor, "w") as file:
                    file.write(content)
                Path(name).replace(path)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise

    def _path(self, key: str) -> Path:
        return self.directory / key[:2] / f"{key[2:]}.json"


def verdict_key(testbench: Testbench, *, root: Path, tree: str, tools: Sequence[tuple[str, str]]) -> str | None:
    """The key of a testbench's verdict about the files that lie at `root`.

    It covers the files that the testbench's design names and everything in the directories that it searches. Where
    that is not all that a run may read (a command, Python, `$readmemh`), it covers the whole tree.

    Args:
        testbench: what judges.
        root: where the files are.
        tree: the id of the tree that lies there; empty if there is more than that tree: then none is the answer
            where the whole tree would be needed.
        tools: names and versions.
    """
    runs_programs = isinstance(testbench, CommandTest | CocotbTestbench)
    hashes, complete = ({}, False) if isinstance(testbench, CommandTest) else _file_hashes(testbench, root)
    complete = complete and not runs_programs
    if not complete and not tree:
        return None
    identity = {
        "schema": SCHEMA,
        "veriloop": _own_version(),
        "tools": [list(tool) for tool in tools],
        "testbench": {"kind": type(testbench).__name__, **_plain(asdict(testbench))},
        "files": hashes,
        "tree": "" if complete else tree,
        # A command finds its tools on the PATH.
        "path": os.environ.get("PATH", "") if runs_programs else "",
    }
    return hashlib.sha256(_canonical(identity)).hexdigest()


def _file_hashes(
    testbench: VerilogTestbench | TraceTestbench | CocotbTestbench, root: Path
) -> tuple[dict[str, str], bool]:
    """Hashes by relative path, and whether they are all that a run reads."""
    paths = set(_design_files(testbench.design, root))
    if isinstance(testbench, TraceTestbench):
        paths.add(root / testbench.oracle)
    hashes: dict[str, str] = {}
    complete = True
    for path in sorted(paths):
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        complete = complete and not _READS_FILES.search(content)
        name = path.relative_to(root) if path.is_relative_to(root) else path
        hashes[name.as_posix()] = hashlib.sha256(content).hexdigest()
    return hashes, complete


def _design_files(design: Design, root: Path) -> Iterator[Path]:
    rooted = design.rooted(root)
    folders = {*rooted.include_dirs, *rooted.library_dirs, *(path.parent for path in rooted.sources)}
    yield from (*rooted.sources, *rooted.library_files)
    for folder in folders:
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if path.is_file())


def _plain(value: Any) -> Any:
    """Paths as text, for JSON."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.as_posix() if isinstance(value, Path) else value


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _digest(items: Any) -> str:
    return hashlib.sha256(_canonical(items)).hexdigest()


def _own_version() -> str:
    try:
        return importlib.metadata.version("veriloop")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _result(item: dict[str, Any]) -> SimResult:
    facts = dict(item)
    facts["outcome"] = Outcome(facts["outcome"])
    facts["mismatches"] = tuple(Mismatch(**each) for each in facts["mismatches"])
    facts["diagnostics"] = tuple(Diagnostic(**each) for each in facts["diagnostics"])
    facts["failing"], facts["passing"] = tuple(facts["failing"]), tuple(facts["passing"])
    return SimResult(**facts)
