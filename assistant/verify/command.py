"""Any command of a repository as a test."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.summary import read_summary
from veriloop.assistant.verify.testbench import CommandTest

_LOG_TAIL_CHARS = 4000
_SKIP = {".git", ".venv", "venv", "node_modules", "__pycache__"}


@dataclass(frozen=True, slots=True)
class TestCases:
    """What result files in JUnit's form say."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]


def run_command(test: CommandTest, *, root: Path, cancel: CancelToken) -> SimResult:
    """Runs the command at the root of a private copy and reads its exit code, its `results.xml` files and its log.

    `make` can exit with 0 although tests failed, and "Error" can stand in a passing log. So a result file that this
    run wrote outranks the rest; then an exit code that is not 0 fails; then the log's own summary counts.
    """
    before = {path: path.stat().st_mtime_ns for path in _result_files(root)}
    done = execute(["sh", "-c", test.command], cwd=root, timeout_s=test.timeout_s, cancel=cancel)
    engine = test.command.split()[0] if test.command.split() else "sh"
    common = {
        "engine": engine,
        "wall_s": done.wall_s,
        "cpu_s": done.cpu_s,
        "log_tail": done.output[-_LOG_TAIL_CHARS:],
    }
    if done.timed_out:
        return SimResult(outcome=Outcome.TIMEOUT, reason=f"no end within {test.timeout_s:.0f} s", **common)
    written = [path for path in _result_files(root) if before.get(path) != path.stat().st_mtime_ns]
    cases = read_cases(written)
    if written:
        total = len(cases.passed) + len(cases.failed)
        green = done.returncode == 0 and total > 0 and not cases.failed
        reason = f"{len(cases.passed)} of {total} tests passed" if total else "no test ran"
        failures = len(cases.failed) or (0 if green else 1)
        return SimResult(
            outcome=Outcome.PASS if green else Outcome.FAIL,
            reason=reason if done.returncode == 0 or cases.failed else f"{reason}, exit code {done.returncode}",
            checks=max(total, failures),
            failures=failures,
            failing=(*cases.failed, *read_summary(done.output).failing),
            passing=cases.passed,
            **common,
        )
    summary = read_summary(done.output, pass_pattern=test.pass_pattern)
    # A log that says nothing leaves the word to the exit code; one that says "failed" is believed whatever the code.
    green = done.returncode == 0 and summary.passed is not False
    said = summary.reason if summary.passed is not None else ""
    reason = f"exit code {done.returncode}" + (f": {said}" if said else "")
    return SimResult(
        outcome=Outcome.PASS if green else Outcome.FAIL,
        reason=reason,
        checks=summary.checks or 1,
        failures=0 if green else max(1, summary.failures),
        failing=() if green else summary.failing,
        mismatches=() if green else summary.mismatches,
        **common,
    )


def read_cases(paths: list[Path]) -> TestCases:
    """The test cases of result files; one that cannot be read counts as a failure of its own."""
    passed, failed = [], []
    for path in paths:
        try:
            root = ElementTree.parse(path).getroot()
        except ElementTree.ParseError:
            failed.append(path.name)
            continue
        for case in root.iter("testcase"):
            name = case.get("name") or "test"
            bad = case.find("failure") is not None or case.find("error") is not None
            if case.find("skipped") is None:
                (failed if bad else passed).append(name)
    return TestCases(tuple(passed), tuple(failed))


def _result_files(root: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIP]
        found += [Path(folder, name) for name in names if name.endswith(".xml") and "result" in name.lower()]
    return found
