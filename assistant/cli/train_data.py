"""`veriloop train data`: designs that Veriloop generates itself, checked by simulation."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import Note
from veriloop.assistant.training.check import Problem, check_families, lint
from veriloop.assistant.training.draft import Family, families
from veriloop.assistant.verify.verilator import Verilator

HELP = "generate designs with specifications and broken copies, all checked by simulation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares which families and how many designs of each."""
    parser.add_argument("--families", default="all", metavar="GLOBS", help="names or kinds, separated by commas")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="designs of each family (default: 1)")
    parser.add_argument("--check", action="store_true", help="simulate every variant against its reference model")
    parser.add_argument("--list", action="store_true", help="name the families")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Lists or checks the families. 0; 1 where a design does not do what its model does."""
    if arguments.seeds < 1:
        raise UsageError("--seeds must be above 0")
    chosen = families(arguments.families)
    if arguments.list:
        return _list(chosen, session)
    if arguments.check:
        return _check(chosen, arguments.seeds, session)
    raise UsageError("say what to do with the families", hint="veriloop train data --check")


def _list(chosen: Sequence[Family], session: Session) -> int:
    lines = [f"{one.kind:<14} {one.name}{'  (held out)' if one.held_out else ''}" for one in chosen]
    kinds = Counter(one.kind for one in chosen)
    rows = [{"name": one.name, "kind": one.kind, "variants": one.variants, "held_out": one.held_out} for one in chosen]
    lines.append(f"{len(chosen)} families of {len(kinds)} kinds, {sum(one.held_out for one in chosen)} held out")
    session.result("\n".join(lines), {"families": rows})
    return 0


def _check(chosen: Sequence[Family], seeds: int, session: Session) -> int:
    checked, problems = 0, list[Problem]()
    for count, found in check_families(chosen, range(seeds), cancel=session.cancel):
        checked += count
        problems += found
        session.observe(Note(f"{checked} designs, {len(problems)} problems"))
    try:
        tools = session.config.user.tools
        verilator = Verilator.find(configured=tools.verilator, compiler=None, cache=session.cwd, cancel=session.cancel)
    except ToolNotFound as error:
        session.observe(Note(f"not linted: {error.message}"))
    else:
        problems += lint(chosen, 0, verilator, cancel=session.cancel)
    text = "\n".join(f"{problem}\n{problem.text}".rstrip() for problem in problems)
    text += f"\n{checked} designs of {len(chosen)} families checked, {len(problems)} problems"
    data = {"families": len(chosen), "designs": checked, "problems": [str(problem) for problem in problems]}
    session.result(text.lstrip(), data)
    return 1 if problems else 0
