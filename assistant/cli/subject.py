"""What judges a tree: what the user names, else what `veriloop.toml` declares, else the tests that the tree holds."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from veriloop.assistant.cli.reading import command_test, file_testbench, named_file
from veriloop.assistant.cli.session import Session
from veriloop.assistant.context import Context
from veriloop.assistant.design.project import Project
from veriloop.assistant.repository.export import export
from veriloop.assistant.repository.private import private_directory
from veriloop.assistant.trust import RUNS_CODE, require_trust
from veriloop.assistant.verify.declared import declared_testbench, discovered_testbenches
from veriloop.assistant.verify.testbench import Testbench


def testbenches(arguments: argparse.Namespace, session: Session, context: Context, tree: str) -> tuple[Testbench, ...]:
    """Everything that judges a tree, those included of which only a run tells whether they say anything.

    Raises:
        UsageError: a testbench that is named is not there, or has no toplevel.
        NotVerified: the repository names commands that the user has not trusted.
    """
    with private_directory(context.repository.cache) as directory:
        copy = export(context.repository, tree, directory / "tree", needs=context.needs)
        project = Project.load(copy.root, context.config.repository.design)
        return _wanted(arguments, session, context, project) or tuple(discovered_testbenches(project))


def named_tests(
    arguments: argparse.Namespace, session: Session, context: Context, project: Project
) -> tuple[Testbench, ...]:
    """What the user names on the command line.

    Raises:
        UsageError: a testbench that is named is not there, or has no toplevel.
        NotVerified: it is a command of the repository that the user has not trusted.
    """
    commands = (command_test(arguments, command, session, context) for command in arguments.test)
    return (*commands, *_named(arguments, session, context, project))


def _wanted(
    arguments: argparse.Namespace, session: Session, context: Context, project: Project
) -> tuple[Testbench, ...]:
    """What the user names, else what `veriloop.toml` declares."""
    named = named_tests(arguments, session, context, project)
    config = context.config
    if named or not config.repository.testbench:
        return named
    require_trust(context.repository.root, config)
    return tuple(declared_testbench(one, project) for one in config.repository.testbench)


def _named(arguments: argparse.Namespace, session: Session, context: Context, project: Project) -> Iterator[Testbench]:
    """Testbenches of `veriloop.toml` by name; the files that are named make one testbench together."""
    settings = {one.name: one for one in context.config.repository.testbench}
    for name in arguments.testbench:
        if name in settings:
            if settings[name].kind in RUNS_CODE:
                require_trust(context.repository.root, context.config)
            yield declared_testbench(settings[name], project)
    files = [named_file(name, session, context) for name in arguments.testbench if name not in settings]
    if files:
        rtl = [named_file(name, session, context) for name in arguments.rtl]
        yield file_testbench(arguments, session, context, project, files, rtl)
