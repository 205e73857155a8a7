"""Mutants of public designs: does generated stimulus kill what the set's own testbench detects, and what it misses?

The reference is the golden RTL. HDLBits brings mutants of its own; RTLLM's are made by yosys (`mutate`), all of them in
one netlist that a number switches.
"""

from __future__ import annotations

import fnmatch
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.bench.kept import Running, rows_of
from veriloop.assistant.bench.problems import Problem, hdlbits, rtllm
from veriloop.assistant.bench.references import RTL
from veriloop.assistant.bench.scoring import Engine, harness, scored
from veriloop.assistant.design.clocking import read_clocking
from veriloop.assistant.design.constants import constants
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design, Module
from veriloop.assistant.errors import ToolError, UsageError
from veriloop.assistant.events import CancelToken, Run
from veriloop.assistant.execute import cpu_seconds
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.testbench.inputs import drawn_inputs
from veriloop.assistant.testbench.killing import Arena, Fate, general_parts, kill
from veriloop.assistant.testbench.rounds import all_rows
from veriloop.assistant.verify.formal.equivalence import compare_always
from veriloop.assistant.verify.formal.mutation import NETLIST, mutated_netlist, selected
from veriloop.assistant.verify.formal.prover import Answer, Prover
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.stimulus.pins import pins_of
from veriloop.assistant.verify.stimulus.replay import Subject
from veriloop.assistant.verify.toolchain import Toolchain

_NETLIST = Path("rtl/netlist.v")
_COUNT = 20
_SEED = 1
_PROOF_S = 10.0
_MUTANTS = "HDLBits_data_mutants.jsonl"
_STATUS = "mutant_status_icarus11.json"


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
    """A problem with mutants of its reference; without any, yosys makes them."""

    problem: Problem
    mutants: tuple[bytes, ...] = ()
    detected: tuple[bool | None, ...] = ()
    """For each whether the set's testbench detects it; none where that has to be asked."""


def run_mutants(data: Path, *, only: str, running: Running) -> Run[Sequence[MutantRow]]:
    """Every design of a set that has no row yet, in a process of its own.

    Raises:
        UsageError: the set is not known here, or no design of it matches.
    """
    tasks = {task.problem.name: task for task in mutant_tasks(data) if fnmatch.fnmatch(task.problem.name, only)}
    if not tasks:
        raise UsageError(f"no design matches {only!r}")
    return (yield from rows_of(tasks, judge_mutants, MutantRow, line, running))


def mutant_tasks(data: Path) -> Iterator[Task]:
    """The designs of a set with the mutants that it brings.

    Raises:
        UsageError: the set is not known here.
    """
    if any(data.rglob("design_description.txt")):
        yield from (Task(problem=problem) for problem in rtllm(data))
        return
    if not (data / _MUTANTS).is_file():
        raise UsageError(f"{data} holds neither RTLLM nor HDLBits with its mutants: no {_MUTANTS}")
    lines = (data / _MUTANTS).read_text(encoding="utf-8").splitlines()
    mutants = {record["task_id"]: tuple(record["mutants"]) for record in map(json.loads, lines)}
    status = json.loads((data / _STATUS).read_text()) if (data / _STATUS).is_file() else {}
    said = {"mismatch": True, "pass": False}
    for problem in hdlbits(data):
        texts = mutants.get(problem.name, ())
        if texts:
            known = (said.get(status.get(f"{problem.name}#{number}", "")) for number in range(len(texts)))
            yield Task(problem=problem, mutants=tuple(text.encode() for text in texts), detected=tuple(known))


def judge_mutants(task: Task, cancel: CancelToken) -> MutantRow:
    """One design."""
    started_s = cpu_seconds()
    row = MutantRow(design=task.problem.name)
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        try:
            toolchain = Toolchain.find(cache=cache_home(), cancel=cancel)
            row = _judged(task, row, Path(name), toolchain, cancel)
        except ToolError as error:
            row = replace(row, error=error.message)
    return replace(row, cpu_s=round(cpu_seconds() - started_s, 2))


def _judged(task: Task, row: MutantRow, directory: Path, toolchain: Toolchain, cancel: CancelToken) -> MutantRow:
    root, scratch = directory / "tree", directory / "scratch"
    (root / RTL).parent.mkdir(parents=True)
    scratch.mkdir()
    golden, top = task.problem.golden, task.problem.answer
    (root / RTL).write_bytes(golden)
    design = Design(toplevel=top, sources=(RTL,))
    elaboration = elaborate(design.rooted(root))
    if top not in elaboration.modules:
        return replace(row, error="the design does not elaborate")
    module = elaboration.modules[top]
    pins = pins_of(module, read_clocking(elaboration, top))
    arena = Arena(
        reference=Subject(module=top, files={str(RTL): golden}),
        pins=pins,
        inputs=drawn_inputs(pins, constants([golden])),
        design=design,
        root=root,
        scratch=scratch,
        toolchain=toolchain,
        prover=Prover.find(cancel),
        cancel=cancel,
    )
    same: tuple[bytes, ...] = ()
    if task.mutants:
        subjects = [Subject(module=top, files={str(RTL): text}) for text in task.mutants]
        texts, detected = task.mutants, task.detected
    else:
        made = _made(arena, module)
        if made is None:
            return replace(row, error="yosys makes no mutants of it that start from what the design does")
        arena, subjects, (unchanged, *mutated) = made
        texts, detected, same = tuple(mutated), (None,) * len(subjects), (unchanged,)
    killing = kill(arena, subjects, general_parts(pins, arena.inputs))
    said = asked(task.problem, texts, detected, toolchain, cancel, same)
    return _counted(replace(row, mutants=len(subjects)), killing.fates, said)


def _made(arena: Arena, module: Module) -> tuple[Arena, list[Subject], tuple[bytes, ...]] | None:
    """yosys's mutants: the arena with their netlist, themselves, and as texts under the design's name first the netlist
    without a change, then each of them."""
    if arena.prover is None:
        return None
    netlist = mutated_netlist(
        arena.design,
        arena.prover,
        count=_COUNT,
        seed=_SEED,
        cwd=arena.root,
        scratch=arena.scratch,
        cancel=arena.cancel,
    )
    if netlist is None:
        return None
    (arena.root / _NETLIST).write_bytes(netlist.verilog)
    subjects = [
        Subject(module=NETLIST, files={}, extra=(selected(number),)) for number in range(len(netlist.changes) + 1)
    ]
    arena = replace(arena, design=replace(arena.design, sources=(RTL, _NETLIST)), proof_reference=subjects[0])
    parts = general_parts(arena.pins, arena.inputs)
    if arena.differing(subjects[:1], all_rows(parts, arena.inputs, arena.pins)).get(0, (0, 0)) is not None:
        # RTL and a netlist make different things of what is unknown; in two states they have to be proved alike.
        if not _alike(arena, subjects[0]):
            return None
        arena = replace(arena, reference=subjects[0])
    texts = tuple(netlist.verilog + _wrapper(module, number) for number in range(len(subjects)))
    return arena, subjects[1:], texts


def _alike(arena: Arena, netlist: Subject) -> bool:
    if arena.prover is None:
        return False
    verdict = compare_always(
        arena.reference,
        netlist,
        arena.pins,
        arena.design,
        arena.prover,
        root=arena.root,
        scratch=arena.scratch,
        timeout_s=_PROOF_S,
        cancel=arena.cancel,
    )
    return verdict is not None and verdict.answer is Answer.HOLDS


def _wrapper(module: Module, number: int) -> bytes:
    """A module of the design's name that is one mutant."""
    ports = ", ".join(f"{port.direction} [{port.width_bits - 1}:0] {port.name}" for port in module.ports)
    names = ", ".join(f".{port.name}({port.name})" for port in module.ports)
    parameters = ", ".join(f"parameter {name} = {value}" for name, value in module.parameters)
    head = f"module {module.name} #({parameters})" if parameters else f"module {module.name}"
    return f"\n{head} ({ports});\n  {NETLIST} vl_inside ({names}, {selected(number)});\nendmodule\n".encode()


def asked(
    problem: Problem,
    texts: Sequence[bytes],
    known: Sequence[bool | None],
    toolchain: Toolchain,
    cancel: CancelToken,
    same: Sequence[bytes] = (),
) -> list[bool | None]:
    """Whether the set's own testbench fails on each mutant; none where it says nothing, or fails on its reference.

    `same` are texts that do what the reference does; where it fails on one of them, it says nothing.
    """
    if all(one is not None for one in known):
        return list(known)
    found = harness(problem, toolchain=toolchain, cancel=cancel)
    if found.fault or any(_detects(problem, text, found.engine, toolchain, cancel) is not False for text in same):
        return list(known)
    return [
        _detects(problem, text, found.engine, toolchain, cancel) if one is None else one
        for text, one in zip(texts, known, strict=True)
    ]


def _detects(problem: Problem, text: bytes, engine: Engine, toolchain: Toolchain, cancel: CancelToken) -> bool | None:
    run = scored(problem, text, engine, toolchain, cancel)
    if run.passed:
        return False
    # A design that hangs is told from one that works, too.
    ran = run.outcome in (Outcome.FAIL, Outcome.TIMEOUT)
    return True if ran else None


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
