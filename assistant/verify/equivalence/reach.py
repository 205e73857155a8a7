"""Can the outputs of two versions ever part, whatever their registers are called? ABC decides it over all sequences.

A proof by induction needs registers of the same names; this one does not: both versions become one and-inverter graph
with an assertion that they answer alike after the reset, registers that always hold the same are merged, and what is
left is decided by property-directed reachability (Een, Mishchenko, Brayton, FMCAD 2011). Two-valued.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from veriloop.assistant.design.model import Port
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute, find_program
from veriloop.assistant.verify.equivalence.scripts import BOTH, RESET_STEPS, Reset
from veriloop.assistant.verify.equivalence.yosys import Yosys

_TOP = "veriloop_from_reset"
_AIG = "alike.aig"
_MARGIN_S = 5.0
_PROVED = re.compile(
    r"Property proved|Networks are equivalent|All = \d+\. Proved = (\d+)\. Disproved = 0\. Undecided = 0"
)
_PARTED = re.compile(r"was asserted in frame (\d+)")


class Start(StrEnum):
    """What registers hold before the reset."""

    ANY = "any"
    """Anything, in each version another."""
    ZEROS = "zeros"


class Answer(StrEnum):
    """What is known."""

    ALIKE = "alike"
    PART = "part"
    OPEN = "open"


def abc_program() -> Path | None:
    """The ABC that comes with Yosys; none where it is not installed."""
    program = find_program("yosys")
    beside = program.parent / "yosys-abc" if program is not None else None
    if beside is not None and beside.is_file():
        return beside
    return find_program("berkeley-abc") or find_program("abc")


def reachable(
    directory: Path,
    ports: Sequence[Port],
    clock: str,
    resets: Sequence[Reset],
    start: Start,
    *,
    yosys: Yosys,
    abc: Path,
    limit_s: float,
    cancel: CancelToken,
) -> Answer:
    """Whether the versions in a directory can part.

    Args:
        directory: holds what `scripts.prepare` has written.
        ports: of both.
        clock: the one clock; empty where nothing is clocked.
        resets: what is held at first.
        start: what the registers hold before.
        yosys: makes the graph.
        abc: decides.
        limit_s: seconds for all of it.
        cancel: stops it.
    """
    (directory / f"{_TOP}.sv").write_text("\n".join(_wrapper(ports, clock, resets)) + "\n")
    (directory / _AIG).unlink(missing_ok=True)
    done = yosys.run(_script(start), cwd=directory, timeout_s=limit_s, cancel=cancel)
    left_s = round(limit_s - done.wall_s)
    if not (directory / _AIG).is_file() or left_s < 1:
        return Answer.OPEN
    words = f"read_aiger {_AIG}; {'logic; undc; ' if start is Start.ANY else ''}strash; scorr; pdr -T {left_s}"
    said = execute([abc, "-q", words], cwd=directory, timeout_s=left_s + _MARGIN_S, cancel=cancel).output
    if _PARTED.search(said):
        return Answer.PART
    return Answer.ALIKE if _PROVED.search(said) else Answer.OPEN


def _wrapper(ports: Sequence[Port], clock: str, resets: Sequence[Reset]) -> list[str]:
    """Both versions behind a reset that comes first, and the assertion."""
    inputs = [port for port in ports if port.direction == "input"]
    held = {reset.name: reset.value for reset in resets}
    declared = ", ".join(f"input [{port.width_bits - 1}:0] {port.name}" for port in inputs)
    lines = [f"module {_TOP}({declared});"]
    if clock and held:
        lines += [
            "  reg [1:0] veriloop_count = 2'd0;",
            f"  always @(posedge {clock})",
            f"    if (veriloop_count != 2'd{RESET_STEPS}) veriloop_count <= veriloop_count + 2'd1;",
            f"  wire veriloop_first = veriloop_count != 2'd{RESET_STEPS};",
        ]
    else:
        lines.append("  wire veriloop_first = 1'b0;")
    pins = [
        f".in_{port.name}(veriloop_first ? 1'b{held[port.name]} : {port.name})"
        if port.name in held
        else f".in_{port.name}({port.name})"
        for port in inputs
    ]
    lines.append("  wire veriloop_parts;")
    lines.append(f"  miter veriloop_both({', '.join([*pins, '.trigger(veriloop_parts)'])});")
    lines.append("  always @* alike: assert (veriloop_first || !veriloop_parts);")
    return [*lines, "endmodule"]


def _script(start: Start) -> list[str]:
    zeros = start is Start.ZEROS
    return [
        f"read_rtlil {BOTH}",
        "miter -equiv -flatten gold gate miter",
        f"read_verilog -sv -formal {_TOP}.sv",
        f"hierarchy -check -top {_TOP}",
        "proc",
        "flatten",
        "opt_expr",
        "opt_clean",
        "async2sync",
        # What is undefined is free, and another one in each version: a choice that is left open proves nothing.
        "setundef -undriven -anyseq",
        *(["setundef -zero -init"] if zeros else []),
        "delete -output w:*",
        "opt_expr",
        "opt_clean",
        "techmap",
        "opt_expr",
        "opt_clean",
        "dffunmap",
        "dfflegalize -cell $_DFF_P_ 01 -mince 0 -minsrst 0",
        "abc -fast -g AND",
        "opt_clean",
        f"write_aiger {'-zinit ' if zeros else ''}{_AIG}",
    ]
