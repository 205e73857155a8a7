"""Bugs in whole repositories: each task a tree, a report and a test that fails, repaired on the road that a user takes.

A task is a folder:

    task.json       id, repo_archive, bug_report (text, or a file of the folder), test_command, pass_to_pass (commands),
                    setup (a command, or empty), timeout_s; `kind`, `real` or `injected`, where the id does not begin so
    REPO_ARCHIVE    a tar archive of the base tree
    test.patch      optional: the tests that show the bug, applied to the tree first
    gold.patch      the fix; used for nothing but scoring where the bug was looked for

A budget is counted in CPU seconds, of the search and of all that it starts: so a task that is resolved within 600 is
resolved within ten minutes of one core, however loaded the machine was. What is called verified is tried again in a
fresh tree, by the commands alone.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.bench.kept import Kept
from veriloop.assistant.errors import RepositoryError, UsageError
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.execute import cpu_seconds, execute
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.repository.create import create
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.testbench import CommandTest

_EXTRA_S = 300.0
"""What a task may take beyond its budget: building the runtime, the baseline, the gate."""
_LOADED = 6
"""How many wall seconds a CPU second may take."""
_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+", re.M)
_FILE = re.compile(r"^--- a/(.+?)(?:\t.*)?$", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One bug."""

    id: str
    folder: Path
    archive: Path
    report: str
    test: str
    pass_to_pass: tuple[str, ...]
    setup: str
    timeout_s: float
    injected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of a task."""

    id: str
    injected: bool
    status: str
    resolved: bool
    false_verified: bool
    rank: int
    """Of the first suspected place that the fix touches; 0: none, or not looked for."""
    minutes: float
    why: str
    cpu_s: float = 0.0
    """CPU seconds that looking for the place and the repair took, with all that they started."""
    tried: int = 0
    """Candidates that were judged."""

    @property
    def design(self) -> str:
        """What it is kept by."""
        return self.id


def read_tasks(directory: Path) -> tuple[Task, ...]:
    """The tasks of a directory, by their folders' names.

    Raises:
        UsageError: there is none, or one lacks something.
    """
    tasks = tuple(_task(path) for path in sorted(directory.glob("*/task.json")))
    if not tasks:
        raise UsageError(f"there is no task in {directory}", hint="DIR/NAME/task.json")
    return tasks


def _task(path: Path) -> Task:
    folder = path.parent
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        text = str(data["bug_report"])
        named = folder / text if len(text) < 200 and "\n" not in text else None
        task = Task(
            id=str(data["id"]),
            folder=folder,
            archive=folder / str(data["repo_archive"]),
            report=named.read_text(encoding="utf-8") if named is not None and named.is_file() else text,
            test=str(data["test_command"]),
            pass_to_pass=tuple(map(str, data.get("pass_to_pass") or ())),
            setup=str(data.get("setup") or ""),
            timeout_s=float(data.get("timeout_s") or 600),
            injected=str(data.get("kind", data["id"])).startswith("injected"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path}: is no task: {type(error).__name__}: {error}") from error
    if not task.archive.is_file():
        raise UsageError(f"{path}: there is no {task.archive.name}")
    return task


def run_tasks(
    tasks: Sequence[Task], *, budget_s: float, cache: Path, isolation: Isolation, kept: Kept, cancel: CancelToken
) -> Run[Sequence[Row]]:
    """A row a task; those that are kept are not run again."""
    known = kept.rows(Row)
    rows = []
    for task in tasks:
        row = known.get(task.id)
        if row is None:
            row = yield from run_task(task, budget_s=budget_s, cache=cache, isolation=isolation, cancel=cancel)
            kept.keep(row)
        rows.append(row)
        yield Note(f"[{len(rows)}/{len(tasks)}] {line(row)}")
    return rows


def line(row: Row) -> str:
    """A row in words."""
    said = "resolved" if row.resolved else f"falsely verified, {row.why}" if row.false_verified else row.status
    why = f": {row.why}" if row.why and not row.resolved and not row.false_verified else ""
    return (
        f"{row.id}: {said}{why}, rank {row.rank or '-'}, {row.tried} candidates, {row.cpu_s:g} CPU s, {row.minutes} min"
    )


def run_task(task: Task, *, budget_s: float, cache: Path, isolation: Isolation, cancel: CancelToken) -> Run[Row]:
    """Repairs a task and tries again what is called verified."""
    yield Stage(task.id)
    started, before_s = time.monotonic(), cpu_seconds()
    with tempfile.TemporaryDirectory(prefix="veriloop-hwe.") as name:
        place = Path(name)
        try:
            repository = _base(task, place / "tree", cache, isolation, cancel)
        except (RepositoryError, UsageError, tarfile.TarError, OSError) as error:
            return _row(task, "broken task", why=str(error), started=started)
        report = place / "report.md"
        report.write_text(task.report, encoding="utf-8")
        words = ["--report", str(report), "--test", task.test, "--timeout", f"{task.timeout_s:g}"]
        root = repository.root
        places = _veriloop(["locate", *words], root, task.timeout_s + _EXTRA_S, cancel).get("places")
        rank = _rank(task.folder / "gold.patch", places if isinstance(places, list) else [])
        budget = ["--cpu-budget", f"{budget_s:g}", "--apply"]
        result = _veriloop(["repair", *words, *budget], root, _LOADED * budget_s + _EXTRA_S, cancel)
        spent_s = cpu_seconds() - before_s
        status = str(result.get("status", "error"))
        verified = status == "repaired" and bool(result.get("applied", True))
        why = str(result.get("reason") or result.get("error") or "")
        lost = _lost(task, root, place / "again", cache, isolation, cancel) if verified else ""
    if lost:
        yield Note(f"{task.id}: called verified, but {lost} fails in a fresh tree")
    return _row(
        task,
        status,
        why=lost or why,
        started=started,
        resolved=verified and not lost,
        false_verified=bool(lost),
        rank=rank,
        cpu_s=round(spent_s, 1),
        tried=int(result.get("candidates") or 0),
    )


def _row(
    task: Task,
    status: str,
    *,
    why: str,
    started: float,
    resolved: bool = False,
    false_verified: bool = False,
    rank: int = 0,
    cpu_s: float = 0.0,
    tried: int = 0,
) -> Row:
    minutes = round((time.monotonic() - started) / 60, 2)
    return Row(
        id=task.id,
        injected=task.injected,
        status=status,
        resolved=resolved,
        false_verified=false_verified,
        rank=rank,
        minutes=minutes,
        why=why,
        cpu_s=cpu_s,
        tried=tried,
    )


def _base(task: Task, root: Path, cache: Path, isolation: Isolation, cancel: CancelToken) -> Repository:
    """The base tree with the tests that show the bug, committed."""
    root.mkdir()
    with tarfile.open(task.archive) as archive:
        archive.extractall(root, filter="data")
    inner = [path for path in root.iterdir() if path.name != "pax_global_header"]
    tree = inner[0] if len(inner) == 1 and inner[0].is_dir() else root
    repository = create(tree, {}, cache=cache)
    patch = task.folder / "test.patch"
    if patch.is_file():
        new = repository.tree_of_patch(repository.snapshot(), patch.read_bytes())
        for path in repository.changed_paths(repository.head_tree(), new):
            content = repository.read(new, path)
            if content is not None:
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).write_bytes(content)
        repository = create(tree, {}, cache=cache)
    if task.setup:
        _command(task.setup, tree, task.timeout_s, isolation, cancel)
    return repository


def _lost(task: Task, repaired: Path, again: Path, cache: Path, isolation: Isolation, cancel: CancelToken) -> str:
    """The first command that fails on the repaired files in a fresh tree; empty where all pass."""
    fresh = _base(task, again, cache, isolation, cancel).root
    for path in (path for path in repaired.rglob("*") if path.suffix in (".v", ".sv", ".vh", ".svh")):
        if path.is_file() and not path.is_symlink():
            (fresh / path.relative_to(repaired)).write_bytes(path.read_bytes())
    for command in (task.test, *task.pass_to_pass):
        if not _command(command, fresh, task.timeout_s, isolation, cancel):
            return command
    return ""


def _command(command: str, root: Path, timeout_s: float, isolation: Isolation, cancel: CancelToken) -> bool:
    test = CommandTest(name=command, command=command, timeout_s=timeout_s)
    with tempfile.TemporaryDirectory() as scratch:
        result = run_command(test, root=root, scratch=Path(scratch), isolation=isolation, cancel=cancel)
    return result.passed


def _veriloop(words: Sequence[str], root: Path, timeout_s: float, cancel: CancelToken) -> Mapping[str, Any]:
    """The last JSON object that a verb prints; empty where it prints none."""
    verb = [sys.executable, "-m", "veriloop.assistant.cli.main", "-C", str(root), *words, "--json"]
    # clean_environment takes the path of packages away, which a checkout needs.
    env = {"PYTHONPATH": ":".join(filter(None, sys.path))}
    done = execute(verb, cwd=root, timeout_s=timeout_s, cancel=cancel, env=env)
    for line in reversed(done.output.splitlines()):
        if line.startswith("{"):
            try:
                data = json.loads(line)
            except ValueError:
                continue
            return data if isinstance(data, dict) else {}
    last = done.output.strip().splitlines()
    return {"status": "timeout" if done.timed_out else "error", "error": last[-1] if last else ""}


def _rank(gold: Path, places: Sequence[Mapping[str, Any]]) -> int:
    """The rank of the first place that holds a line which the fix changes."""
    if not gold.is_file():
        return 0
    wanted = changed_lines(gold.read_text(encoding="utf-8", errors="replace"))
    for rank, place in enumerate((one for one in places if one.get("kind") != "module"), start=1):
        first, last = int(place["first_line"]), int(place["last_line"])
        if any(path == place["path"] and first <= line <= last for path, line in wanted):
            return rank
    return 0


def changed_lines(patch: str) -> set[tuple[str, int]]:
    """The lines of the old files that a unified diff removes, or after which it adds."""
    found: set[tuple[str, int]] = set()
    path, line = "", 0
    for text in patch.splitlines():
        if header := _FILE.match(text):
            path, line = header[1], 0
        elif hunk := _HUNK.match(text):
            line = int(hunk[1])
        elif path and line and text.startswith("-"):
            found.add((path, line))
            line += 1
        elif path and line and text.startswith("+") and not text.startswith("+++"):
            found.add((path, max(1, line - 1)))
        elif line and not text.startswith("\\"):
            line += 1
    return found


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    """What is counted about them."""
    injected = [row for row in rows if row.injected]
    real = [row for row in rows if not row.injected]
    return {
        "tasks": len(rows),
        "real": len(real),
        "real_resolved": sum(row.resolved for row in real),
        "injected": len(injected),
        "injected_resolved": sum(row.resolved for row in injected),
        "false_verified": sum(row.false_verified for row in rows),
        "abstained": sum(not row.resolved and not row.false_verified for row in rows),
        "top1": sum(row.rank == 1 for row in rows),
        "top5": sum(0 < row.rank <= 5 for row in rows),
        "minutes_median": round(statistics.median(row.minutes for row in rows), 2) if rows else 0.0,
    }
