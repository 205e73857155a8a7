"""A verdict for people and for programs."""

from __future__ import annotations

from typing import Any

from veriloop.assistant.judge.verdict import Side, Verdict

_MEANS = {
    Side.RTL: "the RTL is wrong",
    Side.TESTBENCH: "the testbench is wrong",
    Side.BOTH: "the RTL and the testbench are wrong",
    Side.SPEC: "the specification leaves it open",
    Side.HARNESS: "the harness is broken: nothing was tested",
    Side.UNKNOWN: "it cannot be told who is wrong",
}


def verdict_text(verdict: Verdict) -> str:
    """For a terminal: the side, what decided, the lines, what was run, how to go on."""
    if not verdict.failure and verdict.side is Side.UNKNOWN:
        return "\n".join([f"{verdict.why}", *(f"  {line}" for line in verdict.findings)]) + "\n"
    sure = f" (confidence {verdict.confidence:.2f})" if verdict.decided else ""
    lines = [f"{verdict.side.value}: {_MEANS[verdict.side]}{sure}", f"  {verdict.why}"]
    if verdict.question:
        lines += ["", f"question: {verdict.question}"]
    if verdict.evidence:
        lines.append("")
        for one in verdict.evidence:
            lines += [f"{one.path}:{one.line}: {one.says}", f"    {one.text}"]
    if verdict.findings:
        lines += ["", "what was run:", *(f"  {line}" for line in verdict.findings)]
    if verdict.window:
        lines += ["", *(f"  {line}" for line in verdict.window.splitlines())]
    if verdict.next_step:
        lines += ["", f"next: {verdict.next_step}"]
    return "\n".join(lines) + "\n"


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """For programs."""
    return {
        "verdict": verdict.side.value,
        "passes": not verdict.failure,
        "confidence": verdict.confidence,
        "why": verdict.why,
        "question": verdict.question,
        "evidence": [
            {"path": one.path, "line": one.line, "text": one.text, "says": one.says} for one in verdict.evidence
        ],
        "findings": list(verdict.findings),
        "failure": verdict.failure,
        "module": verdict.module,
        "signal": verdict.signal,
        "window": verdict.window,
        "shares": dict(verdict.shares),
        "next": verdict.next_step,
    }
