"""`veriloop log`: what was tried in this repository."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict

from veriloop.assistant.attempts.attempt import Attempts, training_row
from veriloop.assistant.cli.session import Session
from veriloop.assistant.places import find_root

NAME = "log"
HELP = "show what was tried here: reports, and what came of them"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares its options."""
    parser.add_argument("--rows", action="store_true", help="print the attempts as rows to train on, a line each")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Lists the attempts, the last one first."""
    attempts = list(reversed(Attempts(find_root(session.cwd)).all()))
    if arguments.rows:
        rows = [training_row(one) for one in attempts]
        session.result("\n".join(json.dumps(row) for row in rows), {"rows": rows})
        return 0
    lines = []
    for one in attempts:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.time))
        title = next((line.strip("# ") for line in one.report.splitlines() if line.strip("# ")), one.test)
        lines.append(f"{one.id}  {when}  {one.status:<12} {title[:70]}")
    data = [{name: value for name, value in asdict(one).items() if name != "refuted"} for one in attempts]
    session.result("\n".join(lines) or "nothing was tried here yet", {"attempts": data})
    return 0
