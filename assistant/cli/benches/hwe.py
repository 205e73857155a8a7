"""Bugs in whole repositories: reported, located, repaired, and tried again."""

from __future__ import annotations

import argparse
import dataclasses
import fnmatch

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish

SUITES = {"hwe": "repair bugs in whole repositories, from their reports"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the tasks and what one may cost."""
    parser.add_argument("--tasks", required=True, metavar="DIR", help="the directory that holds the tasks")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the tasks whose ids match")
    parser.add_argument("--budget", type=float, default=600.0, metavar="S", help="seconds a task (default: 600)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the tasks: a row each, then one summary. 0 unless something was falsely verified: then 1."""
    from veriloop.assistant.bench.hwe import read_tasks, run_task, summary
    from veriloop.assistant.repository.private import cache_home

    if arguments.budget <= 0:
        raise UsageError("--budget must be above 0")
    tasks = read_tasks((session.cwd / str(arguments.tasks)).resolve())
    isolation = session.config.user.isolation.isolation()
    rows = []
    for task in tasks:
        if fnmatch.fnmatch(task.id, arguments.only):
            work = run_task(
                task, budget_s=arguments.budget, cache=cache_home(), isolation=isolation, cancel=session.cancel
            )
            rows.append(finish(work, session.observe))
    counts = summary(rows) | provenance()
    if session.json:
        for row in rows:
            session.result("", dataclasses.asdict(row))
    lines = [
        f"{row.id}: {'resolved' if row.resolved else row.status}, rank {row.rank or '-'}, {row.minutes} min {row.why}"
        for row in rows
    ]
    session.result("\n".join([*lines, *(f"{key}: {value}" for key, value in counts.items())]), counts)
    return 1 if counts["false_verified"] else 0
