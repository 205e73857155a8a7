"""The sessions that were held here, and what was applied in them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from veriloop.assistant.session.record import read
from veriloop.assistant.session.sessions import Past, past
from veriloop.tui.lines import Line, clean
from veriloop.tui.screens.base import Page
from veriloop.tui.telling import entry_lines
from veriloop.tui.widgets.choosing import Choosing
from veriloop.tui.widgets.text_view import TextView


class HistoryScreen(Page):
    """Looking back."""

    TITLE_TEXT = "history"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("u", "undo", "Undo the last change"),
        Binding("w", "why", "Why it was changed"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._found: tuple[Past, ...] = ()

    def body(self) -> ComposeResult:
        """The sessions, and what was said in the marked one."""
        yield Choosing(id="rows")
        yield TextView(id="about")

    def on_mount(self) -> None:
        """Keys act on the list."""
        self.query_one(Choosing).focus()

    def update_page(self) -> None:
        """Lists the sessions, the newest first."""
        self._found = past(self.veriloop.opened.root)
        rows = [self._row(one) for one in self._found] or [Line("No session was held here yet.", "dim")]
        self.query_one(Choosing).rows(rows)
        self._about()

    def on_choosing_moved(self) -> None:
        """Another session is marked."""
        self._about()

    def on_choosing_taken(self) -> None:
        """Enter on a session."""
        self.action_go_on()

    def _row(self, one: Past) -> Line:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.began))
        here = "this one" if one.path == self.veriloop.opened.place.directory else "open" if one.is_open else ""
        applied = f"{one.applied} applied" if one.applied else ""
        first = " ".join(one.first.split())
        turns = f"{one.turns:>3} turn{'' if one.turns == 1 else 's'}"
        return Line(clean(f"{when}  {turns:<9}  {applied:<10} {here:<8}  {first}"))

    def _about(self) -> None:
        self.query_one("#about", TextView).put(self._told())

    def _told(self) -> Iterator[Line]:
        one = self._marked()
        if one is None:
            return
        for entry in read(one.path / "record.jsonl"):
            if entry.kind in ("said", "answer", "plan", "verdict", "applied", "undone", "end"):
                yield from entry_lines(entry)

    def _marked(self) -> Past | None:
        chosen = self.query_one(Choosing).chosen
        return self._found[chosen] if chosen < len(self._found) else None

    # --- keys ---

    def action_go_on(self) -> None:
        """Leaves this session and goes on with the marked one."""
        one = self._marked()
        if one is None or one.is_open:
            self.notify("that session is open" if one is not None else "there is none")
            return
        self.veriloop.go_on_with(one.name)

    def action_undo(self) -> None:
        """Takes the last applied change back."""
        self.veriloop.action_show("session")
        self.veriloop.submit("/undo")

    def action_why(self) -> None:
        """Tells why the last change was made."""
        self.veriloop.action_show("session")
        self.veriloop.submit("/why")
