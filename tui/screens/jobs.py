"""What runs, what has run, and how to stop it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from veriloop.tui.jobs import Job, State
from veriloop.tui.lines import Line, Look, clean, report_lines
from veriloop.tui.screens.base import Page
from veriloop.tui.widgets.choosing import Choosing
from veriloop.tui.widgets.text_view import TextView

_LOOKS: dict[State, Look] = {
    State.RUNNING: "warn",
    State.WAITING: "dim",
    State.DONE: "good",
    State.FAILED: "bad",
    State.INTERRUPTED: "dim",
}


class JobsScreen(Page):
    """The jobs of this terminal."""

    TITLE_TEXT = "jobs"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "stop", "Stop it"),
        Binding("b", "behind", "Let it run on behind"),
        Binding("d", "forget", "Forget what is over"),
    ]

    def body(self) -> ComposeResult:
        """The list, and how far the marked job is."""
        yield Choosing(id="rows")
        yield TextView(id="about")

    def on_mount(self) -> None:
        """Keys act on the list; time that passes is shown."""
        self.query_one(Choosing).focus()
        self.set_interval(1.0, self._tick)

    def heard(self, job: Job, kind: str) -> None:
        """Time shows all but the end."""
        if kind == "end" and self.is_current:
            self.update_page()

    def on_choosing_moved(self) -> None:
        """Another job is marked."""
        self._about()

    def update_page(self) -> None:
        """Lists the jobs, the newest first."""
        found = self._jobs()
        rows = [_row(job) for job in found] or [Line("Nothing has run yet.", "dim")]
        self.query_one(Choosing).rows(rows)
        self._about()

    def _tick(self) -> None:
        if self.is_current and self.veriloop.jobs.running:
            self.update_page()

    def _jobs(self) -> list[Job]:
        return [job for job in reversed(self.veriloop.jobs.all) if job.request.purpose != "look"]

    def _marked(self) -> Job | None:
        found, chosen = self._jobs(), self.query_one(Choosing).chosen
        return found[chosen] if chosen < len(found) else None

    def _about(self) -> None:
        job = self._marked()
        self.query_one("#about", TextView).put(_details(job) if job is not None else [], keep_place=True)

    def action_stop(self) -> None:
        """Stops the marked job."""
        job = self._marked()
        if job is not None and not job.is_over:
            self.veriloop.jobs.interrupt(job)

    def action_behind(self) -> None:
        """Lets others run before it is done."""
        self.veriloop.action_send_behind()
        self.update_page()

    def action_forget(self) -> None:
        """Takes what is over off the list."""
        self.veriloop.jobs.all = [job for job in self.veriloop.jobs.all if not job.is_over]
        self.update_page()


def _row(job: Job) -> Line:
    state = job.state.value + (" behind" if job.behind and job.state is State.RUNNING else "")
    text = f"{job.number:>3}  {state:<15}  {job.seconds:>5.0f} s  "
    return Line(clean(text + job.title), "", ((5, 5 + len(state), _LOOKS[job.state]),))


def _details(job: Job) -> list[Line]:
    found = [Line(clean(" ".join(job.request.words) or job.request.text), "head")]
    for place, (name, began) in enumerate(job.stages):
        ended = job.stages[place + 1][1] if place + 1 < len(job.stages) else job.ended
        found.append(Line(clean(f"  {name}" + (f"  {ended - began:.1f} s" if ended else " ..."))))
    if job.tried:
        best = "one passes" if job.best == 0 else f"the best fails {job.best:.1%} of the checks"
        found.append(Line(f"  {job.tried} candidates, {best}"))
    return [*found, *report_lines(job.best_change)] if job.best_change else found
