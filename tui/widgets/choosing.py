"""A list of which one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from textual.binding import Binding, BindingType
from textual.message import Message

from veriloop.tui.lines import Line
from veriloop.tui.widgets.text_view import TextView


class Choosing(TextView):
    """Rows of which one is marked; the arrow keys, j and k move the mark. Headings (`head`) are passed over."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "step(1)", "Next", show=False),
        Binding("k,up", "step(-1)", "Previous", show=False),
        Binding("space,pagedown", "step(10)", "Ten down", show=False),
        Binding("pageup", "step(-10)", "Ten up", show=False),
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
        self.styles.overflow_x = "hidden"
        self.chosen = 0
        """The marked row, from 0."""
        self._plain: list[Line] = []

    def rows(self, found: Sequence[Line]) -> None:
        """Shows these rows; the mark stays where it is."""
        self._plain = list(found)
        self.chosen = self._nearest(self.chosen, 1)
        self._draw()

    def on_resize(self) -> None:
        """Cuts the rows for another width."""
        super().on_resize()
        self._draw()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter is a key where the screen does something about it."""
        return action != "take" or hasattr(self.screen, "on_choosing_taken")

    def action_step(self, by: int) -> None:
        """Moves the mark."""
        before = self.chosen
        self.chosen = self._nearest(self.chosen + by, by)
        if self.chosen != before:
            self._draw()
            self.post_message(self.Moved())

    def action_take(self) -> None:
        """Chooses the marked row."""
        if self._plain:
            self.post_message(self.Taken())

    def _nearest(self, place: int, by: int) -> int:
        """The row that is no heading nearest to one, first in the direction in which one goes."""
        last = max(0, len(self._plain) - 1)
        start = max(0, min(last, place))
        ahead, back = list(range(start, last + 1)), list(range(start, -1, -1))
        for where in ahead + back if by > 0 else back + ahead:
            if where < len(self._plain) and self._plain[where].look != "head":
                return where
        return start

    def _draw(self) -> None:
        room = (self.columns or 80) - 2
        rows = (_row(line, room, marked=place == self.chosen) for place, line in enumerate(self._plain))
        self.put(rows, keep_place=True)
        # A heading right above the first row is seen with it.
        is_first = all(line.look == "head" for line in self._plain[: self.chosen])
        self.show_line(0 if is_first else self.chosen)


def _row(line: Line, room: int, *, marked: bool) -> Line:
    """A row that fits: what the marked one holds in full stands elsewhere on its screen."""
    spans = tuple((low + 2, high + 2, look) for low, high, look in line.spans)
    text = line.text if cell_len(line.text) <= room else set_cell_size(line.text, room - 1) + "\N{HORIZONTAL ELLIPSIS}"
    return Line(f"> {text}", "here", spans) if marked else Line(f"  {text}", line.look, spans)
