"""The change, hunk by hunk: what is taken, what is left, and what the gate says of that choice."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Static

from veriloop.assistant.errors import VeriloopError
from veriloop.assistant.session.change import Choice, Standing
from veriloop.assistant.session.change import shown as hunk_text
from veriloop.assistant.session.decision import Decision
from veriloop.tui.diffing import CONTEXT, WHOLE, files_of, shown
from veriloop.tui.evidence import checklist_lines
from veriloop.tui.jobs import Job
from veriloop.tui.lines import Line
from veriloop.tui.messages import HunkEdited
from veriloop.tui.screens.base import Page
from veriloop.tui.widgets.text_view import TextView

_SPLIT_COLUMNS = 100
_SETTLED_S = 0.3
"""How long the choice must stay the same before the gate is asked about it."""
_APPLIES = "   w applies it"
_LOOKS = {
    Standing.VERIFIED: "verdict--good",
    Standing.REFUTED: "verdict--bad",
    Standing.EMPTY: "verdict--dim",
}


class Hunks(TextView):
    """The lines of the change; keys move from hunk to hunk."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "screen.step(1)", "Next hunk", key_display="j k"),
        Binding("k,up", "screen.step(-1)", "Previous hunk", show=False),
    ]


class Verdict(Static):
    """The title and the verdict."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"verdict--good", "verdict--bad", "verdict--warn", "verdict--dim"}


class ChangeScreen(Page):
    """Deciding about the change."""

    TITLE_TEXT = "change"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "decide(True)", "Accept"),
        Binding("r", "decide(False)", "Reject"),
        Binding("e", "edit", "Edit"),
        Binding("w", "write", "Apply"),
        Binding("A", "decide_all(True)", "Accept all", show=False),
        Binding("R", "decide_all(False)", "Reject all", show=False),
        Binding("u", "undo", "Undo", show=False),
        Binding("t", "split", "Side by side", show=False),
        Binding("f", "whole", "Whole file", show=False),
        Binding("v", "verify", "Verify again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._current = 0
        self._split = False
        self._around = CONTEXT
        self._places: list[int] = []
        self._settling: Timer | None = None
        self._of: int | None = None

    def body(self) -> ComposeResult:
        """The verdict above the lines."""
        yield Verdict(id="verdict")
        yield Hunks(wrap=False, id="hunks")

    def on_mount(self) -> None:
        """Keys act on the lines; time that passes is shown."""
        self.query_one(Hunks).focus()
        self.set_interval(1.0, self._tick)

    @property
    def _decision(self) -> Decision | None:
        return self.veriloop.conversation.decision

    # --- showing ---

    def on_screen_resume(self) -> None:
        """It is looked at: what each hunk is for may be found out now."""
        self.veriloop.deciding.probes = True
        super().on_screen_resume()
        self.veriloop.deciding.probe()

    def on_screen_suspend(self) -> None:
        """It is looked at no more."""
        self.veriloop.deciding.probes = False

    def on_resize(self) -> None:
        """Side by side takes the width that there is."""
        self.update_page()

    def heard(self, job: Job, kind: str) -> None:
        """A verdict has come, or the change itself."""
        if kind in ("change", "result", "end") and self.is_current:
            self.update_page()

    def update_page(self) -> None:
        """Shows the change as it is decided now."""
        decision = self._decision
        view = self.query_one(Hunks)
        if decision is None:
            self._places = []
            view.put(
                [Line("There is no change yet."), Line("Say what is wrong (F9), or: /repair, /check FILE.patch", "key")]
            )
            self.query_one(Verdict).update("")
            return
        if self._of != decision.change.entry:
            self._of, self._current = decision.change.entry, 0
        self._current = min(self._current, max(0, len(decision.change.hunks) - 1))
        split = self._split and self.size.width >= _SPLIT_COLUMNS
        width = self.size.width - 4
        found = shown(decision, self._current, width=width, split=split, context=self._around)
        self._places = found.places
        view.put([*found.lines, *checklist_lines(decision.verdict.data)], keep_place=True)
        self._show_verdict()

    def _show_verdict(self) -> None:
        decision = self._decision
        if decision is None:
            return
        widget = self.query_one(Verdict)
        said, look = self._said(decision)
        title = Text(_title(decision))
        line = Text(said, widget.get_component_rich_style(look, partial=True))
        if said == decision.verdict.line and decision.verdict.standing is Standing.VERIFIED:
            # What can be done about it stands where there is room, and is not cut off.
            room = self.size.width - 2 - len(_APPLIES)
            target = line if line.cell_len <= room else title
            target.truncate(room, overflow="ellipsis", pad=target is title)
            target.append(_APPLIES, widget.get_component_rich_style("verdict--dim", partial=True))
        widget.update(Text("\n", no_wrap=True, overflow="ellipsis").join((title, line)))

    def _said(self, decision: Decision) -> tuple[str, str]:
        """What there is to say of the choice, and its look."""
        if decision.applied:
            return "applied to the work tree; u takes it back", "verdict--good"
        if self.veriloop.deciding.is_verifying:
            return "being verified ...", "verdict--warn"
        return decision.verdict.line, _LOOKS.get(decision.verdict.standing, "verdict--warn")

    def _tick(self) -> None:
        if self.is_current:
            self._show_verdict()

    def copied(self) -> str:
        """The diff of what is chosen."""
        decision = self._decision
        return decision.change.diff(decision.choices).decode("utf-8", errors="replace") if decision else ""

    # --- keys ---

    def action_step(self, by: int) -> None:
        """Goes to another hunk; within a hunk that is longer than the screen, scrolls."""
        if not self._places:
            return
        view = self.query_one(Hunks)
        target = self._current + by
        if not 0 <= target < len(self._places):
            view.scroll_relative(y=by * 3, animate=False)
            return
        self._current = target
        self.update_page()
        last = self._places[target + 1] - 1 if target + 1 < len(self._places) else len(view.lines) - 1
        view.show_line(min(last, self._places[target] + view.size.height - 2))
        view.show_line(self._places[target])

    def action_decide(self, accepted: bool) -> None:
        """Accepts or rejects the hunk, and goes on to the next."""
        if self._may_decide():
            self._choose([self._current], Choice(accepted=accepted))
            if self._current + 1 < len(self._places):
                self.action_step(1)

    def action_decide_all(self, accepted: bool) -> None:
        """Accepts or rejects every hunk."""
        decision = self._decision
        if self._may_decide() and decision is not None:
            self._choose(list(range(len(decision.choices))), Choice(accepted=accepted))

    def action_edit(self) -> None:
        """Opens the hunk's new lines for editing."""
        decision = self._decision
        if not self._may_decide() or decision is None:
            return
        from veriloop.tui.screens.edit import EditScreen

        hunk, choice = decision.change.hunks[self._current], decision.choices[self._current]
        text = hunk_text(hunk.new if choice.text is None else choice.text)
        self.app.push_screen(EditScreen(self._current, f"{hunk.path}:{hunk.line}", text), self._edited)

    def action_write(self) -> None:
        """Writes what is accepted, if the gate has passed it."""
        try:
            self.veriloop.deciding.apply()
        except VeriloopError as error:
            self.notify(error.message, severity="warning")

    def action_undo(self) -> None:
        """Takes the last applied change back."""
        self.veriloop.submit("/undo")

    def action_split(self) -> None:
        """Old and new side by side, or one under the other."""
        self._split = not self._split
        if self._split and self.size.width < _SPLIT_COLUMNS:
            self.notify(f"side by side takes {_SPLIT_COLUMNS} columns; this terminal has {self.size.width}")
        self.update_page()

    def action_whole(self) -> None:
        """The whole file, or what stands around the hunks."""
        self._around = CONTEXT if self._around == WHOLE else WHOLE
        self.update_page()
        if self._places:
            self.query_one(Hunks).show_line(self._places[self._current])

    def action_verify(self) -> None:
        """Asks the gate again where its answer is open."""
        self.veriloop.deciding.verify()
        self._show_verdict()

    # --- how ---

    def _edited(self, made: HunkEdited | None) -> None:
        if made is None:
            return
        try:
            self.veriloop.session.entry(self.veriloop.conversation.edit(made.hunk, made.text))
        except VeriloopError as error:
            self.notify(error.message, severity="warning")
        self._settle()

    def _choose(self, hunks: list[int], choice: Choice) -> None:
        self.veriloop.session.entry(self.veriloop.conversation.choose(hunks, choice))
        self._settle()

    def _settle(self) -> None:
        """Shows the choice; asks the gate once it stays as it is."""
        self.update_page()
        if self._settling is not None:
            self._settling.stop()
        self._settling = self.set_timer(_SETTLED_S, self.action_verify)

    def _may_decide(self) -> bool:
        decision = self._decision
        if decision is None or not decision.change.hunks:
            return False
        if decision.applied:
            self.notify("this change is applied already; u takes it back")
            return False
        return True


def _title(decision: Decision) -> str:
    """What is changed where, and how much of it is accepted."""
    taken = sum(choice.accepted for choice in decision.choices)
    edited = sum(choice.accepted and choice.text is not None for choice in decision.choices)
    counts = f"{taken} of {len(decision.choices)} hunks accepted" + (f", {edited} edited" if edited else "")
    return f"{decision.change.title}: {files_of(decision.change.files)}   {counts}"
