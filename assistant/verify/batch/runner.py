"""One program, many runs: it forks a process a run, so that what one run does costs itself only.

Forking after the program is loaded saves its start, which is most of a short run under Icarus. Each process has limits
of its own, its own output file and, where the testbench writes files, its own directory.
"""

from __future__ import annotations

import os
import signal
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import OUTPUT_LIMIT_BYTES, Completed, execute
from veriloop.assistant.isolation.confinement import Confinement, Isolation
from veriloop.assistant.verify.batch.convergence import has_states, read_goes_on, states_file
from veriloop.assistant.verify.batch.forking import JOBS, TOLD

_FILE_LIMIT_BYTES = 256_000_000
_WALL_FACTOR = 5
"""A run's limit is on the CPU's time; one that sleeps ends when so many times that have passed."""
_STARTED_S = 30.0
_LONGEST_KNOWN_BYTES = OUTPUT_LIMIT_BYTES // 2
"""Of a run with more output, of which the middle may be lost, no other one is said to go on like it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run that ended."""

    base: Path
    """Of the files that it left, without their suffixes."""
    done: Completed
    own_steps: int | None = None
    """How many time steps were its own, where it went on like another run; none where all were."""

    @property
    def log(self) -> Path:
        """All that it wrote."""
        return self.base.with_name(self.base.name + ".log")


@dataclass(frozen=True, slots=True)
class Known:
    """A run that another one may come to go on like."""

    run: Run
    from_step: int = 0
    """The first time step at which an equal state means an equal rest."""

    @property
    def is_usable(self) -> bool:
        """Whether it left states, and all of its output."""
        return (
            has_states(self.run.base)
            and not self.run.done.timed_out
            and self.run.log.stat().st_size < _LONGEST_KNOWN_BYTES
        )


@dataclass(frozen=True, slots=True)
class Job:
    """One run: which version, from which start state, by which seed, and which runs it may come to go on like."""

    version: int
    reset: int = 0
    seed: int = 1
    known: tuple[Known, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the runs of a batch may take."""

    cpu_s: float
    """CPU seconds of one run."""
    stalled_s: float = 0.0
    """CPU seconds after which a run hangs if no time step has ended; 0: not looked at."""
    parallel: int = 1
    nice: int = 0


def run_jobs(
    argv: Sequence[str | Path],
    jobs: Sequence[Job],
    *,
    directory: Path,
    cwd: Path,
    own: bool = False,
    states: bool = False,
    limits: Limits,
    cancel: CancelToken,
    isolation: Isolation,
    env: Mapping[str, str] | None = None,
) -> list[Run]:
    """Runs a program that calls `veriloop_fork` and returns what each run did, in the order of the jobs.

    Args:
        argv: the program.
        jobs: what to run.
        directory: a new directory for the outputs.
        cwd: where the runs start, unless each has a directory of its own.
        own: each run starts in `directory/INDEX`, which exists.
        states: note the states of each run, and compare them with those of the runs that it may go on like.
        limits: of each run.
        cancel: kills all of them.
        isolation: holds all of them at once, so that it costs a run next to nothing.
        env: added to the environment.

    Raises:
        ToolFailed: the program ended before it had run all.
    """
    wall_s = _WALL_FACTOR * limits.cpu_s + 1
    spec = directory / "jobs"
    head = (
        f"{limits.parallel} {int(own)} {int(states)} {limits.nice} {limits.cpu_s:.3f} {limits.stalled_s:.3f} "
        f"{wall_s:.3f} {_FILE_LIMIT_BYTES} {OUTPUT_LIMIT_BYTES} {len(jobs)}\n{directory}\n"
    )
    known = [[one for one in job.known if states and one.is_usable] for job in jobs]
    lines = []
    for job, likes in zip(jobs, known, strict=True):
        lines.append(f"{job.version} {job.reset} {job.seed} {len(likes)}\n")
        lines += [f"{one.from_step} {states_file(one.run.base)}\n" for one in likes]
    spec.write_text(head + "".join(lines))
    rounds = -(-len(jobs) // limits.parallel)
    done = execute(
        argv,
        cwd=cwd,
        timeout_s=_STARTED_S + rounds * wall_s,
        cancel=cancel,
        # What a run has called first would otherwise show in its memory.
        env={**(env or {}), JOBS: str(spec), "LD_BIND_NOW": "1"},
        confine=Confinement(
            isolation=isolation,
            writable=(cwd, directory),
            readable=(
                *(Path(word) for word in map(str, argv) if word.startswith("/")),
                *{one.run.base.parent for likes in known for one in likes},
            ),
        ),
    )
    ended = dict(_ended(line) for line in done.output.splitlines() if line[:1].isdigit())
    if len(ended) != len(jobs):
        raise ToolFailed("the runs of a batch did not all end", output=done.output[-2000:])
    words = tuple(map(str, argv))
    return [
        _run(words, directory / str(index), [one.run for one in likes], *ended[index])
        for index, likes in enumerate(known)
    ]


def told(run: Run, rest: Mapping[int, int] | None = None) -> dict[int, int]:
    """The versions that a run told of, each with the last time step, counted from 1, in which it did.

    Args:
        run: of the version that observes.
        rest: the same of the run that it went on like, where it did.

    Raises:
        ToolFailed: the run did not begin to tell.
    """
    try:
        content = run.base.with_name(run.base.name + TOLD).read_bytes()
    except FileNotFoundError as error:
        raise ToolFailed("a run of a batch did not say what it met") from error
    found = {version: step for version, step in enumerate(array("I", content)) if step}
    if run.own_steps is not None:
        found |= {version: step for version, step in (rest or {}).items() if step > run.own_steps}
    return found


def _ended(line: str) -> tuple[int, tuple[int, float, float]]:
    index, status, wall_s, cpu_s = line.split()
    return int(index), (int(status), float(wall_s), float(cpu_s))


def _run(argv: tuple[str, ...], base: Path, likes: Sequence[Run], status: int, wall_s: float, cpu_s: float) -> Run:
    log = base.with_name(base.name + ".log")
    returncode = os.waitstatus_to_exitcode(status)
    goes_on = read_goes_on(base)
    own_steps = None
    if goes_on is not None:
        like = likes[goes_on.index]
        own_steps = goes_on.step
        with log.open("ab") as file:
            file.write(like.log.read_bytes()[goes_on.output_bytes :])
        returncode = like.done.returncode
    done = Completed(
        argv=argv,
        returncode=returncode,
        output=log.read_bytes().decode("utf-8", errors="replace") if log.is_file() else "",
        wall_s=wall_s,
        cpu_s=cpu_s,
        timed_out=returncode == -signal.SIGPROF,
    )
    return Run(base=base, done=done, own_steps=own_steps)
