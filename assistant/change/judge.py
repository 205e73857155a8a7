"""Judges a change that is there already, in the time that there is: cheap steps first, then the tests it reaches."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from veriloop.assistant.change.baseline import Baseline, without_known
from veriloop.assistant.change.explain import explained, first_line
from veriloop.assistant.change.facts import Facts
from veriloop.assistant.change.fixes import as_patch, fixes
from veriloop.assistant.change.history import History
from veriloop.assistant.change.impact import Impact, affected_designs, impact
from veriloop.assistant.change.mutants import MUTANTS, Score, score_step
from veriloop.assistant.change.mutation import Mutation
from veriloop.assistant.change.policy import LEVELS, Policy
from veriloop.assistant.change.result import Checked, LeftOut, Outcome, Place
from veriloop.assistant.change.tests import Tests
from veriloop.assistant.change.unseen import unseen
from veriloop.assistant.config import Config
from veriloop.assistant.design.edits import Edit, Patch
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import Cancelled, ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken, Deadline, Note, Run, Stage
from veriloop.assistant.gate import Gate
from veriloop.assistant.repository.export import Export
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.checklist import mentions
from veriloop.assistant.verify.evidence import Evidence, Report, Step
from veriloop.assistant.verify.exercised import Coverage, exercised
from veriloop.assistant.verify.judged import (
    Judged,
    copied,
    evidence_of,
    new_findings,
    new_warnings,
    passes,
    settled,
    shown,
    unchecked,
)
from veriloop.assistant.verify.protected import Contents, protected
from veriloop.assistant.verify.results import Outcome as Ended
from veriloop.assistant.verify.static import Found
from veriloop.assistant.verify.summary import NO_SUMMARY
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench

ALREADY_REFUTED = "the change is refuted already"
BUDGET = "the budget is spent"
NOT_HERE = "cannot run here"
FAILED_BEFORE = "fails as it did before this change"
COVERAGE = "coverage"

_EXPLAIN_S = 20.0
_STATIC_SHARE = 0.5
"""How much of a budget lint and elaboration may take: a tree may hold many designs, and tests say more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be judged.

    Attributes:
        base: the tree before the change.
        tree: the tree with it.
        budget_s: wall seconds until what is left is left out; none: as long as it takes.
        everything: run every test, whether the change reaches it or not.
        replay: the command that judges the same again.
        coverage: measure what the tests meet of what was changed.
        known: findings of lint that count as old.
    """

    base: str
    tree: str
    budget_s: float | None = None
    everything: bool = False
    replay: str = ""
    coverage: bool = False
    known: Baseline = field(default_factory=Counter)


@dataclass(slots=True)
class Judge:
    """One run over one change.

    Args:
        gate: runs the steps on private copies.
        config: the settings of the tree that the change makes.
        policy: what is enough.
        request: what is judged.
        history: how long tests take.
        choose: the tests, from the tree that the change makes.
    """

    gate: Gate
    config: Config
    policy: Policy
    request: Request
    history: History
    choose: Callable[[Project, Impact], Tests]
    _started: float = field(default_factory=time.monotonic)
    _left_out: list[LeftOut] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)
    _scores: list[Score] = field(default_factory=list)
    _coverage: Coverage = field(default_factory=Coverage)
    _seen: tuple[Diagnostic, ...] | None = None

    def run(self) -> Run[Checked]:
        """Judges it.

        Raises:
            ToolError: a tool broke or is missing; says nothing about the change.
            NotVerified: the repository names commands that the user has not trusted.
        """
        contents = self._contents()
        before = frozenset(self.gate.repository.entries(self.request.base))
        with self.gate.copy(self.request.tree) as (copy, scratch):
            yield from self.gate.tell(copy)
            yield Stage("impact")
            known = Facts.of(self.gate.repository.cache, self.gate.repository.root)
            found = impact(copy.root, contents, before, known)
            project = Project.load(copy.root, self.config.repository.design)
            tests = self.choose(project, found) if self._reaches("tests") else Tests(())
            if not tests.named and not self.request.everything and self._changes_nothing(found):
                return self._unchanged(contents, found)
            designs = tuple(affected_designs(found, project))
            after = yield from self._static(copy, tests, designs, found.changed)
            base = yield from self._static_base(after, tests, designs, found.changed)
            after = _comparable(base, after)
            steps: list[_Ran] = []
            if passes(base, after) and not self._blocking(base, after):
                steps = yield from self._tests(tests, copy, scratch)
            else:
                self._left_out += [LeftOut(test.name, ALREADY_REFUTED) for test in tests.testbenches]
            after = _with_tests(after, steps)
            base, place = yield from self._base_tests(base, steps, tests, contents, found, copy)
            if steps and all(one.step.passed for one in steps) and self._reaches("mutants"):
                yield from self._mutants(steps, contents, found, project, copy, scratch)
            if steps and self.request.coverage:
                yield from self._cover(steps, found, copy, scratch)
            self.history.write()
            return replace(self._answer(contents, found, tests, base, after, steps, copy), place=place)

    def _reaches(self, level: str) -> bool:
        return LEVELS[self.policy.level] >= LEVELS[level]  # type: ignore[index]  # a level's name

    def _contents(self) -> Contents:
        base, tree = self.request.base, self.request.tree
        repository = self.gate.repository
        paths = repository.changed_paths(base, tree)
        return {path: (repository.read(base, path) or b"", repository.read(tree, path) or b"") for path in paths}

    @staticmethod
    def _changes_nothing(found: Impact) -> bool:
        return set(found.changed) <= set(found.layout_only)

    def _unchanged(self, contents: Contents, found: Impact) -> Checked:
        report = replace(self._report(contents), passed=True, seconds=self._spent_s)
        return Checked(
            outcome=Outcome.UNCHANGED,
            report=report,
            left_out=tuple(LeftOut(path, "only comments and layout change") for path in found.layout_only),
            seconds=self._spent_s,
            cached=True,
        )

    # --- the steps ---

    def _static(self, copy: Export, tests: Tests, designs: Sequence[Design], changed: Sequence[str]) -> Run[Judged]:
        yield Stage("lint")
        steps: list[Step] = []
        errors: Counter[str] = Counter()
        warnings: list[Diagnostic] = []
        faults: list[Diagnostic] = []
        for one in self._static_steps(copy, tests, designs, changed):
            steps.append(one.step)
            faults += one.faults
            errors.update({f"{one.step.name}: {error}": count for error, count in one.errors.items()})
            warnings += one.warnings
        # The tree that the change makes is looked at first.
        self._seen = tuple(warnings) if self._seen is None else self._seen
        left = without_known(warnings, self.request.known)
        return Judged(tuple(steps), errors, Evidence.NONE, (), left, tuple(faults))

    def _static_steps(
        self, copy: Export, tests: Tests, designs: Sequence[Design], changed: Sequence[str]
    ) -> Iterator[Found]:
        gate = replace(self.gate, cancel=self._token(_STATIC_SHARE))
        # One design at a time, so that the budget costs those that are left, not those that are done.
        seen = False
        one_by_one: list[tuple[Design, ...]] = [(design,) for design in designs]
        for each in one_by_one or [()]:
            try:
                yield from gate.static(copy, tests.testbenches, each, () if seen else changed)
                seen = True
            except Cancelled:
                self.gate.cancel.check()
                self._left_out.append(LeftOut(f"lint {each[0].toplevel}" if each else "lint", BUDGET))

    def _static_base(
        self, after: Judged, tests: Tests, designs: Sequence[Design], changed: Sequence[str]
    ) -> Run[Judged]:
        """What was wrong before; not worth asking where nothing is wrong now."""
        if not after.errors and not after.warnings:
            return Judged((), Counter(), Evidence.NONE)
        with self.gate.copy(self.request.base) as (copy, _):
            return (yield from self._static(copy, tests, designs, changed))

    def _blocking(self, base: Judged, after: Judged) -> tuple[str, ...]:
        return tuple(line for line in new_warnings(base, after) if self.policy.blocks(_rule(line)))

    def _tests(self, tests: Tests, copy: Export, scratch: Path) -> Run[list[_Ran]]:
        waiting = self.history.ordered(tests.testbenches)
        yield from self._prepare(waiting)
        gate = replace(self.gate, cancel=self._token())
        ran: list[_Ran] = []
        absent: list[ToolNotFound | ToolFailed] = []
        gate.begin(waiting, copy)
        for index, test in enumerate(waiting):
            if not tests.named and any(not one.step.passed for one in ran) and self.request.budget_s is not None:
                self._left_out += [LeftOut(one.name, ALREADY_REFUTED) for one in waiting[index:]]
                break
            yield Stage(f"test: {test.name}")
            started = time.monotonic()
            try:
                gate.cancel.check()
                step, evidence, notes = gate.test(test, copy, scratch)
            except Cancelled:
                self.gate.cancel.check()
                self._left_out.append(LeftOut(test.name, BUDGET))
                continue
            except (ToolNotFound, ToolFailed) as error:
                at_fault = isinstance(error, ToolFailed) or isinstance(test, CommandTest)
                if tests.named or not at_fault or not self._could_not_run(test):
                    raise
                absent.append(error)
                self._left_out.append(LeftOut(test.name, f"{NOT_HERE}: {error}"))
                continue
            if tests.found and step.results and all(NO_SUMMARY in run.reason for run in step.results):
                said = NO_SUMMARY.removeprefix("the testbench ")
                yield Note(f"{test.name} {said}, so it is not counted")
                continue
            if not step.passed and not tests.named and self._failed_before(test, step):
                red = next((run.reason for run in step.results if not run.passed and run.reason), "")
                self._left_out.append(LeftOut(test.name, f"{FAILED_BEFORE}: {red}" if red else FAILED_BEFORE))
                continue
            if not step.cached and step.results:
                self.history.note(test, time.monotonic() - started, passed=step.passed)
            ran.append(_Ran(test, step, evidence, tuple(f"{test.name}: {note}" for note in notes)))
        if absent and not ran and not tests.found:
            raise absent[0]
        return ran

    def _could_not_run(self, test: Testbench) -> bool:
        """Whether a test's program is missing or breaks before the change, too: then the change is not at fault."""
        with self.gate.copy(self.request.base) as (copy, scratch):
            try:
                self.gate.test(test, copy, scratch, until_red=True)
            except (ToolNotFound, ToolFailed):
                return True
        return False

    def _failed_before(self, test: Testbench, step: Step) -> bool:
        """Whether what is committed is not to blame: the test failed before, in each run at least as much."""
        if not self.gate.committed or not step.results:
            return False
        gate = replace(self.gate, cancel=self._token())
        try:
            with gate.copy(self.request.base) as (copy, scratch):
                before = gate.test(test, copy, scratch)[0]
        except Cancelled:
            self.gate.cancel.check()
            return False
        worst = {(run.engine, run.start, run.outcome): run.failures for run in before.results if not run.passed}
        red = [run for run in step.results if not run.passed]
        return all(run.failures <= worst.get((run.engine, run.start, run.outcome), -1) for run in red)

    def _prepare(self, tests: Sequence[Testbench]) -> Iterator[Stage]:
        """Builds what is built once on a machine; that is not counted against the budget of one change."""
        verilator = self.gate.toolchain.verilator
        if verilator.prepared or all(isinstance(test, CommandTest) for test in tests):
            return
        yield Stage("building Verilator's runtime, once on this machine")
        before = time.monotonic()
        verilator.prepare(self.gate.cancel)
        self._started += time.monotonic() - before

    def _base_tests(
        self, base: Judged, ran: Sequence[_Ran], tests: Tests, contents: Contents, found: Impact, after: Export
    ) -> Run[tuple[Judged, Place | None]]:
        """How the tests came out before: all of them, or in a hurry those alone that fail now; and where one breaks."""
        hurry = self.request.budget_s is not None and not tests.named
        asked = [one.test for one in ran if not hurry or not one.step.passed]
        if not asked:
            return base, None
        steps = list(base.steps)
        gate = replace(self.gate, cancel=self._token())
        place: Place | None = None
        with self.gate.copy(self.request.base) as (copy, scratch):
            for test in asked:
                yield Stage(f"before: {test.name}")
                try:
                    steps.append(gate.test(test, copy, scratch, until_red=True)[0])
                except Cancelled:
                    self.gate.cancel.check()
                    self._notes.append(f"{test.name}: whether it passed before was not looked at")
            passed_before = {step.name for step in steps if step.passed}
            broken = next((one for one in ran if not one.step.passed and one.test.name in passed_before), None)
            if broken is not None:
                yield Stage(f"looking for the place: {broken.test.name}")
                place = self._place(broken, contents, found, copy, after, scratch)
        return replace(base, steps=tuple(steps)), place

    def _place(
        self, broken: _Ran, contents: Contents, found: Impact, before: Export, after: Export, scratch: Path
    ) -> Place | None:
        """Where a test breaks. It has a time of its own: a refusal without a place costs more than these seconds."""
        four_state = any(run.engine == "icarus" and run.outcome is Ended.FAIL for run in broken.step.results)
        if not four_state and not isinstance(broken.test, CommandTest | CocotbTestbench):
            # Once on a machine.
            self.gate.toolchain.verilator.prepare(self.gate.cancel, Features(trace=True))
        try:
            return explained(
                broken.test,
                contents,
                found,
                before=before.root,
                after=after.root,
                scratch=scratch,
                toolchain=self.gate.toolchain,
                cancel=Deadline(self.gate.cancel, time.monotonic() + _EXPLAIN_S),
                four_state=four_state,
            )
        except Cancelled:
            self.gate.cancel.check()
            return first_line(broken.test, contents, found)

    def _mutants(
        self, ran: Sequence[_Ran], contents: Contents, found: Impact, project: Project, copy: Export, scratch: Path
    ) -> Run[None]:
        """Whether the tests notice faults in what was changed; a change is not held to what they do not notice."""
        yield Stage(MUTANTS)
        mutation = Mutation(
            contents=contents,
            found=found,
            ran=[(one.test, one.step) for one in ran],
            project=project,
            root=copy.root,
            scratch=scratch,
            toolchain=self.gate.toolchain,
            cancel=self._token(),
        )
        try:
            for score in mutation.run():
                self._scores.append(score)
                yield Note(f"{score.path}: {score_step([score]).detail}")
        except Cancelled:
            self.gate.cancel.check()
            self._left_out.append(LeftOut(MUTANTS, BUDGET))

    def _cover(self, ran: Sequence[_Ran], found: Impact, copy: Export, scratch: Path) -> Run[None]:
        """How much of what was changed the tests meet; it says how far the evidence reaches and decides nothing."""
        yield Stage(COVERAGE)
        try:
            self._coverage = exercised(
                [one.test for one in ran],
                list(_judged_paths(found)),
                root=copy.root,
                scratch=scratch,
                toolchain=self.gate.toolchain,
                cancel=self._token(),
            )
        except Cancelled:
            self.gate.cancel.check()
            self._left_out.append(LeftOut(COVERAGE, BUDGET))

    # --- the answer ---

    def _answer(
        self,
        contents: Contents,
        found: Impact,
        tests: Tests,
        base: Judged,
        after: Judged,
        ran: Sequence[_Ran],
        copy: Export,
    ) -> Checked:
        testbenches = [one.test for one in ran]
        touched = protected(contents, tests.testbenches, "any", locked=self.gate.locked)
        noticed = {one.path for one in self._scores if one.ratio >= self.policy.mutants_killed}
        classes = {path: _class(path, found, after, ran, noticed) for path in _judged_paths(found)}
        evidence = _whole(classes, after, ran, named=tests.named)
        asked = [score_step(self._scores)] if self._reaches(MUTANTS) and ran else []
        blocking = self._blocking(base, after)
        passed = passes(base, after) and not blocking
        steps = (*settled(base, after), *asked, *([shown(touched)] if touched else []))
        report = replace(
            self._report(contents),
            steps=steps,
            baseline=base.steps,
            evidence=evidence,
            passed=passed,
            new_warnings=new_warnings(base, after),
            checklist=mentions(copy.root, contents),
            unchecked=(
                *copied(copy.left_out, copy.added),
                *unchecked(base, after, testbenches, tuple(contents)),
                *self._notes,
                *(f"no test notices {one}" for score in self._scores for one in score.survivors),
                *map(str, self._left_out),
                *self._coverage.left_out,
                *unseen(copy.root, found, testbenches),
            ),
            seconds=self._spent_s,
        )
        outcome = self._outcome(report, classes, ran)
        found_new = new_findings(base, after)
        mending = fixes(found_new, {path: new for path, (_, new) in contents.items()})
        return Checked(
            outcome=outcome,
            report=report,
            classes=classes,
            left_out=tuple(self._left_out),
            findings=found_new,
            all_warnings=tuple(dict.fromkeys(self._seen or ())),
            fixes=mending,
            patch=as_patch(mending, {path: new for path, (_, new) in contents.items()}),
            mutants=tuple(self._scores),
            coverage=self._coverage,
            warnings=(*self._warnings(outcome, classes), *(f"new finding that blocks: {line}" for line in blocking)),
            cached=bool(ran) and all(one.step.cached for one in ran),
            seconds=self._spent_s,
        )

    def _outcome(self, report: Report, classes: Mapping[str, Evidence], ran: Sequence[_Ran]) -> Outcome:
        if not report.passed:
            return Outcome.REFUTED
        if self._over_budget:
            return Outcome.NOT_VERIFIED if self.policy.over_budget == "fail" else Outcome.PASSED
        if not all(self.policy.suffices(path, reached) for path, reached in classes.items()):
            return Outcome.NOT_VERIFIED
        blind = any(one.why.startswith(FAILED_BEFORE) for one in self._left_out)
        return Outcome.VERIFIED if report.evidence >= Evidence.TESTS_ICARUS and ran and not blind else Outcome.PASSED

    @property
    def _over_budget(self) -> bool:
        return any(one.why == BUDGET for one in self._left_out)

    def _warnings(self, outcome: Outcome, classes: Mapping[str, Evidence]) -> Iterator[str]:
        if outcome is Outcome.REFUTED:
            return
        scores = {one.path: one for one in self._scores}
        for path, reached in classes.items():
            if not self.policy.suffices(path, reached):
                yield f"{path}: {reached.label}; what is asked for: {self.policy.needed(path).label}"
            elif (score := scores.get(path)) is not None and reached < Evidence.TESTS_MUTANTS:
                counted = score.made - score.equivalent
                yield f"{path}: the tests notice {score.killed} of {counted} mutants; evidence: {reached.label}"
            elif reached < Evidence.TESTS_ICARUS and self._reaches("tests"):
                yield f"{path}: no test exercises it; evidence: {reached.label}"
        if self._over_budget:
            names = [one.name for one in self._left_out if one.why == BUDGET]
            yield f"not run, {BUDGET}: {', '.join(names)}"
        for one in self._left_out:
            if one.why.startswith(NOT_HERE):
                yield f"not run: {one}"
            elif one.why.startswith(FAILED_BEFORE):
                yield f"not counted: {one}"

    def _report(self, contents: Contents) -> Report:
        edits = tuple(Edit(path=path, start=0, end=len(old), text=new) for path, (old, new) in contents.items())
        return Report(
            patch=Patch(edits=edits, base=self.request.base),
            tree=self.request.tree,
            steps=(),
            evidence=Evidence.NONE,
            passed=False,
            tools=self.gate.toolchain.described,
            replay=self.request.replay,
        )

    def _token(self, share: float = 1.0) -> CancelToken:
        budget_s = self.request.budget_s
        return self.gate.cancel if budget_s is None else Deadline(self.gate.cancel, self._started + share * budget_s)

    @property
    def _spent_s(self) -> float:
        return time.monotonic() - self._started


@dataclass(frozen=True, slots=True)
class _Ran:
    """A test that ran to its end."""

    test: Testbench
    step: Step
    evidence: Evidence
    notes: tuple[str, ...]


def _comparable(base: Judged, after: Judged) -> Judged:
    """Without the findings of which the budget left open whether they were there before: those refute nothing."""
    asked = {step.name for step in base.steps}
    if not asked or all(step.name in asked for step in after.steps):
        return after
    errors = Counter(
        {error: count for error, count in after.errors.items() if any(error.startswith(f"{name}: ") for name in asked)}
    )
    return replace(after, errors=errors, warnings=(), faults=())


def _with_tests(after: Judged, ran: Sequence[_Ran]) -> Judged:
    return replace(
        after,
        steps=(*after.steps, *(one.step for one in ran)),
        notes=tuple(note for one in ran for note in one.notes),
        evidence=min((one.evidence for one in ran), default=Evidence.NONE),
    )


def _judged_paths(found: Impact) -> list[str]:
    """The changed files of which a class is said: Verilog that is there and whose meaning changes."""
    kept = set(found.layout_only)
    return [path for path in found.changed if path in found.reach and path not in kept]


def _class(path: str, found: Impact, after: Judged, ran: Sequence[_Ran], noticed: Collection[str]) -> Evidence:
    """How far the evidence for one file reaches: that of the tests that read it, or of the static steps.

    `noticed` are the files whose tests notice enough of their mutants.
    """
    reading = [one.evidence for one in ran if one.step.passed and found.covers(one.test, path)]
    static = evidence_of(replace(after, evidence=Evidence.NONE))
    reached = max((*reading, static))
    return Evidence.TESTS_MUTANTS if reached is Evidence.TESTS and path in noticed else reached


def _whole(classes: Mapping[str, Evidence], after: Judged, ran: Sequence[_Ran], *, named: bool) -> Evidence:
    """How far the evidence reaches for all that was changed."""
    if any(not one.step.passed for one in ran):
        return evidence_of(replace(after, evidence=Evidence.NONE))
    if not classes or (named and min(classes.values()) < Evidence.TESTS_MUTANTS):
        return evidence_of(after)
    return min(classes.values())


def _rule(line: str) -> str:
    """The lint rule of a finding as it is printed: `path:1:2: warning: text [RULE]`."""
    return line.rpartition("[")[2].rstrip("]")
