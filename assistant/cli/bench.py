"""`veriloop bench`: what is claimed, measured on this machine.

A suite is named in the `SUITES` of a module of `cli/benches/`, which declares its options and runs it. Those modules
import what they measure only when they run.
"""

from __future__ import annotations

import argparse
from typing import Protocol, cast

from veriloop.assistant.cli.benches import (
    editing,
    farm,
    generation,
    hwe,
    loop,
    refactoring,
    repairs,
    terminal,
    testbenches,
)
from veriloop.assistant.cli.session import Session

NAME = "bench"
HELP = "run a public set of problems, or a measurement, and count"


class Bench(Protocol):
    """What a module of `cli/benches/` offers."""

    SUITES: dict[str, str]
    """Each suite's name and what it does, in a few words."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declares the options of its suites."""
        ...

    def run(self, arguments: argparse.Namespace, session: Session) -> int:
        """Runs `arguments.suite`; returns the exit code. With `--json` its last line is one summary object."""
        ...


BENCHES = tuple(
    cast(Bench, bench) for bench in (repairs, hwe, generation, testbenches, refactoring, editing, loop, terminal, farm)
)
"""Every bench, in the order in which the help names them."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the suites, each with its own options."""
    suites = parser.add_subparsers(dest="suite", metavar="SUITE", required=True, title="suites")
    for bench in BENCHES:
        for name, summary in bench.SUITES.items():
            description = f"{summary[0].upper()}{summary[1:]}."
            suite = suites.add_parser(name, help=summary, description=description, allow_abbrev=False)
            suite.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
            bench.add_arguments(suite)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the suite that was asked for."""
    bench = next(bench for bench in BENCHES if arguments.suite in bench.SUITES)
    return bench.run(arguments, session)
