"""Writes rows to a directory, over several processes, so that a run that is cut off goes on where it stopped.

A file holds the rows of one family for some seeds and appears under its name only when it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import multiprocessing
import os
import signal
import threading
from collections.abc import Collection, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from veriloop.assistant.errors import ToolFailed, UsageError
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.training import compose
from veriloop.assistant.training.corpus import design, rows_of
from veriloop.assistant.training.draft import Family, families
from veriloop.assistant.training.row import Task

_SEEDS_A_FILE = 16
_MANIFEST = "manifest.json"
_POLL_S = 0.2
_FILES_A_NOTE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Produced:
    """What a directory holds after a run."""

    files: int
    new_files: int
    rows: int
    """New ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    family: str
    members: str
    """Of compositions: the families that they are made of, with commas."""
    first_seed: int
    stop_seed: int
    tasks: tuple[Task, ...]
    mutants: int
    testbenches: bool
    path: Path


def produce(
    chosen: Sequence[Family],
    seeds: int,
    out: Path,
    *,
    tasks: Collection[Task],
    mutants: int,
    compositions: int,
    testbenches: bool,
    jobs: int,
    cancel: CancelToken,
) -> Run[Produced]:
    """Writes the rows of families for the seeds from 0 on, and of compositions of them.

    Args:
        chosen: the families.
        seeds: how many designs of each.
        out: the directory; files that it holds already stay.
        tasks: what kinds of rows.
        mutants: broken copies of a design at most.
        compositions: how many compositions of several families.
        testbenches: whether each row carries one.
        jobs: processes.
        cancel: stops it.

    Raises:
        UsageError: the directory holds rows of another version of the generator, or of other settings.
    """
    settings = {
        "generator": generator_digest(),
        "tasks": sorted(tasks),
        "mutants": mutants,
        "testbenches": testbenches,
    }
    _claim(out, settings)
    names = [one.name for one in chosen]
    wanted = [(name, seeds) for name in names] + ([(compose.NAME, compositions)] if compositions else [])
    todo = [
        _Job(
            family=name,
            members=",".join(names) if name == compose.NAME else "",
            first_seed=first,
            stop_seed=min(first + _SEEDS_A_FILE, count),
            tasks=tuple(tasks),
            mutants=mutants,
            testbenches=testbenches,
            path=out / f"{name}-{first:06}-{min(first + _SEEDS_A_FILE, count):06}.jsonl",
        )
        for name, count in wanted
        for first in range(0, count, _SEEDS_A_FILE)
    ]
    waiting = [job for job in todo if not job.path.exists()]
    rows = yield from _run(waiting, len(todo), jobs, cancel)
    return Produced(files=len(todo), new_files=len(waiting), rows=rows)


def generator_digest() -> str:
    """Changes with the code that makes the rows."""
    folder = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _claim(out: Path, settings: dict[str, object]) -> None:
    """Makes the directory, and refuses one whose rows were made in another way."""
    manifest = out / _MANIFEST
    try:
        out.mkdir(parents=True, exist_ok=True)
        if manifest.exists():
            if json.loads(manifest.read_text()) != settings:
                raise UsageError(
                    f"{out} holds rows that were made by another version or with other options",
                    hint="veriloop train data --out with a new directory",
                )
        elif any(out.glob("*.jsonl")):
            raise UsageError(f"{out} holds other rows", hint="veriloop train data --out with a new directory")
        else:
            _write(manifest, json.dumps(settings) + "\n")
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot keep rows in {out}: {error}") from error


def _run(waiting: Sequence[_Job], total: int, jobs: int, cancel: CancelToken) -> Run[int]:
    rows, done = 0, total - len(waiting)
    yield Stage("generating")
    if done:
        yield Note(f"{done} of {total} files are there already")
    results = _here(waiting, cancel) if jobs == 1 else _elsewhere(waiting, jobs, cancel)
    with contextlib.closing(results):
        for made in results:
            rows, done = rows + made, done + 1
            if done % _FILES_A_NOTE == 0 or done == total:
                yield Note(f"{done} of {total} files, {rows} new rows")
    return rows


def _here(waiting: Sequence[_Job], cancel: CancelToken) -> Generator[int, None, None]:
    yield from (_make(job, cancel) for job in waiting)


def _elsewhere(waiting: Sequence[_Job], jobs: int, cancel: CancelToken) -> Generator[int, None, None]:
    """Makes the files in other processes, in whatever order they are ready; stops them when it is closed."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker, initargs=(stop,))
    try:
        running = {pool.submit(_make_in_worker, job) for job in waiting}
        while running:
            cancel.check()
            done, running = wait(running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)
    except BrokenProcessPool as error:
        raise ToolFailed("a process that generates rows was killed", hint="fewer --jobs") from error
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


_worker_cancel = CancelToken()


def _start_worker(stop: Event) -> None:
    """A worker gives way to other work, leaves Ctrl-C to its parent, and ends when the parent says so."""
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def watch() -> None:
        stop.wait()
        _worker_cancel.cancel()

    threading.Thread(target=watch, daemon=True).start()


def _make_in_worker(job: _Job) -> int:
    return _make(job, _worker_cancel)


def _make(job: _Job, cancel: CancelToken) -> int:
    """Writes one file; returns its number of rows."""
    seeds = range(job.first_seed, job.stop_seed)
    if job.family == compose.NAME:
        designs = compose.compositions(families(job.members), seeds)
    else:
        designs = (design(family, seed) for family in families(job.family) for seed in seeds)
    rows = list(rows_of(designs, job.tasks, mutants=job.mutants, testbenches=job.testbenches, cancel=cancel))
    _write(job.path, "".join(f"{row.to_json()}\n" for row in rows))
    return len(rows)


def _write(path: Path, text: str) -> None:
    """Writes a file that is there as a whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
