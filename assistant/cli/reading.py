"""Which testbench a command line names, and how its outcome is read: what `check` and `repair` share."""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note

if TYPE_CHECKING:
    # What judges is imported where something is judged: a hook's answer is mostly known without it.
    from veriloop.assistant.context import Context
    from veriloop.assistant.design.project import Project
    from veriloop.assistant.verify.declared import Reading
    from veriloop.assistant.verify.testbench import CommandTest, Testbench


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares how an outcome is read."""
    parser.add_argument(
        "--oracle", metavar="FILE", help="expected outputs (a table or a VCD) of a testbench that records"
    )
    parser.add_argument("--output", default="", metavar="FILE", help="the file that such a testbench writes")
    parser.add_argument("--pass-pattern", default="", metavar="REGEX", help="what a passing run prints")
    parser.add_argument("--fail-pattern", default="", metavar="REGEX", help="what a failing run prints")
    parser.add_argument("--timeout", type=float, default=0.0, metavar="S", help="seconds that one simulation may take")


def words(arguments: argparse.Namespace, testbench: Testbench | None = None) -> list[str]:
    """The options that were given, for a command line that reads the same; the oracle as the testbench has it."""
    names = ("oracle", "output", "pass_pattern", "fail_pattern", "timeout")
    given = {name: getattr(arguments, name) for name in names}
    if testbench is not None:
        from veriloop.assistant.verify.testbench import TraceTestbench

        if isinstance(testbench, TraceTestbench):
            given["oracle"] = testbench.oracle
    return [word for name, value in given.items() if value for word in (f"--{name.replace('_', '-')}", _word(value))]


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def command_test(arguments: argparse.Namespace, command: str, session: Session, context: Context) -> CommandTest:
    """A command as typed, in the directory of the private copy that the user stands in.

    Raises:
        UsageError: a pattern is no regular expression, or the timeout is none.
    """
    from veriloop.assistant.verify.testbench import CommandTest

    reading = _reading(arguments, session, context)
    here = os.path.relpath(session.cwd.resolve(), context.repository.root.resolve())
    return CommandTest(
        name=command,
        command=command if here == "." else f"cd {shlex.quote(here)} && {command}",
        pass_pattern=reading.pass_pattern,
        timeout_s=reading.timeout_s or CommandTest(name="", command="").timeout_s,
    )


def file_testbench(
    arguments: argparse.Namespace,
    session: Session,
    context: Context,
    project: Project,
    files: Sequence[Path],
    rtl: Sequence[Path],
) -> Testbench:
    """The testbench that the named files make together, with notes about how its other files were found.

    Raises:
        UsageError: a file is not there, the toplevel is not clear, or an option cannot be used.
    """
    from veriloop.assistant.verify.declared import named_testbench

    reading = _reading(arguments, session, context)
    testbench, found = named_testbench(project, files, rtl, toplevel=arguments.top, reading=reading)
    for note in found.notes:
        session.observe(Note(note))
    if found.missing:
        session.observe(Note(f"nowhere in this repository: {', '.join(found.missing)}"))
    return testbench


def named_file(name: str, session: Session, context: Context) -> Path:
    """Relative to where the user stands, else to the root, as a report's replay command names it."""
    root = context.repository.root
    return context.relative(name, session.cwd if (session.cwd / name).exists() else root)


def _reading(arguments: argparse.Namespace, session: Session, context: Context) -> Reading:
    from veriloop.assistant.verify.declared import Reading

    for option, pattern in (("--pass-pattern", arguments.pass_pattern), ("--fail-pattern", arguments.fail_pattern)):
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"{option} is no regular expression: {error}") from error
    if not 0 <= arguments.timeout < float("inf"):
        raise UsageError("--timeout must be above 0")
    if arguments.oracle and not arguments.output:
        raise UsageError("--oracle needs --output FILE: what the testbench writes")
    return Reading(
        oracle=named_file(arguments.oracle, session, context) if arguments.oracle else None,
        output=arguments.output,
        pass_pattern=arguments.pass_pattern,
        fail_pattern=arguments.fail_pattern,
        timeout_s=arguments.timeout,
    )
