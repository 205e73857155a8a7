"""What judges, repairs and writes tests for the editor: workflows, run to their end in a thread not the session's.

Nothing imports this module before it is needed: git, the gate and the search are a quarter of what the server would
otherwise read before its first answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.config import load_config
from veriloop.assistant.design.project import Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.events import CancelToken, Event, Stage, finish
from veriloop.assistant.judge.in_repository import find_specification, judge_in
from veriloop.assistant.judge.verdict import Verdict
from veriloop.assistant.places import find_root
from veriloop.assistant.repair.workflow import RepairResult, Status, repair
from veriloop.assistant.repair.workflow import Request as RepairRequest
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.standing.summary import told
from veriloop.assistant.standing.verdicts import Standing, context_of, standings
from veriloop.assistant.testbench.subject import subject_of
from veriloop.assistant.testbench.workflow import Request, Testbench, make_testbench
from veriloop.assistant.verify.evidence import Report
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.testbench import CommandTest
from veriloop.assistant.verify.toolchain import Toolchain

Observe = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Known:
    """How one repository stands."""

    repository: Repository
    tests: tuple[Standing, ...]

    def told(self, module: str, path: Path, content: bytes) -> str:
        """How a module of a file stands, in a line; empty where no test exercises it."""
        return told(self.repository, self.tests, module, path, content, time.time())


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a search came to."""

    root: Path
    result: RepairResult

    @property
    def found(self) -> bool:
        """Whether there is a verified change."""
        return self.result.status is Status.REPAIRED

    @property
    def passes(self) -> bool:
        """Whether the test passes as it is."""
        return self.result.status is Status.PASSES


@dataclass(frozen=True, slots=True)
class Benched:
    """A testbench that was written and run, and where its files belong."""

    made: Testbench
    paths: tuple[Path, ...]


def stand(root: Path) -> Known:
    """How a repository stands.

    Raises:
        VeriloopError: there is none, or its tests cannot be told.
    """
    context, tests = context_of(root, CancelToken())
    return Known(context.repository, standings(context, tests))


def verified(path: Path, module: str, token: CancelToken, observe: Observe) -> Report:
    """Judges what is on disk by the tests of a module; by all tests where none is named.

    Raises:
        NotVerified: no test exercises it.
    """
    context, tests = context_of(path, token)
    known = standings(context, tests)
    wanted = {one.name for one in known if not module or not one.modules or module in one.modules}
    chosen = [test for test in tests if test.name in wanted]
    if not chosen:
        raise NotVerified("no test exercises this", hint="[[testbench]] in veriloop.toml")
    base, tree = context.repository.head_tree(), context.repository.snapshot()
    return finish(context.gate.check_trees(base, tree, chosen, replay="veriloop check --worktree"), observe)


def judged(path: Path, name: str, token: CancelToken, observe: Observe) -> tuple[Path, Verdict]:
    """Who is wrong where a test fails, and the root of the repository that the verdict's lines count from.

    Args:
        path: a file of the design, or of the test.
        name: the test.
        token: stops it.
        observe: is shown the events.

    Raises:
        UsageError: there is no such test, or the file of the design is not clear.
    """
    context, tests = context_of(path, token)
    test = next((one for one in tests if one.name == name), None)
    if test is None:
        raise UsageError(f"there is no test {name}")
    root = context.repository.root
    rtl = path.relative_to(root)
    if is_test_path(rtl) and not isinstance(test, CommandTest):
        designs = [one for one in test.design.sources if not is_test_path(one)]
        if len(designs) != 1:
            raise UsageError(f"{name} tests {len(designs)} files", hint="ask in the file of the design")
        rtl = designs[0]
    spec = find_specification(root, [rtl.stem])
    text = (root / spec).read_text(encoding="utf-8", errors="replace") if spec is not None else ""
    return root, finish(judge_in(context, test, rtl, specification=text, spec_path=spec, cancel=token), observe)


def repaired(path: Path, name: str, token: CancelToken, observe: Observe) -> Repaired:
    """Looks for a verified change of a file that makes a test pass.

    Raises:
        UsageError: there is no such test.
    """
    context, tests = context_of(path, token)
    test = next((one for one in tests if one.name == name), None)
    if test is None:
        raise UsageError(f"there is no test {name}")
    if not isinstance(test, CommandTest) and not context.toolchain.verilator.prepared:
        observe(Stage("building Verilator's runtime, once on this machine"))
        context.toolchain.verilator.prepare(token)
    request = RepairRequest(
        testbench=test,
        editable=(path.relative_to(context.repository.root).as_posix(),),
        budget_s=context.config.user.search.budget_s,
        jobs=context.jobs,
        minimum=context.minimum,
        replay="veriloop check --worktree",
    )
    workflow = repair(
        context.repository,
        context.toolchain,
        request,
        cancel=token,
        cache=context.cache,
        needs=context.needs,
        locked=context.config.repository.project.protected,
    )
    return Repaired(context.repository.root, finish(workflow, observe))


def benched(path: Path, module: str, token: CancelToken, observe: Observe) -> Benched:
    """Writes a testbench that pins what a module of a file does, in the folder `tests` of its tree.

    Raises:
        UsageError: the design does not elaborate, or a testbench of that name is there.
        NotVerified: it cannot be driven.
    """
    root = find_root(path.parent)
    config = load_config(root)
    project = Project.load(root, config.repository.design)
    design, files = subject_of(project, [path.relative_to(root)], module)
    folder = Path("tests")
    there = root / folder / f"test_{module}.py"
    if there.exists():
        raise UsageError(f"{there.relative_to(root)} is there already", hint="veriloop testbench ... --force")
    tools = config.user.tools
    toolchain = Toolchain.find(
        cache=cache_home(), cancel=token, verilator=tools.verilator, iverilog=tools.iverilog, compiler=tools.cxx
    )
    request = Request(design=design, files=files, root=root, folder=folder)
    workflow = make_testbench(request, toolchain=toolchain, prover=Prover.find(token), cancel=token)
    made = finish(workflow, observe)
    return Benched(made, tuple(root / folder / name for name in made.files))
