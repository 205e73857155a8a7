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


def test_registers_of_other_names_and_codes_are_proved(tools, tmp_path):
    ring = """module m(input clk, input rst, input en, input [3:0] d, output reg [3:0] q, output wrap);
  reg [7:0] ring;
  always @(posedge clk) if (rst) ring <= 8'd1; else if (en) ring <= {ring[6:0], ring[7]};
  always @(posedge clk) if (rst) q <= 0; else q <= en ? q ^ d : q;
  assign wrap = ring[4];
endmodule
"""
    found = proved(tools, tmp_path, COUNTER, ring)
    assert (found.verdict, found.why) == (Verdict.EQUIVALENT, "proved over all that can be reached")
    assert found.assumed[0].startswith("rst = 1")


def test_what_no_reset_reaches_is_named_where_a_proof_rests_on_it(tools, tmp_path):
    plain = """module m(input clk, input t, output q);
  reg a;
  always @(posedge clk) a <= a ^ t;
  assign q = a & t;
endmodule
"""
    twice = plain.replace("reg a;", "reg x, y;").replace("a <= a ^ t;", "{x, y} <= {x ^ t, x ^ t};")
    found = proved(tools, tmp_path, plain, twice.replace("a & t", "x & y & t"))
    assert found.verdict is not Verdict.DIFFERENT
    assert found.verdict is not Verdict.EQUIVALENT or any("are zero at first" in line for line in found.assumed)


def test_a_choice_that_is_left_open_proves_nothing(tools, tmp_path):
    # What the new version leaves undefined was 0, and is met after more steps than are searched.
    count = """module m(input clk, input rst, output reg q);
  reg [6:0] n;
  always @(posedge clk) if (rst) n <= 0; else n <= n + 1;
  always @(*) if (n == 7'd100) q = 0; else q = n[0];
endmodule
"""
    other = """module m(input clk, input rst, output reg q);
  reg [6:0] k;
  always @(posedge clk) if (rst) k <= 0; else k <= 7'd1 + k;
  always @(*) if (k == 7'd100) q = 1'bx; else q = k[0];
endmodule
"""
    found = proved(tools, tmp_path, count, other)
    assert found.verdict is not Verdict.EQUIVALENT
