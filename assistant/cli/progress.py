"""How a workflow's events look on stderr: one live line in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TextIO, assert_never

from veriloop.assistant.events import Event, Note, Stage, Tried

if TYPE_CHECKING:
    from rich.text import Text

TRIED_INTERVAL_S = 5.0
"""Plain lines tell of candidates no more often than this."""

_REFRESHES_PER_S = 4


class Progress(Protocol):
    """Shows events until it is closed; an event after `close` opens it again."""

    def show(self, event: Event) -> None:
        """Shows one event."""
        ...

    def close(self) -> None:
        """Leaves the screen clean for the result."""
        ...


class PlainProgress:
    """A line at each stage and note, and now and then one about the candidates.

    Args:
        stream: where the lines go. Nobody may be reading it any more: that is not an error.
        time_left_s: seconds until the budget is spent; none where there is no budget.
    """

    def __init__(self, stream: TextIO | None, time_left_s: Callable[[], float | None]) -> None:
        self._stream = stream
        self._time_left_s = time_left_s
        self._last_tried_s = float("-inf")

    def show(self, event: Event) -> None:
        """Writes the event's line, unless the last line about a candidate is too fresh."""
        match event:
            case Stage():
                self._write(f"veriloop: {event.name}")
            case Note():
                self._write(f"veriloop: {event.text}")
            case Tried():
                now_s = time.monotonic()
                if now_s - self._last_tried_s >= TRIED_INTERVAL_S:
                    self._last_tried_s = now_s
                    self._write(f"veriloop: {_counts(event, self._time_left_s())}")
            case _:
                assert_never(event)

    def close(self) -> None:
        """Nothing to clean up: lines stay."""

    def _write(self, line: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except OSError:
            # The reader has gone (`2>&1 | head`); the work has not.
            self._stream = None


class LiveProgress:
    """One line that is redrawn: stage, candidates tried, best so far, time left. Notes stay above it."""

    def __init__(self, stream: TextIO, time_left_s: Callable[[], float | None]) -> None:
        # Imported here because rich takes longer to load than most verbs to answer.
        from rich.console import Console
        from rich.live import Live

        self._time_left_s = time_left_s
        self._stage = ""
        self._tried: Tried | None = None
        self._console = Console(file=stream, highlight=False)
        self._live = Live(
            console=self._console,
            get_renderable=self._line,
            refresh_per_second=_REFRESHES_PER_S,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def show(self, event: Event) -> None:
        """Takes the event into the line; a note is printed above it."""
        match event:
            case Stage():
                self._stage = event.name
            case Tried():
                self._tried = event
            case Note():
                self._console.print(event.text, markup=False, soft_wrap=True)
            case _:
                assert_never(event)
        self._live.start()

    def close(self) -> None:
        """Takes the line away."""
        try:
            self._live.stop()
        except OSError:
            # The terminal was closed; there is nothing left to clean.
            return

    def _line(self) -> Text:
        from rich.text import Text

        parts = [self._stage] if self._stage else []
        left_s = self._time_left_s()
        if self._tried is not None:
            parts.append(_counts(self._tried, left_s))
        elif left_s is not None:
            parts.append(_seconds(left_s))
        return Text(" · ".join(parts), overflow="ellipsis", no_wrap=True, style="dim")


def _counts(tried: Tried, left_s: float | None) -> str:
    best = "a candidate passes" if tried.best == 0 else f"best fails {tried.best:.1%}"
    parts = [f"{tried.count} candidates tried", best]
    if left_s is not None:
        parts.append(_seconds(left_s))
    return ", ".join(parts)


def _seconds(left_s: float) -> str:
    return f"{max(0.0, left_s):.0f} s left"
