"""What `--farm` costs, and what it survives."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.farming import HINT, MISSING
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import finish

SUITES = {"farm": "work given to other machines: overhead, efficiency, killed workers, a thousand simulated ones"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares how much is measured."""
    parser.add_argument("--count", type=int, default=100, metavar="N", help="jobs a round (default: 100)")
    parser.add_argument("--kills", type=int, default=20, metavar="N", help="workers that are killed (default: 20)")
    parser.add_argument(
        "--rounds", type=int, default=3, metavar="N", help="rounds held against this machine (default: 3)"
    )
    parser.add_argument("--slots", type=int, default=1000, metavar="N", help="simulated workers (default: 1000)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Measures; 1 where a job was lost or judged twice differently."""
    if min(arguments.count, arguments.rounds) < 1 or arguments.kills < 0 or arguments.slots < 20:
        raise UsageError("--count and --rounds must be above 0, --slots at least 20")
    try:
        from veriloop.assistant.bench.farm import measure
    except ModuleNotFoundError as error:
        raise ToolNotFound(f"{MISSING} ({error.name})", hint=HINT) from error
    from veriloop.assistant.farm.tools import tools_here
    from veriloop.assistant.repository.private import cache_home

    configured = session.config.user.tools
    work = measure(
        jobs=arguments.count,
        kills=arguments.kills,
        rounds=arguments.rounds,
        simulated=arguments.slots,
        cache=cache_home(),
        tools=tools_here(cache_home(), cancel=session.cancel, configured=configured),
        cancel=session.cancel,
    )
    data = {**asdict(finish(work, session.observe)), **provenance()}
    session.result("\n".join(f"{name:22} {value}" for name, value in data.items()), data)
    return 1 if data["lost"] or data["differing"] else 0
