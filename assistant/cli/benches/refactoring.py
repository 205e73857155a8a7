"""Refactorings: whether `check --refactor` proves those that are right, and tells those with a slip apart."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish

SUITES = {"refactor": "compare own modules with refactorings of them, right ones and ones with a slip"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares which pairs, and how long each may take."""
    parser.add_argument("--only", default="*", metavar="GLOB", help="pairs with such names (default: all 40)")
    parser.add_argument("--limit", type=float, default=60.0, metavar="S", help="seconds for one pair (default: 60)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Compares them: a line a pair, then one summary. 0, or 1 where something that was said is wrong."""
    if not 0 < arguments.limit < float("inf"):
        raise UsageError("--limit must be above 0")
    from veriloop.assistant.bench.refactoring import pairs, run_refactorings, summary

    asked = pairs(arguments.only)
    rows = finish(run_refactorings(asked, limit_s=arguments.limit, cancel=session.cancel), session.observe)
    if session.json:
        for row in rows:
            session.result("", {**asdict(row), "right": row.is_right, "wrong": row.is_wrong})
    counts = {**summary(rows, arguments.limit), **provenance()}
    text = "\n".join([*map(str, rows), *(f"{name}: {value}" for name, value in counts.items())])
    session.result(text, counts)
    return int(counts["wrong"] > 0)
