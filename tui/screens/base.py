"""What every screen but the conversation has: the first and the last row, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from veriloop.tui.jobs import Job
from veriloop.tui.widgets.bars import Header, Keys

if TYPE_CHECKING:
    from veriloop.tui.app import VeriloopApp


class Page(Screen[None]):
    """A screen between the two rows."""

    TITLE_TEXT: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s,q", "app.show('session')", "Session"),
        Binding("y", "copy", "Copy", show=False),
        Binding("question_mark", "app.help", "Help", show=False),
    ]

    def compose(self) -> ComposeResult:
        """Top to bottom."""
        yield Header(self.TITLE_TEXT)
        yield from self.body()
        yield Keys()

    def body(self) -> ComposeResult:
        """What stands between the rows."""
        raise NotImplementedError

    @property
    def veriloop(self) -> VeriloopApp:
        """The application."""
        app: VeriloopApp = self.app  # type: ignore[assignment]  # there is no other
        return app

    def on_screen_resume(self) -> None:
        """It is seen again: shows what is so now."""
        self.update_page()

    def heard(self, job: Job, kind: str) -> None:
        """A job has said something; most screens care only about what is over."""
        if kind in ("result", "end") and self.is_current:
            self.update_page()

    def update_page(self) -> None:
        """Shows what is so now."""

    def copied(self) -> str:
        """What is copied where nothing is selected."""
        return ""

    def action_copy(self) -> None:
        """Copies what is selected, or what this screen is about."""
        text = self.get_selected_text() or self.copied()
        if text:
            self.veriloop.copy(text)
