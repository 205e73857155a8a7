"""Any command of a repository as a test."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.errors import NoLicence, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, execute
from veriloop.assistant.isolation.confinement import Confinement, Isolation
from veriloop.assistant.isolation.licences import EXAMPLE
from veriloop.assistant.project.licensed import licensed_simulator
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.summary import SILENT, read_summary
from veriloop.assistant.verify.tally import Tally, read_tally
from veriloop.assistant.verify.testbench import CommandTest

_LOG_TAIL_CHARS = 4000
_NOT_FOUND = 127
"""The shell's exit code for a program that is not there (POSIX, 2.8.2)."""
_NO_PROGRAM = re.compile(
    r"^(?:\S*sh: (?:line )?(?:\d+: )?|make(?:\[\d+\])?: )([^\s:/]+): "
    r"(?:command not found|not found|No such file or directory)$",
    re.MULTILINE,
)
"""A shell, or make, that misses a program of the PATH; what a command builds itself has a directory in its name."""
_MAKE_NOT_FOUND = re.compile(r"^make(?:\[\d+\])?: \*\*\* .*\bError 127$", re.MULTILINE)
_NO_LICENCE = re.compile(
    r"^.*(?:FLEX(?:net|lm)\b.*\berror|licensed number of users already reached|\bNOLIC[NI]\b"
    r"|(?:unable|failed|could ?n[o']t|cannot) (?:to )?(?:check ?out|obtain|get|acquire|connect to) .*licen[sc]e"
    r"|licen[sc]e (?:check-?out|request)\b.* failed|no (?:valid )?licen[sc]e (?:is )?(?:found|available)).*$",
    re.IGNORECASE | re.MULTILINE,
)
"""What FlexLM and the simulators print where there is no licence, or none left."""
_MESSAGE_CHARS = 200
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_SKIP = {".git", ".venv", "venv", "node_modules", "__pycache__"}


@dataclass(frozen=True, slots=True)
class TestCases:
    """What result files in JUnit's form say."""

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    messages: tuple[str, ...] = ()
    """Of each failed case, why: its first line."""
    words: tuple[str, ...] = ()
    """The names that the failures speak of, the design's signals among them."""


def run_command(
    test: CommandTest,
    *,
    root: Path,
    scratch: Path,
    isolation: Isolation,
    cancel: CancelToken,
    programs: Path | None = None,
) -> SimResult:
    """Runs the command at the root of a private copy and reads its exit code, its `results.xml` files and its log.

    `make` can exit with 0 although tests failed, and "Error" can stand in a passing log. So a result file that this
    run wrote outranks the rest; then a test runner's closing counts; then an exit code that is not 0 fails; then the
    log's own summary counts. Where nothing is said, the exit code is left, and the report says that.

    Raises:
        ToolNotFound: the shell does not find the command's program: nothing was tested.
        NoLicence: nothing was tested either.
    """
    simulator = licensed_simulator(test.command, root, wanted=bool(isolation.licences))
    before = {path: path.stat().st_mtime_ns for path in _result_files(root)}
    confine = Confinement(isolation=isolation, writable=(root, scratch), licensed=bool(simulator))
    # `programs` is a directory that comes first on the command's PATH.
    env = {"PATH": f"{programs}:{os.environ.get('PATH', '')}"} if programs is not None else None
    done = execute(
        ["sh", "-c", test.command], cwd=root, timeout_s=test.timeout_s, cancel=cancel, env=env, confine=confine
    )
    common = SimResult(
        outcome=Outcome.FAIL,
        engine=simulator or _program(test.command),
        wall_s=done.wall_s,
        cpu_s=done.cpu_s,
        log_tail=done.output[-_LOG_TAIL_CHARS:],
    )
    if missing := _missing(done, test):
        raise ToolNotFound(f"the test command cannot run: {missing}", hint="veriloop doctor")
    written = [path for path in _result_files(root) if before.get(path) != path.stat().st_mtime_ns]
    result = _judged(test, done, common, written)
    told = result.passed and result.reason != SILENT
    if simulator and not told and (refused := _NO_LICENCE.search(done.output)):
        raise NoLicence(f"{simulator} got no licence: {refused[0].strip()[:_MESSAGE_CHARS]}", hint=EXAMPLE)
    return result


def _judged(test: CommandTest, done: Completed, common: SimResult, written: list[Path]) -> SimResult:
    if done.timed_out:
        return replace(common, outcome=Outcome.TIMEOUT, reason=f"no end within {test.timeout_s:g} s")
    if done.stopped:
        return replace(common, outcome=Outcome.TIMEOUT, reason=f"the command {done.why_cut_off}")
    if written:
        return _by_cases(read_cases(written), done, common)
    tally = read_tally(done.output)
    if tally is not None and not (test.pass_pattern and tally.green):
        return _by_tally(tally, done, common)
    return _by_log(test, done, common)


def _missing(done: Completed, test: CommandTest) -> str:
    """What a shell or a make said of a program that is not on this machine; empty where none is missing."""
    if done.returncode == _NOT_FOUND:
        said = done.output.strip().splitlines()
        return said[-1] if said else test.command
    tail = done.output[-_LOG_TAIL_CHARS:]
    named = _NO_PROGRAM.search(tail)
    return named[0] if done.returncode and named and _MAKE_NOT_FOUND.search(tail) else ""


def _by_cases(cases: TestCases, done: Completed, common: SimResult) -> SimResult:
    total = len(cases.passed) + len(cases.failed)
    green = done.returncode == 0 and total > 0 and not cases.failed
    reason = f"{len(cases.passed)} of {total} tests passed" if total else "no test ran"
    failures = len(cases.failed) or (0 if green else 1)
    return replace(
        common,
        outcome=Outcome.PASS if green else Outcome.FAIL,
        reason=reason if done.returncode == 0 or cases.failed else f"{reason}, exit code {done.returncode}",
        checks=max(total, failures),
        failures=failures,
        failing=tuple(dict.fromkeys([*cases.failed, *cases.words, *read_summary(done.output).failing])),
        passing=cases.passed,
    )


def _by_tally(tally: Tally, done: Completed, common: SimResult) -> SimResult:
    green = done.returncode == 0 and tally.green
    failures = tally.failed or (0 if green else 1)
    words = () if green else read_summary(done.output).failing
    return replace(
        common,
        outcome=Outcome.PASS if green else Outcome.FAIL,
        reason=tally.reason if done.returncode == 0 or tally.failed else f"{tally.reason}, exit code {done.returncode}",
        checks=max(tally.passed + tally.failed, failures),
        failures=failures,
        failing=tuple(dict.fromkeys([*tally.failing, *words])),
    )


def _by_log(test: CommandTest, done: Completed, common: SimResult) -> SimResult:
    summary = read_summary(done.output, pass_pattern=test.pass_pattern)
    # A log that says nothing leaves the word to the exit code; one that says "failed" is believed whatever the code.
    green = done.returncode == 0 and summary.passed is not False
    said = summary.reason if summary.passed is not None else ""
    return replace(
        common,
        outcome=Outcome.PASS if green else Outcome.FAIL,
        reason=f"exit code {done.returncode}" + (f": {said}" if said else "") if said or not green else SILENT,
        checks=summary.checks or 1,
        failures=0 if green else max(1, summary.failures),
        failing=() if green else summary.failing,
        mismatches=() if green else summary.mismatches,
    )


def read_cases(paths: list[Path]) -> TestCases:
    """The test cases of result files; one that cannot be read counts as a failure of its own."""
    passed, failed, messages = [], [], []
    words: dict[str, None] = {}
    for path in paths:
        try:
            root = ElementTree.parse(path).getroot()
        except ElementTree.ParseError:
            failed.append(path.name)
            messages.append("not a result file that can be read")
            continue
        for case in root.iter("testcase"):
            name = case.get("name") or "test"
            failures = [*case.iter("failure"), *case.iter("error")]
            if failures:
                failed.append(name)
                messages.append(_first_line(failures[0]))
                words.update(dict.fromkeys(_WORD.findall(_told(failures[0]))))
            elif case.find("skipped") is None:
                passed.append(name)
    return TestCases(tuple(passed), tuple(failed), tuple(messages), tuple(words))


def _first_line(failure: ElementTree.Element) -> str:
    """What the failure is called and its first line, `AssertionError: count is 3`; else the statement that failed."""
    text = (failure.get("message") or failure.text or "").strip()
    lines = text.splitlines() or [""]
    if lines[0].startswith("Traceback"):
        told = [line.strip() for line in lines[1:-1] if not line.lstrip().startswith(('File "', "^", "~"))]
        lines = told[-1:] or lines
    words = [failure.get("type") or "", lines[0]]
    return ": ".join(word for word in words if word)[:_MESSAGE_CHARS]


def _told(failure: ElementTree.Element) -> str:
    # The end of a trace holds the statement that failed; where it stands says nothing about the design.
    lines = (failure.text or "")[-_LOG_TAIL_CHARS:].splitlines()
    told = [line for line in lines if not line.lstrip().startswith(('File "', "Traceback"))]
    return "\n".join([failure.get("message") or "", *told])


def _result_files(root: Path) -> list[Path]:
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _SKIP]
        found += [Path(folder, name) for name in names if name.endswith(".xml") and "result" in name.lower()]
    return found


def _program(command: str) -> str:
    """The word that names the run: the program after whatever `cd` stands before it."""
    words = command.rsplit("&&", 1)[-1].split()
    return words[0] if words else "sh"
