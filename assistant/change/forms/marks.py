"""Places that a reviewer is shown: what all forms say of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from veriloop.assistant.change.result import Checked, Outcome
from veriloop.assistant.verify.judged import PROTECTED, is_test
from veriloop.assistant.verify.report_text import one_line

TEST_FAILED, LOW_EVIDENCE, JUDGES, UNNOTICED = "test-failed", "evidence", "touches-what-judges", "mutant-unnoticed"
RULES = {
    TEST_FAILED: "A test that the change reaches fails.",
    LOW_EVIDENCE: "The evidence for a file does not reach as far as tests.",
    UNNOTICED: "A fault that no test notices: with it, every test that reads the file still passes.",
    JUDGES: "A file that judges the design is changed: a test, a waiver, an assertion, a file list.",
}
"""The rules that are Veriloop's own; all others are those of the tool that found something."""

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something to look at; line and column count from 1, 0 where there is none."""

    rule: str
    level: Level
    text: str
    path: str = ""
    line: int = 0
    column: int = 0
    tool: str = "veriloop"


def marks(checked: Checked, blocking: frozenset[str] = frozenset()) -> Iterator[Mark]:
    """Everything that the answer has a place for, the worst first.

    Args:
        checked: the answer.
        blocking: lint rules of which a new finding refuses.
    """
    yield from sorted(_marks(checked, blocking), key=lambda one: ("error", "warning", "note").index(one.level))


def _marks(checked: Checked, blocking: frozenset[str]) -> Iterator[Mark]:
    place = checked.place
    for step in checked.report.steps:
        if is_test(step) and not step.passed:
            where = f"; {place.signal} parts at {place.time}" if place and place.signal else ""
            yield Mark(
                rule=TEST_FAILED,
                level="error",
                text=one_line(f"{step.name}: {step.detail}{where}"),
                path=place.path if place else "",
                line=place.line if place else 0,
            )
        elif step.name == PROTECTED:
            for said in step.detail.partition(": ")[2].split("; "):
                path, _, why = said.partition(": ")
                yield Mark(rule=JUDGES, level="warning", text=why, path=path)
    for one in checked.findings:
        refuses = one.severity == "error" or one.code in blocking or "*" in blocking
        yield Mark(
            rule=one.code or f"{one.tool}-{one.severity}",
            level="error" if refuses else "warning",
            text=one_line(one.message),
            path=one.path,
            line=one.line,
            column=one.column,
            tool=one.tool,
        )
    for survivor in (one for score in checked.mutants for one in score.survivors):
        said = str(survivor).partition(": ")[2]
        text = f"no test notices {said}"
        yield Mark(rule=UNNOTICED, level="note", text=text, path=survivor.path, line=survivor.line)
    if checked.outcome is not Outcome.REFUTED:
        for said in checked.warnings:
            path, found, why = said.partition(": ")
            known = bool(found) and path in checked.classes
            yield Mark(rule=LOW_EVIDENCE, level="note", text=why if known else said, path=path if known else "")
