"""What runs: one thing at a time in front, others behind it, each in a process of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from veriloop.assistant.session.request import INTERRUPTED, Request

if TYPE_CHECKING:
    from veriloop.assistant.session.worker import OnMessage

_RECENT = 8
"""Operators of the last candidates that are shown."""


class State(StrEnum):
    """Of a job."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(slots=True)
class Job:
    """One request and how far it is."""

    number: int
    request: Request
    cause: int
    title: str
    state: State = State.WAITING
    behind: bool = False
    """Whether others may run before it is done."""
    stage: str = ""
    stages: list[tuple[str, float]] = field(default_factory=list)
    """Each with when it began."""
    tried: int = 0
    best: float = 1.0
    best_change: str = ""
    """The best candidate so far, as a diff."""
    operators: list[str] = field(default_factory=list)
    left_s: float | None = None
    left_at: float = 0.0
    rate: float = 0.0
    """Tokens a second, where a model writes."""
    note: str = ""
    """The last thing that it said."""
    results: list[Mapping[str, Any]] = field(default_factory=list)
    """The data of its results, where a screen asked for them."""
    message: str = ""
    """Why it came to no result."""
    began: float = 0.0
    ended: float = 0.0
    exit: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing of it runs any more."""
        return self.state not in (State.WAITING, State.RUNNING)

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return (self.ended or time.monotonic()) - self.began if self.began else 0.0

    @property
    def remaining_s(self) -> float | None:
        """What is left of its budget; none where it has none, or has not begun to search."""
        if self.left_s is None:
            return None
        return max(0.0, self.left_s - (time.monotonic() - self.left_at))

    def heard(self, kind: str, data: Mapping[str, Any]) -> None:
        """Takes a message of its request in."""
        if "left_s" in data:
            self.left_s, self.left_at = data["left_s"], time.monotonic()
        if data.get("tokens_per_s"):
            self.rate = float(data["tokens_per_s"])
        if kind == "stage":
            self.stage = data["name"]
            self.stages.append((data["name"], time.monotonic()))
        elif kind == "tried":
            self.tried, self.best = data["count"], data["best"]
            self.best_change = data.get("change") or self.best_change
            self.operators = [*self.operators, data["operator"]][-_RECENT:]
        elif kind == "note":
            self.note = data["text"]
        elif kind == "result" and self.request.purpose == "look":
            self.results.append(data["data"])
        elif kind == "end":
            self.message = data.get("message", "")
            self.exit, self.ended = data["exit"], time.monotonic()
            failed = bool(data.get("message"))
            self.state = State.INTERRUPTED if self.exit == 130 else State.FAILED if failed else State.DONE


Told = Callable[[Job, str, Mapping[str, Any]], None]


class Performer(Protocol):
    """What performs requests, one at a time: a `Worker`."""

    def start(self) -> None:
        """Gets ready."""
        ...

    def run(self, request: Request, on_message: OnMessage) -> None:
        """Performs a request up to its `end` message."""
        ...

    def interrupt(self) -> None:
        """Stops it within a second."""
        ...

    def close(self) -> None:
        """Ends."""
        ...


class Jobs:
    """Runs requests in processes that are kept for the next ones.

    Args:
        performer: makes what performs them.
        told: called with every message, in the thread of the job; it has to hand it to the screen's thread.
    """

    def __init__(self, performer: Callable[[], Performer], told: Told) -> None:
        self.all: list[Job] = []
        self._performer = performer
        self._told = told
        self._idle: list[Performer] = []
        self._running: dict[int, Performer] = {}
        self._closed = False
        self._count = 0

    @property
    def front(self) -> Job | None:
        """What the user waits for: what Esc stops."""
        return next((job for job in self.all if not job.is_over and not job.behind), None)

    @property
    def running(self) -> list[Job]:
        """All that is not over, but what screens ask for."""
        return [job for job in self.all if not job.is_over and job.request.purpose != "look"]

    def warm(self) -> None:
        """Starts a process, so that the first request need not wait for it."""
        worker = self._performer()
        self._idle.append(worker)
        threading.Thread(target=worker.start, daemon=True).start()

    def start(self, request: Request, *, cause: int = 0, title: str, behind: bool = False) -> Job:
        """Begins a request; one that is said waits for what runs in front."""
        self._count += 1
        job = Job(self._count, request, cause, title, behind=behind or request.purpose == "look")
        waits = not job.behind and request.purpose == "say" and self.front is not None
        self.all.append(job)
        if not waits:
            self._begin(job)
        return job

    def next(self) -> Job | None:
        """Begins what has waited for its turn; called when something in front is over."""
        waiting = next((job for job in self.all if job.state is State.WAITING), None)
        if waiting is None or any(job.state is State.RUNNING and not job.behind for job in self.all):
            return None
        self._begin(waiting)
        return waiting

    def send_behind(self, job: Job) -> None:
        """Lets others run before a job is done."""
        job.behind = True

    def interrupt(self, job: Job) -> None:
        """Stops a job within a second."""
        worker = self._running.get(job.number)
        if worker is not None:
            worker.interrupt()
        elif job.state is State.WAITING:
            self._told(job, "end", INTERRUPTED)

    def close(self) -> None:
        """Ends every process."""
        self._closed = True
        for worker in [*self._idle, *self._running.values()]:
            worker.close()

    def _begin(self, job: Job) -> None:
        job.state, job.began = State.RUNNING, time.monotonic()
        self._make_room(job)
        worker = self._idle.pop(0) if self._idle else self._performer()
        self._running[job.number] = worker
        threading.Thread(target=self._run, args=(job, worker), daemon=True).start()

    def _make_room(self, job: Job) -> None:
        """What only a screen asks for, or tries out, gives way to what the user waits for."""
        if job.request.purpose == "look" or job.behind:
            return
        for other in self.all:
            if other.behind and other.state is State.RUNNING and other.request.purpose in ("look", "verify"):
                self.interrupt(other)

    def _run(self, job: Job, worker: Performer) -> None:
        def tell(kind: str, data: Mapping[str, Any]) -> None:
            if kind == "end":
                self._running.pop(job.number, None)
                if not self._closed:
                    self._idle.append(worker)
            self._told(job, kind, data)

        worker.run(job.request, tell)
