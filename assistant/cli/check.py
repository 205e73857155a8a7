"""`veriloop check`: the gate alone, on a change that is there already."""

from __future__ import annotations

import argparse
import shlex
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from veriloop.assistant.cli import reading
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import finish
from veriloop.assistant.repository.repository import Repository

if TYPE_CHECKING:
    from veriloop.assistant.context import Context
    from veriloop.assistant.verify.evidence import Report

NAME = "check"
HELP = "judge a change that is there already, with the evidence"

REFUTED_EXIT, NOT_VERIFIED_EXIT = 1, 3


@dataclass(frozen=True, slots=True)
class _Change:
    """What is judged: two trees, and the words that name them on the command line."""

    base: str
    tree: str
    words: tuple[str, ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what can be judged, by what, and how it is shown."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true", help="what a commit would contain now, against the last commit")
    what.add_argument(
        "--worktree", action="store_true", help="what is on disk, against the last commit (this is the default)"
    )
    what.add_argument(
        "patch", nargs="?", metavar="PATCH", help="a unified diff, against what is on disk; - reads stdin"
    )
    parser.add_argument("--testbench", action="append", default=[], metavar="FILE", help="judge by this testbench")
    parser.add_argument("--test", action="append", default=[], metavar="COMMAND", help="judge by this command")
    parser.add_argument("--top", default="", metavar="MODULE", help="the module at the top of the testbench")
    parser.add_argument(
        "--rtl", action="append", default=[], metavar="FILE", help="take this file where several hold the same module"
    )
    reading.add_arguments(parser)
    parser.add_argument("--apply", action="store_true", help="write a PATCH that is verified into the work tree")
    parser.add_argument("--markdown", action="store_true", help="write the report as Markdown")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Judges the change: 0 verified or nothing changed, 1 refuted, 3 nothing but lint and elaboration could run."""
    if arguments.apply and not arguments.patch:
        raise UsageError("--apply needs a PATCH: what is on disk or staged is there already")
    repository = open_repository(session)
    change = _change(arguments, session, repository)
    if change.base == change.tree:
        session.result("nothing to check: nothing is changed", {"changed": [], "exit": 0})
        return 0
    return _judge(arguments, session, repository, change)


def _judge(arguments: argparse.Namespace, session: Session, repository: Repository, change: _Change) -> int:
    # Imported here because a hook runs far more often with nothing to judge than with something.
    from veriloop.assistant.cli.subject import subject
    from veriloop.assistant.context import Context
    from veriloop.assistant.verify.report_text import as_json, as_markdown, as_text, verified

    context = Context.of(repository, session.cancel)
    project = context.config.repository.project
    gate = replace(context.gate, editable=project.editable, locked=project.protected)
    by = subject(arguments, session, gate, context, change.tree)
    replay = shlex.join(["veriloop", "check", *change.words, *_options(arguments)])
    run = gate.check_trees(change.base, change.tree, by.testbenches, designs=by.designs, replay=replay)
    report = finish(run, session.observe)
    diff = repository.diff(change.base, change.tree)
    exit_code = (0 if verified(report) else NOT_VERIFIED_EXIT) if report.passed else REFUTED_EXIT
    text = as_markdown(report, diff) if arguments.markdown else as_text(report)
    applied = False
    if arguments.apply and not exit_code:
        applied = _apply(report, context, f"check: {arguments.patch}")
        text += "applied to the work tree; veriloop undo takes it back\n"
    session.result(text, {**as_json(report, diff), "applied": applied, "exit": exit_code})
    return exit_code


def _apply(report: Report, context: Context, about: str) -> bool:
    """Writes what passed.

    Raises:
        NotVerified: it also touches what judges it, which passing its own tests says nothing about.
    """
    from veriloop.assistant.gate import PROTECTED, apply

    for step in report.steps:
        if step.name == PROTECTED:
            raise NotVerified(
                f"not applied, because it changes what judges it: {step.detail.partition(': ')[2]}",
                hint="leave that out of the patch, or git apply it yourself",
            )
    apply(context.repository, report, minimum=context.minimum, about=about)
    return True


def _change(arguments: argparse.Namespace, session: Session, repository: Repository) -> _Change:
    if arguments.staged:
        return _Change(repository.head_tree(), repository.index_tree(), ("--staged",))
    snapshot = repository.snapshot()
    if arguments.patch:
        diff = _read(arguments.patch, session.cwd)
        return _Change(snapshot, repository.tree_of_patch(snapshot, diff), (arguments.patch,))
    return _Change(repository.head_tree(), snapshot, ("--worktree",))


def _read(name: str, cwd: Path) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return (cwd / name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error


def _options(arguments: argparse.Namespace) -> list[str]:
    words = [word for name in arguments.testbench for word in ("--testbench", name)]
    words += [word for command in arguments.test for word in ("--test", command)]
    words += [word for name in arguments.rtl for word in ("--rtl", name)]
    words += ["--top", arguments.top] if arguments.top else []
    return [*words, *reading.words(arguments)]
