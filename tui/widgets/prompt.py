"""Where one types: several lines, earlier ones by the arrow keys, commands and files completed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

Complete = Callable[[str], tuple[str, Sequence[tuple[str, str]]]]
"""Takes the text up to the cursor; returns the part of it that is completed, and what it may become, with a remark."""


class Prompt(TextArea):
    """The input.

    Args:
        complete: what may be meant by what has been typed.
        placeholder: shown while nothing is typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Send", show=False),
        Binding("ctrl+j,shift+enter,alt+enter", "newline", "New line", show=False),
        Binding("tab", "take", "Complete", show=False),
        Binding("up", "earlier", "What was typed before", show=False),
        Binding("down", "later", "What was typed after that", show=False),
    ]

    @dataclass
    class Submitted(Message):
        """The user has sent a text."""

        text: str

    @dataclass
    class Offered(Message):
        """What may be meant has changed; `chosen` is the one that Tab takes."""

        offers: Sequence[tuple[str, str]]
        chosen: int

    def __init__(self, complete: Complete, *, placeholder: str, id: str | None = None) -> None:
        super().__init__(
            id=id,
            compact=True,
            highlight_cursor_line=False,
            placeholder=placeholder,
            tab_behavior="focus",
            soft_wrap=True,
        )
        self._complete = complete
        self._looked_at = ""
        self._part = ""
        self._offers: Sequence[tuple[str, str]] = ()
        self._chosen = 0
        self._earlier: list[str] = []
        self._place = 0
        self._draft = ""

    def remember(self, texts: Sequence[str]) -> None:
        """Sets what the arrow keys bring back, the oldest first."""
        self._earlier = list(texts)
        self._place = len(self._earlier)

    def put(self, text: str) -> None:
        """Sets the text, with the cursor behind it."""
        self.text = text
        self.move_cursor(self.document.end)
        self.focus()

    # --- keys ---

    def action_submit(self) -> None:
        """Sends the text; a command that is only begun is completed first."""
        if self._offers and self._part.startswith("/") and self._part != self._offers[self._chosen][0]:
            self.action_take()
            return
        text = self.text.strip()
        if not text:
            return
        self._earlier = [*[one for one in self._earlier if one != text], text]
        self._place, self._draft = len(self._earlier), ""
        self.text = ""
        self._offer(())
        self.post_message(self.Submitted(text))

    def action_newline(self) -> None:
        """Begins a new line."""
        self.insert("\n")

    def action_take(self) -> None:
        """Completes what is typed; without anything to complete, goes to the next part of the screen."""
        if not self._offers:
            self.screen.focus_next()
            return
        text, _ = self._offers[self._chosen]
        row, column = self.cursor_location
        self.replace(text + " ", (row, column - len(self._part)), (row, column))
        self._offer(())

    def action_earlier(self) -> None:
        """Up: another offer, the line above, or what was typed before."""
        if self._offers:
            self._choose(self._chosen - 1)
        elif self.cursor_location[0] > 0:
            self.action_cursor_up()
        elif self._place > 0:
            if self._place == len(self._earlier):
                self._draft = self.text
            self._recall(self._place - 1)

    def action_later(self) -> None:
        """Down: the other way."""
        if self._offers:
            self._choose(self._chosen + 1)
        elif self.cursor_location[0] < self.document.line_count - 1:
            self.action_cursor_down()
        elif self._place < len(self._earlier):
            self._recall(self._place + 1)

    async def _on_key(self, event: events.Key) -> None:
        """Keys of its own, in their turn among those that are typed: Enter must not overtake a letter."""
        self._look()
        closes = event.key == "escape" and bool(self._offers)
        if not closes and event.key not in _KEYS:
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()
        if closes:
            self._offer(())
        else:
            _KEYS[event.key](self)

    def on_text_area_changed(self) -> None:
        """Looks for what may be meant."""
        self._look()

    # --- how ---

    def _look(self) -> None:
        """Looks for what may be meant by the text as it is now.

        `TextArea.Changed` comes after the keys that were typed meanwhile: Enter must not take what was offered for half
        a word.
        """
        row, column = self.cursor_location
        before = self.document.get_line(row)[:column]
        text = before if row == 0 else f" {before}"
        if text == self._looked_at:
            return
        self._looked_at = text
        self._part, offers = self._complete(text)
        self._offer(offers)

    def _recall(self, place: int) -> None:
        self._place = place
        self.text = self._earlier[place] if place < len(self._earlier) else self._draft
        self.move_cursor(self.document.end)
        self._offer(())

    def _choose(self, place: int) -> None:
        self._chosen = place % len(self._offers)
        self.post_message(self.Offered(self._offers, self._chosen))

    def _offer(self, offers: Sequence[tuple[str, str]]) -> None:
        if not offers and not self._offers:
            return
        self._offers, self._chosen = offers, 0
        self.post_message(self.Offered(offers, 0))


_KEYS: Mapping[str, Callable[[Prompt], None]] = {
    "enter": Prompt.action_submit,
    "ctrl+j": Prompt.action_newline,
    "shift+enter": Prompt.action_newline,
    "alt+enter": Prompt.action_newline,
    "tab": Prompt.action_take,
    "up": Prompt.action_earlier,
    "down": Prompt.action_later,
}
