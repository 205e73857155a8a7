"""A report for a person, for a program, and for a review: text, JSON and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from veriloop.assistant.verify.evidence import Evidence, Report, Step
from veriloop.assistant.verify.judged import by_licensed, is_test

_LOOK_AT = "look at, because it names what is changed:"


def as_text(report: Report, diff: str = "", *, more: Sequence[str] = ()) -> str:
    """The report for a terminal.

    Args:
        report: the gate's answer.
        diff: the change, as a unified diff.
        more: further facts of the workflow, a line each, e.g. how many candidates were tried.
    """
    lines = [diff.rstrip("\n"), ""] if diff else []
    lines += [headline(report), ""]
    width = max((len(step.name) for step in report.steps), default=0)
    for step in report.steps:
        lines.append(f"  {_mark(step)} {step.name:<{width}}  {_said(report, step)}".rstrip())
    lines += [f"  {line}" for line in more]
    if report.new_warnings:
        lines += ["", "new warnings:", *(f"  {line}" for line in report.new_warnings)]
    if report.checklist:
        lines += ["", _LOOK_AT, *(f"  {line}" for line in report.checklist)]
    if report.unchecked:
        lines += ["", "not checked:", *(f"  {line}" for line in report.unchecked)]
    lines += ["", f"tree {report.tree[:12]}, {_tools(report)}, {report.seconds:.1f} s"]
    if report.replay:
        lines.append(f"again: {report.replay}")
    return "\n".join(lines) + "\n"


def as_json(report: Report, diff: str = "", *, more: Sequence[str] = ()) -> dict[str, Any]:
    """The report as plain data; stable names, seconds as numbers."""
    return {
        "passed": report.passed,
        "evidence": report.evidence.label,
        "tests": _count(report),
        "fixed": list(fixed(report)),
        "broken": list(broken(report)),
        "base": report.patch.base,
        "tree": report.tree,
        "paths": list(report.patch.paths),
        "steps": [_step(step) for step in report.steps],
        "baseline": [_step(step) for step in report.baseline],
        "new_warnings": list(report.new_warnings),
        "checklist": [one.data() for one in report.checklist],
        "unchecked": list(report.unchecked),
        "facts": list(more),
        "tools": dict(report.tools),
        "replay": report.replay,
        "seconds": round(report.seconds, 3),
        "diff": diff,
    }


def as_markdown(report: Report, diff: str = "", *, more: Sequence[str] = ()) -> str:
    """The report for a merge request or an issue."""
    lines = [f"**{headline(report)}**", "", "| | step | before | after | |", "|---|---|---|---|---|"]
    before = {step.name: step for step in report.baseline}
    for step in report.steps:
        known = before.get(step.name)
        was = _word(known) if known else ""
        lines.append(f"| {_mark(step).strip()} | {_cell(step.name)} | {was} | {_word(step)} | {_cell(step.detail)} |")
    if more:
        lines += ["", *(f"- {line}" for line in more)]
    if report.new_warnings:
        lines += ["", "New warnings:", "", *(f"- {line}" for line in report.new_warnings)]
    if report.checklist:
        lines += ["", _LOOK_AT.capitalize(), "", *(f"- [ ] {line}" for line in report.checklist)]
    if report.unchecked:
        lines += ["", "Not checked:", "", *(f"- {line}" for line in report.unchecked)]
    lines += ["", f"Tree `{report.tree[:12]}`, {_tools(report)}, {report.seconds:.1f} s."]
    if report.replay:
        lines += ["", "```sh", report.replay, "```"]
    if diff:
        fence = "```" if "```" not in diff else "````"
        lines += ["", f"{fence}diff", diff.rstrip("\n"), fence]
    return "\n".join(lines) + "\n"


def headline(report: Report) -> str:
    """The answer in one line."""
    ran, passed = _count(report)["ran"], _count(report)["passed"]
    if not report.passed:
        reds = [step.name for step in report.steps if not step.passed]
        return f"refuted: {', '.join(reds) or 'new errors'}"
    if not ran:
        return f"not verified: no test ran; evidence: {report.evidence.label}"
    by = f" by {' and '.join(simulators)}" if (simulators := by_licensed(report.steps)) else ""
    turned = len(fixed(report))
    change = f", {turned} of them failed before" if turned else ""
    return f"verified: {passed} of {ran} tests pass{by}{change}; evidence: {report.evidence.label}"


def fixed(report: Report) -> tuple[str, ...]:
    """The tests that failed on the base and pass now; a test that the base does not have is none."""
    red = {step.name for step in report.baseline if step.results and not step.passed}
    return tuple(step.name for step in report.steps if step.results and step.passed and step.name in red)


def broken(report: Report) -> tuple[str, ...]:
    """The tests that passed on the base and fail now."""
    green = {step.name for step in report.baseline if step.results and step.passed}
    return tuple(step.name for step in report.steps if step.results and not step.passed and step.name in green)


def verified(report: Report) -> bool:
    """Whether it passed with at least one test behind it."""
    return report.passed and report.evidence >= Evidence.TESTS_ICARUS


def one_line(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


def _count(report: Report) -> dict[str, int]:
    tests = [step for step in report.steps if is_test(step)]
    runs = [result for step in tests for result in step.results]
    return {
        "ran": sum(bool(step.results) for step in tests),
        "passed": sum(step.passed for step in tests),
        "runs": len(runs),
        "checks": sum(result.checks for result in runs),
    }


def _said(report: Report, step: Step) -> str:
    words = [step.detail] if step.detail else []
    if step.name in fixed(report):
        words.append("failed before")
    elif step.name in broken(report):
        words.append("passed before: this change breaks it")
    elif is_test(step) and not step.passed and any(one.name == step.name for one in report.baseline):
        words.append("failed before, too")
    if step.cached:
        words.append("verdict from the cache")
    return "; ".join(words)


def _step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "passed": step.passed,
        "detail": step.detail,
        "cached": step.cached,
        "runs": [
            {
                "outcome": result.outcome.value,
                "engine": result.engine,
                "start": result.start,
                "checks": result.checks,
                "failures": result.failures,
                "failing": list(result.failing),
                "reason": result.reason,
                "diagnostics": [str(one) for one in result.diagnostics],
                "seconds": round(result.wall_s, 3),
                "cpu_s": round(result.cpu_s, 3),
            }
            for result in step.results
        ],
    }


def _mark(step: Step) -> str:
    return "ok  " if step.passed else "FAIL"


def _word(step: Step) -> str:
    return "pass" if step.passed else "fail"


def _tools(report: Report) -> str:
    return ", ".join(f"{name} {version}" for name, version in report.tools)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
