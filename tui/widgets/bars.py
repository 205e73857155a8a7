"""The first and the last row of every screen: where one is and how it stands; which keys there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual.widget import Widget

from veriloop.tui.keys import shown_keys

if TYPE_CHECKING:
    from veriloop.tui.app import VeriloopApp

_GAP = "  "


class Header(Widget):
    """The name of the tree, the screen, how the tests stand, and what runs.

    Args:
        title: the screen's.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "header--name",
        "header--dim",
        "header--good",
        "header--bad",
        "header--warn",
    }

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def on_mount(self) -> None:
        """Time that passes is shown."""
        self._was: object = None
        self.set_interval(1.0, self._tick)

    def _tick(self) -> None:
        """Draws it anew where it says something else."""
        facts = list(self._facts())
        if facts != self._was:
            self._was = facts
            self.refresh()

    @property
    def _veriloop(self) -> VeriloopApp:
        app: VeriloopApp = self.app  # type: ignore[assignment]  # there is no other
        return app

    def render(self) -> Text:
        """One row: what does not fit is left out from the right end of its left part."""
        width = self.size.width
        left = Text(" ", no_wrap=True)
        left.append("veriloop", self._look("name"))
        left.append(f"{_GAP}{self._veriloop.tree_name}{_GAP}{self._title}", self._look("dim"))
        right = Text(no_wrap=True)
        for text, look in self._facts():
            right.append(text + _GAP, self._look(look))
        room = max(0, width - right.cell_len)
        left.truncate(room, overflow="ellipsis")
        return Text.assemble(left, " " * max(0, room - left.cell_len), right)

    def _facts(self) -> Iterator[tuple[str, str]]:
        running = self._veriloop.jobs.running
        if running:
            first = running[0]
            more = f" and {len(running) - 1} more" if len(running) > 1 else ""
            yield f"running: {first.title[:24]}{more}, {first.seconds:.0f} s", "warn"
        yield self._veriloop.standing

    def _look(self, name: str) -> Style:
        return self.get_component_rich_style(f"header--{name}", partial=True)


class Keys(Widget):
    """The keys of this screen, as many as fit; F1 shows all."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"keys--key", "keys--what"}

    def on_mount(self) -> None:
        """What a key does may depend on what is selected."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def render(self) -> Text:
        """One row."""
        key_style = self.get_component_rich_style("keys--key", partial=True)
        what_style = self.get_component_rich_style("keys--what", partial=True)
        row = Text(" ", no_wrap=True)
        for key, what in shown_keys(self.screen):
            if row.cell_len + cell_len(key) + cell_len(what) + 1 > self.size.width:
                break
            row.append(key, key_style)
            row.append(f" {what}{_GAP}", what_style)
        return row
