"""Bugs in whole repositories: reported, located, repaired, and tried again."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch

from veriloop.assistant.cli.benches.provenance import OUT, kept_at, provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish

SUITES = {"hwe": "repair bugs in whole repositories, from their reports"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the tasks and what one may cost."""
    parser.add_argument("--tasks", required=True, metavar="DIR", help="the directory that holds the tasks")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the tasks whose ids match")
    parser.add_argument("--budget", type=float, default=600.0, metavar="S", help="CPU seconds a task (default: 600)")
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run that was cut off")
    parser.add_argument("--out", metavar="DIR", help=f"where rows are kept (default: {OUT}/hwe-TASKS-COMMIT)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the tasks: a row each, then one summary. 0 unless something was falsely verified: then 1."""
    from veriloop.assistant.bench.hwe import line, read_tasks, run_tasks, summary
    from veriloop.assistant.bench.kept import Kept
    from veriloop.assistant.repository.private import cache_home

    if arguments.budget <= 0:
        raise UsageError("--budget must be above 0")
    directory = (session.cwd / str(arguments.tasks)).resolve()
    found = read_tasks(directory)
    work = run_tasks(
        [task for task in found if fnmatch.fnmatch(task.id, arguments.only)],
        budget_s=arguments.budget,
        cache=cache_home(),
        isolation=session.config.user.held,
        kept=Kept(kept_at(arguments, session, directory.name), resume=arguments.resume),
        cancel=session.cancel,
    )
    rows = finish(work, session.observe)
    counts = summary(rows) | provenance()
    if session.json:
        for row in rows:
            session.result("", dataclasses.asdict(row))
    session.result("\n".join([*map(line, rows), *(f"{key}: {value}" for key, value in counts.items())]), counts)
    return 1 if counts["false_verified"] else 0
