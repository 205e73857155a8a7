"""What judges the change that `check` was given: what the user names, else `veriloop.toml`, else the tree's tests."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

from veriloop.assistant.cli.reading import command_test, file_testbench, named_file
from veriloop.assistant.cli.session import Session
from veriloop.assistant.context import Context
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note, finish
from veriloop.assistant.gate import Gate
from veriloop.assistant.repository.export import export
from veriloop.assistant.repository.private import private_directory
from veriloop.assistant.trust import RUNS_CODE, require_trust
from veriloop.assistant.verify.declared import declared_testbench, discovered_testbenches
from veriloop.assistant.verify.summary import NO_SUMMARY
from veriloop.assistant.verify.testbench import Testbench, VerilogTestbench


@dataclass(frozen=True, slots=True)
class Subject:
    """The tests, and the designs to lint and elaborate where there are none."""

    testbenches: tuple[Testbench, ...]
    designs: tuple[Design, ...] = ()


def subject(arguments: argparse.Namespace, session: Session, gate: Gate, context: Context, tree: str) -> Subject:
    """Finds what judges a tree.

    Raises:
        UsageError: a testbench that is named is not there, or has no toplevel.
        NotVerified: the repository names commands that the user has not trusted.
    """
    with private_directory(context.repository.cache) as directory:
        copy = export(context.repository, tree, directory / "tree", needs=gate.needs)
        project = Project.load(copy.root, context.config.repository.design)
        wanted = _wanted(arguments, session, context, project)
        if wanted:
            return Subject(wanted)
        speaking = _speaking(session, gate, tree, tuple(discovered_testbenches(project)))
        return Subject(speaking, () if speaking else tuple(_tops(project)))


def testbenches(arguments: argparse.Namespace, session: Session, context: Context, tree: str) -> tuple[Testbench, ...]:
    """What `subject` takes into account, those included of which only a run tells whether they say anything.

    Raises:
        UsageError: a testbench that is named is not there, or has no toplevel.
        NotVerified: the repository names commands that the user has not trusted.
    """
    with private_directory(context.repository.cache) as directory:
        copy = export(context.repository, tree, directory / "tree", needs=context.needs)
        project = Project.load(copy.root, context.config.repository.design)
        return _wanted(arguments, session, context, project) or tuple(discovered_testbenches(project))


def _wanted(
    arguments: argparse.Namespace, session: Session, context: Context, project: Project
) -> tuple[Testbench, ...]:
    """What the user names, else what `veriloop.toml` declares."""
    commands = (command_test(arguments, command, session, context) for command in arguments.test)
    named = (*commands, *_named(arguments, session, context, project))
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


def _speaking(
    session: Session, gate: Gate, tree: str, found: tuple[VerilogTestbench, ...]
) -> tuple[VerilogTestbench, ...]:
    """Those that say whether they pass; of the others, which nobody asked for, a note."""
    if not found:
        return ()
    steps = finish(gate.baseline(tree, found))
    silent = {step.name for step in steps if step.results and all(NO_SUMMARY in run.reason for run in step.results)}
    for name in sorted(silent):
        session.observe(Note(f"{name} {NO_SUMMARY.removeprefix('the testbench ')}, so it is not counted"))
    return tuple(testbench for testbench in found if testbench.name not in silent)


def _tops(project: Project) -> Iterator[Design]:
    """The design once for each module that nobody instantiates."""
    try:
        design = project.design().design
    except UsageError:
        return
    if design.toplevel:
        yield design
        return
    for top in elaborate(design.rooted(project.root)).tops:
        yield replace(design, toplevel=top)
