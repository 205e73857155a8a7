"""Plays the inputs that tell two versions apart in a simulation, before anybody is shown them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.model import Design, Port
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.differential import renamed
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import Binary

_TOP = "veriloop_replay"
_TIMEOUT_S = 30.0
_DIFFERS = re.compile(r"^differs (\d+) (\w+) (\w+) (\w+)$", re.M)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first step in which an output is another one, seen in a simulation.

    Attributes:
        step: from 1.
        output: its name.
        old: its bits in the first version.
        new: its bits in the second.
        inputs: the inputs of each step up to that one, as bits by name.
    """

    step: int
    output: str
    old: str
    new: str
    inputs: tuple[Mapping[str, str], ...]


def replayed(
    old: Design,
    new: Design,
    ports: Sequence[Port],
    clock: str,
    steps: Sequence[Mapping[str, str]],
    *,
    names: frozenset[str],
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Difference | None:
    """Plays steps to both versions.

    Args:
        old: the first version; its paths are absolute.
        new: the second.
        ports: of both.
        clock: the input that rises once a step; empty where nothing is clocked.
        steps: values of all inputs but the clock, as bits.
        names: all modules of both, so that they do not get in each other's way.
        scratch: an existing directory.
        toolchain: Icarus where it is installed, else Verilator.
        cancel: stops it.

    Returns:
        None where they answer alike, or cannot be simulated.
    """
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        directory = Path(place)
        sources = [*_renamed(old, "_old", names, directory / "old"), *_renamed(new, "_new", names, directory / "new")]
        bench = directory / f"{_TOP}.sv"
        bench.write_text("\n".join(_bench(old.toplevel, ports, clock, steps)) + "\n")
        folders = (*old.include_dirs, *new.include_dirs, *(path.parent for path in (*old.sources, *new.sources)))
        design = replace(old, toplevel=_TOP, sources=(bench, *sources), include_dirs=folders, parameters=())
        output = _simulated(design, directory, toolchain, cancel)
    found = _DIFFERS.search(output)
    if found is None:
        return None
    step = int(found[1])
    return Difference(step=step, output=found[2], old=found[3], new=found[4], inputs=tuple(steps[:step]))


def _renamed(design: Design, suffix: str, names: frozenset[str], directory: Path) -> list[Path]:
    directory.mkdir()
    found = []
    for number, path in enumerate(design.sources):
        target = directory / f"{number}_{path.name}"
        target.write_bytes(renamed(path.read_bytes(), suffix, set(names)))
        found.append(target)
    return found


def _bench(top: str, ports: Sequence[Port], clock: str, steps: Sequence[Mapping[str, str]]) -> list[str]:
    inputs = [port for port in ports if port.direction == "input"]
    outputs = [port for port in ports if port.direction == "output"]
    lines = ["`timescale 1ns/1ps", f"module {_TOP};"]
    lines += [f"  reg [{port.width_bits - 1}:0] {port.name} = 0;" for port in inputs]
    for suffix in ("old", "new"):
        lines += [f"  wire [{port.width_bits - 1}:0] {port.name}_{suffix};" for port in outputs]
        pins = [f".{port.name}({port.name})" for port in inputs]
        pins += [f".{port.name}({port.name}_{suffix})" for port in outputs]
        lines.append(f"  {top}_{suffix} dut_{suffix} ({', '.join(pins)});")
    lines.append("  task compare(input integer step); begin")
    for port in outputs:
        old, new = f"{port.name}_old", f"{port.name}_new"
        # What is unknown in the old version may be anything in the new one.
        lines.append(
            f"    if (({old} ^ {new} ^ {old}) !== {old}) begin "
            f'$display("differs %0d {port.name} %b %b", step, {old}, {new}); $finish; end'
        )
    lines += ["  end endtask", "  initial begin"]
    for number, step in enumerate(steps, 1):
        for port in inputs:
            bits = step.get(port.name, "")
            if port.name != clock and bits:
                lines.append(f"    {port.name} = {port.width_bits}'b{bits};")
        lines.append(f"    #1 compare({number});")
        if clock:
            lines.append(f"    #1 {clock} = 1; #1 {clock} = 0; #1;")
    lines += ["    $finish;", "  end", "endmodule"]
    return lines


def _simulated(design: Design, directory: Path, toolchain: Toolchain, cancel: CancelToken) -> str:
    icarus = toolchain.icarus
    binary = directory / "replay.vvp"
    if icarus is not None and icarus.build(design, binary, cwd=directory, cancel=cancel, timeout_s=_TIMEOUT_S) is None:
        return icarus.simulate(binary, cwd=directory, timeout_s=_TIMEOUT_S, plusargs=(), cancel=cancel).output
    objects = directory / "objects"
    objects.mkdir()
    built = toolchain.verilator.build(design, objects, cwd=directory, cancel=cancel)
    if not isinstance(built, Binary):
        return ""
    done = toolchain.verilator.simulate(
        built, cwd=directory, timeout_s=_TIMEOUT_S, reset=0, seed=1, plusargs=(), cancel=cancel
    )
    return done.output
