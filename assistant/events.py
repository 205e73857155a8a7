"""What a workflow tells while it runs, and the one way to stop it.

A workflow is a synchronous generator: it yields `Event`s, returns its result and composes by `yield from`. The command
line loops over it, the terminal runs it in a thread worker, the language server in a thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from veriloop.assistant.errors import Cancelled


@dataclass(frozen=True, slots=True)
class Stage:
    """The workflow enters a new stage."""

    name: str
    """One or two words, e.g. `baseline`, `single edits`."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A candidate was judged."""

    count: int
    """Candidates judged so far."""
    best: float
    """Share of the checks that the best candidate so far fails, 0..1; 0 means that it passes."""
    operator: str
    """What the last candidate changed, e.g. `literal`."""
    change: str = ""
    """The best candidate so far as a diff, where it is a new one."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something the user should know, in one line."""

    text: str
    tokens_per_s: float = 0.0
    """How fast a model wrote, where it has; else 0."""


Event: TypeAlias = Stage | Tried | Note

T = TypeVar("T")
Run: TypeAlias = Generator[Event, None, T]


def finish(run: Run[T], observe: Callable[[Event], None] = lambda event: None) -> T:
    """Runs a workflow to its end and returns its result, showing each event to `observe`."""
    while True:
        try:
            observe(next(run))
        except StopIteration as stop:
            result: T = stop.value
            return result


class CancelToken:
    """Set from any thread, polled by the executor and by every long loop."""

    def __init__(self) -> None:
        self._flag = threading.Event()

    def cancel(self) -> None:
        """Asks the work to stop."""
        self._flag.set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the work to stop."""
        return self._flag.is_set()

    def check(self) -> None:
        """Raises `Cancelled` if somebody asked the work to stop."""
        if self._flag.is_set():
            raise Cancelled

    def wait(self, seconds: float) -> bool:
        """Sleeps up to `seconds`; true as soon as the token is set."""
        return self._flag.wait(seconds)


class Deadline(CancelToken):
    """Set by another token, or once a time has come.

    Args:
        outer: the token of whoever asked for the work.
        at: on `time.monotonic()`'s clock.
    """

    def __init__(self, outer: CancelToken, at: float) -> None:
        super().__init__()
        self._outer = outer
        self._at = at

    @property
    def left_s(self) -> float:
        """Seconds until the time comes; none are left when it has."""
        return max(0.0, self._at - time.monotonic())

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked the work to stop, or its time is over."""
        return self._outer.cancelled or super().cancelled or self.left_s == 0.0

    def check(self) -> None:
        """Raises `Cancelled` if the work has to stop."""
        if self.cancelled:
            raise Cancelled

    def wait(self, seconds: float) -> bool:
        """Sleeps up to `seconds`; true as soon as the work has to stop."""
        self._outer.wait(min(seconds, self.left_s))
        return self.cancelled
