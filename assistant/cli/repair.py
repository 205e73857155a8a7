"""`veriloop repair`: from a failing test to a verified change."""

from __future__ import annotations

import argparse
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.attempts.attempt import Attempts
from veriloop.assistant.cli import advising, reading
from veriloop.assistant.cli.farming import add_farm_option, farm_of, go_on_without
from veriloop.assistant.cli.locate import Located, located, read_text, watched
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.context import Context
from veriloop.assistant.design.project import Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import Note, Stage, finish
from veriloop.assistant.execute import cpu_seconds
from veriloop.assistant.gate import apply
from veriloop.assistant.judge.in_repository import blame_of_the_test
from veriloop.assistant.judge.telling import verdict_json, verdict_text
from veriloop.assistant.judge.verdict import Verdict
from veriloop.assistant.locate.allowance import Allowance
from veriloop.assistant.locate.report import read_report
from veriloop.assistant.project.store import known_project
from veriloop.assistant.repair.advice import adviser
from veriloop.assistant.repair.commit import commit_repair
from veriloop.assistant.repair.report import repair_json, repair_markdown, repair_text
from veriloop.assistant.repair.reported import Job, repair_reported
from veriloop.assistant.repair.workflow import RepairResult, Request, Status, repair
from veriloop.assistant.repository.commit import require_committable
from veriloop.assistant.trust import RUNS_CODE, require_trust
from veriloop.assistant.verify.declared import declared_testbench, named_testbench
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    VerilogTestbench,
)

NAME = "repair"
HELP = "find a verified change that makes a failing test pass"

NOT_VERIFIED_EXIT = 3
_COMMAND_BUDGET_FACTOR = 5
_LONG_S = 120.0
"""A search with so much time loses little by waiting for Verilator's runtime in its midst."""
_CHECK = ("check", "--worktree")


@dataclass(frozen=True, slots=True)
class _Task:
    """What judges, and what may change."""

    testbench: Testbench
    editable: tuple[str, ...]
    words: tuple[str, ...]
    """The command line, without the program, that judges the same again once the change is applied."""
    located: Located | None = None
    """Where a report leads, if there is one."""
    screen: VerilogTestbench | CommandTest | None = None
    """What a command runs and that fails by itself: it screens, the command judges."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what fails, what may be changed, and how long the search may take."""
    parser.add_argument("rtl", nargs="*", metavar="FILE", help="the RTL files that may be changed")
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
    parser.add_argument("--spec", metavar="FILE", help="the specification: who is wrong by it, and which rival fits")
    parser.add_argument("--budget", type=float, default=0.0, metavar="S", help="seconds that the search may take")
    parser.add_argument(
        "--cpu-budget",
        type=float,
        default=0.0,
        metavar="S",
        help="CPU seconds that it and what it starts may take, in place of --budget: the same on a loaded machine",
    )
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="candidates judged at once")
    advising.add_arguments(parser)
    add_farm_option(parser)
    parser.add_argument("--report", metavar="FILE", help="the bug report: what it names is searched first; - is stdin")
    parser.add_argument("--since", default="", metavar="COMMIT", help="a commit at which all was well; with --report")
    parser.add_argument(
        "--unjudged", action="store_true", help="search even where the specification says that the test is wrong"
    )
    parser.add_argument("--commit", action="store_true", help="commit the verified change on a branch of its own")
    parser.add_argument("--apply", action="store_true", help="write the verified change into the work tree")
    parser.add_argument("--markdown", action="store_true", help="write the report as Markdown")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Repairs: 0 verified, or nothing to repair; 3 nothing was found that the gate passes."""
    if arguments.detach:
        return go_on_without(session)
    if arguments.budget and arguments.cpu_budget:
        raise UsageError("--budget and --cpu-budget exclude each other")
    model = advising.model_name(arguments)
    repository = open_repository(session)
    context = Context.of(repository, session.cancel)
    spec = _read_spec(arguments, session)
    clock = cpu_seconds if arguments.cpu_budget else time.monotonic
    started = clock()
    allowance = Allowance.of(_budget_s(arguments, context, slow=bool(arguments.test)), clock)
    task = _task(arguments, session, context, allowance)
    if arguments.report and task.located is None:
        found = located(session, context, arguments.report, None, task.editable, arguments.since, allowance)
        task = replace(task, located=found)
    verdict = None if arguments.unjudged else _judged(context, task, spec, session)
    if verdict is not None:
        more = "  # or, to bend the RTL to this test all the same: --unjudged"
        session.result(
            f"not repaired: the test is wrong, not the RTL\n\n{verdict_text(verdict)}{more}\n",
            {"status": "judged", "applied": False, "verdict": verdict_json(verdict), "exit": NOT_VERIFIED_EXIT},
        )
        return NOT_VERIFIED_EXIT
    # A repository's command builds and runs far more than one testbench.
    slow = isinstance(task.testbench, CommandTest | CocotbTestbench)
    budget_s = max(1.0, _budget_s(arguments, context, slow=slow) - (clock() - started))
    verilator = context.toolchain.verilator
    if not isinstance(task.testbench, CommandTest) and not verilator.prepared:
        if _screens_meanwhile(context, task.testbench, budget_s) and verilator.being_prepared:
            session.observe(Note("Verilator's runtime is being built beside this, once on this machine"))
        else:
            session.observe(Stage("building Verilator's runtime, once on this machine"))
            verilator.prepare(session.cancel)
    session.deadline = time.monotonic() + budget_s
    if arguments.commit:
        require_committable(repository)
    request = Request(
        testbench=task.screen or task.testbench,
        judges=(task.testbench,) if task.screen is not None else (),
        editable=task.editable,
        settings=context.config.repository.design,
        budget_s=budget_s,
        clock=clock,
        jobs=arguments.jobs or context.jobs,
        spec=spec,
        minimum=context.minimum,
        replay=shlex.join(["veriloop", *task.words]),
    )
    attempt = None
    with farm_of(arguments, session) as farm, adviser(model, cwd=session.cwd) as asked:
        request = replace(request, farm=farm)
        if task.located is not None:
            job = Job(
                report=task.located.report,
                test=task.testbench,
                suspects=task.located.suspects,
                observed=task.located.observed,
                files=task.editable if arguments.rtl else (),
                budget_s=budget_s,
                request=request,
            )
            result, attempt = finish(repair_reported(context, job, asked), session.observe)
        else:
            work = repair(
                repository,
                context.toolchain,
                request,
                cancel=session.cancel,
                cache=context.cache,
                needs=context.needs,
                adviser=asked,
            )
            result = finish(work, session.observe)
    if arguments.commit and result.status is Status.REPAIRED:
        report = attempt.report if attempt is not None else ""
        committed = commit_repair(repository, result, request.replay, report=report, model=model)
        session.observe(Note(f"committed {committed.commit[:12]} on {committed.branch}"))
        if attempt is not None:
            Attempts(repository.root).keep(replace(attempt, commit=committed.commit))
    guilty = task.located.suspects.blamed if task.located is not None else None
    if guilty is not None:
        session.observe(Note(f"it began with {guilty.what}"))
    applied = _apply(arguments, context, result)
    exit_code = 0 if result.status in (Status.REPAIRED, Status.PASSES) else NOT_VERIFIED_EXIT
    data = {**repair_json(result, applied=applied), "exit": exit_code}
    data |= {"first_bad": guilty.data() if guilty is not None else None}
    write = repair_markdown if arguments.markdown else repair_text
    session.result(write(result, request, applied=applied), data)
    return exit_code


def _screens_meanwhile(context: Context, testbench: Testbench, budget_s: float) -> bool:
    """Whether a search can begin before Verilator's runtime is there: by Icarus, and with time enough to wait later."""
    by_icarus = context.toolchain.icarus is not None and isinstance(testbench, VerilogTestbench)
    return by_icarus and budget_s >= _LONG_S


def _judged(context: Context, task: _Task, spec: str, session: Session) -> Verdict | None:
    """The verdict by which the test is wrong and the RTL is not; none where nothing says so."""
    if not spec or len(task.editable) != 1:
        return None
    return finish(blame_of_the_test(context, task.testbench, Path(task.editable[0]), spec), session.observe)


def _apply(arguments: argparse.Namespace, context: Context, result: RepairResult) -> bool:
    if not arguments.apply or result.status is not Status.REPAIRED or result.report is None:
        return False
    about = f"repair: {', '.join(result.operators)}"
    apply(context.repository, result.report, minimum=context.minimum, about=about)
    return True


def _read_spec(arguments: argparse.Namespace, session: Session) -> str:
    if not arguments.spec:
        return ""
    try:
        return (session.cwd / str(arguments.spec)).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{arguments.spec} cannot be read: {error.strerror}") from error


def _budget_s(arguments: argparse.Namespace, context: Context, *, slow: bool) -> float:
    named = float(arguments.cpu_budget or arguments.budget)
    return named or context.config.user.search.budget_s * (_COMMAND_BUDGET_FACTOR if slow else 1)


def _task(arguments: argparse.Namespace, session: Session, context: Context, allowance: Allowance) -> _Task:
    if arguments.test and arguments.testbench:
        raise UsageError("--test and --testbench exclude each other")
    named = tuple(str(context.relative(name, session.cwd)) for name in arguments.rtl)
    root = context.repository.root
    project = Project.load(root, context.config.repository.design)
    if arguments.test:
        command = reading.command_test(arguments, arguments.test, session, context)
        if not arguments.timeout and not arguments.cpu_budget:
            # One that hangs would take its ten minutes, whatever the budget.
            budget_s = _budget_s(arguments, context, slow=True)
            command = replace(command, timeout_s=min(command.timeout_s, budget_s))
        words = [*_CHECK, "--test", arguments.test, *reading.words(arguments)]
        if arguments.report:
            found = located(session, context, arguments.report, command, named, arguments.since, allowance)
            return _Task(command, named or found.suspects.files, tuple(words), found)
        return _watched(context, session, command, named, tuple(words), allowance)
    settings = {one.name: one for one in context.config.repository.testbench}
    if not arguments.testbench and len(settings) == 1:
        arguments.testbench = list(settings)
    if len(arguments.testbench) == 1 and arguments.testbench[0] in settings:
        (name,) = arguments.testbench
        if settings[name].kind in RUNS_CODE:
            require_trust(context.repository.root, context.config)
        testbench = declared_testbench(settings[name], project)
        if isinstance(testbench, CommandTest):
            return _watched(context, session, testbench, named, (*_CHECK, "--testbench", name), allowance)
        return _Task(testbench, named or _editable(testbench), (*_CHECK, "--testbench", name))
    if arguments.report and not arguments.testbench:
        raise _which_test(arguments, session, context)
    if not arguments.testbench:
        choose = f" (veriloop.toml has: {', '.join(settings)})" if settings else ""
        raise UsageError(
            f"what fails? name a testbench or a command{choose}",
            hint="veriloop repair RTL.sv --testbench TB.sv    or    veriloop repair --test 'make test'",
        )
    benches = [context.relative(name, session.cwd) for name in arguments.testbench]
    rtl = [Path(name) for name in named]
    testbench = reading.file_testbench(arguments, session, context, project, benches, rtl)
    words = [*_CHECK, *(word for path in benches for word in ("--testbench", str(path)))]
    if not _found_without(testbench, project, benches, arguments.top):
        words += [word for name in named for word in ("--rtl", name)]
    words += ["--top", arguments.top] if arguments.top else []
    return _Task(testbench, named or _editable(testbench), (*words, *reading.words(arguments, testbench)))


def _which_test(arguments: argparse.Namespace, session: Session, context: Context) -> UsageError:
    """Asks which test fails, with those that exercise what the report is about. None is run: nobody has named it."""
    text = read_text(session, arguments.report)
    words = set(read_report(text).names)
    tests = known_project(context.repository.root, context.repository.cache).tests
    likely = sorted(tests, key=lambda test: (not test.runnable, -len(words & {*test.modules, test.toplevel})))
    commands = [f"--test {shlex.quote(test.command)}" for test in likely[:3]]
    return UsageError("which test fails because of this?", hint="    or    ".join(commands) or "--test COMMAND")


def _found_without(testbench: Testbench, project: Project, benches: Sequence[Path], toplevel: str) -> bool:
    """Whether the testbench's files are found as well where the RTL is not named."""
    try:
        plain, _ = named_testbench(project, benches, toplevel=toplevel)
    except UsageError:
        return False
    return (
        not isinstance(testbench, CommandTest)
        and isinstance(plain, CocotbTestbench | VerilogTestbench)
        and (plain.design == testbench.design)
    )


def _editable(testbench: Testbench) -> tuple[str, ...]:
    """The RTL of a testbench: its files that do not look like tests."""
    if isinstance(testbench, CommandTest):
        return ()
    found = tuple(str(path) for path in testbench.design.sources if not is_test_path(path) and not path.is_absolute())
    if not found:
        raise UsageError("no file of this testbench looks like RTL", hint="name the files that may be changed")
    return found


def _watched(
    context: Context,
    session: Session,
    command: CommandTest,
    named: tuple[str, ...],
    words: tuple[str, ...],
    allowance: Allowance,
) -> _Task:
    """A command as a task: what it reads can hold what it fails on, and a testbench that it runs can screen.

    Raises:
        NotVerified: it reads no RTL, or fails only sometimes.
    """
    seen = watched(session, context, command, allowance)
    if named:
        return _Task(command, named, words, screen=seen.bench)
    # A test that passes, or that reads nothing because its outputs were there: every RTL file stays possible.
    rtl = seen.files if not seen.result.passed else ()
    if not rtl:
        tracked = set(context.repository.entries(context.repository.snapshot()))
        project = Project.load(context.repository.root, context.config.repository.design)
        rtl = tuple(str(path) for path in project.files if not is_test_path(path) and str(path) in tracked)
    if not rtl:
        raise NotVerified(
            f"`{command.command}` reads no Verilog file that is tracked and no test: {seen.result.reason}",
            hint="name the files that may be changed: veriloop repair FILE.sv --test COMMAND",
        )
    session.observe(
        Note(f"{len(rtl)} RTL files can hold the fault: {', '.join(rtl[:5])}{' ...' if len(rtl) > 5 else ''}")
    )
    return _Task(command, rtl, words, screen=seen.bench)
