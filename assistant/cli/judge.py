"""`veriloop judge`: who is wrong where a test fails, with lines that exist."""

from __future__ import annotations

import argparse
import contextlib
import os
from pathlib import Path

from veriloop.assistant.cli import reading
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.context import Context
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note, Stage, finish
from veriloop.assistant.judge.in_repository import ANSWERS, find_specification, judge_in
from veriloop.assistant.judge.telling import verdict_json, verdict_text
from veriloop.assistant.judge.verdict import Verdict
from veriloop.assistant.trust import RUNS_CODE, require_trust
from veriloop.assistant.verify.declared import declared_testbench
from veriloop.assistant.verify.testbench import CommandTest, Testbench
from veriloop.models.model import Model
from veriloop.models.named import opened
from veriloop.models.store import Store, data_home

NAME = "judge"
HELP = "say who is wrong where a test fails: RTL, testbench, both, specification or harness"

REFUTED_EXIT, UNKNOWN_EXIT = 1, 3
_NOBODY = "none"
_MOST_ANSWERS = 64
_SOURCES = {".v", ".sv"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the design, the test, the specification, and who else has answered it."""
    parser.add_argument("rtl", metavar="FILE", help="the file that holds the design under test")
    parser.add_argument(
        "--testbench",
        action="append",
        default=[],
        metavar="FILE",
        help="the testbench that fails: Verilog or cocotb (.py), or the name of a [[testbench]] of veriloop.toml",
    )
    parser.add_argument("--test", metavar="COMMAND", help="any command of the repository that fails now")
    parser.add_argument("--top", default="", metavar="MODULE", help="the toplevel: the testbench's, or cocotb's DUT")
    reading.add_arguments(parser)
    parser.add_argument("--spec", metavar="FILE", help="the specification (default: docs/MODULE.md and the like)")
    parser.add_argument(
        "--answer",
        action="append",
        default=[],
        metavar="FILE",
        help="a module that somebody or a model wrote to the specification without seeing the design; may be repeated",
    )
    parser.add_argument(
        "--model", default="", metavar="NAME", help="ask this model for answers and an opinion; none: nobody"
    )
    parser.add_argument("-n", type=int, default=ANSWERS, metavar="N", help=f"answers of the model (default: {ANSWERS})")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Judges: 1 where a side is named, 3 where that cannot be told, 0 where the test passes."""
    if not 1 <= arguments.n <= _MOST_ANSWERS:
        raise UsageError(f"-n must be from 1 to {_MOST_ANSWERS}")
    context = Context.of(open_repository(session), session.cancel)
    rtl = context.relative(arguments.rtl, session.cwd)
    if rtl.suffix.lower() not in _SOURCES or not (context.repository.root / rtl).is_file():
        raise UsageError(f"{arguments.rtl} is no Verilog file", hint="veriloop judge RTL.sv --testbench TB.sv")
    testbench = _testbench(arguments, session, context, rtl)
    spec, text = _specification(arguments, session, context, rtl)
    answers = [_read(session.cwd / name) for name in arguments.answer]
    _prepare(context, testbench, session)
    with contextlib.ExitStack() as stack:
        model = _model(arguments.model, session, stack)
        work = judge_in(
            context,
            testbench,
            rtl,
            specification=text,
            spec_path=spec,
            answers=answers,
            model=model,
            count=arguments.n,
        )
        verdict = finish(work, session.observe)
    exit_code = exit_of(verdict)
    session.result(verdict_text(verdict), {**verdict_json(verdict), "exit": exit_code})
    return exit_code


def exit_of(verdict: Verdict) -> int:
    """The exit code of a verdict."""
    if verdict.decided:
        return REFUTED_EXIT
    return UNKNOWN_EXIT if verdict.failure else 0


def _testbench(arguments: argparse.Namespace, session: Session, context: Context, rtl: Path) -> Testbench:
    if arguments.test and arguments.testbench:
        raise UsageError("--test and --testbench exclude each other")
    if arguments.test:
        return reading.command_test(arguments, arguments.test, session, context)
    project = Project.load(context.repository.root, context.config.repository.design)
    settings = {one.name: one for one in context.config.repository.testbench}
    names = arguments.testbench or (list(settings) if len(settings) == 1 else [])
    if not names:
        raise UsageError("which test fails?", hint=f"veriloop judge {arguments.rtl} --testbench TB.sv")
    if len(names) == 1 and names[0] in settings:
        if settings[names[0]].kind in RUNS_CODE:
            require_trust(context.repository.root, context.config)
        return declared_testbench(settings[names[0]], project)
    files = [reading.named_file(name, session, context) for name in names]
    return reading.file_testbench(arguments, session, context, project, files, [rtl])


def _specification(
    arguments: argparse.Namespace, session: Session, context: Context, rtl: Path
) -> tuple[Path | None, str]:
    """The file, where it lies in the repository, and its text."""
    root = context.repository.root
    if arguments.spec:
        text = _read(session.cwd / str(arguments.spec)).decode("utf-8", errors="replace")
        if not text.strip():
            raise UsageError(f"the specification {arguments.spec} is empty")
        path = (session.cwd / str(arguments.spec)).resolve()
        return (path.relative_to(root.resolve()) if path.is_relative_to(root.resolve()) else None), text
    found = find_specification(root, [rtl.stem])
    if found is None:
        return None, ""
    session.observe(Note(f"taken for its specification: {found}"))
    return found, (root / found).read_text(encoding="utf-8", errors="replace")


def _prepare(context: Context, testbench: Testbench, session: Session) -> None:
    needed = context.toolchain.icarus is None and not isinstance(testbench, CommandTest)
    if needed and not context.toolchain.verilator.prepared:
        session.observe(Stage("building Verilator's runtime, once on this machine"))
        context.toolchain.verilator.prepare(session.cancel)


def _model(name: str, session: Session, stack: contextlib.ExitStack) -> Model | None:
    """The model that is named, else one that the user has installed; the small one of the package judges nothing."""
    if name == _NOBODY:
        return None
    store = Store(data_home(os.environ))
    if name:
        return stack.enter_context(opened(name, store, cwd=session.cwd))
    choice = store.choose("generate")
    if choice is None or choice.model.bundled:
        return None
    session.observe(Note(f"answers come from {choice.model.name}: {choice.why}"))
    return stack.enter_context(opened(choice.model.name, store, cwd=session.cwd))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}") from error
