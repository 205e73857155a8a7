"""What a verdict costs at the doors: cocotb's edit to verdict, a verdict that is known, a check of nothing new."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from veriloop.assistant.bench.loop_designs import own_designs
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.execute import cpu_seconds, execute
from veriloop.assistant.gate import Gate
from veriloop.assistant.repository.create import create
from veriloop.assistant.verify.cache import VerdictCache
from veriloop.assistant.verify.cocotb import run_cocotb
from veriloop.assistant.verify.testbench import CocotbTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verdict_key import verdict_key
from veriloop.assistant.verify.verilator import START_STATES

_TIMEOUT_S = 300.0
_MODULES, _MODULE_LINES = 200, 50
_REPEATS = 5

_COUNTER = """\
module counter (input clk, input rst, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else q <= q + 1;
endmodule
"""
_TEST = """\
import cocotb
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

@cocotb.test()
async def counts(dut):
    Clock(dut.clk, 10, unit="ns").start()
    dut.rst.value = 1
    await RisingEdge(dut.clk)
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    await Timer(101, "ns")
    assert dut.q.value == 10 or dut.q.value == 9
"""
_RUNNER = """\
import sys
from cocotb_tools.runner import get_runner
runner = get_runner("verilator")
runner.build(sources=["counter.v"], hdl_toplevel="counter", build_dir="build", always=True)
runner.test(hdl_toplevel="counter", test_module="test_counter", build_dir="build", results_xml="results.xml")
"""


def measure(toolchain: Toolchain, cancel: CancelToken) -> Run[dict[str, float | None]]:
    """The three figures; none for one whose tool is missing."""
    yield Note("cocotb: edit to verdict")
    try:
        ratio, verdict_ratio = cocotb_ratios(toolchain, cancel)
        yield Note(
            f"cocotb: a verdict from all start states costs {verdict_ratio} times less than its own runner's one run"
        )
    except (ToolNotFound, ToolFailed) as error:
        yield Note(f"cocotb: {error.message}")
        ratio = None
    yield Note("a verdict from the cache")
    known_ms = cached_verdict_ms(toolchain, cancel)
    yield Note("a check with nothing changed")
    return {
        "cocotb_rebuild_ratio": ratio,
        "cached_verdict_ms": known_ms,
        "unchanged_check_s": unchanged_check_s(cancel),
    }


def cocotb_ratios(toolchain: Toolchain, cancel: CancelToken) -> tuple[float, float]:
    """CPU of cocotb's own runner, from an edit to its verdict, against ours; all have built before.

    The first ratio is of like work: a build, and a run from one start state. The second is against a whole verdict of
    ours: a run from each start state, and a four-state run where there is Icarus.

    Raises:
        ToolFailed: cocotb's runner does not pass.
        ToolNotFound: cocotb, or what its runner needs, is missing.
    """
    with tempfile.TemporaryDirectory(prefix="veriloop-loop-") as name:
        root, scratch = Path(name, "tree"), Path(name, "scratch")
        root.mkdir()
        scratch.mkdir()
        (root / "test_counter.py").write_text(_TEST)
        (root / "run.py").write_text(_RUNNER)
        programs = Path(name, "bin")
        programs.mkdir()
        (programs / "verilator").symlink_to(toolchain.verilator.root / "bin" / "verilator")
        env = {
            "VERILATOR_ROOT": str(toolchain.verilator.root),
            "PATH": f"{programs}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        testbench = CocotbTestbench(
            name="counts", design=Design(toplevel="counter", sources=(Path("counter.v"),)), module="test_counter"
        )
        spent: list[tuple[float, float, float]] = []
        for number in range(1 + _REPEATS):
            (root / "counter.v").write_text(_COUNTER.replace("q + 1", f"q + 4'd{number + 1} - 4'd{number}"))
            theirs_s = spent[-1][0] if number > 1 else _runner_s(root, env, cancel)
            like_s, whole_s = (
                _ours_s(testbench, starts, root, scratch, toolchain, cancel)
                for starts in (START_STATES[:1], START_STATES)
            )
            spent.append((theirs_s, like_s, whole_s))
        theirs_s, like_s, whole_s = (statistics.median(each) for each in zip(*spent[1:], strict=True))
        return round(theirs_s / like_s, 2), round(theirs_s / whole_s, 2)


def _runner_s(root: Path, env: Mapping[str, str], cancel: CancelToken) -> float:
    before_s = cpu_seconds()
    done = execute([sys.executable, "run.py"], cwd=root, timeout_s=_TIMEOUT_S, cancel=cancel, env=env)
    if not done.ok:
        raise ToolFailed("cocotb's own runner does not pass", output=done.output[-2000:])
    return cpu_seconds() - before_s


def _ours_s(
    testbench: CocotbTestbench,
    starts: Sequence[tuple[int, str]],
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> float:
    before_s = cpu_seconds()
    whole = len(starts) > 1
    runs = run_cocotb(
        testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel, starts=starts, four_state=whole
    )
    if not all(run.passed for run in runs):
        raise ToolFailed("the counter does not pass its cocotb test", output=runs[0].log_tail)
    return cpu_seconds() - before_s


def cached_verdict_ms(toolchain: Toolchain, cancel: CancelToken) -> float:
    """Milliseconds from a tree that was judged before to its verdict: the tree's id, the key and the entry."""
    design = own_designs()[0]
    with tempfile.TemporaryDirectory(prefix="veriloop-loop-") as name:
        repository = create(Path(name, "repository"), design.files, cache=Path(name, "cache"))
        cache = VerdictCache(Path(name, "verdicts"))
        gate = Gate(repository=repository, toolchain=toolchain, cache=cache, cancel=cancel)
        for _ in gate.baseline(repository.snapshot(), [design.testbench]):
            pass
        took = []
        for _ in range(_REPEATS):
            started = time.perf_counter()
            key = verdict_key(
                design.testbench, root=repository.root, tree=repository.snapshot(), tools=toolchain.versions
            )
            if key is None or cache.get(key) is None:
                raise ToolFailed("a verdict that was just reached is not known")
            took.append(time.perf_counter() - started)
        return round(1000 * min(took), 2)


def unchanged_check_s(cancel: CancelToken) -> float:
    """Seconds of `veriloop check` in a repository of 10,000 lines in which nothing has changed since the last one."""
    body = "".join(f"  wire [7:0] w{line} = a + 8'd{line};\n" for line in range(_MODULE_LINES - 4))
    files = {
        f"rtl/unit{index}.v": f"module unit{index} (input [7:0] a, output [7:0] y);\n{body}"
        f"  assign y = w0 ^ w1;\nendmodule\n\n".encode()
        for index in range(_MODULES)
    }
    with tempfile.TemporaryDirectory(prefix="veriloop-loop-") as name:
        create(Path(name, "repository"), files, cache=Path(name, "cache"))
        env = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "XDG_CACHE_HOME": str(Path(name, "cache"))}
        took = []
        for _ in range(_REPEATS):
            words = [sys.executable, "-m", "veriloop.assistant.cli.main", "check"]
            done = execute(words, cwd=Path(name, "repository"), timeout_s=_TIMEOUT_S, cancel=cancel, env=env)
            if not done.ok:
                raise ToolFailed("`veriloop check` fails where nothing is changed", output=done.output[-2000:])
            took.append(done.wall_s)
        return round(min(took[1:]), 3)
