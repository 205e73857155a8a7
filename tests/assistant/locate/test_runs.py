"""Places by what a recorded run did there."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.locate.allowance import Allowance
from veriloop.assistant.locate.checks import Check, checks_of
from veriloop.assistant.locate.report import read_report
from veriloop.assistant.locate.runs import Runs, runs_of
from veriloop.assistant.locate.spectrum import suspicion
from veriloop.assistant.locate.suspects import Suspects
from veriloop.assistant.locate.workflow import Evidence, Ranked, locate
from veriloop.assistant.verify.execution import Execution, executed
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

ALU = b"""module alu(input clk, input [1:0] op, input [7:0] a, b, output [7:0] y, output reg [7:0] held);
  reg [7:0] sum, product, other;
  always @* begin sum = 0; if (op == 0) sum = a + b; end
  always @* begin
    product = 0;
    if (op == 1) product = a * b + 1;
  end
  always @* begin other = 0; if (op == 2) other = a ^ b; end
  assign y = sum | product | other;
  always @(posedge clk) held <= y;
  reg [7:0] idle;
  always @(posedge clk) if (op == 3) idle <= a;
endmodule
"""
BENCH = b"""module tb;
  reg clk = 0; reg [1:0] op; reg [7:0] a, b; wire [7:0] y, held; integer errors = 0;
  alu dut(clk, op, a, b, y, held);
  task check(input [7:0] expected); begin
    #5 clk = 1; #5 clk = 0;
    if (held !== expected) begin errors = errors + 1; $display("ERROR: held is %d", held); end
    else $display("PASS: op %d", op);
  end endtask
  initial begin
    a = 6; b = 3;
    op = 0; check(9); op = 2; check(5); op = 1; check(18); op = 0; check(9);
    $display("%0d errors", errors);
    $finish;
  end
endmodule
"""


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    return Toolchain.find(cache=tmp_path_factory.mktemp("cache"), cancel=CancelToken())


@pytest.fixture
def execution(tmp_path: Path, toolchain: Toolchain) -> Execution:
    return _executed(tmp_path, toolchain)


def _executed(tmp_path: Path, toolchain: Toolchain, **changes: bytes) -> Execution:
    files = {"alu.v": ALU, "tb.v": BENCH, **{f"{name}.v": content for name, content in changes.items()}}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    design = Design(toplevel="tb", sources=tuple(map(Path, sorted(files))))
    bench = VerilogTestbench(name="tb", design=design)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found = executed(bench, root=tmp_path, scratch=scratch, toolchain=toolchain, cancel=CancelToken())
    assert found is not None
    return found


def _place(ranked: tuple[Ranked, ...], line: int) -> Ranked:
    return next(one for one in ranked if one.place.first_line == line and one.place.kind != "module")


@pytest.mark.needs("iverilog")
def test_checks_have_their_times_and_what_they_look_at(execution: Execution) -> None:
    checks = checks_of(execution)
    assert [(one.at_fs // 10**6, one.failed) for one in checks] == [(10, False), (20, False), (30, True), (40, False)]
    assert "held" in checks[2].reads


@pytest.mark.needs("iverilog")
def test_what_led_to_the_failure_comes_first_with_values(execution: Execution) -> None:
    ranked = locate({"alu.v": ALU}, read_report(""), Evidence(runs=runs_of(execution)))
    assert ranked[0].place.targets == ("product",)
    assert ranked[0].reasons[0] == "is carried out before the checks that fail rather than before others"
    assert "made product = 8'h13 at 20 ns, 2 steps before what the first failed check saw" in ranked[0].reasons
    # What was carried out for another operation only, and what never was, led to nothing.
    assert _place(ranked, 12).values["idle"] == 1.0
    assert _place(ranked, 12).values["outside"] == 1.0
    assert _place(ranked, 10).values["outside"] == 0.0


@pytest.mark.needs("iverilog")
def test_functions_and_tasks_are_followed(tmp_path: Path, toolchain: Toolchain) -> None:
    alu = ALU.replace(b"a * b + 1", b"times(a)").replace(
        b"  reg [7:0] idle;",
        b"  function [7:0] times(input [7:0] n); times = n * b + 1; endfunction\n  reg [7:0] idle;",
    )
    ranked = locate({"alu.v": alu}, read_report(""), Evidence(runs=runs_of(_executed(tmp_path, toolchain, alu=alu))))
    assert next(one for one in ranked if one.place.kind == "function").values["slice"] > 0


@pytest.mark.needs("iverilog")
def test_a_design_that_passes_says_nothing(tmp_path: Path, toolchain: Toolchain) -> None:
    right = ALU.replace(b"a * b + 1", b"a * b")
    silent = BENCH.replace(b'    $display("%0d errors", errors);\n', b"")
    assert runs_of(_executed(tmp_path, toolchain, alu=right, tb=silent)) == Runs()


@pytest.mark.needs("iverilog")
def test_a_count_at_the_end_is_a_check_where_there_is_no_other(tmp_path: Path, toolchain: Toolchain) -> None:
    silent = BENCH.replace(
        b'begin errors = errors + 1; $display("ERROR: held is %d", held); end', b"errors = errors + 1;"
    )
    execution = _executed(tmp_path, toolchain, tb=silent)
    assert [one.failed for one in checks_of(execution)] == [False, False, True]
    ranked = locate({"alu.v": ALU}, read_report(""), Evidence(runs=runs_of(execution)))
    assert _place(ranked, 4).values["slice"] > 0


def test_spectra_compare_windows_between_checks() -> None:
    checks = [Check(10, failed=False), Check(20, failed=True), Check(30, failed=False)]
    times = {"usual": [5, 15, 25], "bad": [15], "good": [5, 25], "late": [35]}
    found = suspicion(times, checks)
    assert (found["bad"], found["usual"], found["good"], found["late"]) == (1.0, 0.0, 0.0, 0.0)
    assert suspicion(times, [Check(10, failed=True)]) == {}


def test_files_whose_turn_does_not_come_are_left_out() -> None:
    ticks = iter([0.0, 1.0, 2.0, 3.0])
    allowance = Allowance(until=1.5, clock=lambda: next(ticks))
    files = {name: ALU.replace(b"alu", name.encode()) for name in ("one", "two", "three")}
    ranked = locate(files, read_report(""), allowance=allowance)
    assert {one.place.path for one in ranked} == {"one", "two"}


def test_a_quarter_of_a_budget_is_allowed() -> None:
    now = [100.0]
    allowance = Allowance.of(60.0, lambda: now[0])
    assert allowance.left_s == 15.0
    assert allowance.share(0.5).left_s == 7.5
    now[0] = 200.0
    assert allowance.left_s == 0.0


def test_files_that_were_not_read_can_still_hold_the_fault() -> None:
    ranked = locate({"alu.v": ALU}, read_report(""))
    assert Suspects(ranked=ranked, contents={"other.v": b"", "alu.v": ALU}).files == ("alu.v", "other.v")
