"""The evidence for the last result: what ran, what it counted, and what was not checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult

from veriloop.tui.evidence import evidence_lines
from veriloop.tui.lines import Line, joined, report_lines
from veriloop.tui.screens.base import Page
from veriloop.tui.widgets.text_view import TextView


class EvidenceScreen(Page):
    """The gate's report about what is chosen of the change; without a change, the last result."""

    TITLE_TEXT = "evidence"

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
            view.put(evidence_lines(report, report.get("facts", ())), keep_place=True)
            return
        last = self._last_result()
        if last is None:
            view.put(
                [Line("Nothing has run in this session yet."), Line("Say what is wrong (F9), or type /test", "key")]
            )
        else:
            view.put(report_lines(str(last.get("text", ""))), keep_place=True)

    def _report(self) -> Mapping[str, Any] | None:
        """The report about what is chosen; where that is not judged, the last one there is."""
        decision = self.veriloop.conversation.decision
        if decision is not None and decision.verdict.data:
            return decision.verdict.data
        last = self._last_result() or {}
        data = last.get("data", {})
        report = data.get("report") or data
        return report if isinstance(report, Mapping) and "steps" in report and "tests" in report else None

    def _last_result(self) -> Mapping[str, Any] | None:
        entries = self.veriloop.conversation.record.entries
        return next((entry.data for entry in reversed(entries) if entry.kind == "result"), None)

    def copied(self) -> str:
        """The command that judges the same again, else the text."""
        report = self._report()
        if report is not None and report.get("replay"):
            return str(report["replay"])
        return joined(self.query_one(TextView).lines)
