"""The waves: what was seen beside what was expected, around the first place where they part."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from veriloop.assistant.session.request import Request
from veriloop.tui.jobs import Job
from veriloop.tui.lines import Line, Look, clean
from veriloop.tui.screens.base import Page
from veriloop.tui.widgets.choosing import Choosing

if TYPE_CHECKING:
    from veriloop.assistant.verify.wave import Wave
    from veriloop.assistant.verify.window import Window

_NAME_COLUMNS = 24
_JUMP = 8


class Loaded(Message):
    """The records were read."""

    def __init__(self, seen: Wave, expected: Wave | None) -> None:
        super().__init__()
        self.seen = seen
        self.expected = expected


class Signals(Choosing):
    """The ruler and the signals; keys to the side move the window, not the text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l,right", "screen.move(1)", "Later", key_display="h l"),
        Binding("h,left", "screen.move(-1)", "Earlier", show=False),
    ]


class WavesScreen(Page):
    """Records in a window that can be moved."""

    TITLE_TEXT = "waves"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom", key_display="+ -"),
        Binding("minus", "zoom(2.0)", "Zoom out", show=False),
        Binding("n", "part(1)", "Next difference"),
        Binding("N", "part(-1)", "Previous difference", show=False),
        Binding("greater_than_sign,full_stop", "cursor(1)", "Cursor", key_display="< >"),
        Binding("less_than_sign,comma", "cursor(-1)", "Cursor to the left", show=False),
        Binding("0", "first", "First difference", show=False),
        Binding("w", "export", "Save files", show=False),
        Binding("d", "only", "Only what differs", show=False),
        Binding("o", "record", "Record again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._asked = ""
        self._told: Mapping[str, Any] = {}
        self._problem = ""
        self._seen: Wave | None = None
        self._expected: Wave | None = None
        self._window: Window | None = None
        self._cursor_fs = 0
        self._only_parting = False

    def body(self) -> ComposeResult:
        """One list: a ruler, then the signals."""
        yield Signals(id="waves")

    def on_mount(self) -> None:
        """Keys act on the list."""
        self.query_one(Choosing).focus()

    # --- getting the records ---

    def on_screen_resume(self) -> None:
        """It is looked at: what is chosen of the change may be another one now."""
        super().on_screen_resume()
        if self._wanted() and self._wanted() != self._asked:
            self.action_record()

    def action_record(self) -> None:
        """Records the test, as it is and with what is chosen of the change."""
        words = self._words()
        if words is None:
            return
        self._asked, self._told, self._problem, self._seen = self._wanted(), {}, "", None
        self.veriloop.jobs.start(Request(purpose="look", words=words), title="waves")
        self.update_page()

    def _wanted(self) -> str:
        decision = self.veriloop.conversation.decision
        return decision.key if decision is not None else ""

    def _words(self) -> tuple[str, ...] | None:
        decision = self.veriloop.conversation.decision
        if decision is None or "--testbench" not in decision.change.judge:
            return None
        keep = self.veriloop.opened.place.directory / "waves"
        diff = decision.change.diff(decision.choices)
        patch = self.veriloop.opened.place.directory / f"{decision.key[:16]}.diff"
        if diff and not patch.exists():
            patch.write_bytes(diff)
        more = ("--patch", str(patch)) if diff and not decision.applied else ()
        return ("waves", *decision.change.judge, *more, "--keep", str(keep))

    def heard(self, job: Job, kind: str) -> None:
        """The records are there, or cannot be had; or the user has asked for others."""
        is_mine = job.request.words[:1] == ("waves",) and job.request.purpose == "look"
        if is_mine and kind == "result":
            self._told = job.results[-1]
            self._load()
        elif is_mine and kind == "end" and job.message:
            self._problem = job.message
        if is_mine and self.is_current:
            self.update_page()

    def _load(self) -> None:
        seen, expected = self._told["seen"], self._told["expected"]

        def read() -> None:
            from veriloop.assistant.verify.wave import Wave

            found = Wave.read(Path(seen))
            self.post_message(Loaded(found, Wave.read(Path(expected)) if expected else None))

        # A record may be large; the screen does not wait for it.
        threading.Thread(target=read, daemon=True).start()

    def on_loaded(self, message: Loaded) -> None:
        """Shows the first place where they part."""
        self._seen, self._expected = message.seen, message.expected
        self.action_first()

    # --- showing ---

    def on_resize(self) -> None:
        """As many columns as there are."""
        if self._seen is not None and self._window is not None:
            from veriloop.assistant.verify.window import Window

            self._window = Window(self._window.start_fs, self._window.step_fs, self._columns)
        self.update_page()

    @property
    def _columns(self) -> int:
        return max(10, self.size.width - _NAME_COLUMNS - 7)

    def update_page(self) -> None:
        """Draws the window."""
        self.query_one(Choosing).rows(list(self._rows()))

    def _rows(self) -> Iterator[Line]:
        if self._problem:
            yield Line(clean(self._problem), "bad")
        elif self._seen is None and self._asked:
            yield Line("recording the test, as it is and with the change ...", "dim")
        elif self._seen is None:
            yield Line("There is nothing to record yet: a change and the testbench that judges it come first.")
            yield Line("Say what is wrong (F9); records of your own: /waves seen.vcd expected.vcd", "key")
        else:
            yield from self._drawn()

    def _drawn(self) -> Iterator[Line]:
        from veriloop.assistant.verify.divergence import time_text, value_text
        from veriloop.assistant.verify.wave import value_at
        from veriloop.assistant.verify.window import differences, drawn, ruler

        seen, expected, window = self._seen, self._expected, self._window
        if seen is None or window is None:
            return
        parts = self._told.get("divergence")
        if parts:
            cycle = f", cycle {parts['cycle']}" if parts["cycle"] is not None else ""
            yield Line(clean(f"{parts['signal']}{cycle}: expected {parts['expected']}, seen {parts['seen']}"), "head")
        else:
            yield Line("nothing parts" if expected is not None else "one record, nothing to compare it with", "dim")
        column = window.column(self._cursor_fs)
        yield self._with_cursor("", f"{time_text(self._cursor_fs)}", ruler(window), column, "dim", ())
        for name in self._names():
            changes = seen.changes[name]
            other = expected.changes.get(name) if expected is not None else None
            spans: tuple[tuple[int, int, Look], ...] = ()
            parting = differences(changes, other, window) if other is not None else []
            spans = tuple((low, high, "bad") for low, high in parting)
            value = value_text(value_at(changes, self._cursor_fs))
            yield self._with_cursor(name, value, drawn(changes, window), column, "", spans)
            if other is not None and other != changes:
                value = value_text(value_at(other, self._cursor_fs))
                good: tuple[tuple[int, int, Look], ...] = tuple((low, high, "good") for low, high in parting)
                yield self._with_cursor("  expected", value, drawn(other, window), column, "dim", good)

        saved = self._saved
        if saved:
            yield Line("written for GTKWave and Surfer (w copies the names):", "dim")
            yield from (Line(clean(f"  {path}"), "key") for path in saved)

    @property
    def _saved(self) -> Sequence[str]:
        """Save files for other viewers, beside the records."""
        return tuple(map(str, self._told.get("saved", ())))

    def _with_cursor(
        self, name: str, value: str, wave: str, column: int, look: Look, spans: tuple[tuple[int, int, Look], ...]
    ) -> Line:
        """A row: the name, the value at the cursor, the wave."""
        room = _NAME_COLUMNS - 11
        shown = name if len(name) <= room else f"~{name[-room + 1 :]}"
        head = clean(f"{shown:<{room}} {value[-10:]:>10} ")
        moved = [(len(head) + low, len(head) + high, one) for low, high, one in spans]
        if 0 <= column < len(wave):
            moved.append((len(head) + column, len(head) + column + 1, "here"))
        return Line(head + clean(wave), look, tuple(moved))

    def _names(self) -> list[str]:
        names: list[str] = [name for name in self._told.get("signals", ()) if self._seen and name in self._seen.changes]
        if self._only_parting and self._expected is not None and self._seen is not None:
            return [name for name in names if self._expected.changes.get(name) != self._seen.changes[name]]
        return names

    # --- keys ---

    def action_first(self) -> None:
        """Goes to the first place where they part."""
        from veriloop.assistant.verify.window import around

        if self._seen is None:
            return
        parts = self._told.get("divergence") or {}
        self._cursor_fs = int(parts.get("at_fs", 0))
        self._window = around(self._seen, self._cursor_fs, self._columns)
        self.update_page()

    def action_move(self, by: int) -> None:
        """Shows what comes later, or before."""
        self._change(lambda window: window.moved(by * _JUMP))

    def action_zoom(self, factor: float) -> None:
        """Shows less time, or more, around the cursor."""
        self._change(lambda window: window.zoomed(factor, around_fs=self._cursor_fs))

    def action_cursor(self, by: int) -> None:
        """Moves the cursor by a column; the window follows it."""
        if self._window is None:
            return
        self._cursor_fs = max(0, self._cursor_fs + by * self._window.step_fs)
        if not 0 <= self._window.column(self._cursor_fs) < self._window.columns:
            self._window = self._window.moved(by * self._window.columns // 2)
        self.update_page()

    def action_part(self, by: int) -> None:
        """Goes to the next place at which something begins to differ, or to the one before."""
        times = self._parting()
        later = [at for at in times if at > self._cursor_fs] if by > 0 else [at for at in times if at < self._cursor_fs]
        if not later:
            self.notify("no other difference there")
            return
        self._cursor_fs = later[0] if by > 0 else later[-1]
        window = self._window
        if window is not None and not 0 <= window.column(self._cursor_fs) < window.columns:
            ahead = window.column(self._cursor_fs) - window.columns // 3
            self._window = window.moved(ahead)
        self.update_page()

    def action_export(self) -> None:
        """Copies the names of the save files for other viewers."""
        if self._saved:
            self.veriloop.copy("\n".join(self._saved))
        else:
            self.notify("nothing is recorded yet")

    def action_only(self) -> None:
        """Only the signals that differ, or all."""
        self._only_parting = not self._only_parting
        self.update_page()

    def _parting(self) -> list[int]:
        """The times at which a signal that differs changes."""
        seen, expected = self._seen, self._expected
        if seen is None or expected is None:
            return []
        found = {
            at
            for name in self._names()
            if name in expected.changes
            for one in set(seen.changes[name]) ^ set(expected.changes[name])
            for at in (one[0],)
        }
        return sorted(found)

    def _change(self, make: Callable[[Window], Window]) -> None:
        if self._window is not None:
            self._window = make(self._window)
            self.update_page()

    def copied(self) -> str:
        """The names of the signals, a line each."""
        return "\n".join(self._names())
