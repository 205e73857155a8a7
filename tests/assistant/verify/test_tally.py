"""The closing counts of test runners."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.tally import read_tally
from veriloop.assistant.verify.testbench import CommandTest

PYTEST = (
    "FAILED tb/test_fifo.py::test_fifo[8] - SystemExit: sim failed\n"
    "=================== 1 failed, 3 passed, 2 skipped in 12.31s (0:00:12) ===================\n"
)
COCOTB = (
    "** TEST                STATUS  SIM TIME (ns)  REAL TIME (s)  RATIO (ns/s) **\n"
    "** test_it.counts       \x1b[32mPASS\x1b[0m         10.00   0.00   1000.0  **\n"
    "** test_it.resets       FAIL         10.00   0.00   1000.0  **\n"
    "** TESTS=2 PASS=1 FAIL=1 SKIP=0      20.00   0.1   200.0  **\n"
)
UVM = "--- UVM Report Summary ---\n** Report counts by severity\nUVM_INFO : 12\nUVM_ERROR : {}\nUVM_FATAL : 0\n"
UNITTEST = "FAIL: test_a (t.T)\n\nRan 4 tests in 0.1s\n\nFAILED (failures=1, errors=1, skipped=1)\n"
VUNIT = "pass lib.tb.a (1.0 seconds)\nfail lib.tb.b (1.0 seconds)\npass 1 of 2\nfail 1 of 2\n"


@pytest.mark.parametrize(
    ("log", "runner", "passed", "failed", "failing"),
    [
        (PYTEST, "pytest", 3, 1, ("tb/test_fifo.py::test_fifo[8]",)),
        ("3 passed in 0.12s\n", "pytest", 3, 0, ()),
        ("===== no tests ran in 0.01s =====\n", "pytest", 0, 0, ()),
        ("===== 1 passed, 2 warnings, 1 error in 0.01s =====\n", "pytest", 1, 1, ()),
        ("Ran 4 tests in 0.1s\n\nOK\n", "unittest", 4, 0, ()),
        (UNITTEST, "unittest", 1, 2, ("test_a (t.T)",)),
        ("1..3\nok 1 - a\nnot ok 2 - b\nok 3 # SKIP no tool\n", "TAP", 1, 1, ("b",)),
        ("1..3\nok 1\nok 2\n", "TAP", 2, 1, ()),
        ("1..2\nok 1\nnot ok 2 - x # TODO later\n", "TAP", 1, 0, ()),
        (COCOTB, "cocotb", 1, 1, ("test_it.resets",)),
        (UVM.format(0), "UVM", 1, 0, ()),
        ("UVM_ERROR sb.sv(12) @ 120 ns: scoreboard [CMP] no\n" + UVM.format(1), "UVM", 0, 1, ("scoreboard",)),
        (VUNIT, "VUnit", 1, 1, ("lib.tb.b",)),
        ("80% tests passed, 1 tests failed out of 5\n", "CTest", 4, 1, ()),
        ("SBY 12:00:00 [fifo] DONE (PASS, rc=0)\nSBY 12:00:00 [lifo] DONE (FAIL, rc=2)\n", "sby", 1, 1, ()),
    ],
)
def test_counts(log: str, runner: str, passed: int, failed: int, failing: tuple[str, ...]) -> None:
    tally = read_tally("noise\n" + log)
    assert tally is not None
    assert (tally.runners, tally.passed, tally.failed, tally.failing) == ((runner,), passed, failed, failing)


@pytest.mark.parametrize("log", ["", "PASS\n", "ok 1\n", "3 passed tests\n", "1 of 3 done\n", "Errors: 0\n"])
def test_what_is_no_closing_count(log: str) -> None:
    assert read_tally(log) is None


@pytest.mark.parametrize(
    ("text", "code", "outcome", "reason"),
    [
        (COCOTB, 0, Outcome.FAIL, "1 of 2 tests passed"),
        ("== 2 passed in 1.0s ==", 0, Outcome.PASS, "2 of 2 tests passed"),
        ("== 2 passed in 1.0s ==", 1, Outcome.FAIL, "2 of 2 tests passed, exit code 1"),
        ("== no tests ran in 1.0s ==", 0, Outcome.FAIL, "no test ran"),
        ("ERROR in a test's name is no failure\n== 2 passed in 1.0s ==", 0, Outcome.PASS, "2 of 2 tests passed"),
        (UVM.format(2), 0, Outcome.FAIL, "0 of 2 tests passed"),
        ("", 0, Outcome.PASS, "exit code 0, and the log says nothing"),
    ],
)
def test_a_command_is_judged_by_them(tmp_path: Path, text: str, code: int, outcome: Outcome, reason: str) -> None:
    (tmp_path / "log").write_text(text)
    test = CommandTest(name="t", command=f"cat log; exit {code}", timeout_s=20)
    result = run_command(test, root=tmp_path, scratch=tmp_path, isolation=Isolation(), cancel=CancelToken())
    assert (result.outcome, result.reason) == (outcome, reason)
