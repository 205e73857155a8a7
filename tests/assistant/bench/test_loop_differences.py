"""Differences between Icarus and Verilator, each with its reason, and one that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.bench.loop_differences import Explained, Explainer, deferred, immediate, reordered
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import run_icarus
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog")

TB = """\
module tb; reg clk = 0; reg [3:0] a = 5; wire [3:0] q; integer n;
  dut dut (clk, a, q);
  initial begin
    for (n = 0; n < 3; n = n + 1) begin #1 clk = 1; #1 clk = 0; end
    if (q === 4'd0) $display("PASS"); else $display("FAIL: %b", q);
    $finish;
  end
endmodule
"""
RIGHT = "module dut (input clk, input [3:0] a, output reg [3:0] q); always @(posedge clk) q <= 0; endmodule\n"
BODIES = {
    "from zeros in place of unknowns, Icarus says the same": "reg [3:0] q; always @(posedge clk) q <= q & a;",
    "unknown when the run ends: tb.dut.q, tb.q": "wire [3:0] q = {3'b0, a[n]}; integer n = 5;",
    "a race: with its processes in another order, Icarus says the same": (
        "reg [3:0] q; reg [3:0] p = 5; always @(posedge clk) p = 0; always @(posedge clk) q = p;"
        "always @(negedge clk) p = 5;"
    ),
    "with blocking assignments in combinational logic, as Verilator runs it, Icarus says the same": (
        "reg [3:0] q = 0, p = 0; always @(clk) begin p <= !clk; q <= p; end"
    ),
    "a race: with its processes in another order, Icarus says something else again: FAIL: 0101": (
        "reg [3:0] q = 0, p = 0; always @(posedge clk) p = p + 1; always @(posedge clk) q <= q + p;"
    ),
    "": "wire [3:0] q = 1;",
}


@pytest.fixture
def place(tmp_path, request) -> tuple[Path, Path, Toolchain]:
    root, scratch = tmp_path / "tree", tmp_path / "scratch"
    root.mkdir()
    scratch.mkdir()
    (root / "tb.v").write_text(TB)
    (root / "dut.v").write_text(RIGHT)
    kept: pytest.Cache | None = getattr(request.config, "cache", None)
    assert kept is not None
    return root, scratch, Toolchain.find(cache=Path(kept.mkdir("veriloop")), cancel=CancelToken())


def explained(place, body: str, *, passed: tuple[bool, ...] = (True, True, True)) -> Explained:
    """Of a candidate that Verilator is said to judge so from each start state, and Icarus otherwise from the first."""
    root, scratch, tools = place
    bench = VerilogTestbench(
        name="tb", design=Design(toplevel="tb", sources=(Path("tb.v"), Path("dut.v"))), timeout_s=20
    )
    common = {"root": root, "scratch": scratch, "toolchain": tools, "cancel": CancelToken()}
    contents = {"dut.v": f"module dut (input clk, input [3:0] a, output [3:0] q); {body} endmodule\n".encode()}
    (root / "dut.v").write_bytes(contents["dut.v"])
    by_icarus = run_icarus(bench, **common)
    assert by_icarus is not None
    assert by_icarus.outcome is (Outcome.FAIL if passed[0] else Outcome.PASS), by_icarus
    (root / "dut.v").write_text(RIGHT)
    runs = [
        SimResult(outcome=Outcome.PASS if one else Outcome.FAIL, engine="verilator", start=start)
        for one, start in zip(passed, ("zeros", "ones", "random 1"), strict=True)
    ]
    found = Explainer(bench, editable={"dut.v": RIGHT.encode()}, **common).explain(contents, runs, by_icarus)
    assert (root / "dut.v").read_text() == RIGHT
    return found


@pytest.mark.parametrize("why", BODIES)
def test_why_icarus_fails_what_verilator_passes(place, why):
    assert explained(place, BODIES[why]) == Explained(why)


def test_what_depends_on_the_start_state_is_told_by_verilator_itself(place):
    body = BODIES["from zeros in place of unknowns, Icarus says the same"]
    assert "depends on the start state" in explained(place, body, passed=(True, False, True)).why


def test_processes_change_places_and_nothing_else():
    text = b"module a;\n  wire c = 1;\n  assign x = c; // one\n  always @(x) y = x;\n  assign z = y;\nendmodule\n"
    swapped = b"module a;\n  wire c = 1;\n  assign z = y; // one\n  always @(x) y = x;\n  assign x = c;\nendmodule\n"
    assert reordered(text) == swapped
    assert reordered(swapped) == text


RACING_TB = """\
module tb; reg clk = 0; reg [3:0] a = 0; wire [3:0] q; integer n;
  dut dut (clk, a, q);
  always #1 clk = ~clk;
  initial begin
    for (n = 0; n < 3; n = n + 1) begin @(negedge clk); a = a + 1; end
    #1 if (q === WANTED) $display("PASS"); else $display("FAIL: %b", q);
    $finish;
  end
endmodule
"""


@pytest.mark.parametrize(
    ("body", "wanted", "order"),
    [
        ("reg [3:0] q = 0; always @(negedge clk) q <= a;", "4'd2", "it is woken before the testbench"),
        ("reg [3:0] q = 0; initial #1 forever @(negedge clk) q <= a;", "4'd3", "the testbench is woken before it"),
    ],
)
def test_a_race_with_the_testbench_is_one(place, body, wanted, order):
    root, _, _ = place
    testbench = RACING_TB.replace("WANTED", wanted)
    (root / "tb.v").write_text(testbench)
    assert explained(place, body).why == f"a race: when {order}, Icarus says the same"
    assert (root / "tb.v").read_text() == testbench


def test_what_waits_for_an_edge_waits_a_little_longer():
    text = b"module a;\n  always @(posedge c or negedge r) if (!r) q <= 0; else q <= d;\n  always @(*) x = y;\n"
    text += b"  initial begin @(negedge c); #5 d = 1; end\nendmodule\n"
    later = text.replace(b"negedge r)", b"negedge r) #0").replace(b"negedge c)", b"negedge c) #0")
    assert deferred(text) == later


def test_combinational_logic_assigns_at_once():
    text = b"module a;\n  always @(posedge c) q <= d <= e;\n  always @* r <= d <= e;\nendmodule\n"
    assert immediate(text) == text.replace(b"r <=", b"r =")
