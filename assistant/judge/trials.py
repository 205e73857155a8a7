"""The test run on other texts of the design: what it says of them tells what it expects."""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import replace

from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.judge.watching import Watched, watch
from veriloop.assistant.verify.cocotb import run_cocotb
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import conclude, run_icarus, run_testbench, run_verilator
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import START_STATES

_SHORTEST_S, _FACTOR = 5.0, 20.0
"""A trial may take so many times what the failing run took, and at least so long."""
_NOISE = re.compile(r"^.*(?:wall\s?time|real time|cpu |seconds|\bMB\b|VCD info|S i m u l a t i o n).*$", re.M | re.I)
_FLAT = re.compile(r"\s+")


class Trials:
    """Runs a dispute's test: first on the design as it is, then on other texts in its place.

    Args:
        subject: the design.
        toolchain: the simulators.
        cancel: stops it.
    """

    def __init__(self, subject: Subject, toolchain: Toolchain, cancel: CancelToken) -> None:
        self._subject = subject
        self._toolchain = toolchain
        self._cancel = cancel
        self._known: dict[bytes, SimResult] = {}
        self._testbench = subject.dispute.testbench
        self.base = self._first()

    @property
    def red(self) -> SimResult | None:
        """The run of the design that failed; none where the test passes."""
        root = self._subject.dispute.root
        if conclude(self._testbench, self.base, root=root).passed:
            return None
        failed = [run for run in self.base if not run.passed]
        # A run that says something comes before one that did not come about.
        return min(failed, key=lambda run: run.outcome is not Outcome.FAIL, default=None)

    @property
    def refused(self) -> tuple[SimResult, ...]:
        """The runs that did not come about because the files do not compile; empty where any did."""
        refused = tuple(run for run in self.base if run.outcome is Outcome.COMPILE_ERROR)
        return refused if len(refused) == len(self.base) else ()

    def of(self, text: bytes) -> SimResult:
        """What the test says of another text of the module under test, by the simulator that saw it fail."""
        if text not in self._known:
            self._known[text] = self._tried(text)
        return self._known[text]

    def watched(self, text: bytes) -> Watched | None:
        """The ports in a run with another text of the module under test; none where that cannot be recorded."""
        path = self._subject.dispute.root / self._subject.dispute.rtl
        path.write_bytes(self._subject.with_module(text))
        try:
            return watch(self._subject, self._toolchain, self._cancel)
        finally:
            path.write_bytes(self._subject.content)

    @property
    def count(self) -> int:
        """How many texts were tried."""
        return len(self._known)

    def _first(self) -> tuple[SimResult, ...]:
        testbench, dispute = self._testbench, self._subject.dispute
        if isinstance(testbench, CocotbTestbench) and self._toolchain.icarus is not None:
            # Icarus compiles in a moment; that it fails there is enough, as in `run_testbench`.
            quick = self._cocotb(testbench, by_icarus=True)
            if quick and all(run.outcome is Outcome.FAIL for run in quick):
                return quick
        return run_testbench(
            testbench,
            root=dispute.root,
            scratch=dispute.scratch,
            toolchain=self._toolchain,
            cancel=self._cancel,
            until_red=True,
        )

    def _tried(self, text: bytes) -> SimResult:
        path = self._subject.dispute.root / self._subject.dispute.rtl
        path.write_bytes(self._subject.with_module(text))
        try:
            return self._run()
        except ToolError as error:
            return SimResult(outcome=Outcome.COMPILE_ERROR, engine="", reason=error.message)
        finally:
            path.write_bytes(self._subject.content)

    def _run(self) -> SimResult:
        dispute, red = self._subject.dispute, self.red
        by_icarus = red.engine == "icarus" if red is not None else self._toolchain.icarus is not None
        testbench = self._hurried(red)
        if isinstance(testbench, CommandTest):
            return run_command(
                testbench,
                root=dispute.root,
                scratch=dispute.scratch,
                isolation=self._toolchain.isolation,
                cancel=self._cancel,
            )
        if isinstance(testbench, CocotbTestbench):
            return _worst(self._cocotb(testbench, by_icarus=by_icarus))
        if by_icarus:
            run = run_icarus(
                testbench, root=dispute.root, scratch=dispute.scratch, toolchain=self._toolchain, cancel=self._cancel
            )
            if run is not None:
                return run
        runs = run_verilator(
            testbench, root=dispute.root, scratch=dispute.scratch, toolchain=self._toolchain, cancel=self._cancel
        )
        return _worst(tuple(run for run in runs if not run.start.startswith("random")) or runs)

    def _cocotb(self, testbench: CocotbTestbench, *, by_icarus: bool) -> tuple[SimResult, ...]:
        dispute = self._subject.dispute
        return run_cocotb(
            testbench,
            root=dispute.root,
            scratch=dispute.scratch,
            toolchain=self._toolchain,
            cancel=self._cancel,
            starts=() if by_icarus else START_STATES[:2],
            four_state=by_icarus,
        )

    def _hurried(self, red: SimResult | None) -> Testbench:
        """The test with the time that its run took, and a little."""
        timeout_s = self._testbench.timeout_s
        if red is None or red.outcome is Outcome.TIMEOUT or not red.wall_s:
            return self._testbench
        return replace(self._testbench, timeout_s=min(timeout_s, max(_SHORTEST_S, _FACTOR * red.wall_s)))


def _worst(runs: tuple[SimResult, ...]) -> SimResult:
    return max(runs, key=lambda run: (not run.passed, run.score))


def counts(run: SimResult) -> bool:
    """Whether a test counts what it compares, so that equal counts mean much."""
    return run.checks > 1 and bool(run.mismatches)


def signature(run: SimResult) -> Hashable:
    """What a test said, without what differs from run to run: designs of one signature behave alike in it."""
    if counts(run):
        places = tuple((one.signal, one.time) for one in run.mismatches)
        return run.outcome, run.checks, run.failures, places
    return run.outcome, run.checks, run.failures, _FLAT.sub(" ", _NOISE.sub("", run.log_tail)).strip()
