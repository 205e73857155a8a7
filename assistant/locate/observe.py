"""What a test command does, seen by running it in a private copy: how it fails, what it reads, what it simulates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import NotVerified
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.locate.allowance import Allowance
from veriloop.assistant.repository.export import export
from veriloop.assistant.repository.private import private_directory
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.calls import recorded_calls, testbenches_of
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.execution import Execution, executed
from veriloop.assistant.verify.reach import files_read
from veriloop.assistant.verify.replay import replay
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import run_icarus
from veriloop.assistant.verify.summary import NO_SUMMARY
from veriloop.assistant.verify.testbench import CommandTest, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_BENCH_TIMEOUT_S = 60.0
_SHORTEST_S = 1.0
_OBSERVED = 0.7
"""The share of what is left in which all has to be done: places are still to be ranked then."""
_RECORDED = 0.4
"""Of what is left then: building and running with counters may take that, each."""
_WORTH = 0.8
"""The share of the whole command's CPU seconds that its simulations may take to be worth running alone."""
_SHORTEST_HANG_S = 10.0
_LONGER = 10
"""How many times as long as they take with the fault the simulations may take before they hang."""
_HANGS_S = (1.0, 3.0)
"""A testbench of a command that hangs, and that by itself has said in the second of these limits what it said in the
first, hangs: a candidate gets no more time than that."""
_UNLIMITED = Allowance()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One run of a command.

    Attributes:
        result: how it came out.
        files: the RTL that it reads, without tests; empty where that could not be seen.
        bench: what the command runs and fails by itself, to screen candidates with: a testbench in Verilog, or its
            simulations without the programs around them.
        verdicts: how that testbench failed.
        execution: when the statements of that testbench and its design were carried out meanwhile.
    """

    result: SimResult
    files: tuple[str, ...]
    bench: VerilogTestbench | CommandTest | None = None
    verdicts: tuple[SimResult, ...] = ()
    execution: Execution | None = None

    @property
    def failing(self) -> frozenset[str]:
        """Names that the runs called wrong."""
        return frozenset(name for one in (self.result, *self.verdicts) for name in one.failing)


def observe(
    repository: Repository,
    toolchain: Toolchain,
    command: CommandTest,
    *,
    needs: Sequence[str] = (),
    cancel: CancelToken,
    allowance: Allowance = _UNLIMITED,
) -> Run[Observed]:
    """Runs a command that fails, once, and once more where it passes at first; what its testbench does is recorded.

    Args:
        repository: where.
        toolchain: the simulators.
        command: what fails.
        needs: ignored files that it needs.
        cancel: stops it.
        allowance: how long all that may take: what is not done by then is left out.

    Raises:
        NotVerified: it fails only sometimes.
        ToolNotFound: its program is not there.
    """
    yield Stage("running the test")
    allowance = allowance.share(_OBSERVED)
    tree = repository.snapshot()
    tracked = repository.entries(tree)
    command = replace(command, timeout_s=_within(command.timeout_s, allowance))
    with private_directory(repository.cache) as directory:
        root = export(repository, tree, directory / "tree", needs=needs).root
        scratch = directory / "scratch"
        scratch.mkdir()
        (result, calls), read = files_read(
            lambda: recorded_calls(command, root=root, scratch=scratch, isolation=toolchain.isolation, cancel=cancel),
            root,
        )
        if result.passed:
            again = run_command(command, root=root, scratch=scratch, isolation=toolchain.isolation, cancel=cancel)
            _require_steady(command, again)
        bench: VerilogTestbench | CommandTest | None = None
        verdicts: tuple[SimResult, ...] = ()
        for one in testbenches_of(calls, root=root, timeout_s=_BENCH_TIMEOUT_S) if not result.passed else ():
            if allowance.left_s < _SHORTEST_S:
                break
            how = "hangs" if result.outcome is Outcome.TIMEOUT else "fails"
            limits_s = _HANGS_S if how == "hangs" else (_within(one.timeout_s, allowance),)
            runs = [
                run_icarus(
                    replace(one, timeout_s=limit_s), root=root, scratch=scratch, toolchain=toolchain, cancel=cancel
                )
                for limit_s in limits_s
            ]
            if runs[-1] is not None and (_hangs(runs) if how == "hangs" else _fails(runs[-1])):
                bench, verdicts = replace(one, timeout_s=limits_s[-1]) if how == "hangs" else one, (runs[-1],)
                yield Note(f"the command's own testbench {one.name} {how} by itself, and screens candidates")
                break
        simulations = replay(calls, command, root, tracked) if bench is None and not result.passed else None
        if simulations is not None and allowance.left_s >= _SHORTEST_S:
            # What the command has left there shall not help them.
            copy = export(repository, tree, directory / "copy", needs=needs).root
            found = run_command(simulations, root=copy, scratch=scratch, isolation=toolchain.isolation, cancel=cancel)
            if same_failure(result, found) and found.cpu_s < _WORTH * result.cpu_s:
                hanging_s = max(_SHORTEST_HANG_S, _LONGER * found.wall_s)
                bench, verdicts = replace(simulations, timeout_s=min(command.timeout_s, hanging_s)), (found,)
                yield Note(
                    "the command's simulations fail as it does, and screen candidates without what is around them"
                )
        execution = None
        if isinstance(bench, VerilogTestbench):
            yield Stage("recording what is carried out")
            execution = executed(
                bench,
                root=root,
                scratch=scratch,
                toolchain=toolchain,
                cancel=cancel,
                limit_s=_RECORDED * allowance.left_s,
            )
        paths = list(bench.design.sources) if isinstance(bench, VerilogTestbench) else sorted(read or ())
        files = tuple(str(path) for path in paths if not is_test_path(path) and str(path) in tracked)
    return Observed(result=result, files=files, bench=bench, verdicts=verdicts, execution=execution)


def _fails(run: SimResult) -> bool:
    """Whether a testbench says what is wrong."""
    return run.outcome is Outcome.FAIL and run.reason != NO_SUMMARY


def _hangs(runs: Sequence[SimResult | None]) -> bool:
    """Whether a testbench that was given more time from run to run came no further."""
    ended = any(run is None or run.outcome is not Outcome.TIMEOUT for run in runs)
    return not ended and len({run.log_tail for run in runs if run is not None}) == 1


def same_failure(whole: SimResult, part: SimResult) -> bool:
    """Whether a part of a command fails as the whole does."""

    def facts(one: SimResult) -> tuple[object, ...]:
        return one.outcome, one.checks, one.failures, one.failing, one.passing

    return part.outcome is Outcome.FAIL and part.reason != NO_SUMMARY and facts(part) == facts(whole)


def _within(timeout_s: float, allowance: Allowance) -> float:
    return max(_SHORTEST_S, min(timeout_s, allowance.left_s))


def _require_steady(command: CommandTest, again: SimResult) -> None:
    """Passes where a test that has passed once passes again.

    Raises:
        NotVerified: it fails now.
    """
    if not again.passed:
        raise NotVerified(
            f"`{command.command}` is flaky: of two runs on the same files one passed and one failed ({again.reason})",
            hint="fix its seed, or name another test",
        )
