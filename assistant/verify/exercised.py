"""How much of some files the tests that judge them exercise: Verilator's line and branch coverage of one run each.

It takes a build of its own, so it is measured where somebody asks. The run starts from zeros; what any test meets
counts as met.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.cocotb import cover_cocotb
from veriloop.assistant.verify.simulation import FileBench, keeps_dumps
from veriloop.assistant.verify.stimulus.coverage import Point, Share, read_coverage_file, shares
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import LINE_COVERAGE, Rejected, coverage_file

_START = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exercised:
    """What the tests met of one file."""

    path: str
    line: Share
    """Blocks of statements."""
    branch: Share
    missed: tuple[tuple[int, str], ...] = ()
    """What no test met: the line, and what stands there (`block`, `if`, `else`, `case`)."""

    def __str__(self) -> str:
        parts = [f"{kind} {share.met} of {share.points}" for kind, share in self._shares if share.points]
        missed = ", ".join(f"{line} {what}" for line, what in self.missed)
        return f"{self.path}: {', '.join(parts) or 'nothing to meet'}" + (f"; not met: {missed}" if missed else "")

    @property
    def _shares(self) -> tuple[tuple[str, Share], ...]:
        return (("blocks", self.line), ("branches", self.branch))

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "line": {"met": self.line.met, "points": self.line.points},
            "branch": {"met": self.branch.met, "points": self.branch.points},
            "missed": [f"{line} {what}" for line, what in self.missed],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What was measured, and why the rest was not."""

    files: tuple[Exercised, ...] = ()
    left_out: tuple[str, ...] = ()

    def data(self) -> dict[str, dict[str, Any]]:
        """As plain data, by file."""
        return {one.path: one.data() for one in self.files}


def exercised(
    testbenches: Sequence[Testbench],
    paths: Collection[str],
    *,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Coverage:
    """Measures what testbenches meet of some files.

    Args:
        testbenches: those that judged; what a command runs cannot be measured.
        paths: the files that are asked about, from `root`.
        root: a private copy of the tree; simulations run there.
        scratch: an existing directory for builds.
        toolchain: the simulators.
        cancel: stops everything.

    Raises:
        ToolError: a tool broke or is missing.
    """
    counts: dict[Point, int] = {}
    left_out: list[str] = []
    for testbench in testbenches:
        met = _met(testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
        if isinstance(met, str):
            left_out.append(f"coverage of {testbench.name}: {met}")
            continue
        for point, count in met.items():
            counts[point] = counts.get(point, 0) + count
    files = []
    for path in sorted(paths):
        own = {point: count for point, count in counts.items() if _names(point, root, path)}
        if own:
            found = shares(own)
            missed = sorted({(point.line, point.what) for point, count in own.items() if not count})
            files.append(Exercised(path=path, line=found["line"], branch=found["branch"], missed=tuple(missed)))
    return Coverage(files=tuple(files), left_out=tuple(left_out))


def _met(
    testbench: Testbench, *, root: Path, scratch: Path, toolchain: Toolchain, cancel: CancelToken
) -> Mapping[Point, int] | str:
    """The counts of one test's run, or why there are none."""
    if isinstance(testbench, CommandTest):
        return "what a command runs is not measured"
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        written = Path(name, "coverage.dat")
        if isinstance(testbench, CocotbTestbench):
            cover_cocotb(testbench, written, root=root, scratch=Path(name), toolchain=toolchain, cancel=cancel)
        else:
            _cover(testbench, written, root=root, scratch=Path(name), toolchain=toolchain, cancel=cancel)
        return read_coverage_file(written) if written.is_file() else "Verilator does not run it to its end"


def _cover(
    testbench: FileBench, written: Path, *, root: Path, scratch: Path, toolchain: Toolchain, cancel: CancelToken
) -> None:
    build = scratch / "build"
    build.mkdir()
    built = toolchain.verilator.build(
        testbench.design.rooted(root),
        build,
        cwd=root,
        cancel=cancel,
        features=Features(trace=keeps_dumps(testbench), coverage=True),
        arguments=LINE_COVERAGE,
    )
    if isinstance(built, Rejected):
        return
    own = testbench.plusargs if isinstance(testbench, VerilogTestbench) else ()
    toolchain.verilator.simulate(
        built,
        cwd=root,
        timeout_s=testbench.timeout_s,
        reset=_START,
        seed=1,
        plusargs=[*own, coverage_file(written)],
        cancel=cancel,
        writable=(scratch,),
    )


def _names(point: Point, root: Path, path: str) -> bool:
    return Path(point.path) in (root / path, Path(path))
