"""The evidence for the last result: what ran, what it counted, and what was not checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from veriloop.assistant.errors import VeriloopError
from veriloop.assistant.session.record import Entry
from veriloop.tui.evidence import evidence_lines
from veriloop.tui.jobs import Job
from veriloop.tui.lines import Line, joined, report_lines
from veriloop.tui.screens.base import Page
from veriloop.tui.widgets.text_view import TextView


class EvidenceScreen(Page):
    """The gate's report about what is chosen of the change; without a change, the last result."""

    TITLE_TEXT = "evidence"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("c", "measure", "Measure coverage")]

    def __init__(self) -> None:
        super().__init__()
        self._measuring: Job | None = None

    def body(self) -> ComposeResult:
        """One text."""
        yield TextView(id="evidence")

    def on_mount(self) -> None:
        """Keys scroll it."""
        self.query_one(TextView).focus()

    def update_page(self) -> None:
        """Writes the report."""
        view = self.query_one(TextView)
        report = self._report()
        if report is not None:
            measuring = self._measuring is not None and not self._measuring.is_over
            view.put(evidence_lines(report, report.get("facts", ()), measuring=measuring), keep_place=True)
            return
        last = self._last_result()
        if last is None:
            view.put(
                [Line("Nothing has run in this session yet."), Line("Say what is wrong (F9), or type /test", "key")]
            )
        else:
            view.put(report_lines(str(last.data.get("text", ""))), keep_place=True)

    def _report(self) -> Mapping[str, Any] | None:
        """The report about what is chosen, or about what was judged since; else the last one there is."""
        last = self._last_result()
        data = last.data.get("data", {}) if last is not None else {}
        report = data.get("report") or data
        found = report if isinstance(report, Mapping) and "steps" in report and "tests" in report else None
        decision = self.veriloop.conversation.decision
        if decision is None or not decision.verdict.data:
            return found
        is_newer = last is not None and found is not None and last.number > decision.verdict.entry
        return found if is_newer else decision.verdict.data

    def _last_result(self) -> Entry | None:
        entries = self.veriloop.conversation.record.entries
        return next((entry for entry in reversed(entries) if entry.kind == "result"), None)

    def action_measure(self) -> None:
        """Measures how much of the change the tests meet, which takes a build; the report then says it."""
        decision, report = self.veriloop.conversation.decision, self._report()
        if report is None or (self._measuring is not None and not self._measuring.is_over):
            return
        if decision is not None and not decision.applied and report is decision.verdict.data:
            try:
                self._measuring = self.veriloop.deciding.measure()
            except VeriloopError as error:
                self.notify(error.message)
        elif report.get("replay"):
            words = str(report["replay"]).removeprefix("veriloop ")
            self.veriloop.submit(f"/{words} --coverage")
            self._measuring = self.veriloop.jobs.front
        self.update_page()

    def copied(self) -> str:
        """The command that judges the same again, else the text."""
        report = self._report()
        if report is not None and report.get("replay"):
            return str(report["replay"])
        return joined(self.query_one(TextView).lines)
