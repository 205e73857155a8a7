"""Sets up the judging of a change for `check`: settings, tools, tests, budget."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import dataclass, replace

from veriloop.assistant.change.baseline import read_baseline
from veriloop.assistant.change.history import History
from veriloop.assistant.change.impact import Impact
from veriloop.assistant.change.judge import BUDGET, FAILED_BEFORE, NOT_HERE, Judge, Request
from veriloop.assistant.change.policy import Policy
from veriloop.assistant.change.result import Checked
from veriloop.assistant.change.tests import Tests, tests_of
from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.subject import named_tests
from veriloop.assistant.context import Context
from veriloop.assistant.design.project import Project
from veriloop.assistant.events import finish
from veriloop.assistant.gate import Elsewhere
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.trust import RUNS_CODE


@dataclass(frozen=True, slots=True)
class Judged:
    """The answer, and whether it may be kept.

    Attributes:
        checked: the answer.
        context: the repository with the settings that counted.
        keep: whether the two trees, the options and the tools say all about it.
        runs_programs: whether programs of the repository ran for it, which find more around them than the trees.
        for_commits: whether a test was excused that failed before, as it is for commits alone.
    """

    checked: Checked
    context: Context
    keep: bool
    runs_programs: bool
    for_commits: bool


def judged(
    arguments: argparse.Namespace,
    session: Session,
    repository: Repository,
    base: str,
    tree: str,
    replay: str,
    *,
    committed: bool,
    elsewhere: Elsewhere | None = None,
) -> Judged:
    """Judges what lies between two trees.

    Raises:
        VeriloopError: as `Judge.run`.
    """
    context = Context.of(repository, session.cancel, tree=tree)
    config = context.config
    budget_s = arguments.budget if arguments.budget is not None else config.user.check.budget_s or None

    def choose(project: Project, change: Impact) -> Tests:
        named = named_tests(arguments, session, context, project)
        if named:
            return Tests(named, named=True)
        return tests_of(project, config, change, trusted_at=repository.root, everything=arguments.all)

    known = read_baseline(session.cwd / arguments.baseline) if arguments.baseline else Counter()
    judge = Judge(
        gate=replace(context.gate, committed=committed, elsewhere=elsewhere),
        config=config,
        policy=Policy.of(config, arguments.level),
        request=Request(
            base=base,
            tree=tree,
            budget_s=budget_s,
            everything=arguments.all,
            replay=replay,
            coverage=arguments.coverage,
            known=known,
        ),
        history=History.of(repository.cache, repository.root),
        choose=choose,
    )
    checked = finish(judge.run(), session.observe)
    report = checked.report
    differs = any(line.startswith("added to the private copy: ") for line in report.unchecked)
    whole = not config.repository.project.needs and not differs and not arguments.oracle
    return Judged(
        checked=checked,
        context=context,
        keep=checked.outcome.exit_code == 0 and whole and not _left_open(checked),
        runs_programs=bool(arguments.test)
        or any(name.endswith(".py") for name in arguments.testbench)
        or any(one.kind in RUNS_CODE for one in config.repository.testbench),
        for_commits=any(one.why.startswith(FAILED_BEFORE) for one in checked.left_out),
    )


def _left_open(checked: Checked) -> bool:
    """Whether another run may look at more: with more time, or once a missing program is there."""
    return any(one.why == BUDGET or one.why.startswith(NOT_HERE) for one in checked.left_out)
