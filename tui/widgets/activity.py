"""What runs in front: its stage, the candidates as they are judged, the best so far, the time that is left."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from veriloop.tui.jobs import Job


class Activity(Widget):
    """Two rows while something runs, none otherwise."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"activity--stage", "activity--dim", "activity--good"}

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._job: Job | None = None
        self._waiting = 0

    def on_mount(self) -> None:
        """Time that passes is shown."""
        self.display = False
        self.set_interval(0.5, self._tick)

    def show(self, job: Job | None, waiting: int = 0) -> None:
        """Shows how far a job is; none: nothing runs."""
        self._job, self._waiting = job, waiting
        self.display = job is not None
        self.refresh()

    def _tick(self) -> None:
        if self._job is not None:
            self.refresh()

    def render(self) -> Text:
        """The two rows."""
        job = self._job
        if job is None:
            return Text("")
        first = Text(no_wrap=True, overflow="ellipsis")
        first.append(f" {job.stage or 'starting'}", self._style("stage"))
        first.append("  " + ", ".join(_facts(job)), self._style("dim"))
        second = Text(no_wrap=True, overflow="ellipsis")
        second.append(f" {_last(job)}" if job.operators else " ", self._style("dim"))
        rest = "Esc stops" if not self._waiting else f"Esc stops, {self._waiting} waiting"
        for row in (first, second):
            row.truncate(max(0, self.size.width - len(rest) - 3), overflow="ellipsis")
        pad = " " * max(1, self.size.width - first.cell_len - len(rest) - 1)
        first.append(pad + rest, self._style("dim"))
        return Text.assemble(first, "\n", second)

    def _style(self, look: str) -> Style:
        return self.get_component_rich_style(f"activity--{look}", partial=True)


def _facts(job: Job) -> Iterator[str]:
    if job.tried:
        yield f"{job.tried} candidates"
        yield "one passes" if job.best == 0 else f"best fails {job.best:.1%}"
    if job.rate:
        yield f"{job.rate:.0f} tokens/s"
    remaining = job.remaining_s
    yield f"{remaining:.0f} s left" if remaining is not None else f"{job.seconds:.0f} s"


def _last(job: Job) -> str:
    """The kinds of the last candidates, the newest first."""
    return "tried: " + ", ".join(dict.fromkeys(reversed(job.operators)))
