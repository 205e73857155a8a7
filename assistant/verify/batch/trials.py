"""The runs of a batch's program: each version from one start state after the other, until one fails.

Version 0 must do what the unchanged design does alone. What a run would only repeat of another one is not run: of a
version that would nowhere have done anything else than the unchanged design, that one's run is its own; and a run that
has come to the state of a known one goes on like it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from pathlib import Path

from veriloop.assistant.design.observation import OBSERVED
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.batch.chooser import OPTIMIZED_RUN, Spent
from veriloop.assistant.verify.batch.engines import Program
from veriloop.assistant.verify.batch.mirrors import mirrors, writes_files
from veriloop.assistant.verify.batch.patience import hangs_after_s, stalls_after_s
from veriloop.assistant.verify.batch.runner import Job, Known, Limits, Run, run_jobs, told
from veriloop.assistant.verify.batch.sameness import same_run, same_start
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.simulation import FileBench, read_icarus_run, read_verilator_run
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import SEED, START_STATES


class BatchRefused(Exception):
    """The batch cannot be trusted or built: its candidates are judged one at a time."""


@dataclass(frozen=True, slots=True)
class _Unchanged:
    """How the unchanged design ran from one start state."""

    result: SimResult
    as_version_0: Run | None
    """Where it ran without observing."""
    observing: Run | None = None
    told: Mapping[int, int] = field(default_factory=dict)
    """The versions that would have done anything else, each with the last time step in which it would."""


class Trials:
    """Runs the versions of one program.

    Args:
        program: holds all versions.
        testbench: tells what a run came to.
        root: the tree, in which the runs start.
        directory: for what the runs write.
        limits: of each run, at most.
        toolchain: how the runs are held.
        spent: is told what the runs cost.
        cancel: stops them.
        most_s: CPU seconds after which a run is broken off, whatever a hanging one is given.
    """

    def __init__(
        self,
        program: Program,
        testbench: FileBench,
        *,
        root: Path,
        directory: Path,
        limits: Limits,
        toolchain: Toolchain,
        spent: Spent,
        cancel: CancelToken,
        most_s: float = math.inf,
    ) -> None:
        self._program = program
        self._testbench = testbench
        self._root = root
        self._directory = directory
        self._limits = limits
        self._toolchain = toolchain
        self._spent = spent
        self._cancel = cancel
        self._most_s = most_s
        self._writes = writes_files(testbench, root)
        self._first: _Unchanged | None = None
        """From the first start state."""
        self._runs: dict[int, Run] = {}
        """The same of the versions."""
        self._whole_s = self._control_s = 0.0
        self.unexercised = 0
        """Versions that needed no run, because in the unchanged design's they would have done the same."""

    def run(
        self, numbers: Sequence[int], observed: Set[int], clocked: Set[int], baseline: Sequence[SimResult]
    ) -> dict[int, SimResult]:
        """The worst run of each version.

        Args:
            numbers: the versions.
            observed: those of which the unchanged design tells whether they would do anything else.
            clocked: those among them that differ at edges only.
            baseline: what the unchanged design does alone from each start state.

        Raises:
            BatchRefused: version 0 is not what the unchanged design is.
        """
        found: dict[int, SimResult] = {}
        waiting = list(numbers)
        differing: set[int] = set()
        for alone in baseline:
            unchanged = self._control(alone, observing=bool(observed))
            same = [number for number in waiting if number in observed and number not in unchanged.told]
            found |= dict.fromkeys(same, unchanged.result)
            run = [number for number in waiting if number not in same]
            differing |= set(run)
            found |= self._versions(run, clocked, alone)
            waiting = [number for number in waiting if found[number].passed]
            if not waiting:
                break
        self.unexercised = len(numbers) - len(differing)
        return found

    def _control(self, alone: SimResult, *, observing: bool) -> _Unchanged:
        """Runs the unchanged design from one start state; what observes is the unchanged design as well."""
        first = self._first
        if first is None:
            versions = (0, OBSERVED) if observing else (0,)
            known: list[Run | None] = []
        else:
            versions = (OBSERVED,) if observing else (0,)
            known = [first.observing if observing else first.as_version_0]
        likes = tuple(Known(run) for run in known if run is not None)
        jobs = [Job(version, _state(alone), SEED, likes) for version in versions]
        ran = self._run(jobs, alone, self._directory / f"control{_state(alone)}", self._control_s)
        for _, control in ran:
            broken_off = self._most_s < math.inf and same_start(control, alone)
            if not broken_off and not same_run(control, alone):
                raise BatchRefused("version 0 is not what the unchanged design is")
        run, result = ran[0]
        # Later ones may go on like this one: it tells how long a run takes in this program.
        self._whole_s = self._whole_s or result.cpu_s
        self._control_s = self._control_s or max(one.done.cpu_s for one, _ in ran)
        found = _Unchanged(result, run if 0 in versions else None)
        if observing:
            observer = ran[-1][0]
            found = replace(found, observing=observer, told=told(observer, first.told if first else {}))
        self._first = first or found
        return found

    def _versions(self, numbers: Sequence[int], clocked: Set[int], alone: SimResult) -> dict[int, SimResult]:
        if not numbers:
            return {}
        jobs = [Job(number, _state(alone), SEED, self._known(number, clocked)) for number in numbers]
        ran = self._run(jobs, alone, self._directory / f"runs{_state(alone)}", self._whole_s)
        for number, (run, _) in zip(numbers, ran, strict=True):
            self._runs.setdefault(number, run)
        return {number: result for number, (_, result) in zip(numbers, ran, strict=True)}

    def _known(self, number: int, clocked: Set[int]) -> tuple[Known, ...]:
        """What a version's run may come to go on like: its own from another start state, or the unchanged design's."""
        found = [Known(self._runs[number])] if number in self._runs else []
        first = self._first
        if first is not None and first.as_version_0 is not None and number in clocked:
            # Behind the last edge at which it differs a version is the unchanged design.
            found.append(Known(first.as_version_0, first.told.get(number, 0)))
        return tuple(found)

    def _run(
        self, jobs: Sequence[Job], alone: SimResult, directory: Path, known_s: float
    ) -> list[tuple[Run, SimResult]]:
        directory.mkdir()
        by_verilator = self._program.engine == "verilator"
        own = mirrors(self._testbench, self._root, directory, len(jobs)) if self._writes else []
        whole_s = known_s or alone.cpu_s
        done = run_jobs(
            self._program.argv,
            jobs,
            directory=directory,
            cwd=self._root,
            own=bool(own),
            states=by_verilator and not own,
            limits=replace(
                self._limits,
                cpu_s=min(self._limits.cpu_s, hangs_after_s(alone, whole_s), self._most_s),
                stalled_s=stalls_after_s(alone, whole_s) if by_verilator else 0.0,
            ),
            cancel=self._cancel,
            isolation=self._toolchain.isolation,
        )
        self._spent.runs += len(done)
        self._spent.run_s += sum(one.done.cpu_s for one in done) * (OPTIMIZED_RUN if self._program.optimize else 1.0)
        roots = own or [self._root] * len(jobs)
        return [(run, self._read(run, alone.start, at)) for run, at in zip(done, roots, strict=True)]

    def _read(self, run: Run, start: str, root: Path) -> SimResult:
        if self._program.engine == "verilator":
            return read_verilator_run(self._testbench, run.done, root=root, start=start)
        return read_icarus_run(self._testbench, run.done, root=root)


def _state(alone: SimResult) -> int:
    return next((reset for reset, start in START_STATES if start == alone.start), 0)
