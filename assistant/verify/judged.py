"""What the steps on a base and on a changed tree come to together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.project.licensed import NAMES
from veriloop.assistant.verify.evidence import Evidence, Step
from veriloop.assistant.verify.protected import Protected
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.static import ELABORATE, LINT, PARSE, few, relative
from veriloop.assistant.verify.testbench import CommandTest, Testbench

NOT_THERE = "the testbench is not in this tree"
PROTECTED = "protected"
"""The step that says what a change touches of what judges it."""

_SOURCE_SUFFIXES = frozenset({".v", ".sv"})


@dataclass(frozen=True, slots=True)
class Judged:
    """What one tree came to."""

    steps: tuple[Step, ...]
    errors: Counter[str]
    """What the static steps call errors, without their lines."""
    evidence: Evidence
    """What the tests alone show; `NONE` if one failed or none ran."""
    notes: tuple[str, ...] = ()
    warnings: tuple[Diagnostic, ...] = ()
    """What the static steps warn of."""
    faults: tuple[Diagnostic, ...] = ()
    """What they call errors, with the places."""


def settled(before: Judged, after: Judged) -> tuple[Step, ...]:
    """The steps after a change; a static one that finds nothing new is not held against it."""
    found = []
    for step in after.steps:
        mine = {error for error in after.errors - before.errors if error.startswith(f"{step.name}: ")}
        if not step.passed and not is_test(step) and not mine:
            step = replace(step, passed=True, detail=f"as before the change: {step.detail}")
        found.append(step)
    return tuple(found)


def new_warnings(before: Judged, after: Judged) -> tuple[str, ...]:
    """The warnings that the base does not have; a warning that has only moved to another line is none."""
    return tuple(dict.fromkeys(map(str, new_among(before.warnings, after.warnings))))


def new_findings(before: Judged, after: Judged) -> tuple[Diagnostic, ...]:
    """The errors and the warnings that the base does not have, once each."""
    found = (*new_among(before.faults, after.faults), *new_among(before.warnings, after.warnings))
    return tuple(dict.fromkeys(found))


def new_among(before: Sequence[Diagnostic], after: Sequence[Diagnostic]) -> list[Diagnostic]:
    """What was not found before; what has only moved to another line was."""
    known = Counter(map(unplaced, before))
    found = []
    for one in after:
        known[unplaced(one)] -= 1
        if known[unplaced(one)] < 0:
            found.append(one)
    return found


def unplaced(one: Diagnostic) -> tuple[str, str, str]:
    """A finding without its line, which an edit elsewhere moves."""
    return one.path, one.code, one.message


def evidence_of(after: Judged) -> Evidence:
    """How far the evidence reaches: that of the tests, or of the static steps where there are none."""
    if after.evidence:
        return after.evidence
    reached = Evidence.NONE
    for name, evidence in ((PARSE, Evidence.PARSES), (LINT, Evidence.LINTS), (ELABORATE, Evidence.ELABORATES)):
        ran = [step for step in after.steps if step.name.split(" ")[0] == name and not step.results]
        if not ran or not all(step.passed for step in ran):
            break
        reached = evidence
    return reached


def passes(before: Judged, after: Judged) -> bool:
    """Every test is green, and no static step says more than it said about the base."""
    tests = [step for step in after.steps if is_test(step)]
    return all(step.passed for step in tests) and not after.errors - before.errors


def unchecked(
    before: Judged, after: Judged, testbenches: Sequence[Testbench], changed: Sequence[str]
) -> tuple[str, ...]:
    """What was not checked, a line each."""
    lines = []
    if not testbenches:
        lines.append("behaviour: no test was run")
    known = after.errors & before.errors
    if known:
        lines.append(f"what is wrong on the base already: {few(known)}")
    lines += after.notes
    if simulators := by_licensed(after.steps):
        looked = any(step.name.split(" ")[0] == LINT and not step.results for step in after.steps)
        of_verilator = "only lints and elaborates the design" if looked else "has seen nothing of it"
        lines.append(f"judged by {' and '.join(simulators)} alone; Verilator {of_verilator}")
    red = {step.name for step in before.steps if not step.passed}
    lines += [
        f"{step.name}: passes before and after; whether it can fail on this change was not seen"
        for step in after.steps
        if is_test(step) and step.passed and step.name not in red
    ]
    lines += _unread(testbenches, changed)
    lines.append("synthesis, timing and formal properties")
    return tuple(lines)


def _unread(testbenches: Sequence[Testbench], changed: Sequence[str]) -> list[str]:
    """Changed RTL that no testbench names; a command may read anything."""
    if not testbenches or any(isinstance(testbench, CommandTest) for testbench in testbenches):
        return []
    designs = [testbench.design for testbench in testbenches if not isinstance(testbench, CommandTest)]
    named = {path.as_posix() for design in designs for path in (*design.sources, *design.library_files)}
    return [
        f"{path}: no test reads it"
        for path in changed
        if PurePosixPath(path).suffix.lower() in _SOURCE_SUFFIXES and path not in named
    ]


def is_test(step: Step) -> bool:
    """Whether the step is a testbench."""
    return bool(step.results) or step.detail.startswith(NOT_THERE)


def by_licensed(steps: Iterable[Step]) -> tuple[str, ...]:
    """The simulators that need a licence and that judged."""
    return tuple(dict.fromkeys(run.engine for step in steps for run in step.results if run.engine in NAMES))


def reasons(results: Sequence[SimResult], passed: bool) -> list[str]:
    """Why the runs came out as they did; of runs that agree, one line."""
    shown = results if passed else [result for result in results if not result.passed] or results
    said: dict[str, list[str]] = {}
    for result in shown:
        what = result.reason or result.outcome.value
        if result.outcome is Outcome.COMPILE_ERROR:
            what = f"does not compile: {what}"
        said.setdefault(what, []).append(" from ".join(word for word in (result.engine, result.start) if word))
    return [f"{what} ({', '.join(runs)})" for what, runs in said.items()]


def without_root(result: SimResult, root: Path) -> SimResult:
    """The result without the place of the private copy in it."""
    return replace(
        result,
        reason=relative(result.reason, root),
        log_tail=relative(result.log_tail, root),
        diagnostics=tuple(
            replace(one, path=relative(one.path, root), message=relative(one.message, root))
            for one in result.diagnostics
        ),
    )


def copied(left_out: Iterable[tuple[str, str]], added: Iterable[tuple[str, str]]) -> Iterator[str]:
    """In what a private copy differs from the tree, a line each."""
    yield from (f"not in the private copy: {path} ({why})" for path, why in left_out)
    yield from (f"added to the private copy: {path} ({why})" for path, why in added)


def shown(touched: Sequence[Protected]) -> Step:
    """The step of a change that touches what judges it, where that is told apart and not refused."""
    return Step(name=PROTECTED, passed=True, detail="look at these yourself: " + "; ".join(map(str, touched)))
