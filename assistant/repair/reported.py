"""Repair from a bug report, in a repository: the most suspected files, the most suspected places in them first."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from veriloop.assistant.attempts.attempt import Attempt, Attempts, attempt_key, limited, new_id
from veriloop.assistant.context import Context
from veriloop.assistant.events import Note, Run
from veriloop.assistant.locate.observe import Observed
from veriloop.assistant.locate.suspects import Suspects
from veriloop.assistant.repair.advice import Adviser
from veriloop.assistant.repair.workflow import RepairResult, Request, repair
from veriloop.assistant.verify.testbench import CommandTest, Testbench

_MOST_FILES = 8
"""How many files are searched; the places in them wait as long as they are less suspected."""
_KEPT_PLACES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A reported bug.

    Attributes:
        report: its text.
        test: what fails, and judges in the end.
        suspects: where it may be.
        observed: how the test failed, where it is a command.
        files: the only files that may be changed; none: those of the suspected places.
        budget_s: wall seconds.
    """

    report: str
    test: Testbench
    suspects: Suspects
    observed: Observed | None
    files: tuple[str, ...]
    budget_s: float
    request: Request
    """What else the search is told."""


def repair_reported(context: Context, job: Job, adviser: Adviser | None = None) -> Run[tuple[RepairResult, Attempt]]:
    """Searches the suspected files, and keeps what came of it in the repository's `.veriloop/`.

    Raises:
        NotVerified: the test gives no verdict, or passes in a private copy.
        ToolError: a tool broke or is missing.
    """
    attempts = Attempts(context.repository.root)
    base = context.repository.snapshot()
    key = attempt_key(job.test.name, base)
    files = job.files or job.suspects.files[:_MOST_FILES]
    known = attempts.refuted(key)
    if known:
        yield Note(f"{len(known)} candidates are not tried again: attempt {attempts.last(key)} has seen them fail")
    result = yield from repair(
        context.repository,
        context.toolchain,
        replace(_request(job, files), budget_s=job.budget_s, refuted=known),
        cancel=context.cancel,
        cache=context.cache,
        needs=context.needs,
        locked=context.config.repository.project.protected,
        adviser=adviser,
    )
    attempt = Attempt(
        id=new_id(),
        time=time.time(),
        report=job.report,
        test=job.test.name,
        base=base,
        status=str(result.status),
        reason=result.reason,
        places=tuple((str(one.place), round(one.score, 3), one.reasons) for one in job.suspects.ranked[:_KEPT_PLACES]),
        tried=result.tried,
        operators=result.operators,
        diff=result.diff,
        evidence=result.report.evidence.label if result.report is not None else "",
        replay=job.request.replay,
        cause=attempts.last(key),
        key=key,
        refuted=limited(result.refuted),
    )
    attempts.keep(attempt)
    return result, attempt


def _request(job: Job, files: tuple[str, ...]) -> Request:
    focus = job.suspects.focus(files)
    bench = job.observed.bench if job.observed is not None else None
    if bench is not None and isinstance(job.test, CommandTest):
        return replace(job.request, testbench=bench, judges=(job.test,), editable=files, focus=focus)
    return replace(job.request, testbench=job.test, editable=files, focus=focus)
