"""Every key of a screen, and everything that can be typed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen, Screen

from veriloop.assistant.session.commands import ABILITIES, commands
from veriloop.tui.keys import all_keys
from veriloop.tui.lines import Line, clean
from veriloop.tui.widgets.bars import Keys
from veriloop.tui.widgets.text_view import TextView

_ALWAYS = (
    ("F1", "this help"),
    ("F2 ... F8", "change, evidence, waves, project, jobs, models, history"),
    ("F9, s", "back to the conversation"),
    ("^p", "everything by name"),
    ("Esc", "stops what runs, within a second; else goes back"),
    ("^b", "lets what runs run on behind"),
    ("^t", "dark, light, no colour"),
    ("^q", "leaves"),
    ("^c", "copies what is selected; twice leaves"),
)
_MOVES = frozenset(
    {
        *(
            "Down",
            "Up",
            "Page down",
            "Page up",
            "Top",
            "End",
            "Next",
            "Previous",
            "Ten down",
            "Ten up",
            "First",
            "Last",
        ),
        *(
            "Scroll Left",
            "Scroll Right",
            "Page Left",
            "Page Right",
            "Focus Next",
            "Focus Previous",
        ),
    }
)
"""Keys that only move; they come last."""
_SYSTEM = frozenset({"Copy selected text"})
"""Keys of the library's own that mean what one of ours means."""
_TYPING = (
    ("Enter", "sends"),
    ("^j, Shift+Enter", "begins a new line"),
    ("Up, Down", "what was typed before"),
    ("Tab", "completes a /command or an @file"),
    ("PgUp, PgDn", "scroll the conversation"),
)


class HelpScreen(ModalScreen[None]):
    """Help about another screen.

    Args:
        about: that screen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,question_mark", "app.pop_screen", "Back", priority=True)
    ]

    def __init__(self, about: Screen[Any]) -> None:
        super().__init__()
        self._keys = all_keys(about)

    def compose(self) -> ComposeResult:
        """The text, and how to get back."""
        yield TextView(id="help")
        yield Keys()

    def on_mount(self) -> None:
        """Writes it."""
        view = self.query_one(TextView)
        view.put(self._lines())
        view.focus()

    def _lines(self) -> Iterator[Line]:
        yield Line("What I can do", "head")
        yield Line(ABILITIES)
        yield Line("")
        yield Line("Keys of this screen", "head")
        everywhere = {one.description for one in self.app.BINDINGS if isinstance(one, Binding)} | _SYSTEM
        own = [(keys, what) for keys, what in self._keys if what not in everywhere]
        yield from _table(
            [*(pair for pair in own if pair[1] not in _MOVES), *(pair for pair in own if pair[1] in _MOVES)]
        )
        yield Line("")
        yield Line("Keys everywhere", "head")
        yield from _table(_ALWAYS)
        yield Line("")
        yield Line("Keys while typing", "head")
        yield from _table(_TYPING)
        yield Line("")
        yield Line("What can be typed, beside your own words", "head")
        yield from _table([(f"/{name}", what) for name, what in commands().items()])


def _table(rows: object) -> Iterator[Line]:
    pairs = [(str(one), str(two)) for one, two in rows]  # type: ignore[attr-defined]  # pairs of texts
    width = max((len(one) for one, _ in pairs), default=0)
    for one, two in pairs:
        text = clean(f"  {one:<{width}}  {two}")
        yield Line(text, spans=((2, 2 + len(one), "key"),))
