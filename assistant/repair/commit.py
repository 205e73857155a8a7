"""The message of a commit of a verified repair: what was wrong, what shows that it is right, how to see it again."""

from __future__ import annotations

import re

from veriloop.assistant.errors import NotVerified
from veriloop.assistant.repair.workflow import RepairResult
from veriloop.assistant.repository.commit import Committed, commit_on_branch
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.evidence import Report

_SUBJECT_CHARS = 70
_SEARCH = "search"
"""What stands for the model where there was none."""


def commit_repair(
    repository: Repository, result: RepairResult, replay: str, *, report: str = "", model: str = ""
) -> Committed:
    """Commits a repair that the gate has passed; see `commit_on_branch`.

    Raises:
        NotVerified: the gate has not passed it.
        RepositoryError: git refuses.
    """
    if result.report is None or not result.report.passed:
        raise NotVerified("only a change that the gate has passed is committed")
    title = _title(report) or f"Fix {', '.join(sorted(result.contents))}"
    name = "veriloop/" + (re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].rstrip("-") or "repair")
    message = commit_message(title, result, replay, model=model)
    return commit_on_branch(repository, result.contents, name=name, message=message)


def commit_message(title: str, result: RepairResult, replay: str, *, model: str = "") -> str:
    """The whole message."""
    assert result.report is not None
    steps = [
        f"- {step.name}: {'ok' if step.passed else 'failed'}{f', {step.detail}' if step.detail else ''}"
        for step in result.report.steps
    ]
    body = [
        f"The change: {', '.join(result.operators)}. Evidence: {result.report.evidence.label}.",
        "",
        *steps,
        "",
        *_to_be_looked_at(result.report),
        *([f"Not checked: {'; '.join(result.report.unchecked)}.", ""] if result.report.unchecked else []),
        f"Assisted-by: veriloop:{_plain(model.rpartition('/')[2]) or _SEARCH}",
        f"Verified-by: {_plain(replay)}",
    ]
    return "\n".join([title, "", *body]) + "\n"


def _to_be_looked_at(report: Report) -> list[str]:
    lines = [f"- {_plain(str(one))}" for one in report.checklist]
    return ["To be looked at, because it names what is changed:", "", *lines, ""] if lines else []


def _title(report: str) -> str:
    line = next((line.strip("# \t") for line in report.splitlines() if line.strip("# \t")), "")
    short = _plain(line)
    return (
        short if len(short) <= _SUBJECT_CHARS else short[:_SUBJECT_CHARS].rpartition(" ")[0] or short[:_SUBJECT_CHARS]
    )


def _plain(text: str) -> str:
    # A trailer is one line, and a report may hold anything.
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
