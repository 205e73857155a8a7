from __future__ import annotations

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.selection import select
from veriloop.assistant.generate.synthesis import Synthesis, synthesise
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = [pytest.mark.needs("verilator", "c++", "iverilog")]

HEADER = "module add(input [3:0] a, input [3:0] b, output [3:0] s);"
PLUS = b"module add(input [3:0] a, input [3:0] b, output [3:0] s);\n  assign s = a + b;\nendmodule\n"
OTHER_PLUS = PLUS.replace(b"a + b", b"b + a")
MINUS = PLUS.replace(b"a + b", b"a - b")
OR = PLUS.replace(b"a + b", b"a | b")
BROKEN = PLUS.replace(b"assign s = a + b;", b"assign s = a + b")
HOPELESS = b"I am sorry, but here is an adder."
NARROW = PLUS.replace(b"output [3:0]", b"output [2:0]")


@pytest.fixture(scope="module")
def toolchain():
    return Toolchain.find(cache=cache_home(), cancel=CancelToken())


def chosen(answers, toolchain, tmp_path, *, header=HEADER, synthesis=None):
    interface = read_interface("", header=header)
    assert interface is not None
    return select(answers, interface, synthesis=synthesis, scratch=tmp_path, toolchain=toolchain, cancel=CancelToken())


def test_the_largest_group_is_believed(toolchain, tmp_path):
    found = chosen([MINUS, PLUS, OR, OTHER_PLUS, PLUS], toolchain, tmp_path)
    assert found.text == PLUS
    assert (found.agreeing, found.examined, found.refused) == (3, 5, 0)
    assert 0.4 < found.confidence < 0.6


def test_agreement_makes_sure(toolchain, tmp_path):
    assert chosen([PLUS] * 12, toolchain, tmp_path).confidence > 0.9
    assert chosen([PLUS], toolchain, tmp_path).confidence < 0.6


def test_an_answer_that_does_not_compile_is_fixed_first(toolchain, tmp_path):
    found = chosen([BROKEN, HOPELESS, NARROW], toolchain, tmp_path)
    assert b"a + b;" in found.text
    assert (found.agreeing, found.examined, found.refused) == (1, 1, 2)
    assert any("missing ;" in note for note in found.notes)


@pytest.mark.parametrize("answers", [[], [HOPELESS], [NARROW, HOPELESS]])
def test_no_answer_is_no_answer(answers, toolchain, tmp_path):
    assert chosen(answers, toolchain, tmp_path) is None


def test_what_the_specification_gives_comes_before_all(toolchain, tmp_path):
    text = "- input p\n- input q\n- output y\n\np | q | y\n0 | 0 | 0\n0 | 1 | 1\n1 | 0 | 1\n1 | 1 | 0\n"
    interface = read_interface(text)
    assert interface is not None
    made = synthesise(text, interface)
    assert isinstance(made, Synthesis)
    wrong = b"module top(input p, input q, output y); assign y = p & q; endmodule"
    found = chosen([wrong] * 5, toolchain, tmp_path, header="module top(input p, input q, output y);", synthesis=made)
    assert found.text == made.rtl.encode()
    assert "truth table" in found.how
    assert found.confidence > 0.9


def test_registers_without_a_reset_get_a_start(toolchain, tmp_path):
    text = b"module d(input clk, input d, output reg q);\n  always @(posedge clk) q <= d;\nendmodule\n"
    found = chosen([text], toolchain, tmp_path, header="module d(input clk, input d, output q);")
    assert b"initial begin" in found.text
    assert found.notes == ("no reset: q start at 0",)
