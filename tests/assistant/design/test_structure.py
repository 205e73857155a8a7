"""Structure from syntax alone, so that half-written files have it too."""

from __future__ import annotations

import pytest

from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree

TEXT = b"""module m #(parameter W = 4, localparam D = 2) (
  input clk, rst_n, input [W-1:0] a, b, output reg [W-1:0] q, output o);
  reg [7:0] mem [0:15]; wire [3:0] t = a ^ b; integer i;
  assign o = |q;
  always @(posedge clk or negedge rst_n) if (!rst_n) q <= 0; else if (a[0]) q[1] <= t[b];
  always @(*) i = mem[a];
  always_latch if (o) mem[0] = 1;
  initial i = 0;
endmodule
module old (x, y); input [1:0] x; output y; reg y; always @(x) y = x[0]; endmodule
"""


@pytest.fixture(scope="module")
def module() -> Structure:
    """The first module of the text."""
    tree = SyntaxTree(TEXT)
    return Structure(tree, tree.modules[0])


def test_signals_have_direction_range_and_kind(module):
    signals = module.signals
    assert {name: one.direction for name, one in signals.items() if one.direction} == {
        "clk": "input",
        "rst_n": "input",
        "a": "input",
        "b": "input",
        "q": "output",
        "o": "output",
    }
    assert (signals["a"].range_text, signals["b"].range_text) == ("[W-1:0]", "[W-1:0]")
    assert (signals["t"].width_bits, signals["i"].width_bits, signals["o"].width_bits) == (4, 32, 1)
    assert signals["a"].width_bits is None
    assert signals["mem"].is_memory
    assert signals["q"].is_variable
    assert not signals["o"].is_variable


def test_a_port_that_is_declared_twice_is_one_signal():
    tree = SyntaxTree(TEXT)
    old = Structure(tree, tree.modules[1])
    assert old.name == "old"
    assert old.signals["y"].direction == "output"
    assert old.signals["y"].is_variable


def test_a_port_takes_what_stands_before_it_though_a_comment_lies_between():
    tree = SyntaxTree(b"module m(input [3:0] a, // first\n  /* and */ b, // last\n  c, output q);\nendmodule\n")
    signals = Structure(tree, tree.modules[0]).signals
    assert [(one.direction, one.range_text) for one in signals.values()] == [("input", "[3:0]")] * 3 + [("output", "")]


def test_processes_are_told_apart(module):
    assert [process.kind for process in module.processes] == ["clocked", "combinational", "latch", "initial"]


def test_assignments_know_what_decides_them(module):
    by_target = {assignment.targets: assignment for assignment in module.assignments}
    assert by_target["o",].kind == "continuous"
    assert by_target["t",].kind == "declaration"
    assert module.dependencies["q"] >= {"rst_n", "a", "t", "b"}
    assert "clk" not in module.dependencies["q"]


def test_the_cone_grows_by_assignments(module):
    cone = module.cone(["o"])
    assert (cone["o"], cone["q"], cone["t"]) == (0, 1, 2)
    assert "mem" not in cone


def test_half_a_module_has_what_is_there():
    tree = SyntaxTree(b"module half(input a, output reg b);\n  always @(*) b = a")
    assert tree.gaps
    for module in tree.modules:
        assert Structure(tree, module).signals
