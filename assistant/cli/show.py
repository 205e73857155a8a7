"""`veriloop show`: why a change was made, or why none was found."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from veriloop.assistant.attempts.attempt import Attempts
from veriloop.assistant.cli.session import Session
from veriloop.assistant.places import find_root

NAME = "show"
HELP = "show one attempt: the report, the places, what was tried, the evidence"

_PLACES = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares which."""
    parser.add_argument("id", metavar="ID", help="the attempt as `veriloop log` names it, or its beginning")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Shows it."""
    one = Attempts(find_root(session.cwd)).get(arguments.id)
    lines = [f"{one.id}: {one.status}{f', {one.reason}' if one.reason else ''}", "", *_quoted(one.report), ""]
    lines += [f"test      {one.test}", f"base      {one.base}", f"tried     {one.tried} candidates"]
    lines += [f"follows   {one.cause}"] if one.cause else []
    lines += [f"committed {one.commit}"] if one.commit else []
    lines += ["", "suspected"]
    lines += [f"  {score:6.2f}  {place}: {'; '.join(reasons[:2])}" for place, score, reasons in one.places[:_PLACES]]
    if one.diff:
        lines += ["", one.diff.rstrip(), "", f"evidence: {one.evidence}; the change: {', '.join(one.operators)}"]
        lines += [f"again: {one.replay}"]
    session.result("\n".join(lines), {**asdict(one), "refuted": len(one.refuted)})
    return 0


def _quoted(text: str) -> list[str]:
    return [f"> {line}" for line in text.strip().splitlines()[:20]]
