"""Runs a suite: case by case on the road that a user takes, in a repository of its own, and counts what came of it."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from veriloop.assistant.bench import chipbench, cirfix
from veriloop.assistant.bench.case import Case
from veriloop.assistant.bench.confirm import Confirmation, confirm
from veriloop.assistant.bench.processes import everywhere
from veriloop.assistant.errors import UsageError, VeriloopError
from veriloop.assistant.events import CancelToken, Note, Run, finish
from veriloop.assistant.execute import cpu_seconds
from veriloop.assistant.farm.elsewhere import Elsewhere
from veriloop.assistant.repair.advice import adviser
from veriloop.assistant.repair.workflow import RepairResult, Request, Status, repair
from veriloop.assistant.repository.create import create
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.simulation import conclude, run_testbench
from veriloop.assistant.verify.toolchain import Toolchain

SUITES: Mapping[str, Callable[[Path, cirfix.Meets | None], Iterator[Case]]] = {
    "chipbench-debug": lambda data, meets: chipbench.load(data),
    "cirfix": cirfix.load,
}
"""The suites by name, each with what finds its cases in a directory."""

_STATE = "rows.jsonl"

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One case and what came of it; `cpu_s` and `wall_s` are the repair's, without the confirmation."""

    case: str
    kind: str
    solvable: bool
    plausible: bool = False
    """It passes the case's testbench wherever the golden design does: under each engine and from each start state."""
    verified: bool = False
    """The gate passed it with evidence from which it may be applied."""
    evidence: str = ""
    confirmed: str = ""
    """`confirmed`, `overfit`, `inconclusive`, or empty where nothing was found."""
    why: str = ""
    false_verified: bool = False
    """It was reported as passing its testbench, and a replay that this speaks of fails where the golden passes."""
    candidates: int = 0
    cpu_s: float = 0.0
    wall_s: float = 0.0
    operators: tuple[str, ...] = ()
    changed_lines: int = 0
    notes: tuple[str, ...] = ()
    """The runs that pass with the golden design and fail with the repair."""
    error: str = ""
    model: bool = False
    """Whether a model's advice was followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a suite is run."""

    suite: str
    data: Path
    out: Path
    only: str = "*"
    budget_s: float = 60.0
    jobs: int = 1
    resume: bool = False
    model: str = ""
    """A model that a repair may ask; empty: none."""
    extra: Mapping[str, str] = field(default_factory=dict)


def cases(settings: Settings, cancel: CancelToken | None = None) -> list[Case]:
    """The cases that were asked for; with a token the right designs are run where files alone leave a choice.

    Raises:
        UsageError: the directory does not hold the suite, or no case matches.
    """
    if not settings.data.is_dir():
        raise UsageError(f"no such directory: {settings.data}")
    meets = None if cancel is None else functools.partial(_meets, cancel=cancel)
    found = [case for case in SUITES[settings.suite](settings.data, meets) if _asked_for(case.name, settings.only)]
    if not found:
        raise UsageError(f"no case of {settings.suite} matches {settings.only!r}")
    return found


def _meets(golden: Case, *, cancel: CancelToken) -> float | None:
    toolchain = Toolchain.find(cache=cache_home(), cancel=cancel)
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        plain, scratch = Path(name, "plain"), Path(name, "scratch")
        scratch.mkdir()
        write_files(plain, golden.files)
        runs = replay(golden, golden.files[golden.rtl], plain, scratch, toolchain, cancel)
        met = conclude(golden.testbench, runs, root=plain).passed
        return max((run.wall_s for run in runs if run.passed), default=0.0) if met else None


def _asked_for(name: str, only: str) -> bool:
    return fnmatch.fnmatch(name, only) or fnmatch.fnmatch(name, f"*{only}*")


def run_suite(settings: Settings, cancel: CancelToken, farm: Elsewhere | None = None) -> Run[list[Row]]:
    """Runs the cases that have no row yet, each in a process of its own, and keeps every row as soon as it is there.

    Args:
        settings: what is run.
        cancel: stops it.
        farm: where the cases are run; none: here.
    """
    asked = cases(settings, cancel)
    settings.out.mkdir(parents=True, exist_ok=True)
    state = settings.out / _STATE
    known = read_rows(state) if settings.resume else {}
    if not settings.resume:
        state.unlink(missing_ok=True)
    waiting = [case for case in asked if case.name not in known]
    if known:
        yield Note(f"{len(asked) - len(waiting)} of {len(asked)} cases are known from an earlier run")
    # The runtime is built before the clock of any case runs; a farm's machines build theirs with their first case.
    if farm is None:
        yield Note("preparing Verilator's runtime")
        Toolchain.find(cache=cache_home(), cancel=cancel).verilator.prepare(cancel)
    work = functools.partial(run_case, budget_s=settings.budget_s, model=settings.model)
    made = everywhere(work, waiting, jobs=settings.jobs, farm=farm, cancel=cancel)
    with contextlib.closing(made) as rows:
        for row in rows:
            _keep(state, row)
            known[row.case] = row
            yield Note(_line(row, len(known), len(asked)))
    return [known[case.name] for case in asked if case.name in known]


def run_case(case: Case, cancel: CancelToken, *, budget_s: float, model: str = "") -> Row:
    """Repairs one case in a fresh repository, replays its testbench apart from the gate, and confirms the repair."""
    # What cannot be run counts against us: it stays among the solvable ones.
    row = Row(case=case.name, kind=case.kind, solvable=case.kind != cirfix.NOT_USABLE)
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        directory = Path(name)
        try:
            toolchain = Toolchain.find(cache=cache_home(), cancel=cancel)
            return _run_case(case, row, budget_s, directory, toolchain, cancel, model)
        except VeriloopError as error:
            return replace(row, error=error.message)


def _run_case(
    case: Case, row: Row, budget_s: float, directory: Path, toolchain: Toolchain, cancel: CancelToken, model: str
) -> Row:
    repository = create(directory / "repository", case.files, cache=directory / "cache")
    scratch = directory / "scratch"
    scratch.mkdir()
    plain = directory / "plain"
    write_files(plain, case.files)
    baseline = replay(case, case.files[case.rtl], plain, scratch, toolchain, cancel)
    golden = replay(case, case.golden, plain, scratch, toolchain, cancel)
    shows = not conclude(case.testbench, baseline, root=plain).passed
    row = replace(row, solvable=row.solvable and shows and conclude(case.testbench, golden, root=plain).passed)
    cpu_s, started = cpu_seconds(), time.monotonic()
    try:
        result = _repair(case, repository, toolchain, budget_s, cancel, model)
    except VeriloopError as error:
        row, result = replace(row, error=error.message), None
    cpu_s, wall_s = cpu_seconds() - cpu_s, time.monotonic() - started
    row = replace(row, cpu_s=round(cpu_s, 3), wall_s=round(wall_s, 3), candidates=result.tried if result else 0)
    row = replace(row, model=bool(result and result.advised))
    if result is None or result.report is None:
        return row
    repaired = result.contents[case.rtl]
    replayed = replay(case, repaired, plain, scratch, toolchain, cancel)
    row = _judged(row, result, result.report.evidence, lost_runs(replayed, golden))
    try:
        answer = confirm(case, repaired, baseline, root=plain, scratch=scratch, toolchain=toolchain, cancel=cancel)
    except VeriloopError as error:
        return replace(row, confirmed=Confirmation.INCONCLUSIVE.value, why=error.message)
    return replace(row, confirmed=answer.confirmation.value, why=answer.reason)


def _judged(row: Row, result: RepairResult, evidence: Evidence, lost: Sequence[str] | None) -> Row:
    """The row with what a replay apart from the gate says of the repair; a weak report speaks of Icarus only."""
    spoken_of = [run for run in lost or () if evidence is not Evidence.TESTS_ICARUS or run.startswith("icarus")]
    return replace(
        row,
        plausible=lost is not None and not lost,
        verified=result.status is Status.REPAIRED,
        evidence=evidence.label,
        false_verified=lost is None or bool(spoken_of),
        operators=result.operators,
        changed_lines=sum(line.startswith("+") for line in result.diff.splitlines()) - 1,
        notes=tuple(lost or ()),
    )


def _repair(
    case: Case, repository: Repository, toolchain: Toolchain, budget_s: float, cancel: CancelToken, model: str
) -> RepairResult:
    request = Request(testbench=case.testbench, editable=(case.rtl,), budget_s=budget_s, clock=cpu_seconds, jobs=1)
    with adviser(model, cwd=repository.root) as asked:
        return finish(repair(repository, toolchain, request, cancel=cancel, adviser=asked))


def write_files(root: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files of a case below a directory."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def replay(
    case: Case, content: bytes, root: Path, scratch: Path, toolchain: Toolchain, cancel: CancelToken
) -> tuple[SimResult, ...]:
    """Runs the case's own testbench, apart from the gate and its cache."""
    (root / case.rtl).write_bytes(content)
    return run_testbench(case.testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)


def lost_runs(replayed: Sequence[SimResult], golden: Sequence[SimResult]) -> tuple[str, ...] | None:
    """The runs, as `engine start`, that are green with the golden design and not with the repair.

    A run that did not come about is lost as well: a simulator that refuses the files makes one result for all of its
    start states. A random start is the engine's own and left out.

    Returns:
        None where no run of the golden design is green, so that nothing can be said.
    """
    green = [(run.engine, run.start) for run in golden if run.passed and not run.start.startswith("random")]
    passed = {(run.engine, run.start) for run in replayed if run.passed}
    return tuple(" ".join(run) for run in green if run not in passed) if green else None


def _keep(state: Path, row: Row) -> None:
    with state.open("a+b") as stream:
        # A line that a kill cut off must not swallow this one.
        stream.seek(0, os.SEEK_END)
        if stream.tell():
            stream.seek(-1, os.SEEK_END)
            stream.write(b"" if stream.read(1) == b"\n" else b"\n")
        stream.write(json.dumps(asdict(row)).encode() + b"\n")
        stream.flush()
        os.fsync(stream.fileno())


def read_rows(state: Path) -> dict[str, Row]:
    """The rows of an earlier run; a line that a kill cut off is left out."""
    found: dict[str, Row] = {}
    if not state.is_file():
        return found
    for line in state.read_bytes().splitlines():
        try:
            data = json.loads(line)
            row = Row(**{**data, "operators": tuple(data["operators"]), "notes": tuple(data["notes"])})
        except (ValueError, TypeError, KeyError):
            continue
        found[row.case] = row
    return found


def plain(row: Row) -> dict[str, object]:
    """A row as it is written in JSON."""
    return {**asdict(row), "operators": list(row.operators), "notes": list(row.notes)}


def _line(row: Row, count: int, total: int) -> str:
    outcome = row.error or ("FALSE" if row.false_verified else row.confirmed if row.plausible else "not found")
    return f"[{count}/{total}] {row.case}: {outcome}, {row.candidates} candidates, {row.cpu_s:.1f} CPU s"


def summary(settings: Settings, rows: Iterable[Row]) -> dict[str, object]:
    """The counts over all rows; the medians are over the solvable ones."""
    found = list(rows)
    solvable = [row for row in found if row.solvable]
    plausible = [row for row in solvable if row.plausible]

    def confirmed(value: Confirmation) -> int:
        return sum(row.confirmed == value.value for row in plausible)

    return {
        "suite": settings.suite,
        "cases": len(found),
        "solvable": len(solvable),
        "plausible": len(plausible),
        "confirmed": confirmed(Confirmation.CONFIRMED),
        "false_verified": sum(row.false_verified for row in found),
        "overfit": confirmed(Confirmation.OVERFIT),
        "abstained": sum(not row.plausible and not row.false_verified for row in solvable),
        "cpu_s_median": round(statistics.median([row.cpu_s for row in solvable]), 3) if solvable else 0.0,
        "cpu_s_total": round(sum(row.cpu_s for row in found), 3),
        "candidates_median": statistics.median([row.candidates for row in solvable]) if solvable else 0,
        **settings.extra,
    }


def further(rows: Iterable[Row]) -> dict[str, object]:
    """What else a reader wants to know of the plausible ones: counts that the summary does not hold."""
    plausible = [row for row in rows if row.solvable and row.plausible]
    return {
        "inconclusive": sum(row.confirmed == Confirmation.INCONCLUSIVE.value for row in plausible),
        "icarus_only": sum(row.evidence == Evidence.TESTS_ICARUS.label for row in plausible),
    }
