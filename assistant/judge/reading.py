"""What a specification says, as far as it can be run: its tables, maps, diagrams, waveforms and standard blocks."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.bench_text import bench_text
from veriloop.assistant.generate.interface import Bit, Interface, read_interface
from veriloop.assistant.generate.reference import Row
from veriloop.assistant.generate.synthesis import Synthesis, synthesise
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import run_icarus, run_verilator
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_TIMEOUT_S = 30.0
_ROW_PS = 5000
_FAILED = re.compile(r"^time (\d+): expected ([01]+) where ([01]+), seen ([01xz]+)", re.M | re.I)
_MOST_INPUTS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What follows from a specification.

    Attributes:
        kind: what it was made from, as `truth table`; empty where nothing follows.
        text: a module that does what it says.
        rows: inputs with the outputs that it says.
        assumed: what convention settled.
        questions: where it contradicts itself or leaves a gap.
        ports: where the design's ports are others than it names, a sentence each.
        interface: the ports by which it was read.
    """

    kind: str = ""
    text: bytes = b""
    rows: tuple[Row, ...] = ()
    assumed: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    interface: Interface | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedRows:
    """What a design answered to a specification's own rows; `said` is the first difference, as a sentence."""

    checks: int
    failures: int
    said: str = ""
    certain: bool = False
    """Whether in some row that fails the design gives 0 or 1: a process may not have woken before the first one."""


def read_specification(subject: Subject) -> Reading:
    """What follows from the specification of a dispute for the module under test."""
    dispute = subject.dispute
    if not dispute.specification.strip():
        return Reading()
    stated = read_interface(dispute.specification, header=dispute.header)
    own = subject.interface
    ports = tuple(_differences(stated, own)) if stated is not None and own is not None else ()
    chosen = own if own is not None and not ports else stated
    if chosen is None or not chosen.outputs:
        return Reading(ports=ports)
    interface = replace(chosen, toplevel=subject.module or chosen.toplevel)
    made = synthesise(dispute.specification, interface)
    if not isinstance(made, Synthesis):
        return Reading(questions=tuple(map(str, made.questions)), ports=ports, interface=interface)
    return Reading(
        kind=made.kind.removeprefix("words: "),
        text=made.rtl.encode(),
        rows=made.played,
        assumed=made.assumed,
        ports=ports,
        interface=interface,
    )


def _differences(stated: Interface, own: Interface) -> Iterator[str]:
    mine = {port.name: port for port in own.ports}
    for port in stated.ports:
        there = mine.get(port.name)
        if there is None:
            yield f"the specification names {port.direction} {port.name}, which the module does not have"
        elif (there.direction, there.width_bits) != (port.direction, port.width_bits):
            yield (
                f"the specification makes {port.name} an {port.direction} of {port.width_bits} bits, "
                f"the module an {there.direction} of {there.width_bits}"
            )


def play_rows(reading: Reading, subject: Subject, toolchain: Toolchain, cancel: CancelToken) -> PlayedRows | None:
    """Plays a specification's own rows into the design; none where there are none, or the design does not take them."""
    interface = reading.interface
    if interface is None or reading.ports or not any(row.expected for row in reading.rows):
        return None
    dispute = subject.dispute
    with tempfile.TemporaryDirectory(dir=dispute.scratch) as name:
        bench = Path(name, "veriloop_rows.sv")
        bench.write_text(bench_text(interface, reading.rows, name=bench.stem))
        design = subject.design
        test = VerilogTestbench(
            name="the specification's rows",
            design=Design(
                toplevel=bench.stem,
                sources=(bench, *design.sources),
                include_dirs=design.include_dirs,
                defines=design.defines,
                library_dirs=design.library_dirs,
                library_files=design.library_files,
            ),
            timeout_s=_TIMEOUT_S,
        )
        run = _run(test, subject, toolchain, cancel)
    if run.outcome not in (Outcome.PASS, Outcome.FAIL) or not run.checks:
        return None
    said = next(filter(None, (_sentence(match, reading, interface) for match in _FAILED.finditer(run.log_tail))), "")
    certain = any(_certain(match) for match in _FAILED.finditer(run.log_tail))
    return PlayedRows(checks=run.checks, failures=run.failures, said=said, certain=certain)


def _certain(match: re.Match[str]) -> bool:
    compared = zip(match[2], match[3], match[4], strict=True)
    return any(counts == "1" and expected != seen and seen in "01" for expected, counts, seen in compared)


def _run(test: VerilogTestbench, subject: Subject, toolchain: Toolchain, cancel: CancelToken) -> SimResult:
    root, scratch = subject.dispute.root, subject.dispute.scratch
    run = run_icarus(test, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    if run is not None and run.outcome is not Outcome.COMPILE_ERROR:
        return run
    return run_verilator(test, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)[0]


def _sentence(match: re.Match[str], reading: Reading, interface: Interface) -> str:
    """One row in words: the inputs, the output that differs, both values."""
    number = int(match[1]) // _ROW_PS - 1
    if not 0 <= number < len(reading.rows):
        return ""
    bits = [bit for port in interface.outputs for bit in interface.bits(port)]
    compared = zip(bits, match[2], match[3], match[4], strict=True)
    wrong = [(bit, expected, seen) for bit, expected, counts, seen in compared if counts == "1" and expected != seen]
    if not wrong:
        return ""
    bit, expected, seen = wrong[0]
    given = _given(reading.rows[: number + 1], interface)
    when = f"with {given}" if interface.clock is None else f"in step {number + 1} of a run by its rows, with {given},"
    return f"{when} the specification's {reading.kind} says {_named(bit)} is {expected}, and the design gives {seen}"


def _named(bit: Bit) -> str:
    return str(bit)


def _given(rows: Sequence[Row], interface: Interface) -> str:
    values: dict[str, int] = {}
    for row in rows:
        values |= row.inputs
    clock = interface.clock.name if interface.clock else ""
    named = [f"{name}={value}" for name, value in values.items() if name != clock]
    return ", ".join(named[:_MOST_INPUTS]) + (" ..." if len(named) > _MOST_INPUTS else "") or "any inputs"
