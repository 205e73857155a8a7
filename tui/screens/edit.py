"""Another text for a hunk."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import Static, TextArea

from veriloop.tui.lines import clean
from veriloop.tui.messages import HunkEdited
from veriloop.tui.widgets.bars import Keys


class EditScreen(ModalScreen[HunkEdited | None]):
    """An editor for the new lines of a hunk; an empty text removes the old lines.

    Args:
        hunk: its number, from 0.
        where: its file and line.
        text: its new lines.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "take", "Take it", priority=True),
        Binding("escape", "leave", "Leave it as it was", priority=True),
    ]

    def __init__(self, hunk: int, where: str, text: str) -> None:
        super().__init__()
        self._hunk = hunk
        self._where = where
        self._text = text

    def compose(self) -> ComposeResult:
        """What is edited, the editor, and the keys."""
        yield Static(
            clean(f"hunk {self._hunk + 1}, {self._where}: what is to stand there"), id="edit-title", markup=False
        )
        yield TextArea(self._text, show_line_numbers=False, tab_behavior="indent", soft_wrap=False, id="editor")
        yield Keys()

    def on_mount(self) -> None:
        """One can type at once."""
        self.query_one(TextArea).focus()

    def action_take(self) -> None:
        """Takes the text; the gate will judge it."""
        self.dismiss(HunkEdited(self._hunk, self.query_one(TextArea).text))

    def action_leave(self) -> None:
        """Leaves the hunk as it was."""
        self.dismiss(None)
