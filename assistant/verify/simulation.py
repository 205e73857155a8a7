"""Running a testbench: from which start states, by which simulators, and what the runs come to together.

Two-state simulation hides a missing reset, so Verilator runs a testbench from all zeros, from all ones and from a
random state; Icarus, where installed, adds a four-state run, in which an unknown stays unknown.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed
from veriloop.assistant.verify import oracle
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.cocotb import run_cocotb
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.icarus import COMPILE_TIMEOUT_S
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.summary import NO_SUMMARY, SILENT, read_summary, severity_lines
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import END_MARK, SEED, START_STATES, Binary, Rejected

_NOT_THERE = re.compile(r"Error: (System task/function \S+ is not defined by any module)")
_NOT_RUNNABLE = "Program not runnable"
LOG_TAIL_CHARS = 4000
_SELF_CHECKS = re.compile(rb"\$(?:error|fatal)\b|\bassert\s*(?:#|\(|(?:property|final)\b)")
_NOT_CODE = re.compile(rb'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_AT_START = re.compile(
    rb"\binitial\s+(?:begin\s*(?::\s*\w+\s*)?)?(?:\$(?:display|write|info|warning)\b[^;]*;\s*)*(?:assert\b[^;]*;\s*)+"
)
"""What a module says of its parameters when a simulation starts: no check of what the design does then."""
_RANDOM = re.compile(rb"\$u?random\b|\$dist_\w+")

FileBench = VerilogTestbench | TraceTestbench


def run_testbench(
    testbench: Testbench,
    *,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    until_red: bool = False,
) -> tuple[SimResult, ...]:
    """Runs a testbench in every way that its kind has.

    Args:
        testbench: what judges; its paths count from `root`.
        root: a private copy of a tree; simulations run there.
        scratch: an existing directory for builds.
        toolchain: the simulators.
        cancel: stops everything.
        until_red: a four-state run that fails is enough: it comes first, and nothing else is built. For a base of
            which only that is asked.

    Raises:
        ToolError: a tool broke or is missing; says nothing about the design.
    """
    if isinstance(testbench, CommandTest):
        return (run_command(testbench, root=root, scratch=scratch, isolation=toolchain.isolation, cancel=cancel),)
    if isinstance(testbench, CocotbTestbench):
        return run_cocotb(testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    by_icarus = None
    if until_red and isinstance(testbench, VerilogTestbench):
        by_icarus = run_icarus(testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
        if by_icarus is not None and _blocks(by_icarus):
            return (by_icarus,)
    by_verilator = run_verilator(testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    if by_icarus is None:
        by_icarus = run_icarus(testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    return (*by_verilator, *([by_icarus] if by_icarus else []))


def is_cut_short(results: Sequence[SimResult]) -> bool:
    """Whether these are not all the runs that there are, because the first was red."""
    return all(result.engine == "icarus" for result in results)


def _blocks(four_state: SimResult) -> bool:
    """Whether a self-checking testbench is red by this run alone, whatever Verilator says: see `conclude`."""
    ran = four_state.outcome in (Outcome.FAIL, Outcome.TIMEOUT)
    return ran and four_state.reason != NO_SUMMARY


def run_verilator(
    testbench: FileBench,
    *,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    optimize: int = 0,
    until_red: bool = False,
) -> tuple[SimResult, ...]:
    """Builds once and runs from each start state; one result if Verilator does not take the files.

    Args:
        testbench: what judges.
        root: the tree.
        scratch: an existing directory for builds.
        toolchain: has Verilator.
        cancel: stops it.
        optimize: the C++ compiler's level: 0 for short runs, 1 for long ones.
        until_red: run from no further start state once one has failed.
    """
    features = Features(trace=keeps_dumps(testbench))
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        built = toolchain.verilator.build(
            testbench.design.rooted(root), Path(name), cwd=root, cancel=cancel, features=features, optimize=optimize
        )
        if isinstance(built, Rejected):
            reason = str(built.diagnostics[0].message) if built.diagnostics else "rejected"
            return (
                SimResult(
                    outcome=Outcome.COMPILE_ERROR, engine="verilator", diagnostics=built.diagnostics, reason=reason
                ),
            )
        results: list[SimResult] = []
        for reset, start in START_STATES:
            results.append(_run_binary(testbench, built, reset, start, root=root, toolchain=toolchain, cancel=cancel))
            if results[-1].outcome is Outcome.TIMEOUT or (until_red and not results[-1].passed):
                # Where it hangs, that it hangs from the other states as well is not worth their time.
                break
        return tuple(results)


def _run_binary(
    testbench: FileBench,
    binary: Binary,
    reset: int,
    start: str,
    *,
    root: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> SimResult:
    _forget_output(testbench, root)
    done = toolchain.verilator.simulate(
        binary,
        cwd=root,
        timeout_s=testbench.timeout_s,
        reset=reset,
        seed=SEED,
        plusargs=_plusargs(testbench),
        cancel=cancel,
    )
    return read_verilator_run(testbench, done, root=root, start=start)


def read_verilator_run(testbench: FileBench, done: Completed, *, root: Path, start: str) -> SimResult:
    """What a simulation that `Verilator.build` made came to."""
    result = read_run(testbench, done, root=root, engine="verilator", start=start)
    if done.ok and END_MARK not in done.output and result.passed:
        return replace(result, outcome=Outcome.FAIL, reason="the simulation did not end by itself")
    return result


def run_icarus(
    testbench: FileBench,
    *,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    compile_timeout_s: float = COMPILE_TIMEOUT_S,
) -> SimResult | None:
    """One four-state run; none where Icarus is not installed."""
    icarus = toolchain.icarus
    if icarus is None:
        return None
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        binary = Path(name, "sim.vvp")
        errors = icarus.build(
            testbench.design.rooted(root), binary, cwd=root, cancel=cancel, timeout_s=compile_timeout_s
        )
        if errors is not None:
            reason = errors[0].message if errors else "rejected"
            return SimResult(
                outcome=Outcome.COMPILE_ERROR, engine="icarus", start="x", diagnostics=errors, reason=reason
            )
        _forget_output(testbench, root)
        done = icarus.simulate(
            binary,
            cwd=root,
            timeout_s=testbench.timeout_s,
            plusargs=_plusargs(testbench),
            dumps=keeps_dumps(testbench),
            cancel=cancel,
        )
        return read_icarus_run(testbench, done, root=root)


def read_icarus_run(testbench: FileBench, done: Completed, *, root: Path) -> SimResult:
    """What a four-state simulation came to; one that calls what Icarus does not have was never a simulation."""
    found = read_run(testbench, done, root=root, engine="icarus", start="x")
    missing = _NOT_THERE.search(done.output)
    if missing is not None and _NOT_RUNNABLE in done.output:
        return replace(found, outcome=Outcome.COMPILE_ERROR, reason=missing[1])
    return found


def keeps_dumps(testbench: FileBench) -> bool:
    """Whether a VCD file that a run writes is looked at; where it is not, none is written."""
    return isinstance(testbench, TraceTestbench) and testbench.oracle.suffix.lower() == ".vcd"


def read_run(testbench: FileBench, done: Completed, *, root: Path, engine: str, start: str) -> SimResult:
    """What a finished simulation came to."""
    common = SimResult(
        outcome=Outcome.FAIL,
        engine=engine,
        start=start,
        wall_s=done.wall_s,
        cpu_s=done.cpu_s,
        log_tail=done.output[-LOG_TAIL_CHARS:],
    )
    if done.cut_off:
        return replace(common, outcome=Outcome.TIMEOUT, reason=f"the simulation {done.why_cut_off}")
    if isinstance(testbench, TraceTestbench):
        return _read_trace(testbench, common, root)
    summary = read_summary(
        done.output.replace(END_MARK, ""),
        pass_pattern=testbench.pass_pattern,
        fail_pattern=testbench.fail_pattern,
        self_checking=_checks_itself(testbench, root),
    )
    passed, reason = summary.passed is True, summary.reason
    if done.returncode != 0:
        passed = False
        if not severity_lines(done.output) and not summary.failures:
            reason = f"the simulation ended with exit code {done.returncode}"
    return replace(
        common,
        outcome=Outcome.PASS if passed else Outcome.FAIL,
        reason=reason,
        checks=summary.checks,
        failures=summary.failures,
        failing=summary.failing,
        passing=summary.passing,
        mismatches=summary.mismatches,
    )


def _read_trace(testbench: TraceTestbench, common: SimResult, root: Path) -> SimResult:
    found = oracle.compare(root / testbench.oracle, root / testbench.output)
    if not found.checks:
        raise UsageError(f"the oracle {testbench.oracle} expects nothing: no value that is not x")
    reason = f"{found.failures} of {found.checks} expected values differ"
    return replace(
        common,
        outcome=Outcome.FAIL if found.failures else Outcome.PASS,
        reason=reason,
        checks=found.checks,
        failures=found.failures,
        failing=found.failing,
        passing=found.passing,
        mismatches=found.mismatches,
    )


def _forget_output(testbench: FileBench, root: Path) -> None:
    # What an earlier run wrote must not be taken for this run's.
    if isinstance(testbench, TraceTestbench):
        (root / testbench.output).unlink(missing_ok=True)


def _plusargs(testbench: FileBench) -> Sequence[str]:
    return testbench.plusargs if isinstance(testbench, VerilogTestbench) else ()


def follows_random(testbench: Testbench, root: Path) -> bool:
    """Whether a testbench draws from a simulator's own random stream, of which each simulator has another."""
    return not isinstance(testbench, CocotbTestbench | CommandTest) and _mentions(testbench, root, _RANDOM)


def _checks_itself(testbench: FileBench, root: Path) -> bool:
    """Whether its code reports failures, so that silence means that there was none.

    Words in comments and texts report nothing ("assert reset"), nor do checks of parameters in what it instantiates.
    """
    top = re.compile(rb"\bmodule\s+(?:(?:automatic|static)\s+)?%s\b" % re.escape(testbench.design.toplevel.encode()))
    for path in (root / path for path in testbench.design.sources):
        code = _NOT_CODE.sub(b" ", path.read_bytes()) if path.is_file() else b""
        if _SELF_CHECKS.search(code if top.search(code) else _AT_START.sub(b" ", code)):
            return True
    return False


def _mentions(testbench: FileBench, root: Path, pattern: re.Pattern[bytes]) -> bool:
    paths = (root / path for path in testbench.design.sources)
    return any(pattern.search(path.read_bytes()) for path in paths if path.is_file())


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What the runs of one testbench come to together."""

    passed: bool
    evidence: Evidence
    notes: tuple[str, ...] = ()


def conclude(testbench: Testbench, results: Sequence[SimResult], *, root: Path) -> Conclusion:
    """Weighs the runs of a testbench.

    Verilator from zeros and from ones must pass. A run from random state that alone fails counts unless the
    four-state run passed, which shows that nothing depends on the unknown bits but what the testbench lets be
    unknown. A four-state run that fails blocks a self-checking testbench, in Verilog or in cocotb; a trace is its own
    authority, and a second simulator may sample it elsewhere, so there the disagreement is a note. Where Verilator does
    not take the testbench, or the trace comes from another random stream than its own, a pass by Icarus is a class of
    its own.
    """
    if isinstance(testbench, CommandTest):
        passed = bool(results) and all(result.passed for result in results)
        silent = passed and any(result.reason == SILENT for result in results)
        notes = ("told by its exit code alone",) if silent else ()
        return Conclusion(passed=passed, evidence=Evidence.TESTS if passed else Evidence.NONE, notes=notes)
    fixed = [run for run in results if run.engine == "verilator" and not run.start.startswith("random")]
    chance = [run for run in results if run.engine == "verilator" and run.start.startswith("random")]
    four_state = next((run for run in results if run.engine == "icarus"), None)
    rejected = any(run.outcome is Outcome.COMPILE_ERROR for run in fixed)
    four_state_passed = four_state is not None and four_state.passed
    if bool(fixed) and all(run.passed for run in fixed):
        return _conclude_verilator(testbench, chance, four_state)
    trace = isinstance(testbench, TraceTestbench)
    if four_state_passed and (rejected or trace):
        random = trace and follows_random(testbench, root)
        why = "the trace is met under Icarus only" + (", whose random stream it follows" if random else "")
        why = "Verilator does not take this testbench" if rejected else why
        return Conclusion(passed=True, evidence=Evidence.TESTS_ICARUS, notes=(f"{why}: judged by Icarus alone",))
    return Conclusion(passed=False, evidence=Evidence.NONE)


def _conclude_verilator(
    testbench: FileBench | CocotbTestbench, chance: Iterable[SimResult], four_state: SimResult | None
) -> Conclusion:
    notes: list[str] = []
    passed = True
    if four_state is not None and not four_state.passed:
        ran = four_state.outcome is not Outcome.COMPILE_ERROR
        notes.append(f"Icarus (four-state) {'disagrees' if ran else 'does not take the files'}: {four_state.reason}")
        passed = isinstance(testbench, TraceTestbench) or not ran
    for run in chance:
        if run.passed:
            continue
        excused = four_state is not None and four_state.passed
        notes.append(f"from start state {run.start}: {run.reason}" + (", where a four-state run passes" * excused))
        passed = passed and (excused or isinstance(testbench, TraceTestbench))
    return Conclusion(passed=passed, evidence=Evidence.TESTS if passed else Evidence.NONE, notes=tuple(notes))


def fresh_scratch(parent: Path) -> Path:
    """A new directory under `parent` for one worker's builds."""
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=parent))


def drop_scratch(path: Path) -> None:
    """Removes a scratch directory."""
    shutil.rmtree(path, ignore_errors=True)
