"""A report in full: what ran, from where, with which seeds, what it counted, and what nobody has checked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from veriloop.tui.lines import Line, Look, clean


def evidence_lines(report: Mapping[str, Any], facts: Sequence[str] = (), *, measuring: bool = False) -> Iterator[Line]:
    """A report, as `--json` gives it.

    Args:
        report: the gate's.
        facts: more of the workflow, a line each.
        measuring: whether coverage is being measured now.
    """
    yield from _headline(report)
    yield Line("")
    yield Line("what ran", "head")
    before = {step["name"]: step for step in report.get("baseline", ())}
    for step in report.get("steps", ()):
        yield from _step(step, before.get(step["name"]))
    if facts:
        yield from _list("how it was found", facts)
    yield from _list("new warnings", report.get("new_warnings", ()), "warn")
    yield from checklist_lines(report)
    coverage = report.get("coverage")
    unchecked = list(report.get("unchecked", ()))
    if not coverage and not any(one.startswith("coverage of ") for one in unchecked):
        how = "it is being measured" if measuring else "c measures it"
        unchecked.append(f"coverage, how much of what is changed these tests meet: {how}")
    yield from _list("not checked", unchecked, "warn")
    if coverage:
        yield from _coverage(coverage)
    yield Line("")
    yield Line("tools and trees", "head")
    for name, version in dict(report.get("tools", {})).items():
        yield Line(clean(f"  {name} {version}"))
    yield Line(clean(f"  tree {report.get('tree', '')}"), "dim")
    yield Line(clean(f"  base {report.get('base', '')}"), "dim")
    if report.get("replay"):
        yield Line("")
        yield Line("to judge the same again, once the change is applied (y copies it)", "head")
        yield Line(clean(f"  {report['replay']}"), "key")


def checklist_lines(report: Mapping[str, Any]) -> Iterator[Line]:
    """What names, outside of the RTL, what the change has changed."""
    found = []
    for one in report.get("checklist", ()):
        stale = "; it has the value as it was" if one["stale"] else ""
        found.append(f"{one['path']}:{one['line']} has {one['name']}: {one['change']}{stale}")
    yield from _list("look at, because it names what is changed", found, "warn")


def _headline(report: Mapping[str, Any]) -> Iterator[Line]:
    tests = report["tests"]
    if report["passed"] and tests["ran"]:
        turned = len(report["fixed"])
        fixed = f", {turned} of them failed before" if turned else ""
        yield Line(f"verified: {tests['passed']} of {tests['ran']} tests pass{fixed}", "good")
    elif report["passed"]:
        yield Line("not verified: no test ran", "warn")
    else:
        yield Line("refuted", "bad")
    yield Line(f"evidence: {report['evidence']}; {tests['runs']} runs, {tests['checks']} checks counted")
    for name in report.get("broken", ()):
        yield Line(clean(f"  {name} passed before: this change breaks it"), "bad")


def _step(step: Mapping[str, Any], before: Mapping[str, Any] | None) -> Iterator[Line]:
    mark = "ok  " if step["passed"] else "FAIL"
    was = "" if before is None else f"  (before: {'pass' if before['passed'] else 'fail'})"
    cached = "  known from before" if step["cached"] else ""
    look: Look = "good" if step["passed"] else "bad"
    head = clean(f"  {mark} {step['name']}{was}{cached}")
    yield Line(head, "", ((2, 6, look),))
    if step["detail"] and not step["runs"]:
        yield Line(clean(f"       {step['detail']}"), "dim")
    for run in step["runs"]:
        yield _run(run)
        for one in run["diagnostics"][:5]:
            yield Line(clean(f"         {one}"), "warn")
    if before is not None:
        for run in before["runs"]:
            if run["outcome"] != "pass":
                yield Line(clean(f"       before: {run['engine']}{_start(run)}: {run['reason']}"), "dim")


def _run(run: Mapping[str, Any]) -> Line:
    counts = f", {run['failures']} of {run['checks']} checks fail" if run["checks"] else ""
    failing = f": {', '.join(run['failing'][:6])}" if run["failing"] else ""
    text = f"       {run['engine']}{_start(run)}: {run['outcome']}{counts}{failing}, {run['seconds']:.2f} s"
    look: Look = "" if run["outcome"] == "pass" else "bad"
    return Line(clean(text), look)


def _coverage(coverage: Mapping[str, Mapping[str, Any]]) -> Iterator[Line]:
    """What `check --coverage` measured, file by file."""
    yield Line("")
    yield Line("coverage (Verilator, one run of each test from zeros)", "head")
    for path, met in coverage.items():
        parts = [
            f"{met[kind]['met']} of {met[kind]['points']} {name}"
            for kind, name in (("line", "blocks"), ("branch", "branches"))
            if met[kind]["points"]
        ]
        yield Line(clean(f"  {path}: {', '.join(parts) or 'nothing to meet'}"), "warn" if met["missed"] else "good")
        if met["missed"]:
            yield Line(clean(f"    not met, by line: {', '.join(met['missed'])}"), "warn")


def _start(run: Mapping[str, Any]) -> str:
    """From which state it started; the number of a random one is its seed."""
    start = str(run["start"])
    if start.startswith("random"):
        return f" from random bits, seed {start.removeprefix('random ')}"
    words = {"x": " from unknown bits (four-state)", "zeros": " from zeros", "ones": " from ones", "": ""}
    return words.get(start, f" from {start}")


def _list(title: str, found: Sequence[str], look: Look = "") -> Iterator[Line]:
    if found:
        yield Line("")
        yield Line(title, "head")
        yield from (Line(clean(f"  {one}"), look) for one in found)
