"""The terminal: how soon it can be typed in, how soon a key is answered, what a long log costs."""

from __future__ import annotations

import argparse
import importlib.util

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import finish

SUITES = {"tui": "measure the terminal: start, keys while a repair runs, memory of a long log"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares how much is measured."""
    parser.add_argument("--starts", type=int, default=7, metavar="N", help="how often it is started (default: 7)")
    parser.add_argument("--keys", type=int, default=200, metavar="N", help="keys that are pressed (default: 200)")
    parser.add_argument("--lines", type=int, default=100_000, metavar="N", help="lines of the log (default: 100000)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Measures it: one summary. 0, whatever the figures are."""
    if min(arguments.starts, arguments.keys, arguments.lines) < 1:
        raise UsageError("--starts, --keys and --lines must be above 0")
    if importlib.util.find_spec("textual") is None:
        raise ToolNotFound("the terminal is not installed", hint="pip install 'veriloop[tui]'")
    from veriloop.assistant.bench.terminal import measure

    run_it = measure(starts=arguments.starts, keys=arguments.keys, log_lines=arguments.lines, cancel=session.cancel)
    counts = {**finish(run_it, session.observe), **provenance()}
    session.result("\n".join(f"{name}: {value}" for name, value in counts.items()), counts)
    return 0
