"""A list of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from veriloop.tui.lines import Line
from veriloop.tui.widgets.text_view import TextView


class Choosing(TextView):
    """Rows of which one is marked; the arrow keys, j and k move the mark."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "step(1)", "Next", show=False),
        Binding("k,up", "step(-1)", "Previous", show=False),
        Binding("space,pagedown", "step(10)", "Ten down", show=False),
        Binding("b,pageup", "step(-10)", "Ten up", show=False),
        Binding("g,home", "step(-1000000)", "First", show=False),
        Binding("G,end", "step(1000000)", "Last", show=False),
        Binding("enter", "take", "Choose"),
    ]

    class Moved(Message):
        """The mark has moved."""

    class Taken(Message):
        """The marked row was chosen."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(wrap=False, id=id)
        self.chosen = 0
        """The marked row, from 0."""
        self._plain: list[Line] = []

    def rows(self, found: Sequence[Line]) -> None:
        """Shows these rows; the mark stays where it is."""
        self._plain = list(found)
        self.chosen = max(0, min(self.chosen, len(self._plain) - 1))
        self._draw()

    def action_step(self, by: int) -> None:
        """Moves the mark."""
        before = self.chosen
        self.chosen = max(0, min(len(self._plain) - 1, self.chosen + by))
        if self.chosen != before:
            self._draw()
            self.post_message(self.Moved())

    def action_take(self) -> None:
        """Chooses the marked row."""
        if self._plain:
            self.post_message(self.Taken())

    def _draw(self) -> None:
        self.put((_row(line, marked=place == self.chosen) for place, line in enumerate(self._plain)), keep_place=True)
        self.show_line(self.chosen)


def _row(line: Line, *, marked: bool) -> Line:
    spans = tuple((low + 2, high + 2, look) for low, high, look in line.spans)
    return Line(f"> {line.text}", "here", spans) if marked else Line(f"  {line.text}", line.look, spans)
