"""`veriloop locate`: where a reported bug is likely to be, with the reasons; nothing is changed."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from veriloop.assistant.cli import reading
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.context import Context
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish
from veriloop.assistant.locate.allowance import Allowance
from veriloop.assistant.locate.history import blamed
from veriloop.assistant.locate.observe import Observed, observe
from veriloop.assistant.locate.report import read_report
from veriloop.assistant.locate.suspects import Suspects, suspects
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.testbench import CommandTest

NAME = "locate"
HELP = "rank the places that a bug report can be about, with reasons"

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Located:
    """A report's text and where it leads."""

    report: str
    suspects: Suspects
    observed: Observed | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the report, and what else may tell."""
    parser.add_argument("rtl", nargs="*", metavar="FILE", help="the RTL files that may be at fault")
    parser.add_argument("--report", required=True, metavar="FILE", help="the bug report; - reads stdin")
    parser.add_argument("--test", metavar="COMMAND", help="a command of the repository that fails because of the bug")
    parser.add_argument(
        "--since",
        default="",
        metavar="COMMIT",
        help="a commit at which all was well: with --test, it is tested since when it fails",
    )
    parser.add_argument("--all", action="store_true", help="show every place")
    reading.add_arguments(parser)


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Ranks: 0."""
    repository = open_repository(session)
    context = Context.of(repository, session.cancel)
    command = reading.command_test(arguments, arguments.test, session, context) if arguments.test else None
    named = tuple(str(context.relative(name, session.cwd)) for name in arguments.rtl)
    found = located(session, context, arguments.report, command, named, arguments.since)
    ranked = found.suspects.ranked
    lines = []
    for number, one in enumerate(ranked if arguments.all else ranked[:_SHOWN], start=1):
        lines += [f"{number:>3}. {one.score:5.2f}  {one.place}", *(f"       {reason}" for reason in one.reasons[:3])]
    if found.observed is not None:
        lines = [f"the test: {found.observed.result.outcome.value}: {found.observed.result.reason}", "", *lines]
    guilty = found.suspects.blamed
    if guilty is not None:
        lines = [f"it began with {guilty.what}", *lines]
    data = {"places": places_json(found.suspects), "first_bad": guilty.data() if guilty is not None else None}
    session.result("\n".join(lines), data)
    return 0


def places_json(found: Suspects) -> list[dict[str, object]]:
    """Ranked places as JSON."""
    return [
        {
            "path": one.place.path,
            "first_line": one.place.first_line,
            "last_line": one.place.last_line,
            "module": one.place.module,
            "kind": one.place.kind,
            "score": round(one.score, 4),
            "reasons": list(one.reasons),
            "values": {name: round(value, 4) for name, value in one.values.items()},
        }
        for one in found.ranked
    ]


def watched(session: Session, context: Context, command: CommandTest, allowance: Allowance) -> Observed:
    """What a command does that fails.

    Raises:
        NotVerified: it fails only sometimes.
        ToolNotFound: its program is not there.
    """
    work = observe(
        context.repository,
        context.toolchain,
        command,
        needs=context.needs,
        cancel=session.cancel,
        allowance=allowance,
    )
    return finish(work, session.observe)


def located(
    session: Session,
    context: Context,
    report: str,
    command: CommandTest | None,
    files: tuple[str, ...],
    since: str = "",
    allowance: Allowance | None = None,
) -> Located:
    """Reads a report, runs the test once if there is one, and ranks.

    Raises:
        UsageError: the report cannot be read.
    """
    text = read_text(session, report)
    allowance = allowance or Allowance()
    observed = None
    if command is not None:
        observed = watched(session, context, command, allowance)
    guilty = None
    if command is not None and observed is not None and since and not observed.result.passed:
        looking = blamed(
            context.repository,
            context.toolchain,
            command,
            since,
            hangs=observed.result.outcome is Outcome.TIMEOUT,
            needs=context.needs,
            cancel=session.cancel,
            allowance=allowance,
        )
        guilty = finish(looking, session.observe)
    ranking = suspects(
        context.repository,
        read_report(text),
        observed=observed,
        settings=context.config.repository.design,
        files=files,
        since=since,
        blamed=guilty,
        allowance=allowance,
    )
    return Located(text, finish(ranking, session.observe), observed)


def read_text(session: Session, name: str) -> str:
    """A report's text.

    Raises:
        UsageError: it cannot be read.
    """
    import sys

    if name == "-":
        return sys.stdin.read()
    try:
        return (session.cwd / name).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error
