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
import sys
from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as ready
from multiprocessing.process import BaseProcess
from pathlib import Path

from veriloop.assistant.errors import ToolFailed, UsageError, VeriloopError
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.farm.elsewhere import Elsewhere
from veriloop.assistant.training import compose
from veriloop.assistant.training.corpus import design, rows_of
from veriloop.assistant.training.draft import Family, families
from veriloop.assistant.training.row import Task

_SEEDS_A_FILE = 16
_MANIFEST = "manifest.json"
_POLL_S = 0.2
_END_S = 5.0
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
    farm: Elsewhere | None = None,
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
        farm: where the designs are made and simulated; none: here.

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
    rows = yield from _run(waiting, len(todo), jobs, cancel, farm)
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


def _run(waiting: Sequence[_Job], total: int, jobs: int, cancel: CancelToken, farm: Elsewhere | None) -> Run[int]:
    rows, done = 0, total - len(waiting)
    yield Stage("generating")
    if done:
        yield Note(f"{done} of {total} files are there already")
    if farm is not None:
        results = _on_farm(farm, waiting, cancel)
    else:
        results = _here(waiting, cancel) if jobs == 1 else _in_processes(waiting, jobs, cancel)
    with contextlib.closing(results):
        for made in results:
            rows, done = rows + made, done + 1
            if done % _FILES_A_NOTE == 0 or done == total:
                yield Note(f"{done} of {total} files, {rows} new rows")
    return rows


def _here(waiting: Sequence[_Job], cancel: CancelToken) -> Generator[int, None, None]:
    yield from (_make(job, cancel) for job in waiting)


def _on_farm(farm: Elsewhere, waiting: Sequence[_Job], cancel: CancelToken) -> Generator[int, None, None]:
    """Lets other machines make the files, and writes them here, where the directory is."""
    with contextlib.closing(farm.map(_made, waiting, cancel=cancel)) as found:
        for path, count, text in found:
            _write(path, text)
            yield count


def _in_processes(waiting: Sequence[_Job], jobs: int, cancel: CancelToken) -> Generator[int, None, None]:
    """Makes the files in other processes, each its share; stops them when it is closed.

    Not by `ProcessPoolExecutor`: on a loaded machine its workers missed the word to end, and it waited for ever.
    """
    context = multiprocessing.get_context("spawn")
    workers: dict[Connection, BaseProcess] = {}
    try:
        for number in range(min(jobs, len(waiting))):
            here, there = context.Pipe(duplex=False)
            worker = context.Process(target=_work, args=(waiting[number::jobs], there), daemon=True)
            worker.start()
            there.close()
            workers[here] = worker
        talking = list(workers)
        while talking:
            cancel.check()
            for connection in ready(talking, timeout=_POLL_S):
                assert isinstance(connection, Connection)
                try:
                    yield _said(connection)
                except EOFError:
                    talking.remove(connection)
                    workers[connection].join(_END_S)
                    if workers[connection].exitcode != 0:
                        raise ToolFailed("a process that generates rows was killed", hint="fewer --jobs") from None
    finally:
        for process in workers.values():
            process.terminate()
        for process in workers.values():
            process.join(_END_S)
            process.kill()


def _said(connection: Connection) -> int:
    """How many rows a worker's next file has; raises what ended the worker."""
    said = connection.recv()
    if isinstance(said, VeriloopError):
        raise said
    return int(said)


def _work(share: Sequence[_Job], connection: Connection) -> None:
    """A worker: it gives way to other work, leaves Ctrl-C to its parent, and ends when the parent says so."""
    os.nice(10)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # As an exception, so that what the worker has started is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    try:
        for job in share:
            connection.send(_make(job, CancelToken()))
    except VeriloopError as error:
        connection.send(error)


def _make(job: _Job, cancel: CancelToken) -> int:
    """Writes one file; returns its number of rows."""
    path, count, text = _made(job, cancel)
    _write(path, text)
    return count


def _made(job: _Job, cancel: CancelToken) -> tuple[Path, int, str]:
    """One file: where it belongs, its number of rows, and the rows."""
    seeds = range(job.first_seed, job.stop_seed)
    if job.family == compose.NAME:
        designs = compose.compositions(families(job.members), seeds)
    else:
        designs = (design(family, seed) for family in families(job.family) for seed in seeds)
    rows = list(rows_of(designs, job.tasks, mutants=job.mutants, testbenches=job.testbenches, cancel=cancel))
    return job.path, len(rows), "".join(f"{row.to_json()}\n" for row in rows)


def _write(path: Path, text: str) -> None:
    """Writes a file that is there as a whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(text)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
