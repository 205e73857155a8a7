"""What a repair came to, for a terminal, a program and a review."""

from __future__ import annotations

from typing import Any

from veriloop.assistant.repair.workflow import RepairResult, Request, Status
from veriloop.assistant.verify.report_text import as_json, as_markdown, as_text


def repair_text(result: RepairResult, request: Request, *, applied: bool) -> str:
    """For a terminal: the diff, the evidence, what was not checked, how to go on."""
    if result.status is Status.PASSES:
        return f"nothing to repair: {request.testbench.name} passes{_runs(result)}\n"
    if result.report is None:
        return _fruitless(result)
    text = as_text(result.report, result.diff, more=_facts(result))
    if result.status is Status.WEAK:
        return text + (
            "\nnot applied: Verilator could not judge this change, only Icarus could.\n"
            "To accept that: [check] allow_icarus_only = true in your config.toml (veriloop config)\n"
        )
    end = "applied to the work tree; veriloop undo takes it back" if applied else "not applied: run it with --apply"
    return f"{text}\n{end}\n"


def repair_markdown(result: RepairResult, request: Request, *, applied: bool) -> str:
    """For a merge request or an issue."""
    if result.report is None:
        return repair_text(result, request, applied=applied)
    return as_markdown(result.report, result.diff, more=_facts(result))


def repair_json(result: RepairResult, *, applied: bool) -> dict[str, Any]:
    """As plain data; the report's own keys stand under `report`."""
    choice = result.choice
    return {
        "status": result.status.value,
        "applied": applied,
        "operators": list(result.operators),
        "candidates": result.tried,
        "refused": result.refused,
        "plausible": result.plausible,
        "behaviours": choice.groups if choice else 1,
        "differences": list(choice.differences) if choice else [],
        "stilled": list(result.stilled),
        "best": round(result.best, 6),
        "closest": result.closest,
        "reason": result.reason,
        "seconds": round(result.seconds, 3),
        "model": {"saw": result.saw, "prompt": result.prompt} if result.advised else None,
        "diff": result.diff,
        "checklist": [one.data() for one in result.report.checklist] if result.report else [],
        "report": as_json(result.report, result.diff, more=_facts(result)) if result.report else None,
    }


def _facts(result: RepairResult) -> list[str]:
    facts = [
        f"{result.tried} candidates simulated, {result.refused} more did not elaborate, in {result.seconds:.1f} s",
        f"the change: {', then '.join(result.operators)}",
    ]
    if result.plausible > 1:
        facts.append(f"{result.plausible} candidates pass this test{_told_apart(result)}")
    if result.stilled:
        facts.append(
            f"with it {', '.join(result.stilled)} never moves on random stimuli, and did before: "
            "the test may see nothing any more"
        )
    return facts + [f"still differs: {line}" for line in (result.choice.differences if result.choice else ())]


def _told_apart(result: RepairResult) -> str:
    choice = result.choice
    if choice is None or choice.groups == 0:
        return "; they could not be told apart by further stimuli, the likeliest was taken"
    kinds = "all behave the same" if choice.groups == 1 else f"they behave in {choice.groups} ways"
    return f"; on {choice.cycles} further cycles {kinds}"


def _runs(result: RepairResult) -> str:
    runs = [run for step in result.baseline for run in step.results]
    where = ", ".join(f"{run.engine}{f' from {run.start}' if run.start else ''}: {run.reason}" for run in runs)
    return f" ({where})" if where else ""


def _fruitless(result: RepairResult) -> str:
    lines = [
        f"not found: {result.reason}",
        f"  {result.tried} candidates simulated, {result.refused} more did not elaborate, in {result.seconds:.1f} s",
    ]
    if result.plausible:
        lines.append(f"  {result.plausible} passed while searching, but the gate passed none of them")
    elif result.closest and result.best < 1:
        lines += [f"  the closest still fails {result.best:.1%} of the checks:", "", result.closest.rstrip("\n")]
    lines += ["", "nothing was changed; a larger --budget searches on"]
    return "\n".join(lines) + "\n"
