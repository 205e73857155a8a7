"""Commands of a repository as tests: by result files, by exit code, by log."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

import pytest

from veriloop.assistant.errors import NoLicence, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.verify.command import read_cases, run_command
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.testbench import CommandTest

GREEN = '<testsuites><testsuite><testcase name="a"/><testcase name="b"/></testsuite></testsuites>'
RED = (
    '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure type="AssertionError" '
    'message="full is 0&#10;assert 0 == 1">Traceback\n  File "secret/tb.py", line 3\n    assert dut.full.value == 1\n'
    "</failure></testcase></testsuite></testsuites>"
)


def run(root: Path, command: str, *, timeout_s: float = 20.0, pass_pattern: str = "") -> SimResult:
    test = CommandTest(name="test", command=command, timeout_s=timeout_s, pass_pattern=pass_pattern)
    with tempfile.TemporaryDirectory() as scratch:
        return run_command(test, root=root, scratch=Path(scratch), isolation=Isolation(), cancel=CancelToken())


@pytest.mark.parametrize(
    ("command", "outcome", "reason"),
    [
        ("true", Outcome.PASS, "exit code 0"),
        ("echo TEST PASSED", Outcome.PASS, "exit code 0: TEST PASSED"),
        ("echo TEST PASSED; exit 3", Outcome.FAIL, "exit code 3: TEST PASSED"),
        ("exit 1", Outcome.FAIL, "exit code 1"),
        ("kill -9 $$", Outcome.FAIL, "exit code -9"),
        ("echo 'Tests failed: 0002'", Outcome.FAIL, "exit code 0: Tests failed: 0002"),
        ("echo '%Error: t.sv:3: no'", Outcome.FAIL, "exit code 0: %Error: t.sv:3: no"),
        ("echo '0 errors' >&2", Outcome.PASS, "exit code 0: 0 errors"),
    ],
)
def test_by_exit_code_and_log(tmp_path, command, outcome, reason):
    result = run(tmp_path, command)
    assert result.outcome is outcome
    assert result.reason.startswith(reason)
    assert (result.failures > 0) == (outcome is Outcome.FAIL)


@pytest.mark.parametrize(
    ("text", "code", "outcome", "reason"),
    [
        (GREEN, 0, Outcome.PASS, "2 of 2 tests passed"),
        (GREEN, 2, Outcome.FAIL, "2 of 2 tests passed, exit code 2"),
        (RED, 0, Outcome.FAIL, "1 of 2 tests passed"),
        (RED, 2, Outcome.FAIL, "1 of 2 tests passed"),
        ("<testsuites/>", 0, Outcome.FAIL, "no test ran"),
        ('<testsuite><testcase name="a"><skipped/></testcase></testsuite>', 0, Outcome.FAIL, "no test ran"),
        ("<testsuites><testsuite><testc", 0, Outcome.FAIL, "0 of 1 tests passed"),
        ("", 0, Outcome.FAIL, "0 of 1 tests passed"),
    ],
)
def test_by_result_file(tmp_path, text, code, outcome, reason):
    (tmp_path / "text").write_text(text)
    result = run(tmp_path, f"mkdir sim; cp text sim/results.xml; echo ALL TESTS PASSED; exit {code}")
    assert (result.outcome, result.reason) == (outcome, reason)


def test_a_failure_names_its_case_and_the_signals_of_its_message(tmp_path):
    (tmp_path / "text").write_text(RED)
    result = run(tmp_path, "cp text results.xml")
    assert (result.checks, result.failures, result.passing, result.failing[0]) == (2, 1, ("a",), "b")
    assert "full" in result.failing
    assert "secret" not in result.failing


def test_a_result_file_of_an_earlier_run_does_not_count(tmp_path):
    (tmp_path / "results.xml").write_text(RED)
    assert run(tmp_path, "true").passed
    (tmp_path / "results.xml").write_text(GREEN)
    assert not run(tmp_path, "exit 1").passed


def test_a_result_file_that_is_written_again_counts(tmp_path):
    (tmp_path / "results.xml").write_text(GREEN)
    (tmp_path / "text").write_text(RED)
    assert not run(tmp_path, "cat text > results.xml").passed


def test_files_of_several_runs_are_read_together(tmp_path):
    (tmp_path / "red").write_text(RED)
    (tmp_path / "green").write_text(GREEN)
    result = run(tmp_path, "cp red a-results.xml; cp green b-results.xml")
    assert (result.checks, result.failures) == (4, 1)


def test_the_users_pattern_is_needed_for_a_pass(tmp_path):
    assert run(tmp_path, "echo bye", pass_pattern="^bye$").passed
    assert not run(tmp_path, "echo TEST PASSED", pass_pattern="^bye$").passed


def test_a_command_runs_at_the_root_in_a_clean_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("COCOTB_TEST_MODULES", "theirs")
    result = run(tmp_path, 'test "$PWD" = "$(pwd)"; pwd; echo "[$GIT_DIR$COCOTB_TEST_MODULES]"')
    assert result.log_tail == f"{tmp_path}\n[]\n"


def test_a_hang_is_a_timeout_and_leaves_no_process(tmp_path):
    # A number that no other process of this machine sleeps for; the process's own says little in a space of its own.
    span = f"600.{os.getpid()}"
    result = run(tmp_path, f"echo begins; sleep {span} & wait", timeout_s=1)
    assert (result.outcome, result.reason) == (Outcome.TIMEOUT, "no end within 1 s")
    assert "begins" in result.log_tail
    deadline = time.monotonic() + 5
    while _sleeps(span) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _sleeps(span)


def _sleeps(span: str) -> bool:
    """Whether a `sleep` for so long runs; a process that has ended has no command line."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes().split(b"\0")[:2] == [b"sleep", span.encode()]:
                return True
    return False


@pytest.mark.needs("make")
def test_make_ends_with_zero_although_a_recipe_ignores_its_failure(tmp_path):
    (tmp_path / "Makefile").write_text("sim:\n\t-sh -c 'echo FAILED: q is 3; exit 1'\n")
    assert not run(tmp_path, "make sim").passed


def test_a_missing_program_is_not_the_designs_fault(tmp_path):
    with pytest.raises(ToolNotFound, match="no-such-program-here"):
        run(tmp_path, "no-such-program-here --run")
    (tmp_path / "Makefile").write_text("sim:\n\tno-such-program-here --run\nown:\n\t./sim.out\n")
    with pytest.raises(ToolNotFound, match="no-such-program-here"):
        run(tmp_path, "make sim")
    # What the command was to build itself is the design's fault, or the test's.
    assert run(tmp_path, "make own").outcome is Outcome.FAIL


def test_cases_of_no_file_are_none():
    cases = read_cases([])
    assert (cases.passed, cases.failed) == ((), ())


def test_the_log_is_kept_at_its_end(tmp_path):
    assert run(tmp_path, "seq 100000; echo last").log_tail.endswith("last\n")


@pytest.fixture
def vcs(tmp_path, monkeypatch) -> Path:
    """A simulator that needs a licence, and does what `said` holds."""
    (tmp_path / "bin").mkdir()
    stub = tmp_path / "bin/vcs"
    stub.write_text("#!/bin/sh\n. ./said\n")
    stub.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "tree").mkdir()
    return Path(tmp_path / "tree")


@pytest.mark.parametrize(("code", "outcome"), [(0, Outcome.PASS), (1, Outcome.FAIL)])
def test_a_licensed_simulator_is_named(vcs, code, outcome):
    (vcs / "said").write_text(f"echo 'Chronologic VCS'; echo TEST PASSED; exit {code}\n")
    result = run(vcs, "vcs -R t.v")
    assert (result.engine, result.outcome) == ("VCS", outcome)
    assert run(vcs, "sh ./said").engine == "sh"


@pytest.mark.parametrize(
    "line",
    [
        "Licensed number of users already reached. (-4,342)",
        "FLEXnet Licensing error:-5,357",
        "Unable to checkout a license.  Make sure your license file environment variable is set correctly",
        "xmsim: *F,NOLICN: Unable to checkout license for the simulation.",
        "Failed to obtain 'VCSRuntime_Net' license",
        "License request for msimhdlsim feature failed",
    ],
)
def test_what_got_no_licence_says_nothing_about_the_design(vcs, line):
    # A pipe hides the exit code.
    for code in (2, 0):
        (vcs / "said").write_text(f'echo "{line}"; exit {code}\n')
        with pytest.raises(NoLicence, match="VCS got no licence"):
            run(vcs, "vcs -R t.v")
    # No licence of a test's own design, and none where another program says so.
    (vcs / "said").write_text("echo 'plate number: no license found in frame'; exit 2\n")
    assert run(vcs, "sh ./said").outcome is Outcome.FAIL
