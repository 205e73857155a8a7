"""What `veriloop generate` shows of a module that it made."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from veriloop.assistant.errors import UsageError
from veriloop.assistant.generate.questions import Question
from veriloop.assistant.generate.synthesis import Abstained
from veriloop.assistant.generate.workflow import Generated


def write_new(name: str | None, cwd: Path, content: bytes) -> None:
    """Writes a file that is not there yet.

    Raises:
        UsageError: it is, or it cannot be written.
    """
    if not name or not content:
        return
    try:
        # Exclusive: what somebody wrote there since must not be lost.
        with (cwd / name).open("xb") as stream:
            stream.write(content)
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}") from error


def generated_text(
    made: Generated, *, shown: bool, applied: Sequence[str] = (), refusal: str = "", offers: Sequence[str] = ()
) -> str:
    """For people: the module, what it rests on, what is open."""
    lines = [made.rtl.decode("utf-8", errors="replace")] if shown else []
    lines.append(f"{made.toplevel}: {made.how}")
    if made.confidence is not None:
        lines.append(f"  confidence {made.confidence:.2f}; no test of yours exists")
    lines += [f"  assumed: {line}" for line in made.assumed]
    for step in made.steps:
        checks = sum(run.checks for run in step.results)
        said = f"{checks} values compared in {len(step.results)} runs" if step.results else step.detail
        lines.append(f"  {'ok  ' if step.passed else 'FAIL'} {step.name}: {said}")
    if made.questions:
        lines += ["the specification does not decide:", *(f"  {line}" for line in made.questions)]
        lines += asked_lines(made.questions)
    if made.window:
        lines += ["where the next best answers part from it:", *(f"  {line}" for line in made.window.splitlines())]
    if applied:
        lines.append(f"written to the work tree: {', '.join(applied)}; veriloop undo takes it back")
    if refusal:
        lines.append(f"not applied: {refusal}")
    lines += [f"  {offer}" for offer in offers]
    lines.append(f"evidence: {made.evidence.label}")
    return "\n".join(lines) + "\n"


def asked_lines(questions: Sequence[Question]) -> list[str]:
    """How the first question that can be answered is answered."""
    asked = _asked(questions)
    return [f'  --decide "{asked["question"]}" {" | ".join(map(shlex.quote, asked["options"]))}'] if asked else []


def _asked(questions: Sequence[Question]) -> dict[str, Any]:
    """One question with its answers, one after the other: each may settle the next."""
    first = next((question for question in questions if question.options), None)
    return {"question": first.text, "options": list(first.options)} if first is not None else {}


def abstained_json(made: Abstained) -> dict[str, Any]:
    """For programs, where nothing was made."""
    questions = [str(question) for question in made.questions]
    return {"status": "abstained", "reason": made.reason, "questions": questions, "asked": _asked(made.questions)}


def generated_json(
    made: Generated, *, applied: Sequence[str] = (), refusal: str = "", offers: Sequence[str] = ()
) -> dict[str, Any]:
    """For programs."""
    return {
        "status": "refuted" if made.refuted else "generated",
        "toplevel": made.toplevel,
        "how": made.how,
        "confidence": made.confidence,
        "evidence": made.evidence.label,
        "assumed": made.assumed,
        "questions": [str(question) for question in made.questions],
        "asked": _asked(made.questions),
        "window": made.window,
        "steps": [
            {
                "name": step.name,
                "passed": step.passed,
                "detail": step.detail,
                "runs": [
                    {"engine": run.engine, "start": run.start, "outcome": run.outcome.value, "checks": run.checks}
                    for run in step.results
                ],
            }
            for step in made.steps
        ],
        "rtl": made.rtl.decode("utf-8", errors="replace"),
        "testbench": made.testbench,
        "reference": made.reference,
        "applied": list(applied),
        "refusal": refusal,
        "offers": list(offers),
    }
