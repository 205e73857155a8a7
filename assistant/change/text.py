"""The answer about a change in words: one line, at most ten for a refusal, all of it, or as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from veriloop.assistant.change.mutants import as_data
from veriloop.assistant.change.result import Checked, Outcome, Place
from veriloop.assistant.verify.evidence import Report, Step
from veriloop.assistant.verify.judged import is_test
from veriloop.assistant.verify.report_text import as_json, as_markdown, as_text, broken, headline, one_line
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.rules import explained

SCHEMA = 1
"""Of the lines of `--json`; raised when a key changes its meaning or goes."""

REFUSAL_LINES = 10
_LINE_CHARS = 160


def summary(checked: Checked) -> dict[str, Any]:
    """The last line of `--json`."""
    return {
        "outcome": checked.outcome.value,
        "evidence": checked.report.evidence.label,
        "exit": checked.outcome.exit_code,
        "cached": checked.cached,
        "checked": list(checked.checked),
        "left_out": list(map(str, checked.left_out)),
        "seconds": round(checked.seconds, 3),
    }


def data(checked: Checked, diff: str) -> dict[str, Any]:
    """The line of `--json` before the last."""
    return {
        "type": "report",
        "schema": SCHEMA,
        **as_json(checked.report, diff),
        "outcome": checked.outcome.value,
        "exit": checked.outcome.exit_code,
        "classes": {path: evidence.label for path, evidence in checked.classes.items()},
        "left_out": [asdict(one) for one in checked.left_out],
        "warnings": list(checked.warnings),
        "place": asdict(checked.place) if checked.place else None,
        "findings": [{**asdict(one), "about": explained(one.code)} for one in checked.findings if one.code or one.line],
        "fixes": [str(one) for one in checked.fixes],
        "mutants": [as_data(one) for one in checked.mutants],
        "coverage": checked.coverage.data(),
    }


def title(checked: Checked) -> str:
    """The answer in one line."""
    report = checked.report
    match checked.outcome:
        case Outcome.VERIFIED:
            return headline(report)
        case Outcome.PASSED:
            return f"passed, not verified: evidence: {report.evidence.label}"
        case Outcome.UNCHANGED:
            return "nothing to check: only comments, layout or texts change"
        case Outcome.REFUTED:
            blocking = not any(not step.passed for step in report.steps) and bool(checked.warnings)
            return f"refuted: {checked.warnings[-1]}" if blocking else headline(report)
        case Outcome.NOT_VERIFIED:
            return f"not verified: evidence: {report.evidence.label}"


def text(checked: Checked) -> str:
    """The whole answer for a terminal."""
    lines = [*as_text(checked.report).splitlines()]
    lines[0] = title(checked)
    said = [f"warning: {one}" for one in checked.warnings if not lines[0].endswith(one)]
    lines[1:1] = [*said, *_placed(checked.place)]
    met = [f"  {one}" for one in checked.coverage.files]
    covered = ["", "what the tests meet of what was changed (Verilator, one run from zeros):", *met] if met else []
    return "\n".join([*lines, *_helped(checked), *covered]) + "\n"


def markdown(checked: Checked, diff: str) -> str:
    """The whole answer for a merge request."""
    lines = as_markdown(checked.report, diff).splitlines()
    lines[0] = f"**{title(checked)}**"
    warnings = [one for one in checked.warnings if not title(checked).endswith(one)]
    said = [*(f"- warning: {one}" for one in warnings), *(f"- {line}" for line in _placed(checked.place))]
    lines[1:1] = ["", *said] if said else []
    return "\n".join(lines) + "\n"


def refusal(checked: Checked) -> str:
    """Why a change is refused, in at most ten lines: what fails, where, which signal, in which cycle, and what next."""
    report = checked.report
    lines = [title(checked), *_placed(checked.place)]
    for step in report.steps:
        if not step.passed:
            lines += _why(step, report)
    lines += [f"warning: {one}" for one in checked.warnings if not lines[0].endswith(one)]
    lines += _helped(checked)[:3]
    lines += [f"left out: {_names(checked)}"] if checked.left_out else []
    again = [f"again: {report.replay}"] if report.replay else []
    shown = [_short(line) for line in lines][: REFUSAL_LINES - len(again)]
    return "\n".join([*shown, *again]) + "\n"


def cached_line(outcome: str, evidence: str, checked: Iterable[str]) -> str:
    """The one line for what was answered before."""
    names = list(checked)
    return f"{outcome}: evidence: {evidence}; {len(names)} steps, all of them known already"


def _why(step: Step, report: Report) -> list[str]:
    if not is_test(step):
        return [f"{step.name}: {one}" for one in step.detail.split("; ")][:4]
    before = " (it passed before)" if step.name in broken(report) else ""
    lines = [f"{step.name}{before}: {one_line(step.detail)}"]
    red = next((run for run in step.results if not run.passed), None)
    return lines + (_first_mismatch(red) if red else [])


def _first_mismatch(run: SimResult) -> list[str]:
    if run.diagnostics:
        return [str(run.diagnostics[0])]
    if not run.mismatches:
        return []
    first = run.mismatches[0]
    values = f": expected {first.expected}, got {first.got}" if first.expected or first.got else ""
    return [f"first mismatch: {first.signal} at {first.time}{values}"] if first.signal else []


def _helped(checked: Checked) -> list[str]:
    """What the rules of new findings are about, a line a rule, and what would mend them."""
    rules = dict.fromkeys(one.code for one in checked.findings)
    lines = [f"{rule}: {about}" for rule in rules if (about := explained(rule))]
    lines += [f"fix: {one}" for one in checked.fixes]
    return [*lines, "as a patch: veriloop check --fixes FILE"] if checked.fixes else lines


def _placed(place: Place | None) -> list[str]:
    if place is None:
        return []
    lines = []
    if place.path:
        lines.append(f"{place.path}:{place.line}: {place.text.strip()}")
    if place.signal:
        at = f", at {place.time}" if place.time else ""
        cycle = f", cycle {place.cycle} of {place.clock}" if place.cycle is not None else ""
        lines.append(f"{place.signal} is {place.now}, was {place.was} before this change{at}{cycle}")
    return lines


def _names(checked: Checked) -> str:
    names = [one.name for one in checked.left_out]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more} ({checked.left_out[0].why})"


def _short(line: str) -> str:
    return line if len(line) <= _LINE_CHARS else line[: _LINE_CHARS - 3] + "..."
