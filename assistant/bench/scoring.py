"""Does an answer pass its problem's testbench? The harness is tried first, so that its faults are nobody else's."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from veriloop.assistant.bench.problems import Problem
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.interface import Interface, interface_of
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.simulation import run_icarus, run_verilator
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

Engine = Literal["icarus", "verilator"]

_ANSWER = "answer.sv"
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Harness:
    """How a problem is scored, after its testbench was tried."""

    engine: Engine
    fault: str = ""
    """Why it cannot be scored; empty if it can."""


def harness(problem: Problem, *, toolchain: Toolchain, cancel: CancelToken) -> Harness:
    """The first simulator under which the testbench tells right from wrong: Icarus, for which the sets were written,
    where it is installed, else Verilator.

    The reference has to pass. A module that does nothing has to fail, and so has one that gives the complement of
    everything that the reference gives; where such a module cannot be built, that is not held against the problem.
    """
    engines: tuple[Engine, ...] = ("icarus", "verilator") if toolchain.icarus is not None else ("verilator",)
    faults = []
    for engine in engines:
        fault = _fault(problem, engine, toolchain, cancel)
        if not fault:
            return Harness(engine)
        faults.append(f"{engine}: {fault}")
    known = (f"known: {problem.known_fault}",) if problem.known_fault else ()
    return Harness(engines[0], "; ".join((*faults, *known)))


def passes(problem: Problem, answer: bytes, engine: Engine, *, toolchain: Toolchain, cancel: CancelToken) -> bool:
    """Whether the testbench passes an answer."""
    return scored(problem, answer, engine, toolchain, cancel).passed


def scored(problem: Problem, answer: bytes, engine: Engine, toolchain: Toolchain, cancel: CancelToken) -> SimResult:
    """What the testbench says."""
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        root = Path(name)
        scratch = root / "scratch"
        scratch.mkdir()
        before = {path: text for path, text in problem.bench.items() if path not in problem.behind}
        after = {path: text for path, text in problem.bench.items() if path in problem.behind}
        files = {**before, _ANSWER: answer, **after}
        for path, content in {**problem.data, **files}.items():
            (root / path).write_bytes(content)
        design = Design(toplevel=problem.toplevel, sources=tuple(Path(path) for path in files))
        bench = VerilogTestbench(
            name=problem.name, design=design, timeout_s=_TIMEOUT_S, pass_pattern=problem.pass_pattern
        )
        if engine == "icarus":
            run = run_icarus(bench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
            if run is not None:
                return run
        return run_verilator(bench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)[0]


def _fault(problem: Problem, engine: Engine, toolchain: Toolchain, cancel: CancelToken) -> str:
    golden = scored(problem, problem.golden, engine, toolchain, cancel)
    if not golden.passed:
        return f"the reference fails its own testbench ({golden.reason})"
    interface = interface_of(problem.golden, problem.answer)
    if interface is None:
        return ""
    for text, what in ((_empty(interface), "does nothing"), (_broken(problem, interface), "is wrong everywhere")):
        if scored(problem, text + problem.given, engine, toolchain, cancel).passed:
            return f"a module that {what} passes the testbench"
    return ""


def _empty(interface: Interface) -> bytes:
    return f"{interface.header()}\nendmodule\n".encode()


def _broken(problem: Problem, interface: Interface) -> bytes:
    """The reference behind a module that turns every output bit round."""
    inner = f"{interface.toplevel}_inner"
    golden = re.sub(rb"\b" + problem.answer.encode() + rb"\b", inner.encode(), problem.golden)
    wires = "".join(
        f"  wire [{port.msb}:{port.lsb}] inner_{port.name};\n  assign {port.name} = ~inner_{port.name};\n"
        for port in interface.outputs
    )
    connections = [f".{port.name}({port.name})" for port in interface.inputs]
    connections += [f".{port.name}(inner_{port.name})" for port in interface.outputs]
    text = f"{interface.header()}\n{wires}  {inner} u_inner ({', '.join(connections)});\nendmodule\n\n"
    return text.encode() + golden


def counted(kinds: Iterable[str]) -> Mapping[str, int]:
    """How often each kind occurs, sorted by name."""
    found: dict[str, int] = {}
    for kind in sorted(kinds):
        found[kind] = found.get(kind, 0) + 1
    return found
