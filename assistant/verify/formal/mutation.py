"""Mutants that yosys makes: one netlist with all of them, and an input that switches one on.

Method: `mutate`, as mcy uses it (https://github.com/YosysHQ/mcy): ports of cells inverted, stuck or crossed, sampled
evenly over the design.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.verify.formal.prover import Prover, read_commands

NETLIST = "vl_netlist"
SELECT = "vl_mutant"
_SELECT_BITS = 10
_TIMEOUT_S = 60.0
_MUTATION = re.compile(r"^mutate .*$", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutated:
    """A netlist, module `NETLIST`, with the design's ports and `SELECT`: 0 is the design, 1 the first mutant."""

    verilog: bytes
    changes: tuple[str, ...]
    """What each mutant changes, in yosys's words."""


def selected(number: int) -> str:
    """The port connection that switches a mutant on."""
    return f".{SELECT}({_SELECT_BITS}'d{number})"


def mutated_netlist(
    design: Design, prover: Prover, *, count: int, seed: int, cwd: Path, scratch: Path, cancel: CancelToken
) -> Mutated | None:
    """Up to `count` mutants of a design; none where yosys does not take it."""
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        directory = Path(name)
        script = read_commands(design, directory, cwd) + _SCRIPT % {
            "top": design.toplevel,
            "count": count,
            "seed": seed,
            "bits": _SELECT_BITS,
        }
        (directory / "script.ys").write_text(script)
        argv: list[str | Path] = [prover.program, "-q", "-s", "script.ys"]
        done = execute(argv, cwd=directory, timeout_s=_TIMEOUT_S, cancel=cancel)
        netlist = directory / "netlist.v"
        if not done.ok or not netlist.is_file():
            return None
        changes = _MUTATION.findall((directory / "mutations.ys").read_text())
        return Mutated(verilog=netlist.read_bytes(), changes=tuple(changes))


_SCRIPT = """
proc
flatten
opt_expr
opt_clean
rename %(top)s vl_netlist
mutate -list %(count)d -seed %(seed)d -ctrl vl_mutant %(bits)d 1 -o mutations.ys
script mutations.ys
opt_clean
write_verilog -noattr netlist.v
"""
