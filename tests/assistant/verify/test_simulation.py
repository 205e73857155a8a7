"""Testbenches from their start states, and what the runs come to together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import conclude, run_testbench
from veriloop.assistant.verify.testbench import CommandTest, TraceTestbench, VerilogTestbench

pytestmark = pytest.mark.needs("verilator", "c++")

COUNTER = """\
module counter(input clk, input rst, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else q <= q + 1;
endmodule
"""
BENCH = """\
module tb;
  reg clk = 0, rst = 1;
  wire [3:0] q;
  counter dut(.clk(clk), .rst(rst), .q(q));
  always #5 clk = ~clk;
  initial begin
    #22 rst = 0;
    #50;
    if (q === 4'd5) $display("TEST PASSED"); else $display("FAILED: q is %d", q);
    $finish;
  end
endmodule
"""


@pytest.fixture
def bench(write):
    """A self-checking testbench of a counter."""

    def bench(dut: str = COUNTER, tb: str = BENCH, **more: Any) -> VerilogTestbench:
        sources = (write("rtl/counter.v", dut), write("tb/tb.v", tb))
        return VerilogTestbench(name="tb", design=Design(toplevel="tb", sources=sources), **more)

    return bench


@pytest.fixture
def judge(root, scratch):
    """All runs of a testbench and their conclusion."""

    def judge(testbench, tools):
        results = run_testbench(testbench, root=root, scratch=scratch, toolchain=tools, cancel=CancelToken())
        assert not list(scratch.iterdir())
        return results, conclude(testbench, results, root=root)

    return judge


def outcomes(results) -> dict[str, str]:
    return {run.start: run.outcome.value for run in results}


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("head", ["", "`timescale 1ns/1ps\n"])
def test_a_file_without_a_timescale_has_the_same_one_in_every_simulator(bench, judge, tools, head):
    late = "module late(input a, output reg y);\n  initial y = 0;\n  always @(a) #3 y = a;\nendmodule\n"
    tb = """\
module tb;
  reg a = 0;
  wire y;
  reg [8*20:1] now;
  reg good;
  late dut(.a(a), .y(y));
  initial begin
    #10 a = 1;
    #2 good = y !== 1;
    #2 good = good && y === 1;
    $sformat(now, "%0t", $time);
    if (good && now == "WHEN") $display("TEST PASSED"); else $display("FAILED at %0s", now);
    $finish;
  end
endmodule
"""
    results, conclusion = judge(bench(late, head + tb.replace("WHEN", "14000" if head else "14")), tools)
    assert outcomes(results) == {"zeros": "pass", "ones": "pass", "random 1": "pass", "x": "pass"}
    assert conclusion.passed


@pytest.mark.needs("iverilog")
def test_a_good_design_passes_everywhere(bench, judge, tools):
    results, conclusion = judge(bench(), tools)
    assert outcomes(results) == {"zeros": "pass", "ones": "pass", "random 1": "pass", "x": "pass"}
    assert conclusion.passed
    assert (conclusion.evidence, conclusion.notes) == (Evidence.TESTS, ())


def test_a_wrong_design_fails_from_every_start_state(bench, judge, verilator_alone):
    results, conclusion = judge(bench(COUNTER.replace("q + 1", "q + 2")), verilator_alone)
    assert {run.outcome for run in results} == {Outcome.FAIL}
    assert results[0].reason == "FAILED: q is 10"
    assert "q" in results[0].failing
    assert (conclusion.passed, conclusion.evidence) == (False, Evidence.NONE)


def test_a_missing_reset_is_caught_by_the_start_states(bench, judge, verilator_alone):
    # From zeros it passes: two clock edges more, and the reset does nothing.
    late = BENCH.replace("#22 rst = 0;\n    #50", "rst = 0;\n    #52")
    results, conclusion = judge(bench(COUNTER.replace("if (rst) q <= 0; else ", ""), late), verilator_alone)
    assert outcomes(results) == {"zeros": "pass", "ones": "fail", "random 1": "fail"}
    assert not conclusion.passed


@pytest.mark.needs("iverilog")
def test_a_random_state_alone_is_excused_by_the_four_state_run(bench, judge, tools):
    twins = "reg [7:0] a, b; always @(posedge clk) {a, b} <= {a, b}; wire same = a == b;\nendmodule"
    tb = BENCH.replace("q === 4'd5", "dut.same !== 1'b0")
    testbench = bench(COUNTER.replace("endmodule", twins), tb)
    results, conclusion = judge(testbench, tools)
    assert outcomes(results) == {"zeros": "pass", "ones": "pass", "random 1": "fail", "x": "pass"}
    assert conclusion.passed
    assert conclusion.notes == ("from start state random 1: FAILED: q is  5, where a four-state run passes",)
    alone = conclude(testbench, results[:3], root=Path())
    assert not alone.passed


@pytest.mark.needs("iverilog")
def test_a_four_state_run_that_fails_blocks_a_self_checking_testbench(bench, judge, tools):
    tb = BENCH.replace("#22 rst", 'if (^dut.q === 1\'bx) $display("FAILED: q is x");\n    #22 rst')
    results, conclusion = judge(bench(tb=tb), tools)
    assert outcomes(results)["x"] == "fail"
    assert not conclusion.passed
    assert conclusion.notes[0].startswith("Icarus (four-state) disagrees: FAILED: q is x")


@pytest.mark.needs("iverilog")
def test_a_testbench_that_only_icarus_takes_is_a_class_of_its_own(bench, judge, tools):
    tb = BENCH.replace(
        "reg clk = 0, rst = 1;", "reg clk = 0, rst = 1;\n  wire left, right; tranif1 joint(left, right, rst);\n"
    )
    results, conclusion = judge(bench(tb=tb), tools)
    assert outcomes(results) == {"": "compile_error", "x": "pass"}
    assert conclusion.passed
    assert conclusion.evidence is Evidence.TESTS_ICARUS
    assert conclusion.notes == ("Verilator does not take this testbench: judged by Icarus alone",)


@pytest.mark.needs("iverilog")
def test_a_testbench_that_icarus_does_not_take_is_judged_by_verilator(bench, judge, tools):
    dut = COUNTER.replace(
        "endmodule",
        "  int queue[$]; always_comb begin queue = {1, 2}; end\n"
        "  class thing; rand int x; constraint c { x > 3; } endclass\nendmodule",
    )
    results, conclusion = judge(bench(dut), tools)
    assert outcomes(results)["x"] == "compile_error"
    assert conclusion.passed
    assert "does not take the files" in conclusion.notes[0]


def test_a_design_that_nobody_takes_is_a_compile_error(bench, judge, tools):
    results, conclusion = judge(bench(COUNTER.replace("q + 1", "q +")), tools)
    assert {run.outcome for run in results} == {Outcome.COMPILE_ERROR}
    assert results[0].diagnostics
    assert not conclusion.passed


@pytest.mark.parametrize(
    ("tb", "more", "outcome", "reason"),
    [
        (
            BENCH.replace("    if", '    $display("assert (q)"); // assert (rst) '),
            {},
            Outcome.FAIL,
            "neither pass nor fail",
        ),
        (BENCH.replace("    if", "    //"), {"pass_pattern": "bye"}, Outcome.FAIL, "no match of 'bye'"),
        (BENCH, {"pass_pattern": "^TEST PASSED$"}, Outcome.PASS, "a match"),
        (BENCH, {"fail_pattern": "PASSED"}, Outcome.FAIL, "'PASSED'"),
        (BENCH.replace("    if", "    assert (q == 5); //"), {}, Outcome.PASS, "no $error"),
        (BENCH.replace("    if", "    assert (q == 6); //"), {}, Outcome.FAIL, "Assertion failed"),
        (BENCH.replace("$finish;", "$fatal(1);"), {}, Outcome.FAIL, "%Fatal"),
        (BENCH.replace("    #50;", "    forever #1;"), {"timeout_s": 1.0}, Outcome.TIMEOUT, "did not end within 1 s"),
        (
            BENCH.replace("    if", '    if ($test$plusargs("no")) $display("FAILED"); else if'),
            {"plusargs": ("+no",)},
            Outcome.FAIL,
            "FAILED",
        ),
    ],
)
def test_how_a_testbench_says_it(bench, judge, verilator_alone, tb, more, outcome, reason):
    results, conclusion = judge(bench(tb=tb, **more), verilator_alone)
    assert results[0].outcome is outcome
    assert reason in results[0].reason
    assert conclusion.passed is (outcome is Outcome.PASS)


def test_a_check_of_a_parameter_does_not_make_silence_a_pass(bench, judge, verilator_alone):
    checked = COUNTER.replace(
        "  always", '  parameter W = 4;\n  initial begin $display(W); assert (W > 1) else $error("W"); end\n  always'
    )
    results, _ = judge(bench(checked, BENCH.replace("    if", "    //")), verilator_alone)
    assert "neither pass nor fail" in results[0].reason


TRACE = """\
module tb;
  reg clk = 0, rst = 1;
  wire [3:0] q;
  counter dut(.clk(clk), .rst(rst), .q(q));
  always #5 clk = ~clk;
  integer file;
  initial begin
    file = $fopen("out.txt");
    $fwrite(file, "time,q\\n");
    #2 rst = 1; #10 rst = 0;
    repeat (4) begin #10 $fwrite(file, "%0d,%b\\n", $time, q); end
    $finish;
  end
endmodule
"""


@pytest.fixture
def trace(write):
    def trace(oracle: str, dut: str = COUNTER, tb: str = TRACE) -> TraceTestbench:
        design = Design(toplevel="tb", sources=(write("counter.v", dut), write("tb.v", tb)))
        return TraceTestbench(name="tb", design=design, oracle=write("oracle.txt", oracle), output="out.txt")

    return trace


ROWS = "time,q\n22,0001\n32,0010\n42,0011\n52,0100\n"


@pytest.mark.needs("iverilog")
def test_a_trace_is_met_or_not(trace, judge, tools):
    results, conclusion = judge(trace(ROWS), tools)
    assert {(run.outcome, run.checks, run.failures) for run in results} == {(Outcome.PASS, 4, 0)}
    assert conclusion.evidence is Evidence.TESTS
    results, conclusion = judge(trace(ROWS.replace("0011", "0111")), tools)
    assert {(run.outcome, run.checks, run.failures, run.failing) for run in results} == {(Outcome.FAIL, 4, 1, ("q",))}
    assert not conclusion.passed


def test_what_an_earlier_run_wrote_is_not_taken_for_this_runs(trace, judge, write, verilator_alone):
    testbench = trace(ROWS, tb=TRACE.replace("out.txt", "elsewhere.txt"))
    write("out.txt", ROWS)
    results, _ = judge(testbench, verilator_alone)
    assert results[0].failures == 4


def test_an_oracle_of_unknowns_is_refused(trace, judge, verilator_alone):
    with pytest.raises(UsageError, match="expects nothing"):
        judge(trace("time,q\n22,xxxx\n"), verilator_alone)


@pytest.mark.needs("iverilog")
def test_a_vcd_of_one_simulator_is_an_oracle_for_the_other(write, root, judge, tools):
    tb = BENCH.replace("initial begin", 'initial begin $dumpfile("out.vcd"); $dumpvars(0, tb);', 1)
    design = Design(toplevel="tb", sources=(write("counter.v", COUNTER), write("tb.v", tb)))
    cancel = CancelToken()
    tools.icarus.build(design.rooted(root), root / "sim.vvp", cwd=root, cancel=cancel)
    tools.icarus.simulate(root / "sim.vvp", cwd=root, timeout_s=20, plusargs=(), cancel=cancel)
    (root / "out.vcd").rename(root / "oracle.vcd")
    testbench = TraceTestbench(name="tb", design=design, oracle=Path("oracle.vcd"), output="out.vcd")
    results, conclusion = judge(testbench, tools)
    assert {run.outcome for run in results} == {Outcome.PASS}, results[0].mismatches
    write("counter.v", COUNTER.replace("q + 1", "q + 3"))
    results, conclusion = judge(testbench, tools)
    assert {run.failing for run in results} == {("q",)}
    assert not conclusion.passed


def test_a_command_is_one_run(root, judge, verilator_alone):
    results, conclusion = judge(CommandTest(name="test", command="echo TEST PASSED"), verilator_alone)
    assert (len(results), conclusion.passed, conclusion.evidence) == (1, True, Evidence.TESTS)


def test_no_runs_are_no_pass(bench):
    for testbench in (bench(), CommandTest(name="test", command="true")):
        assert not conclude(testbench, (), root=Path()).passed
    four_state = SimResult(outcome=Outcome.PASS, engine="icarus", start="x")
    assert not conclude(bench(), (four_state,), root=Path()).passed


@pytest.mark.needs("iverilog")
def test_a_base_is_run_until_it_is_red(write, root, tools):
    tb = BENCH
    design = Design(toplevel="tb", sources=(write("counter.v", COUNTER.replace("q + 1", "q + 3")), write("tb.v", tb)))
    testbench = VerilogTestbench(name="tb", design=design)
    arguments = {"root": root, "scratch": root, "toolchain": tools, "cancel": CancelToken()}
    runs = run_testbench(testbench, **arguments, until_red=True)
    assert [run.engine for run in runs] == ["icarus"]
    assert not conclude(testbench, runs, root=root).passed
    write("counter.v", COUNTER)
    runs = run_testbench(testbench, **arguments, until_red=True)
    assert [run.engine for run in runs] == ["verilator"] * 3 + ["icarus"]


@pytest.mark.needs("iverilog")
def test_a_judge_of_itself_writes_no_waves(write, root, tools):
    tb = BENCH.replace("initial begin", 'initial begin $dumpfile("out.vcd"); $dumpvars(0, tb);', 1)
    design = Design(toplevel="tb", sources=(write("counter.v", COUNTER), write("tb.v", tb)))
    testbench = VerilogTestbench(name="tb", design=design)
    runs = run_testbench(testbench, root=root, scratch=root, toolchain=tools, cancel=CancelToken())
    assert all(run.passed for run in runs)
    assert not (root / "out.vcd").exists()
