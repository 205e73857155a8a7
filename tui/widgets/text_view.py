"""Lines of text that scroll, a hundred thousand of them as smoothly as ten: only what is seen is made."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from veriloop.tui.lines import LOOKS, Line
from veriloop.tui.widgets.wrapping import hanging, pieces

_CACHED = 1024


class TextView(ScrollView, can_focus=True):
    """Shows `Line`s. What is selected or copied is the text itself, not how it is broken into rows.

    Args:
        wrap: break lines that are too long; otherwise one scrolls sideways.
        follow: stay at the end when lines are added there, as long as the end is what is seen.
    """

    ALLOW_SELECT = True
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"text--{look}" for look in LOOKS}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "Down", show=False),
        Binding("k,up", "scroll_up", "Up", show=False),
        Binding("space,pagedown", "page_down", "Page down", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("g,home", "scroll_home", "Top", show=False),
        Binding("G,end", "scroll_end", "End", show=False),
    ]

    def __init__(
        self, *, wrap: bool = True, follow: bool = False, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(id=id, classes=classes)
        if wrap:
            self.styles.overflow_x = "hidden"
        self._wrap = wrap
        self._follow = follow
        self._lines: list[Line] = []
        self._starts: list[int] = []
        """The first row of each line; rows are what lines are broken into."""
        self._rows = 0
        self._broken_at = 0
        """The width that the rows were made for."""
        self._longest = 0
        self._at_end = True
        self._is_staying = False
        self._strips: LRUCache[tuple[int, int, int, int], Strip] = LRUCache(_CACHED)
        self._styles: dict[str, Style] = {}

    # --- lines ---

    @property
    def lines(self) -> Sequence[Line]:
        """All lines."""
        return self._lines

    def add(self, found: Iterable[Line]) -> None:
        """Adds lines at the end."""
        new = list(found)
        self._place(new)
        self._lines += new
        self._resized()
        self._stay()
        self.refresh()

    def put(self, found: Iterable[Line], *, keep_place: bool = False) -> None:
        """Shows these lines instead."""
        place = self.scroll_offset
        self._lines, self._starts, self._rows, self._longest = [], [], 0, 0
        new = list(found)
        self._place(new)
        self._lines = new
        self._strips.clear()
        self._resized()
        if keep_place:
            self.scroll_to(place.x, place.y, animate=False, immediate=True)
        else:
            self.scroll_home(animate=False, immediate=True)
        self.refresh()

    def show_line(self, index: int, *, margin: int = 1) -> None:
        """Scrolls as little as possible so that a line is seen."""
        if not 0 <= index < len(self._lines):
            return
        row, height = self._starts[index], self.size.height
        top = self.scroll_offset.y
        if row < top + margin:
            self.scroll_to(y=max(0, row - margin), animate=False, immediate=True)
        elif row >= top + height - margin:
            self.scroll_to(y=row - height + 1 + margin, animate=False, immediate=True)

    @property
    def columns(self) -> int:
        """How many columns of text are seen: the scroll bar takes one."""
        return self.scrollable_content_region.width

    # --- rows ---

    def _place(self, new: Sequence[Line]) -> None:
        width = self._broken_at or self.columns or 80
        self._broken_at = width
        starts, row = self._starts, self._rows
        for line in new:
            starts.append(row)
            cells = len(line.text) if line.text.isascii() else cell_len(line.text)
            self._longest = max(self._longest, cells)
            row += 1 if not self._wrap or cells <= width else len(pieces(line.text, width))
        self._rows = row

    def _resized(self) -> None:
        width = self.columns
        # What fits needs no second scroll bar.
        self.virtual_size = Size(width if self._wrap else self._longest, self._rows)

    def on_resize(self) -> None:
        """Breaks the lines anew where the width is another one."""
        width = self.columns
        if not self._wrap or not width or width == self._broken_at:
            self._resized()
            self._stay()
            return
        top = self._line_at(self.scroll_offset.y)
        self._broken_at = width
        self._starts, self._rows, self._longest = [], 0, 0
        self._place(self._lines)
        self._strips.clear()
        self._resized()
        if self._follow and self._at_end:
            self._stay()
        elif self._starts:
            self.scroll_to(y=self._starts[top], animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Whoever scrolls back is left where he is, until he is at the end again."""
        super().watch_scroll_y(old_value, new_value)
        self._at_end = new_value >= self.max_scroll_y

    def _stay(self) -> None:
        """Stays at the end, once it is known where that is."""
        if self._follow and self._at_end and not self._is_staying:
            self._is_staying = True
            self.call_after_refresh(self._go_to_end)

    def _go_to_end(self) -> None:
        self._is_staying = False
        self.scroll_end(animate=False, immediate=True, x_axis=False)

    def _line_at(self, row: int) -> int:
        return max(0, bisect_right(self._starts, row) - 1)

    # --- drawing ---

    def notify_style_update(self) -> None:
        """Forgets what was drawn in other colours."""
        super().notify_style_update()
        self._strips.clear()
        self._styles.clear()

    def render_line(self, y: int) -> Strip:
        """One row."""
        left, top = self.scroll_offset
        row, width = top + y, self.size.width
        plain = self.rich_style
        if row >= self._rows:
            return Strip.blank(width, plain)
        index = self._line_at(row)
        selection = self.text_selection
        key = (index, row - self._starts[index], left, width)
        if selection is None and key in self._strips:
            return self._strips[key]
        strip = self._drawn(index, row - self._starts[index], left, width, selection)
        if selection is None:
            self._strips[key] = strip
        return strip

    def _drawn(self, index: int, piece: int, left: int, width: int, selection: Selection | None) -> Strip:
        line = self._lines[index]
        start, end, indent = 0, len(line.text), 0
        if self._wrap:
            found = pieces(line.text, self._broken_at)
            start, end = found[min(piece, len(found) - 1)]
            indent = hanging(line.text, self._broken_at) if piece else 0
        base = self.rich_style + self._style(line.look)
        spans = [(low, high, self._style(look)) for low, high, look in line.spans]
        if selection is not None and (span := selection.get_span(index)) is not None:
            low, high = span
            marked = self.screen.get_component_rich_style("screen--selection")
            spans.append((low, len(line.text) if high == -1 else high, marked))
        segments = [Segment(" " * indent, base)] if indent else []
        segments += _cut(line.text, start, end, base, spans)
        strip = Strip(segments)
        strip = strip.crop_extend(
            left, left + width, base if line.look in ("added", "removed", "here") else self.rich_style
        )
        # Selections count in the text's own characters.
        return strip.apply_offsets(start - indent + (0 if self._wrap else left), index)

    def _style(self, look: str) -> Style:
        if not look:
            return Style.null()
        if look not in self._styles:
            self._styles[look] = self.get_component_rich_style(f"text--{look}", partial=True)
        return self._styles[look]

    # --- selecting ---

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text."""
        return selection.extract("\n".join(line.text for line in self._lines)), "\n"

    def selection_updated(self, selection: Selection | None) -> None:
        """Draws what is selected."""
        self._strips.clear()
        self.refresh()


def _cut(text: str, start: int, end: int, base: Style, spans: Sequence[tuple[int, int, Style]]) -> list[Segment]:
    """Characters `start` up to `end`, each stretch of equal spans in one segment."""
    if not spans:
        return [Segment(text[start:end], base)]
    edges = sorted({start, end, *(edge for low, high, _ in spans for edge in (low, high) if start < edge < end)})
    segments = []
    for low, high in itertools.pairwise(edges):
        style = base
        for first, last, look in spans:
            if first <= low and high <= last:
                style += look
        segments.append(Segment(text[low:high], style))
    return segments
