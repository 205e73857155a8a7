"""Does an answer pass its problem's testbench? The harness is tried first, so that its faults are nobody else's."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from veriloop.assistant.bench.problems import Problem
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.verify.simulation import run_icarus, run_verilator
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_ANSWER = "answer.sv"
_TIMEOUT_S = 20.0


def passes(problem: Problem, answer: bytes, *, toolchain: Toolchain, cancel: CancelToken) -> bool:
    """Whether the testbench counts no mismatch; by Icarus, for which the sets were written, where it is installed."""
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        root = Path(name)
        scratch = root / "scratch"
        scratch.mkdir()
        files = {**problem.bench, _ANSWER: answer}
        for path, content in files.items():
            (root / path).write_bytes(content)
        design = Design(toplevel="tb", sources=tuple(Path(path) for path in files))
        bench = VerilogTestbench(name=problem.name, design=design, timeout_s=_TIMEOUT_S)
        run = run_icarus(bench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
        if run is not None:
            return run.passed
        return run_verilator(bench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)[0].passed


def harness_fault(problem: Problem, *, toolchain: Toolchain, cancel: CancelToken) -> str:
    """Why a problem cannot be scored: its reference fails, or an empty module passes; empty if it can."""
    if not passes(problem, problem.golden, toolchain=toolchain, cancel=cancel):
        return "the reference fails its own testbench"
    empty = _empty(problem)
    if empty is not None and passes(problem, empty, toolchain=toolchain, cancel=cancel):
        return "a module that does nothing passes the testbench"
    return ""


def _empty(problem: Problem) -> bytes | None:
    interface = read_interface("", header=problem.golden.decode("utf-8", errors="replace"))
    if interface is None:
        return None
    return f"module {interface.toplevel} (\n{_joined(map(str, interface.ports))}\n);\nendmodule\n".encode()


def _joined(ports: Iterable[str]) -> str:
    return ",\n".join(f"  {port}" for port in ports)


def counted(kinds: Iterable[str]) -> Mapping[str, int]:
    """How often each kind occurs, sorted by name."""
    found: dict[str, int] = {}
    for kind in sorted(kinds):
        found[kind] = found.get(kind, 0) + 1
    return found
