"""Public sets of broken designs: every case repaired, and counted."""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

from veriloop.assistant.cli import advising
from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.farming import add_farm_option, farm_of, go_on_without
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note, finish

SUITES = {
    "chipbench-debug": "repair ChipBench's broken designs",
    "cirfix": "repair the defects of CirFix",
}

_WIDEST = 160
_OUT = "veriloop-bench"
_SHORT_COMMIT = 12


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares where a suite's data is and what a case may cost."""
    parser.add_argument("--data", required=True, metavar="DIR", help="the directory that holds the set")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the cases whose names match")
    parser.add_argument("--budget", type=float, default=60.0, metavar="S", help="CPU seconds a case (default: 60)")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="cases at once (default: 1)")
    advising.add_arguments(parser)
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run that was cut off")
    add_farm_option(parser)
    parser.add_argument("--out", metavar="DIR", help=f"rows, report and plot (default: {_OUT}/SUITE-COMMIT)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the suite: a row a case, the counts, a Markdown report. 0 unless something was falsely verified: then 1."""
    from veriloop.assistant.bench.report import table, write_report
    from veriloop.assistant.bench.run import Settings, further, plain, run_suite, summary

    if arguments.detach:
        return go_on_without(session)
    if arguments.budget <= 0 or arguments.jobs < 1:
        raise UsageError("--budget and --jobs must be above 0")
    measured = provenance()
    # Rows of different commits must not meet in one table.
    name = "-".join(filter(None, [arguments.suite, measured["commit"][:_SHORT_COMMIT]]))
    out = session.cwd / (arguments.out or Path(_OUT, name))
    settings = Settings(
        suite=arguments.suite,
        data=(session.cwd / str(arguments.data)).resolve(),
        out=out,
        only=arguments.only,
        budget_s=arguments.budget,
        jobs=arguments.jobs,
        resume=arguments.resume,
        model=advising.model_name(arguments),
        extra=measured,
    )
    with farm_of(arguments, session) as farm:
        rows = finish(run_suite(settings, session.cancel, farm), session.observe)
    counts = summary(settings, rows)
    told = {**counts, **further(rows)}
    report, note = write_report(rows, told, out)
    session.observe(Note(f"report: {os.path.relpath(report, session.cwd)}"))
    if note:
        session.observe(Note(note))
    if session.json:
        for row in rows:
            session.result("", plain(row))
    width = min(_WIDEST, max(80, shutil.get_terminal_size((120, 24)).columns))
    session.result(table(rows, told, width=width), counts)
    return 1 if counts["false_verified"] else 0
