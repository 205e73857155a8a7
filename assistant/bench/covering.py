"""How much of public reference designs the generated stimulus covers, in how many cycles and for what."""

from __future__ import annotations

import fnmatch
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.bench.kept import Running, rows_of
from veriloop.assistant.bench.references import RTL, ReferenceDesign, reference_designs
from veriloop.assistant.design.clocking import read_clocking
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.errors import ToolError, UsageError
from veriloop.assistant.events import CancelToken, Note, Run, finish
from veriloop.assistant.execute import cpu_seconds
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.testbench.reaching import Reached, reach_all
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.stimulus.coverage import Kind
from veriloop.assistant.verify.stimulus.pins import pins_of
from veriloop.assistant.verify.toolchain import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """One design; shares in percent of what can be reached."""

    design: str
    line: float = 0.0
    branch: float = 0.0
    toggle: float = 0.0
    expression: float = 0.0
    unreachable: int = 0
    """Points that were proved to be."""
    beyond: int = 0
    """Points that were proved to lie beyond the cycles that a stimulus may have."""
    missed: tuple[str, ...] = ()
    cycles: int = 0
    rounds: int = 0
    cpu_s: float = 0.0
    error: str = ""


def asked_designs(data: Path, only: str) -> list[ReferenceDesign]:
    """The designs of a set whose names match.

    Raises:
        UsageError: none does.
    """
    found = [
        one
        for one in reference_designs(data)
        if fnmatch.fnmatch(one.name, only) or fnmatch.fnmatch(one.name, f"*{only}*")
    ]
    if not found:
        raise UsageError(f"no design matches {only!r}")
    return found


def run_coverage(data: Path, *, only: str, running: Running) -> Run[Sequence[CoverageRow]]:
    """Stimulus for every design of a set that has no row yet, each in a process of its own."""
    asked = asked_designs(data, only)
    yield Note("preparing Verilator's runtime")
    toolchain = Toolchain.find(cache=cache_home(), cancel=running.cancel)
    toolchain.verilator.prepare(running.cancel, Features(coverage=True))
    return (yield from rows_of({one.name: one for one in asked}, cover, CoverageRow, line, running))


def cover(one: ReferenceDesign, cancel: CancelToken) -> CoverageRow:
    """One design."""
    started_s = cpu_seconds()
    row = CoverageRow(design=one.name)
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        root = Path(name, "tree")
        (root / RTL).parent.mkdir(parents=True)
        (root / RTL).write_bytes(one.rtl)
        elaboration = elaborate(one.design.rooted(root))
        if one.toplevel not in elaboration.modules:
            return replace(row, error="the design does not elaborate")
        clocking = read_clocking(elaboration, one.toplevel)
        pins = pins_of(elaboration.modules[one.toplevel], clocking)
        scratch = Path(name, "scratch")
        scratch.mkdir()
        try:
            toolchain = Toolchain.find(cache=cache_home(), cancel=cancel)
            prover = Prover.find(cancel)
            reached = finish(
                reach_all(
                    one.design,
                    pins,
                    root=root,
                    directory=scratch,
                    toolchain=toolchain,
                    prover=prover,
                    cancel=cancel,
                    resets_all=clocking.resets_all,
                )
            )
        except ToolError as error:
            return replace(row, error=error.message, cpu_s=round(cpu_seconds() - started_s, 2))
    if not isinstance(reached, Reached):
        why = reached[0].message if reached else "rejected"
        return replace(row, error=why, cpu_s=round(cpu_seconds() - started_s, 2))
    return _counted(row, reached, cpu_seconds() - started_s)


def _counted(row: CoverageRow, reached: Reached, used_s: float) -> CoverageRow:
    def percent(kind: Kind) -> float:
        return round(reached.shares[kind].percent, 2)

    return replace(
        row,
        line=percent("line"),
        branch=percent("branch"),
        toggle=percent("toggle"),
        expression=percent("expression"),
        unreachable=len(reached.unreachable),
        beyond=len(reached.beyond),
        missed=tuple(f"line {point.line}: {point.kind} {point.what}" for point in reached.missed),
        cycles=len(reached.rows),
        rounds=reached.rounds,
        cpu_s=round(used_s, 2),
    )


def line(row: CoverageRow) -> str:
    """A row in one line."""
    if row.error:
        return f"{row.design}: {row.error}"
    return (
        f"{row.design}: line {row.line} %, branch {row.branch} %, toggle {row.toggle} %, expression {row.expression} % "
        f"in {row.cycles} cycles, {row.unreachable} unreachable, {row.beyond} beyond, {row.cpu_s} CPU s"
        + (f"; missed: {', '.join(row.missed[:4])}" if row.missed else "")
    )


def coverage_summary(rows: Sequence[CoverageRow]) -> dict[str, object]:
    """The means over the designs; a design that could not be played counts with 0."""

    def mean(values: Sequence[float]) -> float:
        return round(statistics.fmean(values), 2) if values else 0.0

    return {
        "suite": "coverage",
        "designs": len(rows),
        "line": mean([row.line for row in rows]),
        "branch": mean([row.branch for row in rows]),
        "toggle": mean([row.toggle for row in rows]),
        "cycles_median": statistics.median(row.cycles for row in rows) if rows else 0,
        "cpu_s_median": statistics.median(row.cpu_s for row in rows) if rows else 0.0,
    }
