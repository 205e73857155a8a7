"""Where two records part."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.divergence import compare, first_divergence
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.wave import Wave

NS = 10**6


def wave(**signals: list[tuple[int, str]]) -> Wave:
    changes = {name.replace("__", "."): [(at * NS, value) for at, value in found] for name, found in signals.items()}
    return Wave(changes, NS, max(found[-1][0] for found in changes.values()))


CLOCK = [(at, str(at // 5 % 2)) for at in range(0, 100, 5)]


def test_the_first_signal_that_differs_with_its_cycle():
    one = wave(tb__clk=CLOCK, tb__dut__q=[(0, "00000000"), (15, "00000001"), (25, "00000010")], tb__x=[(0, "0")])
    two = wave(tb__clk=CLOCK, tb__dut__q=[(0, "00000000"), (15, "00000001"), (25, "00111010")], tb__y=[(0, "1")])
    found = compare(one, two)
    assert found is not None
    assert (found.signal, found.was, found.now) == ("tb.dut.q", "8'h2", "8'h3a")
    assert (found.time, found.cycle, found.clock) == ("25 ns", 3, "tb.clk")


def test_of_several_the_likely_one_is_named():
    one = wave(tb__a=[(0, "0"), (7, "1")], tb__dut__b=[(0, "0"), (7, "1")])
    two = wave(tb__a=[(0, "0"), (9, "1")], tb__dut__b=[(0, "0"), (9, "1")])
    found = compare(one, two, {"b"})
    assert found is not None
    assert (found.signal, found.others, found.time, found.cycle) == ("tb.dut.b", ("tb.a",), "7 ns", None)


def test_records_that_agree_as_far_as_they_go():
    one = wave(tb__a=[(0, "0"), (7, "1")])
    assert compare(one, one) is None
    assert compare(one, Wave({})) is None
    assert compare(one, wave(tb__a=[(0, "0"), (7, "1"), (9, "0")])) is None


@pytest.mark.needs("verilator", "c++")
@pytest.mark.parametrize("four_state", [False, pytest.param(True, marks=pytest.mark.needs("iverilog"))])
def test_two_trees_are_recorded_by_either_simulator(tools, tmp_path, four_state):
    for name, step in (("old", "1"), ("new", "2")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tb.v").write_text(
            f"module tb; reg clk = 0; reg [7:0] q = 0; always #5 clk = ~clk;\n"
            f"always @(posedge clk) q <= q + (q > 2 ? {step} : 1); initial #100 $finish; endmodule\n"
        )
    found = first_divergence(
        VerilogTestbench(name="tb", design=Design(toplevel="tb", sources=(Path("tb.v"),))),
        tmp_path / "old",
        tmp_path / "new",
        likely=("q",),
        scratch=tmp_path,
        toolchain=tools,
        cancel=CancelToken(),
        four_state=four_state,
    )
    assert found is not None
    assert (found.signal, found.was, found.now, found.time, found.cycle) == ("tb.q", "8'h4", "8'h5", "35 ns", 4)
