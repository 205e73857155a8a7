"""What may be meant by what is being typed, above the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.widget import Widget

_ROWS = 6


class Offers(Widget):
    """A few rows, one of them chosen; none where nothing is offered."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"offers--chosen", "offers--dim"}

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._offers: Sequence[tuple[str, str]] = ()
        self._chosen = 0

    def on_mount(self) -> None:
        """Nothing is offered at first."""
        self.display = False

    def show(self, offers: Sequence[tuple[str, str]], chosen: int) -> None:
        """Shows what is offered."""
        self._offers, self._chosen = offers, chosen
        self.display = bool(offers)
        self.styles.height = min(_ROWS, len(offers))
        self.refresh()

    def render(self) -> Text:
        """The rows around the chosen one."""
        first = max(0, min(self._chosen - _ROWS + 2, len(self._offers) - _ROWS))
        width = max((len(text) for text, _ in self._offers), default=0)
        rows = []
        for place, (text, what) in enumerate(self._offers[first : first + _ROWS], first):
            row = Text(f"  {text:<{width}}  ", no_wrap=True, overflow="ellipsis")
            row.append(what, self.get_component_rich_style("offers--dim", partial=True))
            row.truncate(self.size.width, overflow="ellipsis", pad=True)
            if place == self._chosen:
                row.stylize(self.get_component_rich_style("offers--chosen", partial=True))
            rows.append(row)
        return Text("\n").join(rows)
