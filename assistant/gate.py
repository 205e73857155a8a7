"""The gate: checks a change on a private copy of its tree and reports; only a passing report can be applied."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from veriloop.assistant.design.edits import Edit, Patch, edited
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.errors import NotVerified
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.repository.apply import AppliedChange, write
from veriloop.assistant.repository.export import Export, export
from veriloop.assistant.repository.private import private_directory
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.cache import VerdictCache
from veriloop.assistant.verify.checklist import mentions
from veriloop.assistant.verify.evidence import Evidence, Report, Step
from veriloop.assistant.verify.judged import (
    NOT_THERE,
    PROTECTED,
    Judged,
    copied,
    evidence_of,
    new_warnings,
    passes,
    reasons,
    shown,
    unchecked,
    without_root,
)
from veriloop.assistant.verify.protected import Contents, Protected, Workflow, protected
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import conclude, is_cut_short, run_icarus, run_testbench
from veriloop.assistant.verify.static import (
    Found,
    instantiated,
    looked_at,
    missing_files,
    parse_step,
    static_steps,
    waivers,
)
from veriloop.assistant.verify.testbench import CommandTest, Testbench, TraceTestbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verdict_key import VerdictKey, design_key, verdict_key

_BASELINE = "baseline"


class Elsewhere(Protocol):
    """What runs testbenches on other machines; the runs are those that `run_testbench` would give here."""

    def __call__(
        self,
        testbench: Testbench,
        *,
        root: Path,
        scratch: Path,
        toolchain: Toolchain,
        cancel: CancelToken,
        until_red: bool = False,
    ) -> tuple[SimResult, ...]:
        """As `run_testbench`."""
        ...

    def begin(self, testbenches: Sequence[Testbench], root: Path, cancel: CancelToken) -> None:
        """Hands out tests that will be asked for, so that they run at the same time."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Judges changes of one repository.

    Attributes:
        repository: whose trees are judged.
        toolchain: the simulators.
        cache: verdicts by content; none: everything runs.
        cancel: stops everything.
        needs: ignored files that the tests need (`[project] needs` of veriloop.toml).
        editable: globs of what a repair may change (`[project] editable`); none: all that does not judge.
        locked: globs of what no patch may touch (`[project] protected`).
        committed: the trees are git's own, so nothing of the work tree counts that they do not hold.
        elsewhere: runs testbenches on other machines; none: here.
    """

    repository: Repository
    toolchain: Toolchain
    cache: VerdictCache | None = None
    cancel: CancelToken = field(default_factory=CancelToken)
    needs: tuple[str, ...] = ()
    editable: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    committed: bool = False
    elsewhere: Elsewhere | None = None
    _red: dict[tuple[str, Testbench], tuple[SimResult, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """How bases failed, by tree and testbench: one that hangs is waited for once."""

    def check(
        self,
        patch: Patch,
        testbenches: Sequence[Testbench],
        *,
        workflow: Workflow = "repair",
        designs: Sequence[Design] = (),
        named: Collection[str] = (),
        replay: str = "",
    ) -> Run[Report]:
        """Judges a patch: baseline first, then the patched tree, by the same steps.

        Args:
            patch: the change, with the tree that it is for.
            testbenches: what judges it.
            workflow: who proposes it; says what it may not touch.
            designs: what to lint and elaborate; without them, what the testbenches instantiate.
            named: RTL files that the user names as such, wherever they lie.
            replay: the command that judges the same again.

        Raises:
            PatchConflict: the patch does not fit its base.
            ToolError: a tool broke or is missing; says nothing about the patch.
        """
        before = {path: self.repository.read(patch.base, path) or b"" for path in patch.paths}
        after = edited(before, patch.edits)
        tree = self.repository.write_tree_with(patch.base, after)
        contents = {path: (before[path], after[path]) for path in after}
        return (
            yield from self._check(patch, tree, contents, testbenches, workflow, designs, named=named, replay=replay)
        )

    def check_trees(
        self,
        base: str,
        tree: str,
        testbenches: Sequence[Testbench],
        *,
        designs: Sequence[Design] = (),
        replay: str = "",
    ) -> Run[Report]:
        """Judges what lies between two trees, whoever made it. What it touches of tests and waivers is told apart."""
        paths = self.repository.changed_paths(base, tree)
        contents = {
            path: (self.repository.read(base, path) or b"", self.repository.read(tree, path) or b"") for path in paths
        }
        edits = tuple(Edit(path=path, start=0, end=len(old), text=new) for path, (old, new) in contents.items())
        patch = Patch(edits=edits, base=base)
        return (yield from self._check(patch, tree, contents, testbenches, "any", designs, named=(), replay=replay))

    def baseline(
        self, base: str, testbenches: Sequence[Testbench], *, designs: Sequence[Design] = ()
    ) -> Run[tuple[Step, ...]]:
        """What the base itself comes to. A workflow looks here for what fails before it starts."""
        with self.copy(base) as (copy, scratch):
            yield from self.tell(copy)
            judged = yield from self._judge(_BASELINE, copy, scratch, testbenches, designs, changed=())
            yield from map(Note, self._tell_what_is_missing(judged.steps))
        return judged.steps

    def keys(self, tree: str, testbenches: Sequence[Testbench]) -> tuple[tuple[Testbench, VerdictKey | None], ...]:
        """What the verdicts about a tree are kept under; none for one that is not kept."""
        with self.copy(tree) as (copy, _):
            return tuple(
                (one, verdict_key(one, root=copy.root, tree=_whole(copy), tools=self.toolchain.versions))
                for one in testbenches
            )

    def _check(
        self,
        patch: Patch,
        tree: str,
        contents: Contents,
        testbenches: Sequence[Testbench],
        workflow: Workflow,
        designs: Sequence[Design],
        *,
        named: Collection[str],
        replay: str,
    ) -> Run[Report]:
        started = time.monotonic()
        touched = protected(contents, testbenches, workflow, named=named, editable=self.editable, locked=self.locked)
        report = Report(
            patch=patch,
            tree=tree,
            steps=(),
            evidence=Evidence.NONE,
            passed=False,
            tools=self.toolchain.described,
            replay=replay,
        )
        if touched and workflow != "any":
            return replace(report, steps=(_refused(touched),))
        changed = tuple(contents)
        with self.copy(patch.base) as (copy, scratch):
            yield from self.tell(copy)
            before = yield from self._judge(_BASELINE, copy, scratch, testbenches, designs, changed)
        with self.copy(tree) as (copy, scratch):
            named_too = mentions(copy.root, contents)
            after = yield from self._judge("check", copy, scratch, testbenches, designs, changed)
        # What people change themselves is their own affair; what is proposed to them must not cost them a simulator.
        lost = list(self._no_longer_taken(patch.base, testbenches, before, after)) if workflow == "repair" else []
        steps = (*after.steps, *lost, *([shown(touched)] if touched else []))
        return replace(
            report,
            steps=steps,
            baseline=before.steps,
            evidence=evidence_of(after),
            passed=passes(before, after) and not lost,
            new_warnings=new_warnings(before, after),
            checklist=named_too,
            unchecked=(*copied(copy.left_out, copy.added), *unchecked(before, after, testbenches, changed)),
            seconds=time.monotonic() - started,
        )

    def _no_longer_taken(
        self, base: str, testbenches: Sequence[Testbench], before: Judged, after: Judged
    ) -> Iterator[Step]:
        """A step for each simulator that takes a testbench with the base's design, and no more with the changed one."""
        usual = {step.name: step.results for step in before.steps}
        for testbench in testbenches:
            green = (step.results for step in after.steps if step.name == testbench.name and step.passed)
            results = next(green, ())
            if not isinstance(testbench, VerilogTestbench | TraceTestbench):
                continue
            for run in (run for run in results if run.outcome is Outcome.COMPILE_ERROR):
                known = next((one for one in usual.get(testbench.name, ()) if one.engine == run.engine), None)
                if known is None and run.engine == "icarus":
                    with self.copy(base) as (copy, scratch):
                        known = run_icarus(
                            testbench, root=copy.root, scratch=scratch, toolchain=self.toolchain, cancel=self.cancel
                        )
                if known is not None and known.outcome is not Outcome.COMPILE_ERROR:
                    detail = f"{run.engine.capitalize()} takes the design as it is, and not so: {run.reason}"
                    yield Step(name=f"{testbench.name} by {run.engine.capitalize()}", passed=False, detail=detail)
                    break

    @contextmanager
    def copy(self, tree: str) -> Iterator[tuple[Export, Path]]:
        """A private copy of a tree, and a directory for builds beside it."""
        self.cancel.check()
        with private_directory(self.repository.cache) as directory:
            scratch = directory / "build"
            scratch.mkdir()
            yield (
                export(self.repository, tree, directory / "tree", needs=self.needs, committed=self.committed),
                scratch,
            )

    def tell(self, copy: Export) -> Iterator[Note]:
        """What the user's checkout has and the copy lacks."""
        for path, why in copy.left_out:
            yield Note(f"not in the private copy: {path} ({why})")

    def _judge(
        self,
        name: str,
        copy: Export,
        scratch: Path,
        testbenches: Sequence[Testbench],
        designs: Sequence[Design],
        changed: Sequence[str],
    ) -> Run[Judged]:
        yield Stage(name)
        steps: list[Step] = []
        errors: Counter[str] = Counter()
        warnings: list[Diagnostic] = []
        for found in self.static(copy, testbenches, designs, changed):
            steps.append(found.step)
            errors.update({f"{found.step.name}: {error}": count for error, count in found.errors.items()})
            warnings += found.warnings
        evidences, notes = [], []
        for testbench in testbenches:
            yield Stage(f"{name}: {testbench.name}")
            step, evidence, said = self.test(testbench, copy, scratch, until_red=name == _BASELINE)
            steps.append(step)
            evidences.append(evidence)
            notes += [f"{testbench.name}: {note}" for note in said]
        evidence = min(evidences, default=Evidence.NONE)
        return Judged(tuple(steps), errors, evidence, tuple(notes), tuple(warnings))

    def static(
        self, copy: Export, testbenches: Sequence[Testbench], designs: Sequence[Design], changed: Sequence[str]
    ) -> Iterator[Found]:
        """What parsing, linting and elaborating say, step by step.

        Args:
            copy: the tree.
            testbenches: what judges it.
            designs: what to lint and elaborate; without them, what the testbenches instantiate.
            changed: the files to parse.
        """
        root = copy.root
        found: list[Found] = []
        for design in designs or instantiated(testbenches, root):
            self.cancel.check()
            found += self._static_of(design, copy)
        if changed:
            parsed = parse_step(root, changed, read=any(one.step.passed for one in found))
            # A tool that reads the files knows better; the grammar's word counts where there is none.
            yield replace(parsed, errors=Counter()) if found or testbenches else parsed
        yield from found

    def _static_of(self, design: Design, copy: Export) -> tuple[Found, ...]:
        """Lint and elaboration of one design, from the cache where it holds them."""
        with_waivers = replace(design, sources=(*waivers(copy.root), *design.sources))
        key = design_key(with_waivers, root=copy.root, tree=_whole(copy), tools=self.toolchain.versions)
        known = self.cache.get(key) if self.cache and key else None
        said = known or looked_at(design, root=copy.root, toolchain=self.toolchain, cancel=self.cancel)
        if self.cache and key and known is None:
            self.cache.put(key, said)
        return static_steps(design, said)

    def begin(self, testbenches: Sequence[Testbench], copy: Export) -> None:
        """Hands out the tests on a copy whose verdicts are not known, where other machines run them."""
        if self.elsewhere is None:
            return
        unknown = []
        for testbench in testbenches:
            key = verdict_key(testbench, root=copy.root, tree=_whole(copy), tools=self.toolchain.versions)
            known = self._known(key, until_red=False) or self._known_but_for_layout(testbench, copy)
            if known is None and not missing_files(testbench, copy.root):
                unknown.append(testbench)
        self.elsewhere.begin(unknown, copy.root, self.cancel)

    def test(
        self, testbench: Testbench, copy: Export, scratch: Path, *, until_red: bool = False
    ) -> tuple[Step, Evidence, tuple[str, ...]]:
        """One testbench on a copy: its step, how far its evidence reaches, and what is to be noted.

        Args:
            testbench: what judges.
            copy: of the tree.
            scratch: an existing directory for builds.
            until_red: one run that fails is enough.
        """
        missing = missing_files(testbench, copy.root)
        if missing:
            detail = f"{NOT_THERE}: {', '.join(missing)}"
            return Step(name=testbench.name, passed=False, detail=detail), Evidence.NONE, ()

        key = verdict_key(testbench, root=copy.root, tree=_whole(copy), tools=self.toolchain.versions)
        known = self._known(key, until_red=until_red) or self._known_but_for_layout(testbench, copy)
        if known is None and until_red:
            known = self._red.get((copy.tree, testbench))
        results = known or tuple(
            without_root(result, copy.root)
            for result in (self.elsewhere or run_testbench)(
                testbench,
                root=copy.root,
                scratch=scratch,
                toolchain=self.toolchain,
                cancel=self.cancel,
                until_red=until_red,
            )
        )
        if until_red and any(not result.passed for result in results):
            self._red[copy.tree, testbench] = results
        if self.cache and key and known is None:
            self.cache.put(key.until_red() if is_cut_short(results) else key, results)
            self._keep_but_for_layout(testbench, copy, results)
        said = conclude(testbench, results, root=copy.root)
        detail = "; ".join(reasons(results, said.passed))
        step = Step(name=testbench.name, passed=said.passed, results=results, detail=detail, cached=known is not None)
        return step, said.evidence, said.notes

    def _known(self, key: VerdictKey | None, *, until_red: bool) -> tuple[SimResult, ...] | None:
        """The runs that the cache holds; where one red run is enough, those that broke off there will do."""
        if self.cache is None or key is None:
            return None
        return self.cache.get(key) or (self.cache.get(key.until_red()) if until_red else None)

    def _known_but_for_layout(self, testbench: Testbench, copy: Export) -> tuple[SimResult, ...] | None:
        """The runs of files that differ from these in comments and layout alone, where all of them passed."""
        key = self._layout_free_key(testbench, copy)
        return self.cache.get(key) if self.cache and key else None

    def _keep_but_for_layout(self, testbench: Testbench, copy: Export, results: Sequence[SimResult]) -> None:
        key = self._layout_free_key(testbench, copy) if all(result.passed for result in results) else None
        if self.cache and key:
            self.cache.put(key, results)

    def _layout_free_key(self, testbench: Testbench, copy: Export) -> VerdictKey | None:
        if self.cache is None:
            return None
        return verdict_key(testbench, root=copy.root, tree="", tools=self.toolchain.versions, layout=False)

    def _tell_what_is_missing(self, steps: Sequence[Step]) -> tuple[str, ...]:
        """Ignored files of the checkout that the log of a failing command names, and that the copy lacks."""
        logs = "\n".join(result.log_tail for step in steps if not step.passed for result in step.results)
        if not logs:
            return ()
        found = [path for path in self.repository.ignored() if _names(logs, path) and path not in self.needs]
        return tuple(
            f"the failing test names {path}, which git ignores and the private copy lacks; "
            f'if it needs it: [project] needs = ["{path}"] in veriloop.toml'
            for path in found
        )


def apply(
    repository: Repository, report: Report, *, minimum: Evidence = Evidence.TESTS, about: str = ""
) -> AppliedChange:
    """Writes a verified change into the work tree: the files only, never index, branch or commit.

    Args:
        repository: where.
        report: the proof. Its tree must be its base with its patch.
        minimum: the evidence that is enough; `TESTS_ICARUS` where the user's configuration allows that.
        about: what the change is, in one line; kept for `undo`.

    Raises:
        NotVerified: the report does not pass, is too weak, or is about something else.
        StaleTree: a file is no longer what was verified; nothing was changed.
    """
    if not report.passed:
        raise NotVerified("this change did not pass the gate")
    if report.evidence < minimum:
        raise NotVerified(f"the evidence is only: {report.evidence.label}; a change is applied from: {minimum.label}")
    before = {path: repository.read(report.patch.base, path) or b"" for path in report.patch.paths}
    after = edited(before, report.patch.edits)
    if repository.write_tree_with(report.patch.base, after) != report.tree:
        raise NotVerified("the report is about another tree than this change makes")
    return write(repository, report.patch.base, after, about=about)


def require_red(steps: Sequence[Step], test: CommandTest) -> None:
    """Says that the harness is at fault where a command that the user says fails passes in the private copy.

    Raises:
        NotVerified: it passes.
    """
    if any(step.name == test.name and step.passed for step in steps):
        raise NotVerified(
            f"`{test.command}` passes in a private copy of this tree, so there is nothing to repair here; "
            "if it fails in your checkout, the copy lacks files that git ignores",
            hint='name them in veriloop.toml: [project] needs = ["path", ...]',
        )


def _whole(copy: Export) -> str:
    """The tree's id, where it says all about the copy."""
    return "" if copy.added else copy.tree


def _refused(touched: Sequence[Protected]) -> Step:
    return Step(name=PROTECTED, passed=False, detail="; ".join(map(str, touched)))


def _names(log: str, path: str) -> bool:
    name = path.rstrip("/")
    # A short name such as `a.o` stands in many logs by chance.
    return len(name) >= 3 and re.search(rf"(?<![\w.]){re.escape(name)}(?!\w)", log) is not None
