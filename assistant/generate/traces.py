"""What RTL answers to given inputs, cycle by cycle: many modules side by side in one simulation."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.reference import Inputs
from veriloop.assistant.verify.differential import renamed
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import Binary

Word = tuple[str, ...]
"""The outputs of one cycle in the order of the ports, as bits of `0`, `1`, `x` and `z`."""

_TOP = "veriloop_traces"
_STIMULI = "stimuli.txt"
_TIMEOUT_S = 60.0
_CPU_S = 4
"""A run takes tenths of a second; what takes longer goes round without a delay."""
_MOST_AT_ONCE = 24


@dataclass(frozen=True, slots=True)
class Trace:
    """One module's answers, a word a cycle; why there are none, where it cannot be run."""

    words: tuple[Word, ...]
    fault: str = ""


def traces(
    texts: Sequence[bytes],
    interface: Interface,
    steps: Sequence[Inputs],
    *,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> list[Trace]:
    """Each module's outputs at the end of each cycle, with that cycle's inputs still there.

    Args:
        texts: modules with these ports, that the elaborator takes.
        interface: the ports.
        steps: the inputs, the clock left out.
        scratch: an existing directory.
        toolchain: Icarus where it is installed (four-state), else Verilator.
        cancel: stops it.
    """
    found: list[Trace] = []
    for first in range(0, len(texts), _MOST_AT_ONCE):
        found += _group(texts[first : first + _MOST_AT_ONCE], interface, steps, scratch, toolchain, cancel)
    return found


def _group(
    texts: Sequence[bytes],
    interface: Interface,
    steps: Sequence[Inputs],
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> list[Trace]:
    cancel.check()
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        output = _simulated(texts, interface, steps, Path(name), toolchain, cancel)
    if isinstance(output, list):
        return output
    if len(texts) == 1:
        return [Trace((), output)]
    # One of them breaks the others' simulation: a loop without delay, or what this simulator does not take.
    middle = len(texts) // 2
    halves = (texts[:middle], texts[middle:])
    return [trace for half in halves for trace in _group(half, interface, steps, scratch, toolchain, cancel)]


def _simulated(
    texts: Sequence[bytes],
    interface: Interface,
    steps: Sequence[Inputs],
    directory: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> list[Trace] | str:
    """The traces, or why the simulation did not come to its end."""
    sources = []
    for number, text in enumerate(texts):
        path = directory / f"answer{number}.sv"
        tree = SyntaxTree(text)
        names = {Structure(tree, module).name for module in tree.modules}
        path.write_bytes(renamed(text, f"_v{number}", names))
        sources.append(path)
    bench = directory / f"{_TOP}.sv"
    bench.write_text("\n".join(_lines(interface, len(texts), len(steps))) + "\n")
    inputs = [port for port in interface.inputs if port is not interface.clock]
    rows = ("".join(f"{step.get(port.name, 0):0{port.width_bits}b}" for port in inputs) or "0" for step in steps)
    (directory / _STIMULI).write_text("".join(f"{row}\n" for row in rows))
    design = Design(toplevel=_TOP, sources=(bench, *sources), include_dirs=(directory,))
    printed = _run(design, directory, toolchain, cancel)
    lines = [line[4:].split() for line in printed.splitlines() if line.startswith("vl: ")]
    if len(lines) != len(steps):
        return (
            printed.strip().splitlines()[-1][:200] if printed.strip() and not lines else "its simulation does not end"
        )
    width = len(interface.outputs)
    return [
        Trace(tuple(tuple(line[number * width : (number + 1) * width]) for line in lines))
        for number in range(len(texts))
    ]


def _run(design: Design, directory: Path, toolchain: Toolchain, cancel: CancelToken) -> str:
    icarus = toolchain.icarus
    if icarus is not None:
        binary = directory / "traces.vvp"
        said = icarus.build(design, binary, cwd=directory, cancel=cancel, timeout_s=_TIMEOUT_S)
        if said is not None:
            return "; ".join(one.message for one in said[:2])
        done = icarus.simulate(
            binary,
            cwd=directory,
            timeout_s=_TIMEOUT_S,
            plusargs=(),
            cancel=cancel,
            dumps=False,
            cpu_limit_s=_CPU_S,
        )
        return done.output
    built = toolchain.verilator.build(design, directory / "obj", cwd=directory, cancel=cancel)
    if not isinstance(built, Binary):
        return str(built.diagnostics[0].message) if built.diagnostics else "Verilator does not take it"
    return toolchain.verilator.simulate(
        built, cwd=directory, timeout_s=_TIMEOUT_S, reset=0, seed=1, plusargs=(), cancel=cancel
    ).output


def _lines(interface: Interface, count: int, steps: int) -> Iterator[str]:
    clock = interface.clock
    inputs = [port for port in interface.inputs if port is not clock]
    width = max(1, sum(port.width_bits for port in inputs))
    yield "`timescale 1ns/1ps"
    yield f"module {_TOP};"
    for port in interface.inputs:
        yield f"  reg [{port.msb}:{port.lsb}] {port.name} = 0;"
    shown = []
    for number in range(count):
        connections = [f".{port.name}({port.name})" for port in interface.inputs]
        for port in interface.outputs:
            yield f"  wire [{port.width_bits - 1}:0] vl{number}_{port.name};"
            connections.append(f".{port.name}(vl{number}_{port.name})")
            shown.append(f"vl{number}_{port.name}")
        yield f"  {interface.toplevel}_v{number} variant{number} ({', '.join(connections)});"
    yield f"  reg [{width - 1}:0] vl_rows [0:{max(0, steps - 1)}];"
    yield "  integer vl_step;"
    yield "  initial begin"
    yield f'    $readmemb("{_STIMULI}", vl_rows);'
    yield f"    for (vl_step = 0; vl_step < {steps}; vl_step = vl_step + 1) begin"
    if inputs:
        yield f"      {{{', '.join(port.name for port in inputs)}}} = vl_rows[vl_step];"
    yield "      #4;"
    if clock is not None:
        yield f"      {clock.name} = 1; #5; {clock.name} = 0; #1;"
    formats = " ".join(["%b"] * len(shown))
    yield f'      $display("vl: {formats}", {", ".join(shown)});'
    yield "    end"
    yield "    $finish;"
    yield "  end"
    yield "endmodule"
