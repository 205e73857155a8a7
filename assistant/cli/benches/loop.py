"""The verification loop: what a verdict costs here, against the ways in which others get one."""

from __future__ import annotations

import argparse
from fnmatch import fnmatchcase
from pathlib import Path

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note, finish

SUITES = {"loop": "measure what judging a candidate costs, together and one by one"}

_COLUMNS = ("design", "lines", "n", "cand/CPU s", "vs tuned", "vs default", "vs Icarus", "agree", "disagree")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares which designs are measured, and how thoroughly."""
    parser.add_argument(
        "--design",
        action="append",
        nargs="+",
        default=[],
        metavar="PATH",
        help="a design with its testbench beside our own six: a directory, or its files; may be given several times",
    )
    parser.add_argument("--only", default="*", metavar="GLOB", help="the designs whose names match")
    parser.add_argument(
        "--compare", type=int, default=24, metavar="N", help="candidates built one by one as well (default: 24)"
    )
    parser.add_argument(
        "--survivors",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="of the candidates, how many the testbench may pass (default: as many as it does of those drawn)",
    )


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Measures every design: a row a number of candidates, then the figures. 1 where a batch and a build disagree."""
    from veriloop.assistant.bench import loop, loop_designs, loop_doors
    from veriloop.assistant.repository.private import cache_home
    from veriloop.assistant.verify.toolchain import Toolchain

    if arguments.compare < 0:
        raise UsageError("--compare must not be negative")
    if not 0 <= arguments.survivors <= 1:
        raise UsageError("--survivors is a share, from 0 to 1", hint="--survivors 0.2")
    designs = loop_designs.own_designs()
    designs += [loop_designs.read_design([session.cwd / Path(path) for path in paths]) for paths in arguments.design]
    chosen = [design for design in designs if fnmatchcase(design.name, arguments.only)]
    if not chosen:
        raise UsageError(f"no design is named {arguments.only}; there are: {', '.join(one.name for one in designs)}")
    toolchain = Toolchain.find(cache=cache_home(), cancel=session.cancel)
    session.observe(Note("preparing Verilator's runtime"))
    toolchain.verilator.prepare(session.cancel)
    rows = []
    for design in chosen:
        measured = loop.measure(
            design, loop.COUNTS, arguments.compare, toolchain, session.cancel, survivors=arguments.survivors
        )
        rows += finish(measured, session.observe)
    counts = loop.summary(rows)
    counts |= finish(loop_doors.measure(toolchain, session.cancel), session.observe)
    counts |= provenance()
    if session.json:
        for row in rows:
            session.result("", loop.as_dict(row))
    lines = ["  ".join(_COLUMNS)]
    lines += ["  ".join(str(value) for value in loop.as_dict(row).values()) for row in rows]
    lines += [f"{key}: {value}" for key, value in counts.items()]
    session.result("\n".join(lines) + "\n", counts)
    return 1 if counts["disagree"] else 0
