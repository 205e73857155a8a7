"""Judging a batch: builds the design that holds all candidates, runs each, and trusts none of it unless version 0,
the unchanged design, does in there exactly what it does alone."""

from __future__ import annotations

import math
import resource
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.design.alternatives import Changes, is_clocked, is_observed
from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.batch.assembly import Assembly, Contents, written
from veriloop.assistant.verify.batch.chooser import (
    OPTIMIZED_BUILD,
    Choice,
    Engine,
    Spent,
    choose,
    choose_alone,
)
from veriloop.assistant.verify.batch.engines import Program
from veriloop.assistant.verify.batch.runner import Limits
from veriloop.assistant.verify.batch.trials import BatchRefused, Trials
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import run_icarus, run_verilator
from veriloop.assistant.verify.testbench import TraceTestbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_TRIED = 0.1
"""For which part of what a build of its own costs Icarus tries a candidate that no batch of Verilator's holds."""
_SHORTEST_TRY_CPU_S = 0.1
_START_WALL_S, _WALL = 0.1, 2.0
"""How long such a try may take on the clock: the start, and how many times the CPU's time."""
_BUILDS = 6
"""How often what a tool refuses is taken out of a batch."""
_SMALLEST = 2
"""Candidates for which a build of their own is not worth it."""
OBSERVED_FROM_S = 0.05
"""CPU seconds of a run from which it pays to compile in what tells which candidates a run can do without."""


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
        self._assembly = Assembly(
            testbench, original=original, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel
        )
        self._refused: set[int] = set()
        """Of the last batch, those whose text the simulator did not take."""
        self._tried = False
        """Whether what is left of the last batch is what did not fail soon."""
        self._root = root
        self._scratch = scratch
        self._toolchain = toolchain
        self._cancel = cancel
        self._limits = Limits(cpu_s=testbench.timeout_s, parallel=parallel, nice=nice)
        self._baselines: dict[Engine, Sequence[SimResult]] = {}
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
        self._tried = False
        chosen = choose(len(candidates), self.spent, self._usual, self._allowed)
        if chosen.engine != self._usual and not self._shows(chosen.engine):
            self._allowed -= {chosen.engine}
            chosen = choose(len(candidates), self.spent, self._usual, self._allowed)
        results = self.judge_by(candidates, chosen)
        if chosen.engine == "verilator" and self._usual == "icarus":
            self._fail_soon(candidates, results)
            self._tried = True
        passing = [index for index, result in enumerate(results) if result is not None and result.passed]
        if self._confirm and chosen.engine != self._usual and passing:
            again = self.judge_by([candidates[index] for index in passing], Choice(self._usual))
            for index, result in zip(passing, again, strict=True):
                results[index] = result
        return results

    def _fail_soon(self, candidates: Sequence[Contents], results: list[SimResult | None]) -> None:
        """Lets Icarus try what no batch of Verilator's holds, for a small part of what a build of its own would take.

        Most candidates fail early, and those need no build.
        """
        cost = choose_alone(self.spent, "verilator", frozenset({"verilator"})).cpu_s
        most_s = max(_SHORTEST_TRY_CPU_S, _TRIED * cost)
        # What Verilator refuses it also refuses alone, at once.
        left = [index for index, result in enumerate(results) if result is None and index + 1 not in self._refused]
        before = replace(self.spent["icarus"])
        tried = self.judge_by([candidates[index] for index in left], Choice("icarus"), most_s=most_s)
        # What was broken off tells nothing of what a run takes.
        self.spent["icarus"] = before
        for index, result in zip(left, tried, strict=True):
            found = result or self._tried_alone(candidates[index], most_s)
            if found is not None and found.outcome is Outcome.FAIL:
                results[index] = found

    def _tried_alone(self, candidate: Contents, most_s: float) -> SimResult | None:
        bench = replace(self._testbench, timeout_s=_START_WALL_S + _WALL * most_s)
        files = {self._root / path: content for path, content in candidate.items()}
        try:
            with written(files):
                return run_icarus(
                    bench, root=self._root, scratch=self._scratch, toolchain=self._toolchain, cancel=self._cancel
                )
        except ToolError:
            return None

    def one_by_one(self) -> Choice:
        """How a candidate that no batch holds is judged for less, by what the engines have cost so far."""
        # Icarus does not speak for a candidate where Verilator is what shows the bug; the other way round, `judge` has
        # forbidden Verilator where it does not see the bug.
        allowed = self._allowed if self._usual == "icarus" else frozenset({self._usual})
        return choose_alone(self.spent, self._usual, allowed, tried=self._tried)

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
        self._refused = set()
        baseline = self.baseline(way.engine)
        if not baseline or any(run.outcome in (Outcome.COMPILE_ERROR, Outcome.TIMEOUT) for run in baseline):
            return results
        versions = self._assembly.versions(candidates, way.engine)
        if len(versions) < _SMALLEST:
            return results
        try:
            judged = self._judge(versions, way, baseline, most_s)
        except (BatchRefused, ToolError):
            return results
        for number, result in judged.items():
            results[number - 1] = result
        return results

    def _judge(
        self, versions: Mapping[int, Changes], way: Choice, baseline: Sequence[SimResult], most_s: float
    ) -> dict[int, SimResult]:
        engine, spent, assembly = way.engine, self.spent[way.engine], self._assembly
        observing = engine == "verilator" and max(run.cpu_s for run in baseline) >= self._observed_from_s
        with tempfile.TemporaryDirectory(dir=self._scratch) as name:
            directory = Path(name)
            kept = assembly.elaborating(versions, engine, observing)
            for attempt in range(_BUILDS):
                if len(kept) < _SMALLEST:
                    raise BatchRefused("nothing is left of it")
                building = directory / f"build{attempt}"
                building.mkdir()
                before_s = _children_cpu_s()
                built = assembly.built(kept, way, building, observing)
                spent.builds += 1
                spent.build_s += (_children_cpu_s() - before_s) / (OPTIMIZED_BUILD if way.optimize else 1.0)
                if isinstance(built, Program):
                    trials = Trials(
                        built,
                        self._testbench,
                        root=self._root,
                        directory=directory,
                        limits=self._limits,
                        toolchain=self._toolchain,
                        spent=spent,
                        cancel=self._cancel,
                        most_s=most_s,
                    )
                    observed = {number for number, changes in kept.items() if observing and is_observed(changes)}
                    clocked = {number for number in observed if is_clocked(kept[number])}
                    found = trials.run(sorted(kept), observed, clocked, baseline)
                    self.unexercised += trials.unexercised
                    return found
                # What one simulator refuses although slang does not: those that wrote the refused lines go.
                blamed = assembly.blamed(built, kept, engine, observing)
                self._refused |= blamed
                kept = {number: changes for number, changes in kept.items() if number not in blamed}
                if not blamed:
                    break
            raise BatchRefused("no simulator takes it")


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
