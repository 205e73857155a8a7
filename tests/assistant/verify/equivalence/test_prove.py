"""Pairs of small modules: proved, told apart by an input that a simulation shows, or neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.equivalence.prove import Equivalence, Prover, Verdict
from veriloop.assistant.verify.equivalence.yosys import Yosys
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = pytest.mark.needs("yosys", "verilator", "iverilog")

COMB = """module m(input [7:0] a, input [7:0] b, output [8:0] y, output z);
  assign y = a + b;
  assign z = a > b;
endmodule
"""
COUNTER = """module m(input clk, input rst, input en, input [3:0] d, output reg [3:0] q, output wrap);
  reg [2:0] c;
  always @(posedge clk)
    if (rst) begin c <= 0; q <= 0; end
    else if (en) begin c <= c + 1; q <= q ^ d; end
  assign wrap = (c == 3'd4);
endmodule
"""
ASYNC = COUNTER.replace("posedge clk", "posedge clk or posedge rst")


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    cancel = CancelToken()
    return Yosys.find(cancel), Toolchain.find(cache=tmp_path_factory.mktemp("cache"), cancel=cancel)


def proved(tools: tuple[Yosys, Toolchain], place: Path, old: str, new: str, *, limit_s: float = 120) -> Equivalence:
    yosys, toolchain = tools
    designs = []
    for name, text in (("old", old), ("new", new)):
        (place / name).mkdir()
        (place / name / "m.sv").write_text(text)
        designs.append(Design(toplevel="m", sources=(place / name / "m.sv",)))
    return Prover(designs[0], designs[1], yosys, toolchain, place, CancelToken(), limit_s=limit_s).run()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (COMB, COMB.replace("a + b", "b + a").replace("a > b", "!(a <= b)")),
        (COUNTER, COUNTER.replace("q ^ d", "(q & ~d) | (~q & d)").replace("c + 1", "3'd1 + c")),
        (ASYNC, ASYNC.replace("q ^ d", "d ^ q")),
    ],
)
def test_what_is_the_same_is_proved(tools, tmp_path, old, new):
    found = proved(tools, tmp_path, old, new)
    assert (found.verdict, found.difference) == (Verdict.EQUIVALENT, None)


def test_an_input_tells_two_functions_apart(tools, tmp_path):
    found = proved(tools, tmp_path, COMB, COMB.replace("a > b", "a >= b"))
    assert found.verdict is Verdict.DIFFERENT
    assert found.difference is not None
    [step] = found.difference.inputs
    assert (step["a"], found.difference.output) == (step["b"], "z")


def test_a_difference_that_takes_cycles_is_found_from_the_reset(tools, tmp_path):
    found = proved(tools, tmp_path, COUNTER, COUNTER.replace("3'd4", "3'd5"))
    assert found.verdict is Verdict.DIFFERENT
    assert found.difference is not None
    assert (found.difference.output, found.difference.inputs[0]["rst"]) == ("wrap", "1")
    # It takes four enabled cycles after the reset.
    assert sum(step["en"] == "1" for step in found.difference.inputs) >= 4


def test_a_missing_reset_is_a_difference(tools, tmp_path):
    found = proved(tools, tmp_path, COUNTER, COUNTER.replace("c <= 0; q <= 0;", "c <= 0;"))
    assert found.verdict is Verdict.DIFFERENT


def test_other_ports_are_not_compared(tools, tmp_path):
    found = proved(tools, tmp_path, COMB, COMB.replace("output z", "output z, output w"))
    assert found.verdict is Verdict.UNDECIDED
    assert "ports" in found.why


def test_too_little_time_decides_nothing(tools, tmp_path):
    found = proved(tools, tmp_path, COUNTER, COUNTER.replace("c + 1", "3'd1 + c"), limit_s=0.01)
    assert found.verdict in (Verdict.UNDECIDED, Verdict.BOUNDED)
