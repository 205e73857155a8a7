"""The slow ways of judging a candidate, and what they cost: a build each, a run of Icarus each."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from veriloop.assistant.bench.loop_designs import LoopCandidate, LoopDesign
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import cpu_seconds, execute
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.simulation import read_verilator_run, run_icarus, run_verilator
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import SEED, START_STATES, VERILATE_TIMEOUT_S, Rejected, design_arguments

LEVELS = (0, 1)
"""The C++ compiler's levels at which one build a candidate is tried; the cheaper one counts."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """A copy of a design, and what runs it."""

    root: Path
    scratch: Path
    toolchain: Toolchain
    cancel: CancelToken


def changed(design: LoopDesign, one: LoopCandidate, place: Place, run: Callable[[], T]) -> T:
    """What a run says while a candidate's files are in place."""
    try:
        for path, content in one.contents.items():
            (place.root / path).write_bytes(content)
        return run()
    finally:
        for path in one.contents:
            (place.root / path).write_bytes(design.files[path])


def by_verilator(bench: VerilogTestbench, place: Place) -> tuple[SimResult, ...]:
    """One build, and a run from each start state."""
    return run_verilator(bench, root=place.root, scratch=place.scratch, toolchain=place.toolchain, cancel=place.cancel)


def by_icarus(bench: VerilogTestbench, place: Place) -> SimResult | None:
    """One four-state run; none where Icarus is not installed."""
    return run_icarus(
        bench,
        root=place.root,
        scratch=place.scratch,
        toolchain=place.toolchain,
        cancel=place.cancel,
    )


def tuned_s(design: LoopDesign, found: Sequence[LoopCandidate], bench: VerilogTestbench, place: Place) -> float:
    """CPU seconds a candidate of one build each with the prebuilt runtime, at the level that costs less."""
    return min(_tuned_s(design, found, bench, level, place) for level in LEVELS)


def _tuned_s(
    design: LoopDesign, found: Sequence[LoopCandidate], bench: VerilogTestbench, optimize: int, place: Place
) -> float:
    """CPU seconds a candidate of a build each, which runs until a start state fails, as in a batch."""

    def judge() -> None:
        with tempfile.TemporaryDirectory(dir=place.scratch) as name:
            verilator, rooted = place.toolchain.verilator, bench.design.rooted(place.root)
            try:
                built = verilator.build(
                    rooted, Path(name), cwd=place.root, cancel=place.cancel, features=Features(), optimize=optimize
                )
            except ToolFailed:
                return
            if isinstance(built, Rejected):
                return
            for reset, start in START_STATES:
                done = verilator.simulate(
                    built,
                    cwd=place.root,
                    timeout_s=bench.timeout_s,
                    reset=reset,
                    seed=SEED,
                    plusargs=bench.plusargs,
                    cancel=place.cancel,
                )
                if not read_verilator_run(bench, done, root=place.root, start=start).passed:
                    return

    before_s = cpu_seconds()
    for one in found:
        changed(design, one, place, judge)
    return (cpu_seconds() - before_s) / len(found)


def default_build_s(design: LoopDesign, limit_s: float, place: Place) -> float:
    """CPU seconds of what `verilator --binary` does by itself, and of a run.

    Raises:
        ToolFailed: it does not build the unchanged design.
    """
    before_s = cpu_seconds()
    verilator = place.toolchain.verilator
    with tempfile.TemporaryDirectory(dir=place.scratch) as name:
        arguments = ["--binary", "--timing", "-Wno-fatal", "-Wno-lint", "-CFLAGS", "-std=c++20", "--Mdir", name]
        built = execute(
            [verilator.program, *arguments, *design_arguments(design.testbench.design.rooted(place.root))],
            cwd=place.root,
            timeout_s=VERILATE_TIMEOUT_S,
            cancel=place.cancel,
            env={"VERILATOR_ROOT": str(verilator.root)},
        )
        if not built.ok:
            raise ToolFailed("verilator --binary fails", output=built.output[-2000:], hint="veriloop doctor")
        binary = Path(name, f"V{design.testbench.design.toplevel}")
        execute([binary], cwd=place.root, timeout_s=limit_s, cancel=place.cancel)
    return cpu_seconds() - before_s
