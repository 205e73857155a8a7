"""Do written testbenches work where Veriloop is not installed? Each is run by plain pytest on designs right and wrong.

The right one is the set's reference, from which the testbench was written. The wrong ones are the set's own mutants;
the writer has never seen them. Those count that the set's own testbench detects.
"""

from __future__ import annotations

import fnmatch
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.bench.kept import Running, rows_of
from veriloop.assistant.bench.mutating import Task, asked, mutant_tasks
from veriloop.assistant.bench.plain import plain_environment, run_pytest
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import UsageError, VeriloopError
from veriloop.assistant.events import CancelToken, Run, finish
from veriloop.assistant.execute import cpu_seconds
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.testbench.workflow import Request, make_testbench
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.toolchain import Toolchain

_RTL = Path("rtl/dut.sv")
_FAILED = 1
"""pytest's exit code for tests that ran and failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestbenchRow:
    """One design.

    Attributes:
        passes: whether the reference passes, run by plain pytest.
        detected: mutants that the set's own testbench detects.
        failed: those of them on which the written testbench fails.
        passed: the numbers of those that it passes.
        missed: mutants that the set's own testbench does not detect.
        failed_of_missed: those of them on which the written testbench fails.
        cycles: how long the testbench is.
        score: percent of the mutants killed that it was written against.
    """

    design: str
    passes: bool = False
    detected: int = 0
    failed: int = 0
    passed: tuple[int, ...] = ()
    missed: int = 0
    failed_of_missed: int = 0
    cycles: int = 0
    score: float = 0.0
    cpu_s: float = 0.0
    error: str = ""


def run_testbenches(data: Path, *, only: str, count: int, running: Running) -> Run[Sequence[TestbenchRow]]:
    """So many designs of a set, spread evenly over it, each in a process of its own.

    Raises:
        UsageError: the set brings no mutants, or no design of it matches.
    """
    tasks = [task for task in mutant_tasks(data) if task.mutants and fnmatch.fnmatch(task.problem.name, only)]
    if not tasks:
        raise UsageError(f"{data} has no design that brings mutants and matches {only!r}")
    count = min(count, len(tasks)) or len(tasks)
    chosen = {task.problem.name: task for task in (tasks[number * len(tasks) // count] for number in range(count))}
    return (yield from rows_of(chosen, judge_testbench, TestbenchRow, line, running))


def judge_testbench(task: Task, cancel: CancelToken) -> TestbenchRow:
    """One design."""
    started_s = cpu_seconds()
    row = TestbenchRow(design=task.problem.name)
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        try:
            row = _judged(task, row, Path(name), cancel)
        except VeriloopError as error:
            row = replace(row, error=error.message)
    return replace(row, cpu_s=round(cpu_seconds() - started_s, 2))


def _judged(task: Task, row: TestbenchRow, directory: Path, cancel: CancelToken) -> TestbenchRow:
    toolchain = Toolchain.find(cache=cache_home(), cancel=cancel)
    root, tests = directory / "tree", directory / "tree" / "tests"
    for path, content in {root / _RTL: task.problem.golden, **_mutants(task, directory)}.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    design = Design(toplevel=task.problem.answer, sources=(_RTL,))
    request = Request(design=design, files=(_RTL,), root=root, folder=Path("tests"))
    made = finish(make_testbench(request, toolchain=toolchain, prover=Prover.find(cancel), cancel=cancel))
    tests.mkdir()
    for name, content in made.files.items():
        (tests / name).write_bytes(content)
    testbench = tests / f"{made.name}.py"
    python = plain_environment(directory / "plain", cancel)
    golden = run_pytest(python, testbench, readable=(root,), cancel=cancel)
    row = replace(row, passes=golden.ok, cycles=made.cycles, score=round(made.score, 2))
    if not golden.ok:
        return replace(row, error=f"the reference fails: {' '.join(golden.output.split())[-300:]}")
    detected = asked(task.problem, task.mutants, task.detected, toolchain, cancel)
    fails = [
        run_pytest(python, testbench, readable=(root, path.parent), rtl=path, cancel=cancel).returncode == _FAILED
        for path in _mutants(task, directory)
    ]
    known = list(enumerate(zip(fails, detected, strict=True)))
    return replace(
        row,
        detected=sum(seen is True for _, (_, seen) in known),
        failed=sum(seen is True and failed for _, (failed, seen) in known),
        passed=tuple(number for number, (failed, seen) in known if seen is True and not failed),
        missed=sum(seen is False for _, (_, seen) in known),
        failed_of_missed=sum(seen is False and failed for _, (failed, seen) in known),
    )


def _mutants(task: Task, directory: Path) -> dict[Path, bytes]:
    return {directory / "mutants" / f"mutant{number}.sv": text for number, text in enumerate(task.mutants)}


def line(row: TestbenchRow) -> str:
    """A row in one line."""
    if row.error:
        return f"{row.design}: {row.error}"
    said = (
        f"{row.design}: passes on the reference, fails on {row.failed} of {row.detected} detected mutants and on "
        f"{row.failed_of_missed} of {row.missed} others; {row.cycles} cycles, {row.cpu_s} CPU s"
    )
    return said + (f"; passes mutants {row.passed}" if row.passed else "")


def testbenches_summary(rows: Sequence[TestbenchRow]) -> dict[str, object]:
    """The counts over all designs."""
    return {
        "suite": "testbenches",
        "designs": len(rows),
        "pass_on_reference": sum(row.passes for row in rows),
        "detected_by_golden": sum(row.detected for row in rows),
        "failed_of_those": sum(row.failed for row in rows),
        "missed_by_golden": sum(row.missed for row in rows),
        "failed_of_missed": sum(row.failed_of_missed for row in rows),
        "cycles_median": statistics.median(row.cycles for row in rows) if rows else 0,
        "cpu_s_median": statistics.median(row.cpu_s for row in rows) if rows else 0.0,
    }
