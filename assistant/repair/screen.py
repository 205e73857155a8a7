"""Judging candidates quickly while the search runs. What passes here is only plausible: the gate has the last word.

Several candidates share one build wherever that can be trusted, under the engine that will cost less by what it has
cost so far.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.errors import NoLicence, ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.batch.chooser import Choice, Engine
from veriloop.assistant.verify.batch.judge import Batch
from veriloop.assistant.verify.cocotb import run_cocotb
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import conclude, run_icarus, run_testbench, run_verilator
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)
from veriloop.assistant.verify.toolchain import Toolchain

_COMMENTS = re.compile(rb"//[^\n]*|/\*.*?\*/", re.S)
_SPACE = re.compile(rb"\s+")
_SHORTEST_COMPILE_S = 2.0
_SHARED = 3
"""From how many candidates on a build of their own is worth it."""
_POLITE = 5
"""By how much the runs of a batch give way to what else this machine does."""
_AROUND = re.compile(rb"\s*([^\w\s])\s*")

Contents = Mapping[str, bytes]
"""Files of the tree by their relative path, as a candidate has them."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A private copy of the tree, and a directory for builds, for one candidate at a time."""

    root: Path
    scratch: Path


class Screen:
    """Judges candidates by the cheapest engine that can tell them apart.

    Args:
        testbench: the oracle.
        engine: `icarus`, `verilator` or `command`.
        original: the editable files as they are in every worker's copy.
        workers: one a parallel job.
        elaborator: refuses candidates that do not elaborate before any tool runs; none where the original does not.
        timeout_s: after which a candidate counts as hanging.
        refuted: fingerprints of candidates that are known to fail.
    """

    def __init__(
        self,
        testbench: Testbench,
        *,
        engine: str,
        original: Contents,
        workers: Sequence[Worker],
        toolchain: Toolchain,
        elaborator: Elaborator | None,
        timeout_s: float,
        cancel: CancelToken,
        refuted: Collection[bytes] = (),
    ) -> None:
        self._testbench = replace(testbench, timeout_s=timeout_s)
        self.engine = engine
        self._original = original
        self._workers = workers
        self._toolchain = toolchain
        self.elaborator = elaborator
        self._cancel = cancel
        self._pool = ThreadPoolExecutor(max_workers=len(workers))
        self._batch: Batch | None = None
        self._confirm = True
        self._seen = {fingerprint(original), *refuted}

    @property
    def jobs(self) -> int:
        """How many simulations run at once."""
        return len(self._workers)

    @property
    def batches(self) -> bool:
        """Whether candidates share a build, so that many at once cost little more than a few."""
        return self._batch is not None

    def share(
        self, contents: Contents, results: Sequence[SimResult], *, confirm: bool = True, only: bool = False
    ) -> None:
        """Lets candidates share builds from now on, as versions of a design that compiles and of how it ran.

        With `confirm`, what another engine passes because it is cheaper is run by the screen's own as well. With `only`
        no other is asked.
        """
        usual: Engine = "icarus" if self.engine == "icarus" else "verilator"
        mine = [run for run in results if run.engine == usual]
        ran = bool(mine) and all(run.outcome not in (Outcome.COMPILE_ERROR, Outcome.TIMEOUT) for run in mine)
        if self._batch is not None or not ran or not isinstance(self._testbench, VerilogTestbench | TraceTestbench):
            return
        self._confirm = confirm
        worker = self._workers[0]
        others: Engine = "verilator" if usual == "icarus" else "icarus"
        known: dict[Engine, list[SimResult]] = {usual: mine}
        if theirs := [run for run in results if run.engine == others]:
            known[others] = theirs
        self._batch = Batch(
            self._testbench,
            usual=usual,
            original={**self._original, **contents},
            root=worker.root,
            scratch=worker.scratch,
            toolchain=self._toolchain,
            cancel=self._cancel,
            parallel=len(self._workers),
            nice=_POLITE,
            confirm=confirm,
            only=only,
            baselines=known,
        )

    def close(self) -> None:
        """Ends the worker threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def is_new(self, candidate: Contents) -> bool:
        """Whether no candidate of the same tokens was seen before; remembers it."""
        mark = fingerprint({**self._original, **candidate})
        if mark in self._seen:
            return False
        self._seen.add(mark)
        return True

    def mark(self, candidate: Contents) -> bytes:
        """What a candidate is remembered by."""
        return fingerprint({**self._original, **candidate})

    def elaborates(self, candidate: Contents) -> bool:
        """Whether the candidate is worth a tool's time."""
        if self.elaborator is None:
            return True
        root = self._workers[0].root
        return not self.elaborator.objections({root / path: content for path, content in candidate.items()})

    def judge(self, candidates: Sequence[Contents]) -> list[SimResult]:
        """Judges candidates, in one build where that can be, and otherwise one by one."""
        shared: list[SimResult | None] = [None] * len(candidates)
        if self._batch is not None and len(candidates) >= _SHARED:
            shared = self._batch.judge(candidates)
        alone = [index for index, result in enumerate(shared) if result is None]
        at_once = len(self._workers)
        for first in range(0, len(alone), at_once):
            group = alone[first : first + at_once]
            for index, result in zip(group, self._judge_alone([candidates[index] for index in group]), strict=True):
                shared[index] = result
        return [result for result in shared if result is not None]

    def _judge_alone(self, candidates: Sequence[Contents]) -> list[SimResult]:
        if len(candidates) == 1:
            return [self._judge(self._workers[0], candidates[0])]
        pairs = zip(self._workers, candidates, strict=False)
        return list(self._pool.map(lambda pair: self._judge(*pair), pairs))

    def confirm(self, candidate: Contents) -> bool:
        """Whether Verilator passes a candidate."""
        worker = self._workers[0]
        try:
            self._write(worker, candidate)
            results = run_testbench(
                self._testbench,
                root=worker.root,
                scratch=worker.scratch,
                toolchain=self._toolchain,
                cancel=self._cancel,
            )
            said = conclude(self._testbench, results, root=worker.root)
            return said.passed and said.evidence >= Evidence.TESTS
        except ToolError:
            return False
        finally:
            self._write(worker, {})

    def _judge(self, worker: Worker, candidate: Contents) -> SimResult:
        try:
            self._write(worker, candidate)
            return self._run(worker)
        except NoLicence:
            raise
        except ToolError as error:
            # A candidate that breaks a tool costs itself only; the baseline has shown that the tool works.
            return SimResult(outcome=Outcome.FAIL, engine=self.engine, reason=error.message)
        finally:
            self._write(worker, {})

    def _run(self, worker: Worker) -> SimResult:
        bench, root, scratch = self._testbench, worker.root, worker.scratch
        toolchain, cancel = self._toolchain, self._cancel
        if isinstance(bench, CommandTest):
            return run_command(bench, root=root, scratch=scratch, isolation=toolchain.isolation, cancel=cancel)
        if isinstance(bench, CocotbTestbench):
            runs = run_cocotb(bench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel, until_red=True)
            return worst(runs)
        way = self._batch.one_by_one() if self._batch is not None else Choice("icarus")
        if self.engine == "icarus" and way.engine == "verilator":
            result = self._by_verilator(bench, worker, way.optimize)
            if not (result.passed and self._confirm):
                return result
        if self.engine == "icarus":
            alone = run_icarus(
                bench,
                root=root,
                scratch=scratch,
                toolchain=toolchain,
                cancel=cancel,
                compile_timeout_s=max(_SHORTEST_COMPILE_S, bench.timeout_s),
            )
            if alone is not None:
                return alone
        return self._by_verilator(bench, worker, way.optimize)

    def _by_verilator(self, bench: VerilogTestbench | TraceTestbench, worker: Worker, optimize: int) -> SimResult:
        runs = run_verilator(
            bench,
            root=worker.root,
            scratch=worker.scratch,
            toolchain=self._toolchain,
            cancel=self._cancel,
            optimize=optimize,
            until_red=True,
        )
        return worst(runs)

    def _write(self, worker: Worker, candidate: Contents) -> None:
        for path, content in {**self._original, **candidate}.items():
            target = worker.root / path
            if not target.is_file() or target.read_bytes() != content:
                target.write_bytes(content)


def worst(results: Sequence[SimResult]) -> SimResult:
    """The run that stands for all: the one that failed most."""
    return max(results, key=lambda result: (not result.passed, result.score))


def fingerprint(contents: Contents) -> bytes:
    """Equal for files of the same tokens, whatever their comments and white space."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(contents):
        bare = _AROUND.sub(rb"\1", _SPACE.sub(b" ", _COMMENTS.sub(b" ", contents[path])))
        digest.update(path.encode() + b"\0" + bare + b"\0")
    return digest.digest()
