"""A repository's tests as jobs: the tree goes out once, each test is run somewhere, the runs come back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import VeriloopError
from veriloop.assistant.events import CancelToken, Deadline
from veriloop.assistant.farm.calls import call_job, returned
from veriloop.assistant.farm.farm import Farm
from veriloop.assistant.farm.tools import toolchain_here
from veriloop.assistant.farm.tree import TREE, packed, unpack
from veriloop.assistant.verify.judged import without_root
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.simulation import run_testbench
from veriloop.assistant.verify.testbench import Testbench
from veriloop.assistant.verify.toolchain import Toolchain

_MARGIN_S = 600.0
"""What a test may take beside its own time: builds, and each start state."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """One test, as it goes out."""

    testbench: Testbench
    until_red: bool


class FarmTests:
    """Runs testbenches on a farm; stands where `run_testbench` stands.

    Args:
        farm: where.
    """

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._trees: dict[Path, bytes] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._tokens: list[Deadline] = []
        self._ahead: dict[tuple[Path, Testbench], Future[tuple[SimResult, ...]]] = {}

    def __call__(
        self,
        testbench: Testbench,
        *,
        root: Path,
        scratch: Path,
        toolchain: Toolchain,
        cancel: CancelToken,
        until_red: bool = False,
    ) -> tuple[SimResult, ...]:
        """As `run_testbench`; builds are made where the test runs, and `scratch` is not used.

        Raises:
            ToolError: a tool broke, there or in between; says nothing about the design.
        """
        begun = self._ahead.pop((root, testbench), None)
        if begun is not None:
            while not begun.done():
                cancel.check()
                cancel.wait(0.05)
            return begun.result()
        return self._run(testbench, root, until_red, cancel)

    def begin(self, testbenches: Sequence[Testbench], root: Path, cancel: CancelToken) -> None:
        """Hands out tests that will be asked for, so that they run at the same time."""
        self._packed(root)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max(1, 2 * self._farm.slots))
        token = Deadline(cancel, math.inf)
        self._tokens.append(token)
        for testbench in testbenches:
            self._ahead[root, testbench] = self._pool.submit(self._run, testbench, root, False, token)

    def close(self) -> None:
        """Takes back what was handed out and not asked for."""
        for token in self._tokens:
            token.cancel()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, testbench: Testbench, root: Path, until_red: bool, cancel: CancelToken) -> tuple[SimResult, ...]:
        job, contents = call_job(
            run_there,
            _Asked(testbench, until_red),
            tools=self._farm.tools,
            timeout_s=8 * testbench.timeout_s + _MARGIN_S,
            files={TREE: self._packed(root)},
        )
        ((_, done),) = self._farm.run([(job, contents)], cancel=cancel)
        answer: tuple[SimResult, ...] | VeriloopError = returned(done)
        if isinstance(answer, VeriloopError):
            raise answer
        return answer

    def _packed(self, root: Path) -> bytes:
        if root not in self._trees:
            self._trees[root] = packed(root)
        return self._trees[root]


def run_there(asked: _Asked, cancel: CancelToken) -> tuple[SimResult, ...] | VeriloopError:
    """On the worker: unpacks the tree and runs the test in it.

    Returns:
        The runs without the places of this machine, or the error of a tool, which is to be raised where it is awaited.
    """
    root, scratch = Path.cwd() / "tree", Path.cwd() / "build"
    scratch.mkdir()
    unpack(root)
    try:
        toolchain = toolchain_here(cancel)
        runs = run_testbench(
            asked.testbench,
            root=root,
            scratch=scratch,
            toolchain=toolchain,
            cancel=cancel,
            until_red=asked.until_red,
        )
    except VeriloopError as error:
        return error
    return tuple(without_root(run, root) for run in runs)
