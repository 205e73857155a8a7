"""The language server, measured on a tree of the user's against Verible's."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish

SUITES = {"lsp": "replay an editing session against the language server and Verible's"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the tree, and how much of it is asked about."""
    parser.add_argument("--repo", required=True, metavar="DIR", help="a tree with Verilog; it is copied, not changed")
    parser.add_argument("--count", type=int, default=300, metavar="N", help="identifiers a method (default: 300)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="which identifiers are drawn (default: 1)")
    parser.add_argument("--sample", metavar="FILE", help="a checked list: lines of FILE:LINE:COL FILE:LINE:COL")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the session: a row a method, then one summary. 0, whatever the figures are."""
    from veriloop.assistant.bench.editing.run import EditingSettings, run_editing

    if arguments.count < 1:
        raise UsageError("--count must be above 0")
    sample = session.cwd / str(arguments.sample) if arguments.sample else None
    settings = EditingSettings((session.cwd / str(arguments.repo)).resolve(), arguments.count, arguments.seed, sample)
    rows, counts = finish(run_editing(settings, session.cancel), session.observe)
    counts |= provenance()
    if session.json:
        for row in rows:
            session.result("", dataclasses.asdict(row))
    lines = [f"{'method':<18} {'p50 ms':>8} {'p95 ms':>8} {'CPU ms':>8} {'answered':>8}   verible: the same, agree"]
    lines += [
        f"{row.method:<18} {row.p50_ms:>8} {row.p95_ms:>8} {row.cpu_ms:>8} {_percent(row.answered):>8}   "
        f"{_text(row.other_p50_ms)}, {_text(row.other_p95_ms)}, {_text(row.other_cpu_ms)}, "
        f"{_percent(row.other_answered)}, {_percent(row.agree)}"
        for row in rows
    ]
    lines += [f"{name}: {_text(value)}" for name, value in counts.items()]
    session.result("\n".join(lines), counts)
    return 0


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def _text(value: Any) -> str:
    return "-" if value is None else str(value)
