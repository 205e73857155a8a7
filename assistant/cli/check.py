"""`veriloop check`: judges a change that is there already, by what it reaches, in the time that there is."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veriloop.assistant.cli import reading
from veriloop.assistant.cli.farming import add_farm_option, go_on_without, tests_elsewhere
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import finish
from veriloop.assistant.repository.repository import Repository

if TYPE_CHECKING:
    from veriloop.assistant.cli.judging import Judged
    from veriloop.assistant.context import Context
    from veriloop.assistant.verify.evidence import Report

NAME = "check"
HELP = "judge a change that is there already, with the evidence"

_REFACTOR_S = 60.0
"""Seconds for one module, where no budget is given."""
_COMMITTED = "-committed"
"""After the key of an answer that holds for a commit, and not for the same files on disk."""
LEVEL_NAMES = ("lint", "elaborates", "tests", "mutants")


@dataclass(frozen=True, slots=True)
class _Change:
    """What is judged: two trees, and the words that name them on the command line."""

    base: str
    tree: str
    words: tuple[str, ...]
    committed: bool = False
    """Whether the trees are git's own: then nothing else of the work tree counts."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what can be judged, by what, how far, and how it is shown."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--staged", action="store_true", help="what a commit would contain now, against the last commit")
    what.add_argument(
        "--worktree", action="store_true", help="what is on disk, against the last commit (this is the default)"
    )
    what.add_argument("--since", default="", metavar="REV", help="the last commit, against where it left REV")
    what.add_argument(
        "patch", nargs="?", metavar="PATCH", help="a unified diff, against what is on disk; - reads stdin"
    )
    parser.add_argument("--level", choices=LEVEL_NAMES, default="tests", help="how far to go (default: tests)")
    parser.add_argument("--budget", type=float, metavar="S", help="seconds after which what is left is left out")
    parser.add_argument(
        "--refactor", action="store_true", help="prove that the change changes nothing, or show what tells it apart"
    )
    parser.add_argument(
        "--coverage", action="store_true", help="measure how much of what is changed the tests meet (a build more)"
    )
    parser.add_argument("--all", action="store_true", help="run every test, not only those that the change reaches")
    parser.add_argument("--testbench", action="append", default=[], metavar="FILE", help="judge by this testbench")
    parser.add_argument("--test", action="append", default=[], metavar="COMMAND", help="judge by this command")
    parser.add_argument("--top", default="", metavar="MODULE", help="the module at the top of the testbench")
    parser.add_argument(
        "--rtl", action="append", default=[], metavar="FILE", help="take this file where several hold the same module"
    )
    reading.add_arguments(parser)
    add_farm_option(parser)
    parser.add_argument("--apply", action="store_true", help="write a PATCH that is verified into the work tree")
    parser.add_argument("--full", action="store_true", help="the whole report of a refused change, too")
    parser.add_argument("--sarif", default="", metavar="FILE", help="the findings as SARIF 2.1.0, beside the result")
    parser.add_argument("--junit", default="", metavar="FILE", help="the steps as JUnit XML, beside the result")
    parser.add_argument("--baseline", default="", metavar="FILE", help="findings of lint in this file count as old")
    parser.add_argument("--write-baseline", default="", metavar="FILE", help="keep all findings of lint in this file")
    parser.add_argument("--fixes", default="", metavar="FILE", help="what would mend new findings, as a patch")
    parser.add_argument("--github", action="store_true", help="annotations for GitHub's log, before the result")
    parser.add_argument(
        "--markdown", nargs="?", const="-", default="", metavar="FILE", help="the report as Markdown; - is stdout"
    )


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Judges the change: 0 it has what is asked for, 1 refuted, 3 what is asked for was not reached."""
    started = time.monotonic()
    _sensible(arguments)
    if arguments.detach:
        return go_on_without(session)
    # In a hook nobody watches stages go by, and what is printed is to fit on a screen.
    session.quiet = arguments.staged and not (sys.stderr is not None and sys.stderr.isatty())
    repository = open_repository(session)
    change = _change(arguments, session, repository)
    if change.base == change.tree:
        return _said(session, "nothing to check: nothing is changed", "unchanged", "none", [], started)
    if arguments.refactor:
        return _refactor(arguments, session, repository, change, started)
    from veriloop.assistant.change.answers import Answers, answer_key

    answers = Answers(repository.cache / "answers")
    words = _options(arguments)
    # A submodule that is not checked out is not judged; once it is, the answer may be another one.
    lent = [f"{path} {present}" for path, present in repository.submodules(change.tree)]
    words += [_content(session.cwd / arguments.baseline)] if arguments.baseline else []
    key = answer_key(repository.root, change.base, change.tree, [*words, str(session.cwd), *lent])
    known = None
    if not _writes(arguments) and not session.whole:
        known = answers.get(key) or (answers.get(f"{key}{_COMMITTED}") if change.committed else None)
    if known is not None:
        from veriloop.assistant.change.text import cached_line

        line = cached_line(known["outcome"], known["evidence"], known["checked"])
        return _said(session, line, known["outcome"], known["evidence"], known["checked"], started)
    return _judge(arguments, session, repository, change, answers, key, started)


def _judge(
    arguments: argparse.Namespace,
    session: Session,
    repository: Repository,
    change: _Change,
    answers: Any,
    key: str,
    started: float,
) -> int:
    # Imported here because a hook runs far more often with nothing to judge than with something.
    from veriloop.assistant.change import text
    from veriloop.assistant.change.result import Outcome
    from veriloop.assistant.cli.judging import judged

    replay = shlex.join(["veriloop", "check", *change.words, *_options(arguments)])
    with tests_elsewhere(arguments, session) as elsewhere:
        found = judged(
            arguments,
            session,
            repository,
            change.base,
            change.tree,
            replay,
            committed=change.committed,
            elsewhere=elsewhere,
        )
    checked = found.checked
    diff = repository.diff(change.base, change.tree)
    applied = bool(arguments.apply) and checked.outcome is Outcome.VERIFIED
    if applied:
        _apply(checked.report, found.context, f"check: {arguments.patch}")
    if found.keep and not applied:
        summary = {**text.summary(checked), "cached": True}
        under = f"{key}{_COMMITTED}" if found.for_commits else key
        answers.put(under, summary, runs_programs=found.runs_programs)
    _write_forms(arguments, session, found, diff)
    data = {**text.data(checked, diff), "applied": applied}
    if session.json:
        session.result("", data)
        session.result("", {**text.summary(checked), "seconds": round(time.monotonic() - started, 3)})
    elif arguments.markdown == "-":
        session.result(text.markdown(checked, diff), data)
    else:
        brief = checked.outcome.exit_code != 0 and not arguments.full
        said = text.refusal(checked) if brief else text.text(checked)
        session.result(said + "applied to the work tree; veriloop undo takes it back\n" * applied, data)
    return checked.outcome.exit_code


def _refactor(
    arguments: argparse.Namespace, session: Session, repository: Repository, change: _Change, started: float
) -> int:
    """Proves that the change changes nothing: 0 proved, 1 told apart, 3 neither."""
    from dataclasses import replace

    from veriloop.assistant.change.refactor import as_data, as_text, outcome_of, refactored
    from veriloop.assistant.context import Context

    context = Context.of(repository, session.cancel, tree=change.tree)
    gate = replace(context.gate, committed=change.committed)
    run = refactored(gate, context.config, change.base, change.tree, limit_s=arguments.budget or _REFACTOR_S)
    found = finish(run, session.observe)
    outcome = outcome_of(found)
    if session.json:
        for one in found:
            session.result("", as_data(one))
    proved = bool(found) and outcome.exit_code == 0
    summary = {
        "outcome": outcome.value,
        "evidence": "equivalence" if proved else "none",
        "exit": outcome.exit_code,
        "cached": False,
        "checked": [one.module for one in found],
        "left_out": [f"{one.module}: {one.why}" for one in found if one.verdict.value in ("bounded", "undecided")],
        "seconds": round(time.monotonic() - started, 3),
    }
    session.result(f"{outcome.value}\n{as_text(found)}", summary)
    return outcome.exit_code


def _write_forms(arguments: argparse.Namespace, session: Session, found: Judged, diff: str) -> None:
    """The answer in the forms that other programs read, each to its file."""
    from veriloop.assistant.change import text
    from veriloop.assistant.change.forms.github import workflow_commands
    from veriloop.assistant.change.forms.junit import junit
    from veriloop.assistant.change.forms.marks import marks
    from veriloop.assistant.change.forms.sarif import sarif
    from veriloop.assistant.verify.surroundings import own_version

    checked = found.checked
    shown = tuple(marks(checked, frozenset(found.context.config.user.check.blocking)))
    if arguments.markdown not in ("", "-"):
        _write(session, arguments.markdown, text.markdown(checked, diff))
    if arguments.sarif:
        _write(session, arguments.sarif, sarif(checked, shown, own_version()))
    if arguments.junit:
        _write(session, arguments.junit, junit(checked, shown))
    if arguments.fixes:
        _write(session, arguments.fixes, checked.patch)
    if arguments.write_baseline:
        from veriloop.assistant.change.baseline import write_baseline

        write_baseline(session.cwd / arguments.write_baseline, checked.all_warnings)
    if arguments.github and not session.json and shown:
        session.result(workflow_commands(shown), {})


def _apply(report: Report, context: Context, about: str) -> None:
    """Writes what passed.

    Raises:
        NotVerified: it also touches what judges it, which passing its own tests says nothing about.
    """
    from veriloop.assistant.gate import apply
    from veriloop.assistant.verify.judged import PROTECTED

    for step in report.steps:
        if step.name == PROTECTED:
            raise NotVerified(
                f"not applied, because it changes what judges it: {step.detail.partition(': ')[2]}",
                hint="leave that out of the patch, or git apply it yourself",
            )
    apply(context.repository, report, minimum=context.minimum, about=about)


def _said(session: Session, line: str, outcome: str, evidence: str, checked: list[str], started: float) -> int:
    """The one line, and the summary, of what needed no work."""
    summary: Mapping[str, Any] = {
        "outcome": outcome,
        "evidence": evidence,
        "exit": 0,
        "cached": True,
        "checked": checked,
        "left_out": [],
        "seconds": round(time.monotonic() - started, 3),
    }
    session.result(line, summary)
    return 0


def _sensible(arguments: argparse.Namespace) -> None:
    if arguments.apply and not arguments.patch:
        raise UsageError("--apply needs a PATCH: what is on disk or staged is there already")
    if arguments.budget is not None and not 0 < arguments.budget < float("inf"):
        raise UsageError("--budget must be above 0")
    if arguments.markdown == "-" and arguments.json:
        raise UsageError("--markdown on stdout and --json exclude each other", hint="--markdown FILE")


def _change(arguments: argparse.Namespace, session: Session, repository: Repository) -> _Change:
    if arguments.staged and os.environ.get("PRE_COMMIT_FROM_REF"):
        # Before a push, or asked for a range of commits, there is nothing staged: the framework names the range.
        return _between(repository, os.environ["PRE_COMMIT_FROM_REF"], os.environ.get("PRE_COMMIT_TO_REF") or "HEAD")
    if arguments.staged:
        return _Change(repository.head_tree(), repository.index_tree(), ("--staged",), committed=True)
    if arguments.since:
        base = repository.merge_base(arguments.since)
        tree = repository.tree_of(base) if base else None
        if tree is None:
            raise UsageError(f"there is no commit {arguments.since}", hint="git fetch")
        return _Change(tree, repository.head_tree(), ("--since", arguments.since), committed=True)
    snapshot = repository.snapshot()
    if arguments.patch:
        diff = _read(arguments.patch, session.cwd)
        return _Change(snapshot, repository.tree_of_patch(snapshot, diff), (arguments.patch,))
    return _Change(repository.head_tree(), snapshot, ("--worktree",))


def _between(repository: Repository, old: str, new: str) -> _Change:
    trees = [repository.tree_of(name) for name in (old, new)]
    # The first push of a branch: git names no commit, but zeros, for what the remote has of it.
    base = repository.empty_tree() if trees[0] is None and not old.strip("0") else trees[0]
    if base is None or trees[1] is None:
        raise UsageError(f"there is no commit {old if base is None else new}", hint="git fetch")
    return _Change(base, trees[1], ("--since", old), committed=True)


def _read(name: str, cwd: Path) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return (cwd / name).read_bytes()
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error


def _write(session: Session, name: str, content: str) -> None:
    try:
        (session.cwd / name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}") from error


def _writes(arguments: argparse.Namespace) -> bool:
    """Whether more is asked for than the answer in a line."""
    forms = (
        arguments.coverage,
        arguments.markdown,
        arguments.sarif,
        arguments.junit,
        arguments.github,
        arguments.fixes,
        arguments.write_baseline,
    )
    return any(forms) or arguments.full or arguments.apply


def _content(path: Path) -> str:
    """A baseline as far as an answer depends on it; what cannot be read is told later."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _options(arguments: argparse.Namespace) -> list[str]:
    words = [word for name in arguments.testbench for word in ("--testbench", name)]
    words += [word for command in arguments.test for word in ("--test", command)]
    words += [word for name in arguments.rtl for word in ("--rtl", name)]
    words += ["--top", arguments.top] if arguments.top else []
    words += ["--level", arguments.level] if arguments.level != "tests" else []
    words += ["--baseline", arguments.baseline] if arguments.baseline else []
    words += ["--all"] if arguments.all else []
    return [*words, *reading.words(arguments)]
