"""The repair workflow: a failing test goes in, a change that the gate passed comes out, or an honest "not found"."""

from __future__ import annotations

import contextlib
import functools
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from veriloop.assistant.design.dataflow import Dataflow
from veriloop.assistant.design.edits import Edit, Patch, unified_diff
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.design.project import Project
from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.farm.elsewhere import Elsewhere
from veriloop.assistant.gate import Gate, require_red
from veriloop.assistant.repair.advice import Adviser
from veriloop.assistant.repair.choose import Choice, choose
from veriloop.assistant.repair.compile_errors import compile_fixes
from veriloop.assistant.repair.farm_screen import FarmScreen
from veriloop.assistant.repair.screen import Contents, Screen, Worker, worst
from veriloop.assistant.repair.search import Focus, Found, Limits, State, search
from veriloop.assistant.repair.silence import Silence, reading_of
from veriloop.assistant.repository.export import export
from veriloop.assistant.repository.private import private_directory
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.cache import VerdictCache
from veriloop.assistant.verify.evidence import Evidence, Report, Step
from veriloop.assistant.verify.judged import by_licensed
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import conclude, follows_random
from veriloop.assistant.verify.summary import NO_SUMMARY
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)
from veriloop.assistant.verify.toolchain import Toolchain

_TIMEOUT_FACTOR = 20
_SHORTEST_TIMEOUT_S = 1.0
_COMMAND_TIMEOUT_FACTOR = 15
_SHORTEST_COMMAND_TIMEOUT_S = 1.5
_GATE_TRIES = 4
"""How many plausible candidates the gate is asked about before the search goes on."""


class Status(StrEnum):
    """How a repair ended."""

    REPAIRED = "repaired"
    """The gate passed a change."""
    WEAK = "plausible"
    """A change passes the testbench, but with evidence below what may be applied."""
    NOT_FOUND = "not found"
    PASSES = "nothing to repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be repaired.

    Args:
        testbench: what fails now.
        editable: the files that may be changed, relative to the root of the work tree.
        budget_s: seconds that the search may take.
        clock: counts them: wall seconds, or a measurement's CPU seconds.
        jobs: candidates judged at once.
        spec: a specification's text; rivals are weighed by what it mentions.
        minimum: the evidence that is enough.
        replay: the command that judges the same again, for the report.
        judges: what the gate judges by, where the testbench only screens, because it is the same test in a cheaper
            form; none: the testbench itself.
        focus: how suspected the places of each file are, for the order of the search.
        refuted: fingerprints of candidates that an earlier search has seen fail.
        farm: where many candidates at once are judged; none: here.
        settings: how the repository's files are read, where the testbench is a command and does not say it.
    """

    testbench: Testbench
    editable: tuple[str, ...]
    budget_s: float = 60.0
    clock: Callable[[], float] = time.monotonic
    jobs: int = 1
    spec: str = ""
    minimum: Evidence = Evidence.TESTS
    replay: str = ""
    judges: tuple[Testbench, ...] = ()
    focus: Focus = field(default_factory=dict)
    refuted: frozenset[bytes] = frozenset()
    farm: Elsewhere | None = None
    settings: DesignSettings = field(default_factory=DesignSettings)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairResult:
    """What came of it."""

    status: Status
    report: Report | None = None
    contents: Mapping[str, bytes] = field(default_factory=dict)
    """The changed files, whole."""
    diff: str = ""
    operators: tuple[str, ...] = ()
    tried: int = 0
    refused: int = 0
    """Candidates that did not elaborate, so that no simulator ran them."""
    advised: bool = False
    """Whether a model was asked and its advice followed."""
    saw: str = ""
    prompt: str = ""
    """What that model was shown, in words and word for word."""
    plausible: int = 0
    """Candidates that passed the testbench while searching."""
    stilled: tuple[str, ...] = ()
    """Outputs that moved before and with the change never do: the test may see nothing any more."""
    choice: Choice | None = None
    baseline: tuple[Step, ...] = ()
    best: float = 1.0
    """Share of the checks that the best candidate fails."""
    closest: str = ""
    """The diff of the best candidate, where none passes."""
    reason: str = ""
    seconds: float = 0.0
    refuted: tuple[bytes, ...] = ()
    """Fingerprints of candidates that failed no less than what they were made from."""


def repair(
    repository: Repository,
    toolchain: Toolchain,
    request: Request,
    *,
    cancel: CancelToken,
    cache: VerdictCache | None = None,
    needs: tuple[str, ...] = (),
    locked: tuple[str, ...] = (),
    adviser: Adviser | None = None,
) -> Run[RepairResult]:
    """Repairs the editable files so that the testbench passes.

    Args:
        repository: where; its work tree as it is now is the base.
        toolchain: the simulators.
        request: what fails and what may change.
        cancel: stops it.
        cache: verdicts of earlier runs; none: they are kept for this run only.
        needs: ignored files that the tests need.
        locked: globs of files that no patch may touch (`[project] protected`).
        adviser: a model that the search may ask; it is closed when the search is over.

    Raises:
        UsageError: an editable file is not there.
        NotVerified: the testbench itself does not compile, gives no verdict, or passes in a private copy although the
            user says that it fails.
        ToolError: a tool broke or is missing.
    """
    started = time.monotonic()
    deadline = request.clock() + request.budget_s
    base = repository.snapshot()
    original = _original(repository, base, request.editable)
    with private_directory(repository.cache) as directory:
        verdicts = cache or VerdictCache(directory / "verdicts")
        gate = Gate(
            repository=repository, toolchain=toolchain, cache=verdicts, cancel=cancel, needs=needs, locked=locked
        )
        baseline = yield from gate.baseline(base, [request.testbench, *request.judges])
        results = _runs(baseline, request.testbench)
        workers = []
        for index in range(max(1, request.jobs)):
            copy = export(repository, base, directory / f"tree{index}", needs=needs)
            scratch = directory / f"build{index}"
            scratch.mkdir()
            workers.append(Worker(copy.root, scratch))
        root = workers[0].root
        if conclude(request.testbench, results, root=root).passed:
            if isinstance(request.testbench, CommandTest):
                require_red(baseline, request.testbench)
            return RepairResult(status=Status.PASSES, baseline=baseline, seconds=time.monotonic() - started)
        _require_verdict(request, results, root)
        with _screen(request, original, results, workers, toolchain, cancel) as screen:
            yield from _tell(results)
            settled = _Settled()
            beside = Project.load(root, request.settings) if by_licensed(baseline) else None

            def settle(found: Found) -> Run[Sequence[State]]:
                ranked, choice = yield from _ranked(found, original, request, toolchain, root, directory, cancel)
                settled.outcome = yield from _verify(gate, base, original, ranked, request, beside)
                settled.choice = choice
                return ranked[:_GATE_TRIES] if settled.outcome.state is None else ()

            scratch = directory / "silence"
            scratch.mkdir()
            silence = Silence(
                testbench=request.testbench,
                baseline=worst(results),
                original=original,
                settings=request.settings,
                root=root,
                scratch=scratch,
                toolchain=toolchain,
                cancel=cancel,
            )
            found = yield from _search(screen, request, original, results, deadline, root, adviser, settle, silence)
            chosen = settled.outcome.state
            stilled = silence.stilled(chosen.contents, chosen.result) if chosen is not None else ()
    result = _result(settled.outcome, found, settled.choice, baseline, original, time.monotonic() - started)
    return replace(result, stilled=stilled)


def _original(repository: Repository, base: str, editable: Sequence[str]) -> Contents:
    contents = {}
    for path in editable:
        content = repository.read(base, path)
        if content is None:
            raise UsageError(f"no such file in the work tree: {path}", hint="git status --ignored")
        contents[path] = content
    if not contents:
        raise UsageError("nothing may be changed: no RTL file is known", hint="veriloop repair FILE.sv --test CMD")
    return contents


def _runs(steps: Sequence[Step], testbench: Testbench) -> tuple[SimResult, ...]:
    step = next((step for step in steps if step.name == testbench.name), None)
    if step is None or not step.results:
        detail = step.detail if step is not None else "it did not run"
        raise UsageError(f"the testbench {testbench.name} cannot be run: {detail}")
    return step.results


def _require_verdict(request: Request, results: Sequence[SimResult], root: Path) -> None:
    """Tells apart what is no fault of the RTL: a testbench that does not compile, or that says nothing."""
    if all(run.outcome is Outcome.FAIL and run.reason == NO_SUMMARY for run in results):
        raise NotVerified(
            f"{NO_SUMMARY}, so nothing can be verified by it",
            hint="name what a pass prints: --pass-pattern 'ALL TESTS PASSED'",
        )
    if not all(run.outcome is Outcome.COMPILE_ERROR for run in results):
        return
    editable = {str(root / path) for path in request.editable} | set(request.editable)
    errors = [error for run in results for error in run.diagnostics if error.severity == "error"]
    mine = [error for error in errors if error.path in editable or str(root / error.path) in editable]
    if errors and not mine and not _broken(request, root):
        raise NotVerified(
            f"the testbench does not compile, which is not the RTL's fault: {_relative(errors[0], root)}",
            hint="correct the testbench, or name the files that it needs in veriloop.toml",
        )


def _broken(request: Request, root: Path) -> bool:
    """Whether the elaborator finds errors in an editable file, wherever the simulators see the consequence."""
    if not isinstance(request.testbench, VerilogTestbench | TraceTestbench):
        return True
    paths = {root / path for path in request.editable}
    return any(Path(error.path) in paths for error in Elaborator(request.testbench.design.rooted(root)).errors())


def _relative(diagnostic: Diagnostic, root: Path) -> str:
    return str(diagnostic).replace(f"{root}/", "")


@contextlib.contextmanager
def _screen(
    request: Request,
    original: Contents,
    results: Sequence[SimResult],
    workers: Sequence[Worker],
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Iterator[Screen]:
    engine = _engine(request.testbench, results)
    elaborator = _elaborator(request.testbench, workers[0].root, results)
    made = Screen if request.farm is None else functools.partial(FarmScreen, request.farm)
    screen = made(
        request.testbench,
        engine=engine,
        original=original,
        workers=workers,
        toolchain=toolchain,
        elaborator=elaborator,
        timeout_s=_timeout_s(request.testbench, results),
        cancel=cancel,
        refuted=request.refuted,
    )
    try:
        yield screen
    finally:
        screen.close()


def _engine(testbench: Testbench, results: Sequence[SimResult]) -> str:
    """Icarus where it saw the failure too, because it judges a small design in the time in which Verilator builds."""
    if isinstance(testbench, CommandTest):
        return "command"
    by_icarus = next((run for run in results if run.engine == "icarus"), None)
    by_verilator = [run for run in results if run.engine == "verilator"]
    if by_icarus is None or by_icarus.passed:
        return "verilator"
    compiles_only_elsewhere = by_icarus.outcome is Outcome.COMPILE_ERROR and not all(
        run.outcome is Outcome.COMPILE_ERROR for run in by_verilator
    )
    return "verilator" if compiles_only_elsewhere else "icarus"


def _elaborator(testbench: Testbench, root: Path, results: Sequence[SimResult]) -> Elaborator | None:
    """In-process elaboration, unless it refuses what a simulator took."""
    if isinstance(testbench, CommandTest):
        return None
    elaborator = Elaborator(testbench.design.rooted(root))
    compiled = any(run.outcome is not Outcome.COMPILE_ERROR for run in results)
    return None if compiled and elaborator.errors() else elaborator


def _timeout_s(testbench: Testbench, results: Sequence[SimResult]) -> float:
    """How long a candidate may run: a multiple of what the original took, where it ended at all."""
    ended = [run.wall_s for run in results if run.outcome in (Outcome.FAIL, Outcome.PASS) and run.wall_s]
    if isinstance(testbench, CommandTest | CocotbTestbench):
        factor, shortest = _COMMAND_TIMEOUT_FACTOR, _SHORTEST_COMMAND_TIMEOUT_S
    else:
        factor, shortest = _TIMEOUT_FACTOR, _SHORTEST_TIMEOUT_S
    longest = max(ended, default=testbench.timeout_s / factor)
    return min(testbench.timeout_s, max(shortest, factor * longest))


def _tell(results: Sequence[SimResult]) -> Iterator[Note]:
    red = worst(results)
    where = f" from {red.start}" if red.start and red.start != "x" else ""
    yield Note(f"the test fails under {red.engine}{where}: {red.reason}")


def _search(
    screen: Screen,
    request: Request,
    original: Contents,
    results: Sequence[SimResult],
    deadline: float,
    root: Path,
    adviser: Adviser | None,
    settle: Callable[[Found], Run[Sequence[State]]],
    silence: Silence,
) -> Run[Found]:
    yield Stage("screen")
    known = [run for run in results if run.engine == screen.engine]
    baseline = worst(known) if known else screen.judge([original])[0]
    # A testbench that only screens was written for the engine that its command starts; another may refuse what is
    # right.
    screen.share(original, results, only=bool(request.judges))
    starts: list[State] = []
    if baseline.outcome is Outcome.COMPILE_ERROR and screen.elaborator is not None:
        yield Stage("compile errors")
        starts = _compiling(screen, original, root)
    limits = Limits(deadline=deadline, look_on_s=max(2.0, request.budget_s / 12), clock=request.clock)
    distances = _distances(request.testbench, original, baseline, root)
    yield Stage("search")
    by_icarus = isinstance(request.testbench, TraceTestbench) and screen.engine == "icarus"
    try:
        found = yield from search(
            screen,
            original,
            baseline,
            limits,
            starts=starts,
            distances=distances,
            confirm_near=by_icarus,
            confirm_passed=by_icarus and not follows_random(request.testbench, root),
            focus=request.focus,
            adviser=adviser,
            settle=settle,
            stilled=silence.stilled,
        )
    finally:
        if adviser is not None:
            adviser.close()
    if adviser is not None and (found.advised or adviser.trouble):
        followed = f"the model's advice was followed; it saw {adviser.saw}"
        yield Note(followed if found.advised else f"no advice of a model: {adviser.trouble}", adviser.tokens_per_s)
    return found


def _compiling(screen: Screen, original: Contents, root: Path) -> list[State]:
    """States that compile, made of the elaborator's messages."""
    states = []
    for path, content in original.items():
        for fixed in compile_fixes(content, *_about(screen.elaborator, root / path)):
            result = SimResult(outcome=Outcome.COMPILE_ERROR, engine=screen.engine)
            contents = {**original, path: fixed.content}
            states.append(State(contents=contents, operators=fixed.operators, cost=fixed.cost, result=result, count=0))
    return states


def _about(
    elaborator: Elaborator | None, path: Path
) -> tuple[Callable[[bytes], tuple[Diagnostic, ...]], Callable[[Diagnostic], bool]]:
    """The elaborator's errors for a new content of one file, and whether an error stands in that file."""

    def errors(content: bytes) -> tuple[Diagnostic, ...]:
        return elaborator.errors({path: content}) if elaborator is not None else ()

    return errors, lambda error: Path(error.path) == path


def _distances(
    testbench: Testbench, original: Contents, baseline: SimResult, root: Path
) -> Mapping[str, Mapping[str, int]]:
    """For modules below the one whose outputs fail: how far their signals are from those outputs."""
    if isinstance(testbench, CommandTest):
        return {}
    elaboration = Elaborator(testbench.design.rooted(root)).elaborate()
    if elaboration.errors:
        return {}
    failing = set(baseline.failing)
    owners = {
        name: failing & {port.name for port in module.ports if port.direction != "input"}
        for name, module in elaboration.modules.items()
        if module.path is not None and any(module.path == root / path for path in original)
    }
    top = max(owners, key=lambda name: len(owners[name]), default="")
    if not top or not owners[top]:
        return {}
    found: dict[str, dict[str, int]] = {}
    for (module, signal), distance in Dataflow.of(elaboration).cones(owners[top], module=top).items():
        if module != top:
            found.setdefault(module, {})[signal] = distance
    return found


def _ranked(
    found: Found,
    original: Contents,
    request: Request,
    toolchain: Toolchain,
    root: Path,
    directory: Path,
    cancel: CancelToken,
) -> Run[tuple[list[State], Choice | None]]:
    """The plausible states, the best first."""
    rivals = found.passing
    changed = sorted({path for state in rivals for path in original if state.contents[path] != original[path]})
    design = reading_of(request.testbench, changed, root, request.settings) if len(rivals) > 1 else None
    if design is None:
        return sorted(rivals, key=lambda state: state.cost), None
    yield Stage("telling rivals apart")
    scratch = Path(tempfile.mkdtemp(prefix="rivals", dir=directory))
    choice = choose(
        rivals,
        original,
        design,
        spec=request.spec,
        root=root,
        scratch=scratch,
        toolchain=toolchain,
        cancel=cancel,
    )
    return list(choice.ranked), choice


@dataclass(frozen=True, slots=True)
class _Verified:
    state: State | None = None
    report: Report | None = None
    weak: bool = False


@dataclass(slots=True)
class _Settled:
    """What the gate has said last of those that pass, and how they were told apart."""

    outcome: _Verified = field(default_factory=_Verified)
    choice: Choice | None = None


def _verify(
    gate: Gate, base: str, original: Contents, ranked: Sequence[State], request: Request, beside: Project | None
) -> Run[_Verified]:
    """Asks the gate about one plausible state after another until it passes one.

    `beside`: the project whose design is linted and elaborated, because a licensed simulator judges; none otherwise.
    """
    weak = _Verified()
    for state in ranked[:_GATE_TRIES]:
        patch = Patch(edits=tuple(_edits(original, state.contents)), base=base)
        report = yield from gate.check(
            patch,
            request.judges or [request.testbench],
            workflow="repair",
            designs=_around(beside, patch.paths) if beside is not None else (),
            named=request.editable,
            replay=request.replay,
        )
        if report.passed and report.evidence >= request.minimum:
            return _Verified(state, report)
        if report.passed and report.evidence >= Evidence.TESTS_ICARUS and weak.report is None:
            weak = _Verified(state, report, weak=True)
        elif not report.passed:
            failed = next((step for step in report.steps if not step.passed), None)
            yield Note(f"the gate refuses a candidate: {failed.name}: {failed.detail}" if failed else "refused")
    return weak


def _around(project: Project, paths: Sequence[str]) -> tuple[Design, ...]:
    """The design that holds the changed files: the whole, where it has one toplevel, else what they need themselves."""
    changed = [Path(path) for path in paths]
    with contextlib.suppress(UsageError):
        whole = project.design().design
        if whole.toplevel and {*changed} <= {*whole.sources}:
            return (whole,)
        return (project.design_for(changed).design,)
    return ()


def _edits(original: Contents, contents: Contents) -> Iterator[Edit]:
    """The smallest single edit of each changed file."""
    for path, after in contents.items():
        before = original[path]
        if before == after:
            continue
        start = _common(before, after)
        tail = min(_common(before[::-1], after[::-1]), len(before) - start, len(after) - start)
        yield Edit(path=path, start=start, end=len(before) - tail, text=after[start : len(after) - tail])


def _common(one: bytes, two: bytes) -> int:
    """How many leading bytes are equal."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == two[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _result(
    outcome: _Verified,
    found: Found,
    choice: Choice | None,
    baseline: tuple[Step, ...],
    original: Contents,
    seconds: float,
) -> RepairResult:
    common = RepairResult(
        status=Status.NOT_FOUND,
        tried=found.tried,
        refused=found.refused,
        advised=found.advised,
        saw=found.saw,
        prompt=found.prompt,
        plausible=found.passed,
        choice=choice,
        baseline=baseline,
        best=found.best.score if found.best else 1.0,
        seconds=seconds,
        refuted=tuple(found.refuted),
    )
    if outcome.state is None:
        why = "every edit that the operators make was tried" if found.exhausted else "the budget is spent"
        closest = _diff(original, found.best_state.contents) if found.best_state else ""
        return replace(common, reason=why, closest=closest)
    changed = {path: new for path, new in outcome.state.contents.items() if new != original[path]}
    return replace(
        common,
        status=Status.WEAK if outcome.weak else Status.REPAIRED,
        report=outcome.report,
        contents=changed,
        diff=_diff(original, changed),
        operators=outcome.state.operators,
        best=0.0,
    )


def _diff(original: Contents, contents: Contents) -> str:
    return "".join(
        unified_diff(path, original[path], new) for path, new in sorted(contents.items()) if new != original[path]
    )
