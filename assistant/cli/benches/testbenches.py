"""Testbenches and the judge: what generated stimulus covers and kills, and who is said to be wrong."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish

SUITES = {
    "coverage": "cover public reference designs with generated stimulus",
    "mutants": "kill mutants of public reference designs with generated stimulus",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares where a suite's data is."""
    parser.add_argument("--data", required=True, metavar="DIR", help="the directory that holds the set")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the designs whose names match")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="designs at once (default: 1)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the suite: a row a design, then the counts. 0, whatever they are."""
    from veriloop.assistant.bench import covering, mutating

    if arguments.jobs < 1:
        raise UsageError("--jobs must be above 0")
    data = (session.cwd / str(arguments.data)).resolve()
    if not data.is_dir():
        raise UsageError(f"no such directory: {arguments.data}")
    common: dict[str, Any] = {"only": arguments.only, "jobs": arguments.jobs, "cancel": session.cancel}
    rows: Sequence[Any]
    if arguments.suite == "coverage":
        rows = finish(covering.run_coverage(data, **common), session.observe)
        counts = covering.coverage_summary(rows) | provenance()
        lines = [covering.line(row) for row in rows]
    else:
        rows = finish(mutating.run_mutants(data, **common), session.observe)
        counts = mutating.mutants_summary(rows) | provenance()
        lines = [mutating.line(row) for row in rows]
    if session.json:
        for row in rows:
            session.result("", dataclasses.asdict(row))
    session.result("\n".join([*lines, *(f"{key}: {value}" for key, value in counts.items())]) + "\n", counts)
    return 0
