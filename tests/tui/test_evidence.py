"""A report in full, as lines."""

from __future__ import annotations

from tests.tui.conftest import full_report
from veriloop.tui.evidence import checklist_lines, evidence_lines


def test_what_is_to_be_looked_at_is_shown() -> None:
    one = {
        "path": "doc/regs.md",
        "line": 4,
        "kind": "documentation",
        "name": "ADDR_CTRL",
        "change": "parameter, was 8, is 12",
        "stale": True,
        "text": "",
    }
    report = {**full_report(), "checklist": [one]}
    said = "  doc/regs.md:4 has ADDR_CTRL: parameter, was 8, is 12; it has the value as it was"
    assert said in [line.text for line in evidence_lines(report)]
    assert said in [line.text for line in checklist_lines(report)]
    assert not list(checklist_lines(full_report()))
