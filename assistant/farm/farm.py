"""Jobs on the workers of a Dask scheduler: each judged once, whatever happens to workers in between."""

from __future__ import annotations

import queue
import secrets
import statistics
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from distributed import Client, Future, KilledWorker
from distributed.comm.core import CommClosedError

from veriloop.assistant.errors import Cancelled, NotVerified, ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.calls import call_job, returned
from veriloop.assistant.farm.job import Done, Job, Tools
from veriloop.assistant.farm.worker import Described, Lacks, Refused, Stopper, describe, keep, perform

_POLL_S = 0.1
_RIDES_BYTES = 64_000
"""Inputs up to this size travel with their job; larger ones are shipped to a machine once."""
_AHEAD = 2
"""Jobs handed out for each processor of the farm, so that none waits for the client."""
_STRAGGLER_FACTOR = 4.0
_STRAGGLER_S = 20.0
"""A job is run a second time once it takes this many times the median, and at least so many seconds."""
_KNOWN_S = 0.5
_LOST_TRIES = 5
"""How often a job is handed out anew because what it ran on has gone."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class Counts:
    """What a farm has done so far."""

    jobs: int = 0
    shipped_bytes: int = 0
    """Contents sent to workers that lacked them, and with jobs."""
    again: int = 0
    """Jobs handed out anew because a worker had gone."""
    twice: int = 0
    """Jobs run a second time because the first one took too long."""
    differing: int = 0
    """Jobs whose two runs came to different verdicts."""


@dataclass(slots=True)
class _Running:
    """A job that has been handed out."""

    index: int
    job: Job
    contents: Mapping[str, bytes]
    since: float = 0.0
    tries: int = 0
    copies: list[Future] = field(default_factory=list)


class Farm:
    """The workers behind one scheduler.

    Args:
        client: a connection to the scheduler.
        tools: this machine's tools; a worker that has others is named and not used.
        wait_s: seconds to wait for the first worker.
        timeout_s: seconds that one job may take.
        tell: is told what the user should know.
    """

    def __init__(
        self,
        client: Client,
        *,
        tools: Tools,
        wait_s: float = 60.0,
        timeout_s: float = 3600.0,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.client = client
        self.tools = tools
        self.counts = Counts()
        self._wait_s = wait_s
        self._timeout_s = timeout_s
        self._tell = tell
        self._refused: dict[str, tuple[str, ...]] = {}
        # Keys are the scheduler's, which others use, too.
        self._name = secrets.token_hex(4)
        self._number = 0
        self._known: dict[str, int] = {}
        self._sent: dict[tuple[str, str], float] = {}
        self._asked = float("-inf")
        client.register_plugin(Stopper())

    @property
    def slots(self) -> int:
        """Jobs at once: the processors of all workers that are used."""
        return sum(count for address, count in self._threads().items() if address not in self._refused)

    def workers(self) -> dict[str, Described]:
        """What each worker says of itself, by address."""
        return {address: one for address, one in self._on_workers(describe).items() if isinstance(one, Described)}

    def queue(self) -> dict[str, int]:
        """How many jobs of all clients run, and how many wait."""
        try:
            state = self.client.scheduler_info()["workers"]
            waiting = sum(len(keys) for keys in self.client.processing().values())
        except (OSError, TimeoutError, RuntimeError, CommClosedError) as error:
            raise gone() from error
        running = sum(one.get("metrics", {}).get("executing", 0) for one in state.values())
        return {"running": running, "waiting": max(0, waiting - running)}

    def wait(self, cancel: CancelToken) -> None:
        """Waits for the first worker.

        Raises:
            NotVerified: none came in time.
            Cancelled: the token was set.
        """
        deadline = time.monotonic() + self._wait_s
        while not self._threads():
            if time.monotonic() > deadline:
                raise NotVerified(
                    f"no worker has come within {self._wait_s:.0f} s; the queue may be full",
                    hint="squeue, or a longer farm.wait_s in the user's config.toml",
                )
            if cancel.wait(_POLL_S):
                raise Cancelled

    def map(
        self,
        work: Callable[[Item, CancelToken], Result],
        items: Sequence[Item],
        *,
        cancel: CancelToken,
        files: Mapping[str, bytes] | None = None,
    ) -> Generator[Result, None, None]:
        """Calls a function of a module with every item, each in a process of its own, anywhere.

        Args:
            work: the function.
            items: what it is called with.
            cancel: takes all of it back.
            files: what else lies in the directory in which it is called.

        Yields:
            what it returns, in the order in which the results are there.

        Raises:
            ToolFailed: a call broke off, killed its workers, or nobody is left to run it.
        """
        made = (call_job(work, item, tools=self.tools, timeout_s=self._timeout_s, files=files) for item in items)
        for _, done in self.run(made, cancel=cancel):
            yield returned(done)

    def call(self, work: Callable[[Item, CancelToken], Result], item: Item, *, cancel: CancelToken) -> Result:
        """Calls a function of a module with one item."""
        (result,) = self.map(work, [item], cancel=cancel)
        return result

    def run(
        self, jobs: Iterable[tuple[Job, Mapping[str, bytes]]], *, cancel: CancelToken
    ) -> Generator[tuple[int, Done], None, None]:
        """Runs jobs and yields each with its place in the order given, as soon as it is done.

        Args:
            jobs: each with the contents of its inputs, by digest.
            cancel: takes all of them back; their processes are gone within a second or two.

        Raises:
            ToolFailed: a job kills whatever runs it, no worker has the tools, or the scheduler has gone.
            NotVerified: no worker came in time.
            Cancelled: the token was set.
        """
        self.wait(cancel)
        rounds = _Round(self, jobs, cancel)
        try:
            yield from rounds.run()
        finally:
            rounds.close()

    # --- what a round needs ---

    def submit(self, running: _Running, *, only: Sequence[str] = (), never: Sequence[str] = ()) -> Future:
        """Hands a job out once more.

        Args:
            running: the job.
            only: workers that may run it; none: any.
            never: workers that may not.
        """
        rides = {name: content for name, content in running.contents.items() if len(content) <= _RIDES_BYTES}
        self.counts.shipped_bytes += sum(map(len, rides.values()))
        self._number += 1
        banned = {*self._refused, *never}
        allowed = list(only) or ([one for one in self._threads() if one not in banned] if banned else None)
        if allowed == []:
            raise self._nobody()
        return self.client.submit(
            perform,
            running.job,
            rides,
            key=f"{running.job.key[:16]}-{self._name}-{self._number}",
            workers=allowed,
            pure=False,
        )

    def ship(self, lacks: Lacks, contents: Mapping[str, bytes], *, since: float) -> None:
        """Sends a worker's machine what it lacks.

        Args:
            lacks: what, and where.
            contents: what the job needs.
            since: when the job was handed out; what has been sent to the machine after that is there by now.
        """
        host = lacks.worker.rpartition(":")[0]
        wanted = {name: contents[name] for name in lacks.digests if self._sent.get((host, name), 0.0) < since}
        if not wanted:
            return
        self.counts.shipped_bytes += sum(map(len, wanted.values()))
        answers = self._on_workers(keep, wanted, workers=[lacks.worker])
        for answer in answers.values():
            if isinstance(answer, OSError):
                raise ToolFailed(f"{lacks.worker} cannot keep what a job needs: {answer.strerror or answer}")
        self._sent |= dict.fromkeys(((host, name) for name in wanted), time.monotonic())

    def refuse(self, refused: Refused) -> None:
        """Uses a worker no more whose tools differ."""
        if refused.worker not in self._refused:
            self._tell(f"{refused.host} is not used: {'; '.join(refused.differences)}")
        self._refused[refused.worker] = refused.differences
        if not self.slots:
            raise self._nobody()

    def runs_on(self, future: Future) -> tuple[str, ...]:
        """The workers that are busy with a task."""
        try:
            busy = self.client.processing()
        except (OSError, TimeoutError):
            return ()
        return tuple(address for address, keys in busy.items() if future.key in keys)

    def others(self, addresses: Sequence[str]) -> tuple[str, ...]:
        """The workers that are used, without some."""
        return tuple(one for one in self._threads() if one not in self._refused and one not in addresses)

    def _nobody(self) -> ToolFailed:
        said = sorted({phrase for phrases in self._refused.values() for phrase in phrases})
        return ToolFailed(
            f"no worker has this machine's tools: {'; '.join(said) or 'none is left'}",
            hint="install the same versions there; veriloop farm shows each worker's",
        )

    def _threads(self) -> dict[str, int]:
        """The processors of each worker; asked for anew twice a second."""
        now = time.monotonic()
        if now - self._asked > _KNOWN_S or not self._known:
            try:
                self._known = dict(self.client.nthreads())
            except (OSError, TimeoutError, RuntimeError, CommClosedError) as error:
                raise gone() from error
            self._asked = now
        return self._known

    def _on_workers(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> dict[str, Any]:
        try:
            answers: dict[str, Any] = self.client.run(function, *arguments, on_error="return", **options)
        except (OSError, TimeoutError, RuntimeError, CommClosedError) as error:
            raise gone() from error
        return answers


def gone() -> ToolFailed:
    """The error for a scheduler that answers no more."""
    return ToolFailed(
        "the farm's scheduler has gone; what was done until then is kept",
        hint="the same command again, with --resume where the verb has it",
    )


class _Round:
    """One call of `Farm.run`: what waits, what runs, what is there."""

    def __init__(self, farm: Farm, jobs: Iterable[tuple[Job, Mapping[str, bytes]]], cancel: CancelToken) -> None:
        self._farm = farm
        self._waiting = enumerate(jobs)
        self._cancel = cancel
        self._ended: queue.SimpleQueue[tuple[_Running, Future]] = queue.SimpleQueue()
        self._running: dict[int, _Running] = {}
        self._walls: list[float] = []
        self._left = True
        self._looked = time.monotonic()

    def run(self) -> Generator[tuple[int, Done], None, None]:
        self._fill()
        while self._running:
            self._cancel.check()
            try:
                running, future = self._ended.get(timeout=_POLL_S)
            except queue.Empty:
                self._look_around()
                continue
            done = self._done(running, future)
            if done is not None:
                self._farm.counts.jobs += 1
                self._walls.append(done.wall_s)
                del self._running[running.index]
                self._fill()
                yield running.index, done

    def close(self) -> None:
        """Takes back what still runs."""
        futures = [future for running in self._running.values() for future in running.copies]
        self._running.clear()
        if futures:
            # A scheduler that has gone has nothing left to cancel.
            try:
                self._farm.client.cancel(futures, force=True)
            except (OSError, TimeoutError, RuntimeError, CommClosedError):
                return

    def _fill(self) -> None:
        most = max(1, _AHEAD * self._farm.slots)
        while self._left and len(self._running) < most:
            following = next(self._waiting, None)
            if following is None:
                self._left = False
                return
            index, (job, contents) = following
            self._running[index] = running = _Running(index, job, contents)
            self._start(running)

    def _start(self, running: _Running, *, only: Sequence[str] = (), never: Sequence[str] = ()) -> None:
        running.since = time.monotonic()
        future = self._farm.submit(running, only=only, never=never)
        running.copies.append(future)
        future.add_done_callback(lambda ended: self._ended.put((running, ended)))

    def _done(self, running: _Running, future: Future) -> Done | None:
        """The result of a job; none where it has to run again, or where its twin was faster."""
        if running.index not in self._running:
            return None
        running.copies = [copy for copy in running.copies if copy is not future]
        answer = self._answer(running, future)
        if answer is None and not running.copies:
            running.tries += 1
            if running.tries > _LOST_TRIES:
                raise ToolFailed(f"a job was lost {running.tries} times; the farm's workers come and go too fast")
            self._farm.counts.again += 1
            self._start(running)
        if isinstance(answer, Lacks):
            self._farm.ship(answer, running.contents, since=running.since)
            self._start(running, only=[answer.worker])
        elif isinstance(answer, Refused):
            self._farm.refuse(answer)
            self._start(running)
        elif isinstance(answer, Done):
            if running.copies:
                self._compare(answer, running.copies)
            return answer
        return None

    def _answer(self, running: _Running, future: Future) -> Done | Lacks | Refused | None:
        """What the task returned; none where its worker is lost."""
        status = future.status
        if status == "finished":
            try:
                answer: Done | Lacks | Refused = future.result(timeout=60)
            except (OSError, TimeoutError, CommClosedError):
                return None
            return answer
        if status == "error":
            error = future.exception(timeout=60)
            if isinstance(error, KilledWorker):
                count, line = error.allowed_failures + 1, " ".join(running.job.argv)
                raise ToolFailed(
                    f"a job ended {count} workers and is not tried again: {line}",
                    hint="look at the workers' logs: too little memory for it is the usual cause",
                )
            if isinstance(error, OSError):
                raise ToolFailed(f"a worker cannot hold a job: {error.strerror or error}", hint="veriloop farm")
            if isinstance(error, Cancelled):
                return None
            raise RuntimeError("a job's frame failed on a worker, which is a bug") from error
        if status == "cancelled" and self._farm.client.status != "running":
            raise gone()
        return None

    def _compare(self, answer: Done, copies: Sequence[Future]) -> None:
        """Takes the slower twins back; one that has finished all the same must say the same."""
        for copy in copies:
            if copy.status == "finished":
                other = copy.result(timeout=60)
                if isinstance(other, Done) and other.verdict != answer.verdict:
                    self._farm.counts.differing += 1
        self._farm.client.cancel([copy for copy in copies if copy.status == "pending"], force=True)

    def _look_around(self) -> None:
        """Between results: whether the farm is there, and whether a job takes strangely long."""
        now = time.monotonic()
        if now - self._looked < 1.0:
            return
        self._looked = now
        if self._farm.client.status != "running":
            raise gone()
        self._fill()
        free = self._farm.slots - len(self._running)
        if self._left or free <= 0 or not self._walls:
            return
        limit = max(_STRAGGLER_S, _STRAGGLER_FACTOR * statistics.median(self._walls))
        for running in sorted(self._running.values(), key=lambda one: one.since)[:free]:
            if now - running.since > limit and len(running.copies) == 1:
                busy = self._farm.runs_on(running.copies[0])
                if busy and self._farm.others(busy):
                    self._farm.counts.twice += 1
                    self._start(running, never=busy)
