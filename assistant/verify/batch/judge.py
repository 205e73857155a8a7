"""Judging a batch: builds the design that holds all candidates, runs each, and trusts none of it unless version 0,
the unchanged design, does in there exactly what it does alone."""

from __future__ import annotations

import math
import re
import resource
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from veriloop.assistant.design.alternatives import Changes, Choices, Facts, is_observed, written_by
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.design.observation import OBSERVED
from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed
from veriloop.assistant.verify.batch.chooser import (
    OPTIMIZED_BUILD,
    OPTIMIZED_RUN,
    Choice,
    Engine,
    Spent,
    choose,
    choose_alone,
)
from veriloop.assistant.verify.batch.engines import (
    Program,
    build_icarus,
    build_verilator,
    forking_module,
    write_package,
)
from veriloop.assistant.verify.batch.runner import Job, Limits, run_jobs, told
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import (
    keeps_dumps,
    read_icarus_run,
    read_verilator_run,
    run_icarus,
    run_verilator,
)
from veriloop.assistant.verify.testbench import TraceTestbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import SEED, START_STATES

Contents = Mapping[str, bytes]
"""Files of the tree by their relative path."""

_WRITES = re.compile(rb"\$(?:fopen\w*|writemem[bh])\b")
_PLACE = re.compile(r"[^\s:'\"]*\.\w+:\d+(?::\d+)?")
_REACHED = re.compile(rb"\.\s*([A-Za-z_]\w*)\b(?!\s*\()")
"""A name that is reached by hierarchy, or a member of a structure; a port that is connected is neither."""
_DUMP = re.compile(r"^VCD info: .*\n", re.M)
_SHARED_TARGETS = frozenset({"MultipleAlwaysAssigns", "MixedVarAssigns", "MultipleContAssigns"})
"""What slang says of a variable that several processes assign, of which only one ever does."""
_BUILD_TIMEOUT_S = 60.0
_SHORTEST_CPU_S = 1.0
_LONGER = 20
"""How many times as long as the failing unchanged design's a run may take: a testbench may stop at a failure."""
_SHORTEST_WHOLE_CPU_S = 0.3
_LONGER_THAN_WHOLE = 4
"""The same where the unchanged design passes, and so has run to the end."""
_BUILDS = 6
"""How often what a tool refuses is taken out of a batch."""
_SMALLEST = 2
"""Candidates for which a build of their own is not worth it."""
OBSERVED_FROM_S = 0.05
"""CPU seconds of a run from which it pays to compile in what tells which candidates a run can do without."""


class BatchRefused(Exception):
    """The batch cannot be trusted or built: its candidates are judged one at a time."""


class Batch:
    """Judges candidates of one original under one testbench.

    Args:
        testbench: the oracle, with the time that a run may take.
        usual: the engine that shows what is to be repaired.
        original: the files that candidates change; they lie in `root` like that.
        root: a private copy of the tree, written to while a batch is built.
        scratch: an existing directory for builds.
        toolchain: the simulators.
        parallel: runs at once.
        nice: by how much the runs give way to other programs.
        confirm: let the usual engine run what the other one passes.
        only: judge by the usual engine alone.
        observed_from_s: CPU seconds of a run of Verilator's from which the unchanged design observes the candidates: of
            one that would nowhere have done anything else, its own run is the verdict.
        baselines: what the unchanged design does under an engine, where that is known already.
    """

    def __init__(
        self,
        testbench: VerilogTestbench | TraceTestbench,
        *,
        usual: Engine,
        original: Contents,
        root: Path,
        scratch: Path,
        toolchain: Toolchain,
        cancel: CancelToken,
        parallel: int = 1,
        nice: int = 0,
        confirm: bool = True,
        only: bool = False,
        observed_from_s: float = OBSERVED_FROM_S,
        baselines: Mapping[Engine, Sequence[SimResult]] | None = None,
    ) -> None:
        self._testbench = testbench
        self._usual = usual
        self._confirm = confirm
        self._observed_from_s = observed_from_s
        self.unexercised = 0
        """Candidates that were judged by the unchanged design's run, because in it they would have done the same."""
        self._original = original
        self._root = root
        self._scratch = scratch
        self._toolchain = toolchain
        self._cancel = cancel
        self._limits = Limits(cpu_s=testbench.timeout_s, parallel=parallel, nice=nice)
        self._baselines: dict[Engine, Sequence[SimResult]] = {}
        self._choices: dict[Engine, Choices] = {}
        self.spent: dict[Engine, Spent] = {"icarus": Spent(), "verilator": Spent()}
        # A trace's oracle follows one simulator's order of events; the other one's word says little about it.
        both = not only and isinstance(testbench, VerilogTestbench) and toolchain.icarus is not None
        self._allowed: frozenset[Engine] = frozenset({"icarus", "verilator"} if both else {usual})
        for engine, runs in (baselines or {}).items():
            self._known(engine, runs)

    def baseline(self, engine: Engine) -> Sequence[SimResult]:
        """What the unchanged design does alone."""
        if engine not in self._baselines:
            root, scratch, tools, cancel = self._root, self._scratch, self._toolchain, self._cancel
            if engine == "verilator":
                runs = run_verilator(self._testbench, root=root, scratch=scratch, toolchain=tools, cancel=cancel)
            else:
                alone = run_icarus(self._testbench, root=root, scratch=scratch, toolchain=tools, cancel=cancel)
                runs = (alone,) if alone is not None else ()
            self._known(engine, runs)
        return self._baselines[engine]

    def _known(self, engine: Engine, runs: Sequence[SimResult]) -> None:
        self._baselines[engine] = runs
        self.spent[engine].alone_s = statistics.fmean(run.cpu_s for run in runs) if runs else 0.0

    def judge(self, candidates: Sequence[Contents]) -> list[SimResult | None]:
        """The worst run of each candidate, by the engine that costs less; none for one that no batch can judge."""
        chosen = choose(len(candidates), self.spent, self._usual, self._allowed)
        if chosen.engine != self._usual and not self._shows(chosen.engine):
            self._allowed -= {chosen.engine}
            chosen = choose(len(candidates), self.spent, self._usual, self._allowed)
        results = self.judge_by(candidates, chosen)
        if chosen.engine == "verilator" and self._usual == "icarus":
            self._fail_soon(candidates, results)
        passing = [index for index, result in enumerate(results) if result is not None and result.passed]
        if self._confirm and chosen.engine != self._usual and passing:
            again = self.judge_by([candidates[index] for index in passing], Choice(self._usual))
            for index, result in zip(passing, again, strict=True):
                results[index] = result
        return results

    def _fail_soon(self, candidates: Sequence[Contents], results: list[SimResult | None]) -> None:
        """Lets Icarus try what no batch of Verilator's holds, for no longer than a build of its own would take.

        Most candidates fail early, and those need no build.
        """
        cost = choose_alone(self.spent, "verilator", frozenset({"verilator"})).cpu_s
        left = [index for index, result in enumerate(results) if result is None]
        if len(left) * cost < self.spent["icarus"].alone_s:
            # The run that shows whether a batch can be trusted would cost more than is won.
            return
        before = replace(self.spent["icarus"])
        tried = self.judge_by([candidates[index] for index in left], Choice("icarus"), most_s=cost)
        # What was broken off tells nothing of what a run takes.
        self.spent["icarus"] = before
        for index, result in zip(left, tried, strict=True):
            if result is not None and result.outcome is Outcome.FAIL:
                results[index] = result

    def one_by_one(self) -> Choice:
        """How a candidate that no batch holds is judged for less, by what the engines have cost so far."""
        # Icarus does not speak for a candidate where Verilator is what shows the bug; the other way round, `judge` has
        # forbidden Verilator where it does not see the bug.
        allowed = self._allowed if self._usual == "icarus" else frozenset({self._usual})
        return choose_alone(self.spent, self._usual, allowed)

    def _shows(self, engine: Engine) -> bool:
        """Whether an engine sees of the unchanged design what the usual one sees."""

        def fails(one: Engine) -> bool:
            return any(run.outcome is Outcome.FAIL for run in self.baseline(one))

        return fails(engine) == fails(self._usual)

    def judge_by(
        self, candidates: Sequence[Contents], way: Choice, *, most_s: float = math.inf
    ) -> list[SimResult | None]:
        """The worst run of each candidate under one engine; none for one that a batch cannot judge.

        From a start state from which a candidate passes the next is tried, so one that fails costs one run.

        Args:
            candidates: their files.
            way: the engine.
            most_s: CPU seconds after which a candidate's run is broken off, whatever a hanging one is given.
        """
        results: list[SimResult | None] = [None] * len(candidates)
        baseline = self.baseline(way.engine)
        if not baseline or any(run.outcome in (Outcome.COMPILE_ERROR, Outcome.TIMEOUT) for run in baseline):
            return results
        versions = self._versions(candidates, way.engine)
        if len(versions) < _SMALLEST:
            return results
        try:
            judged = self._judge(versions, way, baseline, most_s)
        except (BatchRefused, ToolError):
            return results
        for number, result in judged.items():
            results[number - 1] = result
        return results

    def _versions(self, candidates: Sequence[Contents], engine: Engine) -> dict[int, Changes]:
        if engine not in self._choices:
            files = {self._root / path: content for path, content in self._original.items()}
            self._choices[engine] = Choices(files, self._facts, exact_sensitivity=engine == "icarus")
        found = {}
        for number, candidate in enumerate(candidates, 1):
            changed = {
                self._root / path: content for path, content in candidate.items() if content != self._original[path]
            }
            changes = self._choices[engine].changes(changed)
            if changes:
                found[number] = changes
        return found

    def _judge(
        self, versions: Mapping[int, Changes], way: Choice, baseline: Sequence[SimResult], most_s: float
    ) -> dict[int, SimResult]:
        engine, spent = way.engine, self.spent[way.engine]
        observing = engine == "verilator" and max(run.cpu_s for run in baseline) >= self._observed_from_s
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            directory = Path(name)
            kept = self._elaborating(dict(versions), engine, observing)
            for attempt in range(_BUILDS):
                if len(kept) < _SMALLEST:
                    raise BatchRefused("nothing is left of it")
                files = self._choices[engine].combined(kept, observing=observing)
                building = directory / f"build{attempt}"
                building.mkdir()
                before_s = _children_cpu_s()
                built = self._built(way, files, building, observing)
                spent.builds += 1
                spent.build_s += (_children_cpu_s() - before_s) / (OPTIMIZED_BUILD if way.optimize else 1.0)
                if isinstance(built, Program):
                    observed = {number for number, changes in kept.items() if observing and is_observed(changes)}
                    return self._run(built, sorted(kept), observed, baseline, most_s, directory)
                # What one simulator refuses although slang does not: those that wrote the refused lines go.
                blamed = self._blamed(built, files)
                kept = {number: changes for number, changes in kept.items() if number not in blamed}
                if not blamed:
                    break
            raise BatchRefused("no simulator takes it")

    def _blamed(self, errors: Sequence[Diagnostic], files: Mapping[Path, bytes]) -> set[int]:
        """The versions whose text stands in the lines that a tool refuses."""
        return {
            number
            for error in errors
            for path, content in files.items()
            if error.line and (self._root / error.path) == path
            for number in written_by(content, error.line)
        }

    def _elaborating(self, versions: dict[int, Changes], engine: Engine, observing: bool) -> dict[int, Changes]:
        """Those versions that elaborate together; what breaks the others is found by halving."""
        elaborator = self._with_package
        if elaborator is None or not versions or not self._errors(elaborator, versions, engine, observing):
            return versions
        if len(versions) == 1:
            return {}
        numbers = sorted(versions)
        half = len(numbers) // 2
        parts = [{number: versions[number] for number in part} for part in (numbers[:half], numbers[half:])]
        return {
            number: changes for part in parts for number, changes in self._elaborating(part, engine, observing).items()
        }

    def _errors(self, elaborator: Elaborator, versions: Mapping[int, Changes], engine: Engine, observing: bool) -> bool:
        found = elaborator.errors(self._choices[engine].combined(versions, observing=observing))
        return any(error.code not in _SHARED_TARGETS for error in found)

    @cached_property
    def _elaborator(self) -> Elaborator:
        return Elaborator(self._testbench.design.rooted(self._root))

    @cached_property
    def _facts(self) -> Facts:
        elaboration = self._elaborator.elaborate()
        design = self._testbench.design.rooted(self._root)
        texts = (path.read_bytes() for path in (*design.sources, *design.library_files) if path.is_file())
        reached = frozenset(name.decode() for text in texts for name in _REACHED.findall(text))
        return Facts(elaboration.assigned_widths(), elaboration.overridden_parameters | reached)

    @cached_property
    def _with_package(self) -> Elaborator | None:
        """Elaborates the design with the selector; none where slang refuses the unchanged design."""
        if self._elaborator.errors():
            return None
        directory = Path(tempfile.mkdtemp(dir=self._scratch))
        design = self._testbench.design.rooted(self._root)
        package = write_package(directory, "verilator", observing=True)
        return Elaborator(replace(design, sources=(package, *design.sources)))

    def _built(
        self, way: Choice, files: Mapping[Path, bytes], directory: Path, observing: bool
    ) -> Program | tuple[Diagnostic, ...]:
        design, cancel = self._testbench.design.rooted(self._root), self._cancel
        plusargs = self._testbench.plusargs if isinstance(self._testbench, VerilogTestbench) else ()
        with self._written(files):
            if way.engine == "verilator":
                return build_verilator(
                    self._toolchain.verilator,
                    design,
                    directory,
                    cwd=self._root,
                    plusargs=plusargs,
                    features=Features(trace=keeps_dumps(self._testbench)),
                    optimize=way.optimize,
                    observing=observing,
                    cancel=cancel,
                )
            assert self._toolchain.icarus is not None
            return build_icarus(
                self._toolchain.icarus,
                design,
                directory,
                cwd=self._root,
                module=forking_module(self._toolchain.verilator, cancel),
                plusargs=plusargs,
                keep_dumps=keeps_dumps(self._testbench),
                timeout_s=_BUILD_TIMEOUT_S,
                cancel=cancel,
            )

    @contextmanager
    def _written(self, files: Mapping[Path, bytes]) -> Iterator[None]:
        before = {path: path.read_bytes() for path in files}
        try:
            for path, content in files.items():
                path.write_bytes(content)
            yield
        finally:
            for path, content in before.items():
                path.write_bytes(content)

    def _run(
        self,
        program: Program,
        numbers: Sequence[int],
        observed: Set[int],
        baseline: Sequence[SimResult],
        most_s: float,
        directory: Path,
    ) -> dict[int, SimResult]:
        """The worst run of each version; of those that are `observed` the unchanged design tells what they would do."""
        found: dict[int, SimResult] = {}
        waiting = list(numbers)
        differing: set[int] = set()
        for index, alone in enumerate(baseline):
            state = next((reset for reset, start in START_STATES if start == alone.start), 0)
            versions = (0, OBSERVED) if observed else (0,)
            place = directory / f"control{index}"
            # What observes is the unchanged design as well.
            controls = self._results(program, [Job(version, state, SEED) for version in versions], alone, place)
            if not all(same_run(control, alone) for control in controls):
                raise BatchRefused("version 0 is not what the unchanged design is")
            exercised = told(place, 1) if observed else frozenset()
            same = [number for number in waiting if number in observed and number not in exercised]
            found |= dict.fromkeys(same, controls[0])
            differing |= set(waiting) - set(same)
            run = [number for number in waiting if number not in same]
            if run:
                jobs = [Job(number, state, SEED) for number in run]
                # The control tells how long a run takes in this program.
                results = self._results(program, jobs, controls[0], directory / f"runs{index}", most_s)
                found |= dict(zip(run, results, strict=True))
            waiting = [number for number in waiting if found[number].passed]
            if not waiting:
                break
        self.unexercised += len(numbers) - len(differing)
        return found

    def _cpu_s(self, alone: SimResult) -> float:
        """CPU seconds after which a run hangs: many times what the unchanged design takes."""
        if alone.passed:
            return min(self._limits.cpu_s, max(_SHORTEST_WHOLE_CPU_S, _LONGER_THAN_WHOLE * alone.cpu_s))
        return min(self._limits.cpu_s, max(_SHORTEST_CPU_S, _LONGER * alone.cpu_s))

    def _results(
        self, program: Program, jobs: Sequence[Job], alone: SimResult, directory: Path, most_s: float = math.inf
    ) -> list[SimResult]:
        directory.mkdir()
        own = self._directories(directory, len(jobs))
        done = run_jobs(
            program.argv,
            jobs,
            directory=directory,
            cwd=self._root,
            own=bool(own),
            limits=replace(self._limits, cpu_s=min(self._cpu_s(alone), most_s)),
            cancel=self._cancel,
            isolation=self._toolchain.isolation,
        )
        spent = self.spent["verilator" if alone.engine == "verilator" else "icarus"]
        spent.runs += len(done)
        spent.run_s += sum(one.cpu_s for one in done) * (OPTIMIZED_RUN if program.optimize else 1.0)
        roots = own or [self._root] * len(jobs)
        return [self._read(program, one, alone.start, root) for one, root in zip(done, roots, strict=True)]

    def _read(self, program: Program, done: Completed, start: str, root: Path) -> SimResult:
        if program.engine == "verilator":
            return read_verilator_run(self._testbench, done, root=root, start=start)
        return read_icarus_run(self._testbench, done, root=root)

    @cached_property
    def _writes(self) -> bool:
        if isinstance(self._testbench, TraceTestbench):
            return True
        sources = (self._root / path for path in self._testbench.design.sources)
        return any(_WRITES.search(path.read_bytes()) for path in sources if path.is_file())

    def _directories(self, directory: Path, count: int) -> list[Path]:
        """A directory a run that looks like the tree, where runs write files; none where they do not."""
        if not self._writes:
            return []
        output = Path(self._testbench.output) if isinstance(self._testbench, TraceTestbench) else None
        found = []
        for index in range(count):
            own = directory / str(index)
            _mirror(self._root, own, output)
            found.append(own)
        return found


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _mirror(root: Path, own: Path, output: Path | None) -> None:
    """Links to everything in a directory, but for the output, whose directory is a real one."""
    own.mkdir()
    for entry in root.iterdir():
        if output is None or output.parts[0] != entry.name:
            (own / entry.name).symlink_to(entry)
    if output is not None and len(output.parts) > 1:
        inner = root / output.parts[0]
        if inner.is_dir():
            _mirror(inner, own / output.parts[0], Path(*output.parts[1:]))


def same_run(one: SimResult, other: SimResult) -> bool:
    """Whether two runs did the same and said the same, but for the places in files that they name."""

    def facts(run: SimResult) -> tuple[object, ...]:
        texts = (_PLACE.sub("", _DUMP.sub("", text)) for text in (run.reason, run.log_tail))
        return (run.outcome, run.checks, run.failures, run.failing, run.passing, run.mismatches, *texts)

    return facts(one) == facts(other)
