"""The conversation: what was said, what happens because of it, and where one types."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from veriloop.assistant.session.record import Entry
from veriloop.tui.completion import complete
from veriloop.tui.jobs import Job
from veriloop.tui.lines import Line, report_lines
from veriloop.tui.telling import entry_lines
from veriloop.tui.widgets.activity import Activity
from veriloop.tui.widgets.bars import Header, Keys
from veriloop.tui.widgets.offers import Offers
from veriloop.tui.widgets.prompt import Prompt
from veriloop.tui.widgets.text_view import TextView

if TYPE_CHECKING:
    from veriloop.tui.app import VeriloopApp

_WIDE = 120
"""Columns from which what runs has a panel of its own."""


class SessionScreen(Screen[None]):
    """The conversation."""

    AUTO_FOCUS = "#prompt"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "scroll_talk(-1)", "Scroll up", show=False, priority=True),
        Binding("pagedown", "scroll_talk(1)", "Scroll down", show=False, priority=True),
        Binding("ctrl+home", "talk_top", "To the beginning", show=False, priority=True),
        Binding("ctrl+end", "talk_end", "To the end", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        """Top to bottom."""
        yield Header("session")
        with Horizontal(id="middle"):
            yield TextView(follow=True, id="talk")
            yield TextView(id="now")
        yield Activity(id="activity")
        yield Offers(id="offers")
        with Horizontal(id="input"):
            yield Static("> ", id="mark")
            yield Prompt(
                lambda text: complete(text, lambda: self._veriloop.files),
                placeholder="Say what is wrong, or / for commands, @ for files",
                id="prompt",
            )
        yield Keys()

    def on_mount(self) -> None:
        """Shows what has been said so far."""
        talk = self.query_one("#talk", TextView)
        # All at once: a session may hold a hundred thousand lines.
        talk.add(line for entry in self._veriloop.conversation.record.entries for line in entry_lines(entry))
        self.query_one("#now", TextView).display = False

    @property
    def _veriloop(self) -> VeriloopApp:
        app: VeriloopApp = self.app  # type: ignore[assignment]  # there is no other
        return app

    # --- what is told ---

    def tell(self, found: Iterable[Line]) -> None:
        """Adds lines to the conversation."""
        self.query_one("#talk", TextView).add(found)

    def entry(self, entry: Entry) -> None:
        """Adds an entry of the record."""
        self.tell(entry_lines(entry))

    def running(self, job: Job | None, waiting: int) -> None:
        """Shows what runs in front."""
        self.query_one(Activity).show(job, waiting)
        now = self.query_one("#now", TextView)
        now.display = job is not None and self.size.width >= _WIDE
        if job is not None and now.display:
            now.put(_now(job), keep_place=True)

    def remember(self, texts: list[str]) -> None:
        """What the arrow keys bring back."""
        self.query_one(Prompt).remember(texts)

    def write(self, text: str) -> None:
        """Puts a text into the input."""
        self.query_one(Prompt).put(text)

    # --- keys and messages ---

    def on_prompt_submitted(self, message: Prompt.Submitted) -> None:
        """The user has sent a text."""
        self.action_talk_end()
        self._veriloop.submit(message.text)

    def on_prompt_offered(self, message: Prompt.Offered) -> None:
        """What may be meant has changed."""
        self.query_one(Offers).show(message.offers, message.chosen)

    def action_scroll_talk(self, pages: int) -> None:
        """Scrolls the conversation while one types."""
        talk = self.query_one("#talk", TextView)
        talk.scroll_relative(y=pages * max(1, talk.size.height - 1), animate=False)

    def action_talk_top(self) -> None:
        """Shows the beginning."""
        self.query_one("#talk", TextView).scroll_home(animate=False)

    def action_talk_end(self) -> None:
        """Shows the end."""
        self.query_one("#talk", TextView).scroll_end(animate=False)


def _now(job: Job) -> list[Line]:
    """What the panel shows: the steps, and the best candidate so far."""
    found = [Line(job.title, "head"), Line("")]
    for place, (name, began) in enumerate(job.stages):
        ended = job.stages[place + 1][1] if place + 1 < len(job.stages) else 0.0
        found.append(Line(f"{name}  {ended - began:.1f} s" if ended else f"{name} ...", "" if ended else "warn"))
    if job.tried:
        found += [Line(""), Line(f"{job.tried} candidates judged", "dim")]
        found.append(Line("one passes" if job.best == 0 else f"the best fails {job.best:.1%} of the checks"))
    if job.best_change:
        found += [Line(""), Line("best so far:", "dim"), *report_lines(job.best_change)]
    return found
