"""What tests meet of a file, by runs of theirs that are counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assistant.verify.test_cocotb import TESTS
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.exercised import Coverage, exercised
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench, VerilogTestbench

COUNTER = """\
    module counter (input logic clk, input logic rst, output logic [3:0] q, output logic [3:0] r);
      always_ff @(posedge clk) if (rst) q <= 0; else q <= q + 1;
      always_ff @(posedge clk)
        if (rst) r <= 0;
        else if (q == 12)
          r <= 0;
        else r <= q;
    endmodule
"""
BENCH = """\
    module counter_tb;
      logic clk = 0, rst = 1; logic [3:0] q, r;
      counter dut (.*);
      always #5 clk = ~clk;
      initial begin
        #22 rst = 0;
        #400 $display("Mismatches: 0 in 1 samples");
        $finish;
      end
    endmodule
"""


@pytest.fixture
def measured(write, root, scratch, tools):
    """What tests meet of the counter."""

    def measure(*testbenches: Testbench) -> Coverage:
        return exercised(
            testbenches, ["rtl/counter.sv"], root=root, scratch=scratch, toolchain=tools, cancel=CancelToken()
        )

    return measure


@pytest.mark.needs("cocotb", "c++", "verilator")
def test_what_one_test_does_not_meet_another_may(measured, write):
    write("tb/test_counter.py", TESTS)
    design = Design(toplevel="counter", sources=(write("rtl/counter.sv", COUNTER),))
    by_cocotb = CocotbTestbench(name="counter", design=design, module="test_counter", search_path=(Path("tb"),))
    both = Design(toplevel="counter_tb", sources=(Path("rtl/counter.sv"), write("tb/counter_tb.sv", BENCH)))
    by_verilog = VerilogTestbench(name="counter_tb", design=both)
    [alone] = measured(by_cocotb).files
    # Five cycles do not come to 12.
    assert [line for line, _ in alone.missed] == [5]
    assert alone.line.met + alone.branch.met == alone.line.points + alone.branch.points - 1
    [together] = measured(by_cocotb, by_verilog).files
    assert together.missed == ()
    assert str(together).startswith("rtl/counter.sv: blocks ")


def test_what_a_command_runs_is_not_measured(measured, write):
    write("rtl/counter.sv", COUNTER)
    found = measured(CommandTest(name="make", command="make test"))
    assert found.files == ()
    assert found.left_out == ("coverage of make: what a command runs is not measured",)


@pytest.mark.needs("c++", "verilator")
def test_what_verilator_does_not_take_is_said(measured, write):
    design = Design(toplevel="counter_tb", sources=(write("tb/counter_tb.sv", BENCH),))
    found = measured(VerilogTestbench(name="counter_tb", design=design))
    assert found.left_out == ("coverage of counter_tb: Verilator does not run it to its end",)
