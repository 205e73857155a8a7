"""cocotb tests, really run on Verilator and, where it is installed, on Icarus."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
from pathlib import Path

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.cocotb import Cocotb, run_cocotb
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.simulation import conclude, run_testbench
from veriloop.assistant.verify.testbench import CocotbTestbench

pytestmark = pytest.mark.needs("cocotb", "c++", "verilator")

COUNTER = """\
    `timescale 1ns/1ps
    module counter #(parameter STEP = 1) (input logic clk, input logic rst, output logic [3:0] q, output logic [3:0] r);
      always_ff @(posedge clk) if (rst) q <= 0; else q <= q + STEP[3:0];
      always_ff @(posedge clk) if (rst) r <= 0; else r <= q;
      final $display("the design's time is %0t", $time);
    endmodule
"""
TESTS = """\
    import random

    import cocotb
    from cocotb.clock import Clock
    from cocotb.triggers import RisingEdge, Timer
    from cocotb.utils import get_sim_time

    async def start(dut):
        cocotb.start_soon(Clock(dut.clk, 10, unit="ns").start())
        dut.rst.value = 1
        await RisingEdge(dut.clk)
        await RisingEdge(dut.clk)
        dut.rst.value = 0

    @cocotb.test()
    async def counts(dut):
        await start(dut)
        for _ in range(5):
            await RisingEdge(dut.clk)
        await Timer(1, "ns")
        assert dut.q.value == 5, f"q is {dut.q.value}"
        assert get_sim_time("ns") == 61

    @cocotb.test()
    async def follows(dut):
        await start(dut)
        for _ in range(5):
            await RisingEdge(dut.clk)
        await Timer(1, "ns")
        assert dut.r.value == 4
        print("random", random.random())

    @cocotb.test(skip=True)
    async def skipped(dut):
        assert False
"""


@pytest.fixture
def counter(write) -> CocotbTestbench:
    """A counter that passes two tests; a third is skipped."""
    write("tb/test_counter.py", TESTS)
    design = Design(toplevel="counter", sources=(write("rtl/counter.sv", COUNTER),))
    return CocotbTestbench(name="counter", design=design, module="test_counter", search_path=(Path("tb"),))


def run(testbench, root, scratch, tools):
    return run_cocotb(testbench, root=root, scratch=scratch, toolchain=tools, cancel=CancelToken())


@pytest.mark.needs("iverilog")
def test_a_good_design_passes_from_every_start_state(counter, root, scratch, tools):
    results = run_testbench(counter, root=root, scratch=scratch, toolchain=tools, cancel=CancelToken())
    starts = [(result.engine, result.start) for result in results]
    assert starts == [("verilator", "zeros"), ("verilator", "ones"), ("verilator", "random 1"), ("icarus", "x")]
    for result in results:
        assert (result.outcome, result.passing) == (Outcome.PASS, ("counts", "follows")), result.log_tail
        assert (result.checks, result.failures, result.failing) == (2, 0, ())
        assert result.reason == "2 of 2 tests passed (COCOTB_RANDOM_SEED=1)"
    assert conclude(counter, results, root=root).evidence is Evidence.TESTS
    assert not list(scratch.iterdir())
    assert sorted(path.name for path in root.rglob("*") if path.is_file()) == ["counter.sv", "test_counter.py"]


def test_a_failing_test_is_named_with_its_reason_and_the_signals(counter, root, scratch, write, verilator_alone):
    write("rtl/counter.sv", COUNTER.replace("r <= q;", "r <= q + 1;"))
    results = run(counter, root, scratch, verilator_alone)
    assert len(results) == 3
    for result in results:
        assert (result.outcome, result.checks, result.failures) == (Outcome.FAIL, 2, 1)
        assert result.passing == ("counts",)
        assert result.failing[0] == "follows"
        assert "r" in result.failing
        assert "1 of 2 tests failed, follows: AssertionError" in result.reason
        assert result.score == 0.5
    assert not conclude(counter, results, root=root).passed


def test_a_bare_assertion_is_run_again_for_what_it_compared(counter, root, scratch, write, verilator_alone):
    write("rtl/counter.sv", COUNTER.replace("r <= q;", "r <= q + 1;"))
    first, *others = run(counter, root, scratch, verilator_alone)
    assert "follows: AssertionError: assert LogicArray('0101'" in first.reason
    assert all("follows: AssertionError: assert dut.r.value == 4 (" in result.reason for result in others)
    write("tb/test_counter.py", TESTS.replace("assert dut.r.value == 4", "assert dut.r.value == 4, 'r is late'"))
    assert "follows: AssertionError: r is late" in run(counter, root, scratch, verilator_alone)[0].reason


def test_a_search_stops_at_the_first_failure(counter, root, scratch, write, tools):
    write("rtl/counter.sv", COUNTER.replace("r <= q;", "r <= q + 1;"))
    common = {"root": root, "scratch": scratch, "toolchain": tools, "cancel": CancelToken()}
    (result,) = run_cocotb(counter, **common, until_red=True)
    assert (result.start, result.outcome) == ("zeros", Outcome.FAIL)
    assert "follows: AssertionError: assert dut.r.value == 4 (" in result.reason


def test_the_designs_time_in_ps_is_cocotbs(counter, root, scratch, verilator_alone):
    zeros = run(counter, root, scratch, verilator_alone)[0]
    assert "the design's time is 132000" in zeros.log_tail


def test_the_seed_is_fixed(counter, root, scratch, verilator_alone):
    runs = run(counter, root, scratch, verilator_alone)
    lines = {line for result in runs for line in result.log_tail.splitlines() if line.startswith("random ")}
    assert len(lines) == 1


def test_a_missing_reset_fails_from_ones(counter, root, scratch, write, verilator_alone):
    write("rtl/counter.sv", COUNTER.replace("if (rst) q <= 0; else q <=", "q <="))
    write("tb/test_counter.py", TESTS.replace("assert dut.r.value == 4", "pass").replace("== 5", "== 7"))
    by_start = {result.start: result.outcome for result in run(counter, root, scratch, verilator_alone)}
    assert by_start == {"zeros": Outcome.PASS, "ones": Outcome.FAIL, "random 1": Outcome.FAIL}


def test_parameters_defines_and_includes_reach_the_design(root, scratch, write, verilator_alone):
    write("inc/step.vh", "localparam [3:0] MORE = `MORE;\n")
    design = COUNTER.replace("STEP[3:0]", "STEP[3:0] + MORE").replace(
        "output logic [3:0] r);", 'output logic [3:0] r);\n`include "step.vh"'
    )
    write("tb/test_counter.py", TESTS.replace("== 5", "== 15 - 0").replace("== 4", "== 12"))
    bench = CocotbTestbench(
        name="counter",
        design=Design(
            toplevel="counter",
            sources=(write("rtl/counter.sv", design),),
            include_dirs=(Path("inc"),),
            defines=(("MORE", "1"),),
            parameters=(("STEP", "2"),),
        ),
        module="test_counter",
        search_path=(Path("tb"),),
    )
    assert [result.reason for result in run(bench, root, scratch, verilator_alone) if not result.passed] == []


def test_inputs_start_at_zero_from_every_start_state(root, scratch, write, verilator_alone):
    ports = "input clk, input [69:0] wide, input [2:0] list [0:1], inout pad, input signed [40:0] mid"
    write(
        "test_ports.py",
        "import cocotb\nfrom cocotb.triggers import Timer\n\n@cocotb.test()\nasync def quiet(dut):\n"
        "    await Timer(1, 'ns')\n    assert not any(int(port.value) for port in (dut.wide, dut.mid, dut.pad))\n",
    )
    design = Design(toplevel="ports", sources=(write("ports.sv", f"module ports({ports}); endmodule\n"),))
    bench = CocotbTestbench(name="ports", design=design, module="test_ports")
    assert [result.reason for result in run(bench, root, scratch, verilator_alone) if not result.passed] == []


@pytest.mark.parametrize(
    ("module", "message", "hint"),
    [
        ("import numpi_of_old\n", "No module named 'numpi_of_old'", "install the package that holds 'numpi_of_old'"),
        ("import cocotb\n", "No tests were discovered", "by hand"),
        ("def (\n", "SyntaxError", "by hand"),
    ],
)
def test_no_test_collected_is_not_the_designs_fault(counter, root, scratch, write, tools, module, message, hint):
    write("tb/test_counter.py", module)
    with pytest.raises(ToolFailed, match=message) as caught:
        run(counter, root, scratch, tools)
    assert hint in caught.value.hint
    assert "Traceback" in caught.value.output


def test_an_import_inside_a_test_fails_that_test(counter, root, scratch, write, verilator_alone):
    write("tb/test_counter.py", TESTS.replace("        assert dut.r.value == 4", "        import numpi_of_old"))
    result = run(counter, root, scratch, verilator_alone)[0]
    assert (result.passing, result.failing[0]) == (("counts",), "follows")
    assert "No module named 'numpi_of_old'" in result.reason


def test_a_hang_is_a_timeout_and_ends_the_series(counter, root, scratch, write, tools):
    write("tb/test_counter.py", TESTS.replace("        await start(dut)", "        while True: await Timer(1, 'ns')"))
    bench = dataclasses.replace(counter, timeout_s=2.0)
    (result,) = run(bench, root, scratch, tools)
    assert (result.outcome, result.start) == (Outcome.TIMEOUT, "zeros")
    assert "did not end within 2 s" in result.reason


def test_a_design_that_ends_the_simulation_fails(counter, root, scratch, write, verilator_alone):
    write("rtl/counter.sv", COUNTER.replace("final", 'always @(posedge clk) if (q == 3) $fatal(1, "gave up");\nfinal'))
    for result in run(counter, root, scratch, verilator_alone):
        assert result.outcome is Outcome.FAIL
        assert "counts" in result.failing


def test_a_design_that_verilator_rejects_is_a_compile_error(counter, root, scratch, write, verilator_alone):
    write("rtl/counter.sv", COUNTER.replace("q <= q +", "q <= missing +"))
    (result,) = run(counter, root, scratch, verilator_alone)
    assert result.outcome is Outcome.COMPILE_ERROR
    assert "missing" in result.diagnostics[0].message


@pytest.mark.needs("iverilog")
def test_a_random_start_that_alone_fails_is_excused_by_the_four_state_run(counter, root, scratch, write, tools):
    twins = "logic [7:0] a, b; always_ff @(posedge clk) {a, b} <= {a, b}; wire same = a == b;\nfinal"
    write("rtl/counter.sv", COUNTER.replace("final", twins))
    write("tb/test_counter.py", TESTS.replace("assert dut.r.value == 4", "assert str(dut.same.value) in '1X'"))
    results = run(counter, root, scratch, tools)
    outcomes = {result.start: result.outcome for result in results}
    assert outcomes == {
        "zeros": Outcome.PASS,
        "ones": Outcome.PASS,
        "random 1": Outcome.FAIL,
        "x": Outcome.PASS,
    }
    conclusion = conclude(counter, results, root=root)
    assert conclusion.passed
    assert "where a four-state run passes" in conclusion.notes[0]
    without = conclude(counter, results[:3], root=root)
    assert not without.passed


def test_cocotb_missing_or_too_old_is_said_with_the_command(monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.9.2")
    with pytest.raises(ToolNotFound, match=r"cocotb 1\.9\.2 is installed; 2\.1 or later"):
        Cocotb.find()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolNotFound, match="cocotb is not installed") as caught:
        Cocotb.find()
    assert caught.value.hint == "pip install 'veriloop[cocotb]'"
