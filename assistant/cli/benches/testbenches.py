"""Testbenches and the judge: what generated stimulus covers and kills, and who is said to be wrong."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from veriloop.assistant.cli.benches.provenance import OUT, kept_at, provenance
from veriloop.assistant.cli.farming import add_farm_option, farm_of, go_on_without
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish

SUITES = {
    "coverage": "cover public reference designs with generated stimulus",
    "mutants": "kill mutants of public reference designs with generated stimulus",
    "testbenches": "run written testbenches by plain pytest, without Veriloop, on references and their mutants",
    "judge": "say who is wrong, of failing tests made from HDLBits of which that is known",
}

_RECORDED = ("gpt-4o-mini", "gpt-4o", "claude-3.5-sonnet", "none")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares where a suite's data is."""
    parser.add_argument("--data", required=True, metavar="DIR", help="the directory that holds the set")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the designs whose names match")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="designs at once (default: 1)")
    add_farm_option(parser)
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run that was cut off")
    parser.add_argument("--out", metavar="DIR", help=f"where the rows are kept (default: {OUT}/SUITE-COMMIT)")
    if parser.prog.endswith("testbenches"):
        parser.add_argument("--count", type=int, default=10, metavar="N", help="designs; 0: all (default: 10)")
    if parser.prog.endswith("judge"):
        parser.add_argument(
            "--recorded",
            default="gpt-4o-mini",
            choices=_RECORDED,
            help="whose answers are heard (default: gpt-4o-mini)",
        )


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the suite: a row a design, then the counts. 0, whatever they are."""
    from veriloop.assistant.bench import covering, judging, mutating, testbenches
    from veriloop.assistant.bench.kept import Kept, Running

    if arguments.detach:
        return go_on_without(session)
    if arguments.jobs < 1:
        raise UsageError("--jobs must be above 0")
    data = (session.cwd / str(arguments.data)).resolve()
    if not data.is_dir():
        raise UsageError(f"no such directory: {arguments.data}")
    rows: Sequence[Any]
    with farm_of(arguments, session) as farm:
        answers = [arguments.recorded] if arguments.suite == "judge" else []
        kept = Kept(kept_at(arguments, session, *answers), resume=arguments.resume)
        running = Running(jobs=arguments.jobs, cancel=session.cancel, farm=farm, kept=kept)
        only = arguments.only
        if arguments.suite == "judge":
            model = "" if arguments.recorded == "none" else arguments.recorded
            work = judging.run_judge(data, model=model, only=only, running=running)
            return _judged(finish(work, session.observe), session)
        if arguments.suite == "coverage":
            rows = finish(covering.run_coverage(data, only=only, running=running), session.observe)
            counts = covering.coverage_summary(rows) | provenance()
            lines = [covering.line(row) for row in rows]
        elif arguments.suite == "testbenches":
            if arguments.count < 0:
                raise UsageError("--count must not be below 0")
            written = testbenches.run_testbenches(data, only=only, count=arguments.count, running=running)
            rows = finish(written, session.observe)
            counts = testbenches.testbenches_summary(rows) | provenance()
            lines = [testbenches.line(row) for row in rows]
        else:
            rows = finish(mutating.run_mutants(data, only=only, running=running), session.observe)
            counts = mutating.mutants_summary(rows) | provenance()
            lines = [mutating.line(row) for row in rows]
    if session.json:
        for row in rows:
            session.result("", dataclasses.asdict(row))
    session.result("\n".join([*lines, *(f"{key}: {value}" for key, value in counts.items())]) + "\n", counts)
    return 0


def _judged(rows: Sequence[Any], session: Session) -> int:
    """A row a case, how far the confidence can be believed, the counts."""
    from veriloop.assistant.bench import judging

    told = judging.further(rows)
    counts = judging.judge_summary(rows) | provenance()
    if session.json:
        for row in rows:
            session.result("", dataclasses.asdict(row))
        session.result("", told)
    lines = [judging.line(row) for row in rows if row.truth]
    lines += [f"{key}: {value}" for key, value in (*told.items(), *counts.items())]
    session.result("\n".join(lines) + "\n", counts)
    return 0
