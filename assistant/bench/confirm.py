"""Is a plausible repair right? It is put beside the reference on stimuli on which the broken design visibly differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from veriloop.assistant.bench.case import Case
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design, Port
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.differential import Comparison, compare, recorder, top_of
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import run_icarus, run_verilator
from veriloop.assistant.verify.testbench import TraceTestbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

CYCLES = 10_752
"""Six rounds through fourteen kinds of stimuli, of which the last six play what the testbench itself drives."""

_SEEDS = (1, 2)
_RECORDED = "veriloop_inputs.txt"
_ROWS = 20_000


class Confirmation(StrEnum):
    """What the comparison with the reference came to."""

    CONFIRMED = "confirmed"
    """It agrees with the reference, on stimuli on which the broken design does not."""
    OVERFIT = "overfit"
    """It passes the testbench and yet differs from the reference."""
    INCONCLUSIVE = "inconclusive"
    """No stimuli made the broken design differ, or the comparison could not be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The confirmation, and in a line what it rests on."""

    confirmation: Confirmation
    reason: str


def confirm(
    case: Case,
    repaired: bytes,
    baseline: Sequence[SimResult],
    *,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Answer:
    """Compares a repaired design with the reference on at least 10,000 cycles a seed.

    A broken design that does not compile or never ends differs on every stimulus.

    Args:
        case: with the golden and the broken design.
        repaired: the repaired file.
        baseline: how the broken design ran; tells whether it compiles and ends.
        root: a private copy of the case's tree, which is written to.
        scratch: an existing directory.
        toolchain: Icarus, or Verilator where it is not installed.
        cancel: stops it.
    """
    broken = case.files[case.rtl]
    shows_anyway = any(run.outcome in (Outcome.COMPILE_ERROR, Outcome.TIMEOUT) for run in baseline)
    design = case.testbench.design if isinstance(case.testbench, VerilogTestbench | TraceTestbench) else None
    if design is None:
        return Answer(confirmation=Confirmation.INCONCLUSIVE, reason="no design to compare")
    (root / case.rtl).write_bytes(case.golden)
    rows = _inputs(case, design, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    (root / case.rtl).write_bytes(case.golden)
    contents = [case.golden, repaired, *([] if shows_anyway else [broken])]
    variants = [{case.rtl: content} for content in contents]
    cycles, visible = 0, shows_anyway
    for seed in _SEEDS:
        found: Comparison | None = compare(
            variants,
            design,
            root=root,
            scratch=scratch,
            toolchain=toolchain,
            cancel=cancel,
            cycles=CYCLES,
            seed=seed,
            recorded=rows,
            reference=True,
        )
        if found is None:
            return Answer(confirmation=Confirmation.INCONCLUSIVE, reason="reference and repair cannot be compared")
        cycles += found.cycles
        if (0, 1) in found.differs:
            reason = f"differs from the reference in cycle {found.differs[0, 1]}, seed {seed}"
            return Answer(confirmation=Confirmation.OVERFIT, reason=reason)
        visible = visible or (0, 2) in found.differs
    if not visible:
        return Answer(confirmation=Confirmation.INCONCLUSIVE, reason=f"the defect does not show in {cycles} cycles")
    return Answer(confirmation=Confirmation.CONFIRMED, reason=f"agrees with the reference for {cycles} cycles")


def _inputs(
    case: Case, design: Design, *, root: Path, scratch: Path, toolchain: Toolchain, cancel: CancelToken
) -> tuple[str, ...]:
    """What the case's own testbench drives into the golden design, a row of bits a cycle; empty if that fails."""
    top = top_of({case.rtl: case.golden})
    ports: tuple[Port, ...] = ()
    if top is not None:
        module = elaborate(design.rooted(root)).modules.get(top)
        ports = module.ports if module is not None else ()
    if not ports or top is None or not isinstance(case.testbench, VerilogTestbench | TraceTestbench):
        return ()
    (root / case.rtl).write_bytes(recorder(case.golden, top, ports, _RECORDED))
    output = root / _RECORDED
    output.unlink(missing_ok=True)
    run = run_icarus(case.testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    if run is None or not output.is_file():
        run_verilator(case.testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    if not output.is_file():
        return ()
    lines = output.read_text(errors="replace").splitlines()[:_ROWS]
    return tuple("".join("1" if bit == "1" else "0" for bit in line) for line in lines if line)
