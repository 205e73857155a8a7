"""Mutants of public designs: does generated stimulus kill what the set's own testbench detects, and what it misses?

The reference is the golden RTL. HDLBits brings mutants of its own; RTLLM's are made by yosys (`mutate`), all of them in
one netlist that a number switches.
"""

from __future__ import annotations

import contextlib
import functools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.bench.covering import asked_designs
from veriloop.assistant.bench.loop_ways import cpu_s
from veriloop.assistant.bench.processes import in_processes
from veriloop.assistant.bench.references import RTL, ReferenceDesign
from veriloop.assistant.design.clocking import read_clocking
from veriloop.assistant.design.constants import constants
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import ToolError, UsageError
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.testbench.inputs import drawn_inputs
from veriloop.assistant.testbench.killing import Arena, Fate, general_parts, kill
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import run_icarus, run_verilator
from veriloop.assistant.verify.stimulus.pins import pins_of
from veriloop.assistant.verify.stimulus.replay import Subject
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_MUTANTS = "HDLBits_data_mutants.jsonl"
_STATUS = "mutant_status_icarus11.json"
_BENCH_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MutantRow:
    """One design; a mutant counts where the set's own testbench runs on it and says something."""

    design: str
    mutants: int = 0
    detected_by_golden: int = 0
    killed_of_those: int = 0
    missed_by_golden: int = 0
    killed_of_missed: int = 0
    proved_equivalent: int = 0
    undecided: int = 0
    survived: tuple[int, ...] = ()
    """The numbers of detected mutants that the stimulus does not kill."""
    open: tuple[int, ...] = ()
    """Those of missed mutants that stay undecided."""
    cpu_s: float = 0.0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A design with its mutants, and for each whether the set's testbench detects it; none where that is not known."""

    one: ReferenceDesign
    mutants: tuple[bytes, ...]
    detected: tuple[bool | None, ...]


def run_mutants(data: Path, *, only: str, jobs: int, cancel: CancelToken) -> Run[list[MutantRow]]:
    """Every design of a set in a process of its own.

    Raises:
        UsageError: the set has no mutants.
    """
    tasks = _tasks(data, only)
    rows: dict[str, MutantRow] = {}
    with contextlib.closing(in_processes(judge_mutants, tasks, jobs=jobs, cancel=cancel)) as found:
        for row in found:
            rows[row.design] = row
            yield Note(f"[{len(rows)}/{len(tasks)}] {line(row)}")
    return [rows[task.one.name] for task in tasks]


def _tasks(data: Path, only: str) -> list[Task]:
    asked = asked_designs(data, only)
    if not (data / _MUTANTS).is_file():
        raise UsageError(f"{data} holds no mutants: no {_MUTANTS}", hint="veriloop bench mutants --data HDLBITS")
    lines = (data / _MUTANTS).read_text(encoding="utf-8").splitlines()
    mutants = {record["task_id"]: tuple(record["mutants"]) for record in map(json.loads, lines)}
    status = json.loads((data / _STATUS).read_text()) if (data / _STATUS).is_file() else {}
    said = {"mismatch": True, "pass": False}
    return [
        Task(
            one=one,
            mutants=tuple(text.encode() for text in mutants.get(one.name, ())),
            detected=tuple(
                said.get(status.get(f"{one.name}#{number}", "")) for number in range(len(mutants.get(one.name, ())))
            ),
        )
        for one in asked
    ]


def judge_mutants(task: Task, cancel: CancelToken) -> MutantRow:
    """One design."""
    started_s = cpu_s()
    row = MutantRow(design=task.one.name, mutants=len(task.mutants))
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        try:
            row = _judged(task, row, Path(name), Toolchain.find(cache=cache_home(), cancel=cancel), cancel)
        except ToolError as error:
            row = replace(row, error=error.message)
    return replace(row, cpu_s=round(cpu_s() - started_s, 2))


def _judged(task: Task, row: MutantRow, directory: Path, toolchain: Toolchain, cancel: CancelToken) -> MutantRow:
    root, scratch = directory / "tree", directory / "scratch"
    (root / RTL).parent.mkdir(parents=True)
    scratch.mkdir()
    (root / RTL).write_bytes(task.one.rtl)
    elaboration = elaborate(task.one.design.rooted(root))
    top = task.one.toplevel
    if top not in elaboration.modules:
        return replace(row, error="the design does not elaborate")
    pins = pins_of(elaboration.modules[top], read_clocking(elaboration, top))
    inputs = drawn_inputs(pins, constants([task.one.rtl]))
    arena = Arena(
        reference=Subject(module=top, files={str(RTL): task.one.rtl}),
        pins=pins,
        inputs=inputs,
        design=task.one.design,
        root=root,
        scratch=scratch,
        toolchain=toolchain,
        prover=Prover.find(cancel),
        cancel=cancel,
    )
    mutants = [Subject(module=top, files={str(RTL): text}) for text in task.mutants]
    killing = kill(arena, mutants, general_parts(pins, inputs))
    detects = functools.partial(_detects, task.one, directory=directory, toolchain=toolchain, cancel=cancel)
    detected = [
        known if known is not None else detects(text) for known, text in zip(task.detected, task.mutants, strict=True)
    ]
    return _counted(row, killing.fates, detected)


def _detects(
    one: ReferenceDesign, text: bytes, *, directory: Path, toolchain: Toolchain, cancel: CancelToken
) -> bool | None:
    """Whether the set's own testbench fails on a mutant; none where it says nothing."""
    root = directory / "bench"
    root.mkdir(exist_ok=True)
    for name, content in one.bench.items():
        (root / name).write_bytes(content)
    (root / "dut.sv").write_bytes(text)
    sources = [name for name in one.bench if name.endswith((".v", ".sv"))]
    design = Design(toplevel=one.bench_top, sources=tuple(Path(name) for name in (*sources, "dut.sv")))
    bench = VerilogTestbench(name="bench", design=design, timeout_s=_BENCH_TIMEOUT_S)
    runs: Sequence[SimResult | None] = [
        run_icarus(bench, root=root, scratch=directory, toolchain=toolchain, cancel=cancel)
    ]
    if runs[0] is None or not runs[0].checks:
        runs = run_verilator(bench, root=root, scratch=directory, toolchain=toolchain, cancel=cancel)[:1]
    run = runs[0] if runs else None
    if run is None or not run.checks or run.outcome not in (Outcome.PASS, Outcome.FAIL):
        return None
    return run.outcome is Outcome.FAIL


def _counted(row: MutantRow, fates: Sequence[Fate], detected: Sequence[bool | None]) -> MutantRow:
    known = [(number, fate, seen) for number, (fate, seen) in enumerate(zip(fates, detected, strict=True))]
    yes = [(number, fate) for number, fate, seen in known if seen is True]
    # What the testbench passes and cannot be played beside the design is undecided, too.
    no = [(number, fate) for number, fate, seen in known if seen is False]
    missed = [number for number, fate in no if fate in (Fate.UNDECIDED, Fate.UNUSABLE)]
    return replace(
        row,
        detected_by_golden=len(yes),
        killed_of_those=sum(fate is Fate.KILLED for _, fate in yes),
        missed_by_golden=len(no),
        killed_of_missed=sum(fate is Fate.KILLED for _, fate in no),
        proved_equivalent=sum(fate is Fate.EQUIVALENT for _, fate in no),
        undecided=len(missed),
        survived=tuple(number for number, fate in yes if fate is not Fate.KILLED),
        open=tuple(missed),
    )


def line(row: MutantRow) -> str:
    """A row in one line."""
    if row.error:
        return f"{row.design}: {row.error}"
    said = (
        f"{row.design}: {row.killed_of_those} of {row.detected_by_golden} detected ones killed; of "
        f"{row.missed_by_golden} missed ones {row.killed_of_missed} killed, {row.proved_equivalent} equivalent, "
        f"{row.undecided} undecided; {row.cpu_s} CPU s"
    )
    return said + (f"; survived: {row.survived}" if row.survived else "") + (f"; open: {row.open}" if row.open else "")


def mutants_summary(rows: Sequence[MutantRow]) -> dict[str, object]:
    """The counts over all designs."""
    names = (
        "detected_by_golden",
        "killed_of_those",
        "missed_by_golden",
        "killed_of_missed",
        "proved_equivalent",
        "undecided",
    )
    return {
        "suite": "mutants",
        "designs": len(rows),
        **{name: sum(getattr(row, name) for row in rows) for name in names},
    }
