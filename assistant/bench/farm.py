"""What work given to other machines costs, and what becomes of it when they die.

The jobs are simulations of one design, each with a stimulus of its own. They run here by the local executor, then on a
farm of this machine, then there again while workers are killed. Last, a scheduler with a thousand slots replays the
jobs' times, at several lengths, without doing their work.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import random
import signal
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dask
from distributed import Client, Scheduler, Worker

from veriloop.assistant.config import FarmSettings
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.farm.cluster import connect
from veriloop.assistant.farm.farm import Farm
from veriloop.assistant.farm.job import Done, Job, Tools, digest
from veriloop.assistant.farm.worker import run as run_job
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import Rejected

_BETWEEN_KILLS_S = (0.3, 1.5)
_FACTORIES = 20
"""Worker objects of the simulated farm; each holds its share of the slots."""
_LENGTHS_S = (0.1, 1.0, 10.0, 100.0)
_START_S = 120.0
"""What the workers may take to start: one that is still importing takes processor time from the first round."""
_PATIENCE_S = 40.0
"""Seconds that a simulated round may take; a length whose round would take longer is worked out instead."""
_TESTBENCH = """
module tb;
  reg clk = 0;
  reg [31:0] state, seed;
  integer cycles;
  always #1 clk = !clk;
  initial begin
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    if (!$value$plusargs("cycles=%d", cycles)) cycles = 1000;
    state = seed;
  end
  always @(posedge clk) begin
    state <= {state[30:0], state[31] ^ state[21] ^ state[1] ^ state[0]};
    cycles <= cycles - 1;
    if (cycles == 0) begin
      $display("%h", state);
      $finish;
    end
  end
endmodule
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a bench of a farm came to."""

    jobs: int
    overhead_ms_median: float
    """Between the end of a job and the start of the next one on the same worker."""
    efficiency: float
    """Wall time of the local executor on the same processors as a share of the farm's; the median of the rounds."""
    kills: int
    lost: int
    differing: int
    scheduler_jobs_per_s: float
    """Empty jobs that a scheduler hands out and takes back, in its own CPU seconds."""
    simulated_workers: int
    simulated_efficiency: float
    """Of `simulated_workers` slots with the jobs that `lengths` names as 10 s long."""
    lengths: Mapping[str, float]
    """Efficiency of the simulated slots by the length of a job in seconds."""
    bytes_a_job: float
    workers_fed: Mapping[str, int]
    """Slots that one scheduler keeps busy, by the length of a job in seconds: from `scheduler_jobs_per_s`."""


def measure(
    *, jobs: int, kills: int, rounds: int, simulated: int, cache: Path, tools: Tools, cancel: CancelToken
) -> Run[Measured]:
    """Measures a farm of this machine's processors.

    Args:
        jobs: simulations a round.
        kills: workers that are killed.
        rounds: how often the farm is held against the local executor.
        simulated: slots of the simulated farm.
        cache: where Verilator's runtime is kept.
        tools: this machine's tools.
        cancel: stops it.
    """
    slots = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        yield Note("building the simulation")
        program = _program(Path(name), cache, cancel)
        contents = {digest(program): program}
        work = [_job(digest(program), seed, tools) for seed in range(1, jobs + 1)]
        local: list[Done] = []
        ratios: list[float] = []
        gaps: list[float] = []
        with connect("local", FarmSettings(), tools=tools, cancel=cancel, workers=slots) as farm:
            yield Note("warming the workers")
            farm.client.wait_for_workers(slots, timeout=_START_S)
            list(farm.run([(job, contents) for job in work[: 4 * slots]], cancel=cancel))
            farm.counts.shipped_bytes = 0
            for number in range(rounds):
                yield Note(f"round {number + 1} of {rounds}")
                started = time.monotonic()
                local = _here(work, contents, slots, cancel)
                middle = time.monotonic()
                there = [done for _, done in sorted(farm.run([(job, contents) for job in work], cancel=cancel))]
                ratios.append((middle - started) / (time.monotonic() - middle))
                gaps += _gaps(there)
            bytes_a_job = farm.counts.shipped_bytes / max(1, rounds * jobs)
            yield Note(f"killing {kills} workers")
            survived, killed, twice = _under_fire(farm, work, contents, kills, cancel)
    differing = sum(survived[i].verdict != done.verdict for i, done in enumerate(local) if i in survived) + twice
    yield Note(f"simulating {simulated} slots")
    per_s, lengths = asyncio.run(_simulated(simulated, [done.wall_s for done in local], cancel))
    return Measured(
        jobs=jobs,
        overhead_ms_median=round(1000 * statistics.median(gaps), 2),
        efficiency=round(statistics.median(ratios), 3),
        kills=killed,
        lost=jobs - len(survived),
        differing=differing,
        scheduler_jobs_per_s=round(per_s, 1),
        simulated_workers=simulated,
        simulated_efficiency=lengths["10"],
        lengths=lengths,
        bytes_a_job=round(bytes_a_job),
        workers_fed={f"{length:g}": int(per_s * length) for length in _LENGTHS_S},
    )


def _program(directory: Path, cache: Path, cancel: CancelToken) -> bytes:
    (directory / "tb.v").write_text(_TESTBENCH)
    verilator = Toolchain.find(cache=cache, cancel=cancel).verilator
    build = directory / "build"
    build.mkdir()
    design = Design(toplevel="tb", sources=(Path("tb.v"),))
    built = verilator.build(design, build, cwd=directory, cancel=cancel, optimize=1)
    if isinstance(built, Rejected):
        raise ToolFailed("Verilator does not take the bench's own design", hint="veriloop doctor")
    return built.path.read_bytes()


def _job(program: str, seed: int, tools: Tools) -> Job:
    # Laid out from its content, a program has no permission to run; the shell gives it that.
    line = f"chmod +x sim && exec ./sim +seed={seed} +cycles=200000"
    return Job(argv=("/bin/sh", "-c", line), inputs=(("sim", program),), tools=tools)


def _here(work: Sequence[Job], contents: Mapping[str, bytes], slots: int, cancel: CancelToken) -> list[Done]:
    with ThreadPoolExecutor(slots) as pool:
        return list(pool.map(lambda job: run_job(job, contents, cancel), work))


def _gaps(done: Sequence[Done]) -> Iterator[float]:
    """Seconds between the end of a job and the start of the next one on the same worker."""
    by_worker: dict[str, list[Done]] = {}
    for one in done:
        by_worker.setdefault(one.worker, []).append(one)
    for mine in by_worker.values():
        mine.sort(key=lambda one: one.started_s)
        for before, after in itertools.pairwise(mine):
            yield max(0.0, after.started_s - before.started_s - before.wall_s)


def _under_fire(
    farm: Farm, work: Sequence[Job], contents: Mapping[str, bytes], kills: int, cancel: CancelToken
) -> tuple[dict[int, Done], int, int]:
    """Runs the jobs again and again until enough workers have been killed; every job must come back each time."""
    shooter = _Shooter(farm, kills)
    shooter.start()
    survived: dict[int, Done] = {}
    twice = 0
    try:
        while True:
            now = dict(farm.run([(job, contents) for job in work], cancel=cancel))
            twice += sum(now[i].verdict != done.verdict for i, done in survived.items() if i in now)
            survived = now
            if not shooter.is_alive():
                return survived, shooter.killed, twice + farm.counts.differing
    finally:
        shooter.stop.set()
        shooter.join()


class _Shooter(threading.Thread):
    """Kills workers at random, with the signal that no process can answer."""

    def __init__(self, farm: Farm, kills: int) -> None:
        super().__init__(daemon=True)
        self.stop = threading.Event()
        self.killed = 0
        self._farm = farm
        self._kills = kills
        self._random = random.Random(1)

    def run(self) -> None:
        while self.killed < self._kills and not self.stop.wait(self._random.uniform(*_BETWEEN_KILLS_S)):
            try:
                processes = [one for one in self._farm.client.run(os.getpid, on_error="ignore").values() if one]
            except (OSError, TimeoutError, RuntimeError):
                continue
            if processes:
                try:
                    os.kill(self._random.choice(processes), signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.killed += 1


async def _replay(seconds: float) -> float:
    await asyncio.sleep(seconds)
    return seconds


async def _simulated(slots: int, walls: Sequence[float], cancel: CancelToken) -> tuple[float, dict[str, float]]:
    """Empty jobs a CPU second of the scheduler, and the efficiency of the slots at several lengths of a job.

    Scheduler and workers are Dask's own, in this one process: what the workers cost is counted as the scheduler's.
    """
    quiet = {
        "distributed.worker.memory.terminate": False,
        "distributed.worker.memory.pause": False,
        "distributed.worker.memory.spill": False,
        "distributed.worker.memory.target": False,
        "distributed.worker.profile.enabled": False,
        "distributed.scheduler.work-stealing": False,
        "distributed.admin.tick.interval": "1s",
        "distributed.admin.tick.limit": "60s",
        "distributed.admin.system-monitor.interval": "60s",
    }
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    each = slots // _FACTORIES
    with dask.config.set(quiet):
        async with Scheduler(protocol="inproc://", dashboard=False, port=0) as scheduler:
            options: dict[str, Any] = {"nthreads": each, "memory_limit": 0, "dashboard": False}
            workers = [Worker(scheduler.address, name=str(i), **options) for i in range(_FACTORIES)]
            await asyncio.gather(*workers)
            try:
                async with Client(scheduler.address, asynchronous=True) as client:
                    return await _rounds(client, slots, walls, cancel)
            finally:
                await asyncio.gather(*(worker.close() for worker in workers))


async def _rounds(
    client: Client, slots: int, walls: Sequence[float], cancel: CancelToken
) -> tuple[float, dict[str, float]]:
    cpu_s = time.process_time()
    count = 2 * slots
    await client.gather(client.map(_replay, [0.0] * count, pure=False))
    per_s = count / (time.process_time() - cpu_s)
    usual = statistics.mean(walls) or 1.0
    lengths: dict[str, float] = {}
    for length in _LENGTHS_S:
        cancel.check()
        # Recorded times, stretched to the length asked for, so that their spread is a real one.
        times = [walls[i % len(walls)] * length / usual for i in range(2 * slots)]
        if sum(times) / slots > _PATIENCE_S:
            # Too long to wait for: what the scheduler needs for a job is known by now, and is done in between.
            lengths[f"{length:g}"] = round(min(1.0, per_s * length / slots), 3)
            continue
        started = time.monotonic()
        await client.gather(client.map(_replay, times, pure=False))
        lengths[f"{length:g}"] = round(sum(times) / (slots * (time.monotonic() - started)), 3)
    return per_s, lengths
