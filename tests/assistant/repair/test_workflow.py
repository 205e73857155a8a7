"""The first road: a failing test goes in, a verified change comes out, or an honest answer why not."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.assistant.repair.conftest import COUNTER, COUNTER_TB
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import Cancelled, NotVerified, StaleTree, UsageError
from veriloop.assistant.events import CancelToken, Note, Tried, finish
from veriloop.assistant.gate import apply
from veriloop.assistant.repair.workflow import Request, Status, repair
from veriloop.assistant.repository.undo import undo
from veriloop.assistant.verify.evidence import Evidence
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.testbench import CommandTest, TraceTestbench, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "git")

RTL, TB = "rtl/counter.v", "tb/counter_tb.v"
DESIGN = Design(toplevel="counter_tb", sources=(Path(RTL), Path(TB)))
BENCH = VerilogTestbench(name="counter", design=DESIGN, timeout_s=5)


def ask(clone, repository, toolchain, rtl, *, bench=BENCH, tb=COUNTER_TB, budget_s=240.0, cancel=None, observe=None):
    """Commits a design with its testbench and repairs it."""
    clone.commit({RTL: rtl, TB: tb})
    request = Request(testbench=bench, editable=(RTL,), budget_s=budget_s, jobs=2)
    run = repair(repository, toolchain, request, cancel=cancel or CancelToken())
    return finish(run, observe or (lambda event: None))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"q + 1", b"q + 2"),
        (b"if (!rst_n)", b"if (rst_n)"),
        (b"reg [3:0] q", b"reg [2:0] q"),
        (b"(q == TOP)", b"(q == en)"),
        (b"if (last) q <= 0;\n      else q", b"q"),
        (b"else q <= q + 1;", b"else q <= q + 1"),
        (b"assign last =", b"assign last <="),
    ],
)
def test_a_slip_is_repaired_and_verified(clone, repository, toolchain, right, wrong):
    rtl = COUNTER.replace(right, wrong)
    assert rtl != COUNTER
    result = ask(clone, repository, toolchain, rtl)
    assert result.status is Status.REPAIRED
    assert result.report.passed
    assert result.report.evidence is Evidence.TESTS
    starts = {run.start for step in result.report.steps for run in step.results}
    assert {"zeros", "ones", "x"} <= starts
    assert (clone.root / RTL).read_bytes() == rtl, "nothing is written before apply"


def test_two_slips_at_once(clone, repository, toolchain):
    result = ask(clone, repository, toolchain, COUNTER.replace(b"q + 1", b"q - 1").replace(b"TOP = 9", b"TOP = 8"))
    assert result.status is Status.REPAIRED
    assert len(result.operators) >= 2 or result.report.passed


MACHINE = b"""module machine (input clk, input rst, input w, output z);
  parameter A = 0, B = 1, C = 2, E = 8;
  reg [2:0] state, next;
  always @(posedge clk) if (rst) state <= A; else state <= next;
  always @(*)
    case (state)
      A: next = w ? B : A;
      B: next = w ? C : A;
      C: next = w ? E : A;
      E: next = w ? E : A;
      default: next = A;
    endcase
  assign z = state == E;
endmodule
"""
MACHINE_TB = b"""`timescale 1ns/1ps
module counter_tb;
  reg clk = 0, rst = 1, w = 0; wire z; integer bad = 0, n = 0, run = 0;
  machine dut (clk, rst, w, z);
  always #5 clk = ~clk;
  initial begin
    // Before the first edge an unknown is as good as a 0, but a 1 is not.
    #1 if (z === 1'b1) bad = bad + 1;
    @(negedge clk) rst = 0;
    for (n = 1; n < 200; n = n + 1) begin
      w = n % 7 != 0 && n % 11 != 5;
      run = w ? run + 1 : 0;
      @(negedge clk) if (z !== (run >= 3)) bad = bad + 1;
    end
    $display("Mismatches: %0d in %0d samples", bad, n);
    $finish;
  end
endmodule
"""


def test_what_the_gate_refuses_is_not_the_end_of_the_search(clone, repository, toolchain):
    # State 7 is right for Icarus, and wrong where Verilator starts from all ones.
    notes: list[object] = []
    result = ask(clone, repository, toolchain, MACHINE, tb=MACHINE_TB, observe=notes.append)
    assert result.status is Status.REPAIRED
    assert b"E = 7" not in result.contents[RTL]
    assert any(isinstance(note, Note) and "the gate refuses a candidate" in note.text for note in notes)
    assert result.plausible >= 2


SUM = b"""module counter(
  input clk, input rst, input vi, input [7:0] a, input [7:0] b, output reg vo, output reg [7:0] s
);
  always @(posedge clk)
    if (rst) begin vo <= 0; s <= 0; end
    else begin vo <= vi; s <= a + a; end
endmodule
"""
SUM_TB = b"""`timescale 1ns/1ps
module counter_tb;
  reg clk = 0, rst = 1, vi = 0; reg [7:0] a = 0, b = 0, want = 0; wire vo; wire [7:0] s; integer n, bad = 0;
  counter dut (clk, rst, vi, a, b, vo, s);
  always #5 clk = ~clk;
  initial begin
    repeat (2) @(negedge clk); rst = 0;
    for (n = 0; n < 60; n = n + 1) begin
      a = 7 * n; b = 13 * n + 1; vi = n % 3 != 1; want = a + b;
      // Nothing is compared where nothing is said to be valid; both are 0 once where something is.
      @(negedge clk) if (vo === 1 && s !== want) bad = bad + 1;
    end
    if (bad) $display("TEST FAILED"); else $display("TEST PASSED");
    $finish;
  end
endmodule
"""
SUM_COMMAND = "iverilog -g2012 -o sim.vvp rtl/counter.v tb/counter_tb.v && vvp -n sim.vvp"


@pytest.mark.parametrize("bench", [BENCH, CommandTest(name="sim", command=SUM_COMMAND)], ids=["testbench", "command"])
def test_a_change_that_hides_from_the_test_is_no_repair(clone, repository, toolchain, bench):
    notes: list[object] = []
    result = ask(clone, repository, toolchain, SUM, tb=SUM_TB, bench=bench, observe=notes.append)
    assert result.status is Status.REPAIRED
    assert b"s <= a + b" in result.contents[RTL] or b"s <= b + a" in result.contents[RTL]
    hidden = [note.text for note in notes if isinstance(note, Note) and "never move" in note.text]
    assert any("condition negated" in text and "vo" in text for text in hidden)


def test_a_change_that_hides_is_offered_where_nothing_else_passes(clone, repository, toolchain):
    # The wrong value is made of what no single edit puts right.
    rtl = SUM.replace(b"a + a", b"{a[0], a[3:1], b[7:4]} ^ 8'h5a")
    result = ask(clone, repository, toolchain, rtl, tb=SUM_TB, budget_s=8.0)
    assert result.status is Status.REPAIRED
    assert result.stilled, result.diff


def test_apply_and_undo_are_byte_for_byte(clone, repository, toolchain):
    rtl = COUNTER.replace(b"q + 1", b"q + 2").replace(b"\n", b"\r\n").replace(b"counts", b"z\xe4hlt")
    result = ask(clone, repository, toolchain, rtl)
    assert result.status is Status.REPAIRED
    assert result.report is not None
    index = (clone.root / ".git/index").read_bytes()
    apply(repository, result.report)
    after = (clone.root / RTL).read_bytes()
    assert after.count(b"\r\n") == rtl.count(b"\r\n")
    assert sum(one != two for one, two in zip(after.split(b"\r\n"), rtl.split(b"\r\n"), strict=True)) == 1
    assert (clone.root / ".git/index").read_bytes() == index
    undo(repository)
    assert (clone.root / RTL).read_bytes() == rtl


def test_a_file_edited_while_the_search_ran_is_left_alone(clone, repository, toolchain):
    result = ask(clone, repository, toolchain, COUNTER.replace(b"q + 1", b"q + 2"))
    edited = COUNTER.replace(b"q + 1", b"q + 2") + b"// mine\n"
    (clone.root / RTL).write_bytes(edited)
    with pytest.raises(StaleTree):
        apply(repository, result.report)
    assert (clone.root / RTL).read_bytes() == edited


def test_uncommitted_edits_are_part_of_the_base(clone, repository, toolchain):
    clone.commit({RTL: COUNTER, TB: COUNTER_TB})
    (clone.root / RTL).write_bytes(COUNTER.replace(b"q + 1", b"q + 2"))
    request = Request(testbench=BENCH, editable=(RTL,), budget_s=30)
    result = finish(repair(repository, toolchain, request, cancel=CancelToken()))
    assert result.status is Status.REPAIRED
    assert result.report is not None
    apply(repository, result.report)
    assert clone.git("status", "--short").split() in ([], ["M", RTL])


def test_a_test_that_passes_leaves_nothing_to_repair(clone, repository, toolchain):
    result = ask(clone, repository, toolchain, COUNTER)
    assert result.status is Status.PASSES
    assert result.tried == 0


def test_a_testbench_that_does_not_compile_is_not_the_rtls_fault(clone, repository, toolchain):
    with pytest.raises(NotVerified, match=r"not the RTL's fault.*counter_tb\.v"):
        ask(clone, repository, toolchain, COUNTER, tb=COUNTER_TB.replace(b"integer bad", b"integre bad"))


def test_a_testbench_that_says_nothing_verifies_nothing(clone, repository, toolchain):
    with pytest.raises(NotVerified, match="neither pass nor fail"):
        ask(clone, repository, toolchain, COUNTER, tb=COUNTER_TB.replace(b"$display", b"if (0) $display"))


def test_a_simulation_that_never_ends_is_repaired_too(clone, repository, toolchain):
    process = (
        b"  reg [3:0] x;\n  always @(*) if (!rst_n) x = 0; else x = x + 1;\n  assign last = (q == TOP) & (x < 16);"
    )
    loop = COUNTER.replace(b"  assign last = (q == TOP);", process)
    result = ask(clone, repository, toolchain, loop, bench=replace(BENCH, timeout_s=2))
    assert result.status is Status.REPAIRED
    assert {run.outcome for step in result.baseline for run in step.results} & {Outcome.TIMEOUT, Outcome.FAIL}


def test_nothing_found_is_said_with_the_closest(clone, repository, toolchain):
    never = COUNTER_TB.replace(b"q !== expected ||", b"1 ||")
    result = ask(clone, repository, toolchain, COUNTER, tb=never, budget_s=3)
    assert result.status is Status.NOT_FOUND
    assert result.report is None
    assert result.reason


TRACE_TB = b"""module trace_tb;
  reg clk = 0, rst_n = 1, en = 1; wire [3:0] q; wire last; integer f, i;
  counter dut (.clk(clk), .rst_n(rst_n), .en(en), .q(q), .last(last));
  initial begin
    f = $fopen("out.txt"); $fwrite(f, "time,q,last\\n");
    #1 rst_n = 0; #1 rst_n = 1;
    for (i = 0; i < 25; i = i + 1) begin
      en = STIMULUS; #1 clk = 1; #1 $fwrite(f, "%0d,%b,%b\\n", i, q, last); clk = 0; #1;
    end
    $fclose(f); $finish;
  end
endmodule
"""
TRACE_DESIGN = Design(toplevel="trace_tb", sources=(Path(RTL), Path(TB)))
TRACE = TraceTestbench(name="t", design=TRACE_DESIGN, oracle=Path("oracle.txt"), output="out.txt", timeout_s=5)


def test_a_trace_is_matched(clone, repository, toolchain):
    rows = [(i, format((i + 1) % 10, "04b"), int((i + 1) % 10 == 9)) for i in range(25)]
    oracle = "time,q,last\n" + "".join(f"{i},{q},{last}\n" for i, q, last in rows)
    clone.commit({"oracle.txt": oracle.encode()})
    wrong = COUNTER.replace(b"q + 1", b"q + 3")
    result = ask(clone, repository, toolchain, wrong, bench=TRACE, tb=TRACE_TB.replace(b"STIMULUS", b"1"))
    assert result.status is Status.REPAIRED
    assert result.report.evidence is Evidence.TESTS


def test_a_trace_of_icaruss_random_stream_is_a_class_of_its_own(clone, repository, toolchain):
    tb = TRACE_TB.replace(b"STIMULUS", b"$random")
    clone.commit({RTL: COUNTER, TB: tb})
    for words in (["iverilog", "-g2012", "-o", "sim.vvp", RTL, TB], ["vvp", "-n", "sim.vvp"]):
        subprocess.run(words, cwd=clone.root, check=True, capture_output=True)
    (clone.root / "sim.vvp").unlink()
    (clone.root / "out.txt").rename(clone.root / "oracle.txt")
    result = ask(clone, repository, toolchain, COUNTER.replace(b"q + 1", b"q + 3"), bench=TRACE, tb=tb)
    assert result.status is Status.WEAK
    assert result.report.evidence is Evidence.TESTS_ICARUS
    with pytest.raises(NotVerified, match="tests \\(icarus\\)"):
        apply(repository, result.report)


def test_any_command_can_be_the_test(clone, repository, toolchain):
    command = (
        "iverilog -g2012 -o sim.vvp rtl/*.v tb/*.v && vvp -n sim.vvp | tee log && ! grep -q 'Mismatches: [1-9]' log"
    )
    result = ask(
        clone,
        repository,
        toolchain,
        COUNTER.replace(b"q + 1", b"q + 2"),
        bench=CommandTest(name="sim", command=command),
    )
    assert result.status is Status.REPAIRED
    assert not (clone.root / "sim.vvp").exists(), "the command runs in a private copy"


def test_a_command_that_passes_here_is_the_harnesss_fault(clone, repository, toolchain):
    with pytest.raises(NotVerified, match="private copy"):
        ask(clone, repository, toolchain, COUNTER, bench=CommandTest(name="t", command="true"))


def test_an_unknown_file_is_a_usage_error(clone, repository, toolchain):
    clone.commit({RTL: COUNTER, TB: COUNTER_TB})
    request = Request(testbench=BENCH, editable=("rtl/none.v",))
    with pytest.raises(UsageError, match="no such file"):
        finish(repair(repository, toolchain, request, cancel=CancelToken()))


def test_cancel_ends_within_a_second_and_changes_nothing(clone, repository, toolchain):
    cancel = CancelToken()
    rtl = COUNTER.replace(b"q + 1", b"q + 2")

    def stop(event):
        if isinstance(event, Tried | Note):
            cancel.cancel()

    with pytest.raises(Cancelled):
        ask(clone, repository, toolchain, rtl, cancel=cancel, observe=stop)
    assert (clone.root / RTL).read_bytes() == rtl
    assert not list((repository.cache / "trees").iterdir())


def test_a_design_that_verilator_rejects_is_no_crash(clone, repository, toolchain):
    rtl = COUNTER.replace(
        b"endmodule", b"  initial begin : b fork join_none wait (q == 3); disable fork; end\nendmodule"
    )
    result = ask(clone, repository, toolchain, rtl.replace(b"q + 1", b"q + 2"), budget_s=10)
    assert result.status in Status


def test_without_icarus_verilator_alone_repairs(clone, repository, toolchain):
    alone = Toolchain(toolchain.verilator, None)
    result = ask(clone, repository, alone, COUNTER.replace(b"q + 1", b"q - 1"))
    assert result.status is Status.REPAIRED
    assert {run.engine for step in result.report.steps for run in step.results} == {"verilator"}
