"""`veriloop status`: what this repository holds and how it stands."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from typing import Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.context import Context
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import NotVerified
from veriloop.assistant.events import finish
from veriloop.assistant.standing.ago import ago
from veriloop.assistant.standing.survey import Instance, Survey, survey
from veriloop.assistant.standing.verdicts import Standing, context_of, standings
from veriloop.assistant.verify.summary import NO_SUMMARY
from veriloop.assistant.verify.testbench import CommandTest, Testbench

NAME = "status"
HELP = "show the hierarchy, the tests and what they last said"

REFUTED_EXIT = 1
_MARKS = {"passed": "ok", "failed": "FAIL", "stale": "stale", "never": "?"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares whether anything is run."""
    parser.add_argument("--run", action="store_true", help="run the tests whose verdict is not known, first")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Shows it: 0, or with `--run` 1 where a test fails."""
    open_repository(session)
    context, tests = context_of(session.cwd, session.cancel)
    known = standings(context, tests)
    notes: tuple[str, ...] = ()
    if arguments.run:
        notes = _judge(context, tests, known, session)
        known = standings(context, tests)
    found = survey(context, known)
    words = {test.name: _word(test, context) for test in tests}
    prepared = context.toolchain.verilator.prepared
    session.result(_text(found, notes), {**_json(found, notes, words), "prepared": prepared})
    return REFUTED_EXIT if arguments.run and any(one.state == "failed" for one in known) else 0


def _judge(
    context: Context, tests: Sequence[Testbench], known: Sequence[Standing], session: Session
) -> tuple[str, ...]:
    """Runs the tests that have no verdict; a line about each that gave none."""
    if not tests:
        raise NotVerified("no test was found here", hint="[[testbench]] in veriloop.toml, or veriloop check --test CMD")
    names = {one.name for one in known if one.state in ("stale", "never")}
    chosen = [test for test in tests if test.name in names]
    if not chosen:
        return ()
    steps = finish(context.gate.baseline(context.repository.snapshot(), chosen), session.observe)
    return tuple(
        f"{step.name} {NO_SUMMARY.removeprefix('the testbench ')}"
        for step in steps
        if step.results and all(NO_SUMMARY in run.reason for run in step.results)
    )


def _text(found: Survey, notes: Sequence[str]) -> str:
    lines = ["tests:"] if found.tests else ["no test was found: [[testbench]] in veriloop.toml names them"]
    now = time.time()
    width = max((len(one.name) for one in found.tests), default=0)
    for one in found.tests:
        when = f"  {_said(one, now)}"
        lines.append(f"  {_MARKS[one.state]:<5} {one.name:<{width}}{when}".rstrip())
    lines += [f"  {note}" for note in notes]
    lines += ["", "hierarchy:"] if found.hierarchy else []
    lines += [_line(one) for one in found.hierarchy]
    lines += [f"  and {found.cut} more instances"] if found.cut else []
    lines += ["", "changed since the last commit:", *(f"  {path}" for path in found.changed)] if found.changed else []
    return "\n".join(lines) + "\n"


def _said(one: Standing, now: float) -> str:
    if one.state == "never":
        return "never ran here"
    return f"{'passed' if one.passed else 'failed'} {ago(now - one.when)}"


def _line(one: Instance) -> str:
    depth = one.path.count(".")
    name = one.path.rpartition(".")[2]
    what = name if name == one.module else f"{name}: {one.module}"
    return f"  {'  ' * depth}{what}" + (f"  ({one.standing})" if one.standing else "")


def _word(test: Testbench, context: Context) -> str:
    """What `--testbench` takes for a test: the name that is declared, else its file."""
    if any(one.name == test.name for one in context.config.repository.testbench) or isinstance(test, CommandTest):
        return test.name
    own = (path for path in test.design.sources if is_test_path(path) and path.stem == test.name)
    return str(next(own, test.name))


def _json(found: Survey, notes: Sequence[str], words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "tests": [
            {
                "name": one.name,
                "testbench": words.get(one.name, one.name),
                "state": one.state,
                "passed": one.passed,
                "when": round(one.when, 3),
                "modules": sorted(one.modules),
            }
            for one in found.tests
        ],
        "hierarchy": [
            {
                "path": one.path,
                "module": one.module,
                "file": one.file,
                "standing": one.standing,
                "state": one.state,
            }
            for one in found.hierarchy
        ],
        "changed": list(found.changed),
        "cut": found.cut,
        "notes": list(notes),
    }
