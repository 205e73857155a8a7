from __future__ import annotations

import pytest

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Event, finish
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.questions import Decided
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


def chosen(answers, toolchain, tmp_path, *, header=HEADER, told=False, **more):
    interface = read_interface("", header=header)
    assert interface is not None
    events: list[Event] = []
    run = select(answers, interface, **more, scratch=tmp_path, toolchain=toolchain, cancel=CancelToken())
    found = finish(run, events.append)
    return (found, events) if told else found


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


def test_what_the_data_comes_to_with_either_answer_competes(toolchain, tmp_path):
    interface = read_interface("", header=HEADER)
    assert interface is not None
    open_ = [Synthesis(interface=interface, rtl=text.decode(), kind="table") for text in (PLUS, OR)]
    found = chosen([MINUS, MINUS, MINUS, OTHER_PLUS], toolchain, tmp_path, variants=open_)
    assert found.text == PLUS
    assert found.confidence < 0.5
    assert "what the data comes to counts 4 times" in found.how
    # However many agree: a question is open.
    assert chosen([PLUS] * 40, toolchain, tmp_path, variants=open_[:1]).confidence == 0.85


def test_registers_without_a_reset_get_a_start(toolchain, tmp_path):
    text = b"module d(input clk, input d, output reg q);\n  always @(posedge clk) q <= d;\nendmodule\n"
    found = chosen([text], toolchain, tmp_path, header="module d(input clk, input d, output q);")
    assert b"initial begin" in found.text
    assert found.notes == ("no reset: q start at 0",)


COUNTER = """module count(input clk, input rst, input en, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else EDIT
endmodule
"""
HOLDS, CLEARS, RUNS = (
    COUNTER.replace("EDIT", text).encode()
    for text in ("if (en) q <= q + 1;", "if (en) q <= q + 1; else q <= 0;", "q <= q + 1;")
)
COUNTS = """class Count:
    def __init__(self):
        self.q = 0
    def eval(self, inputs):
        if inputs["rst"]:
            self.q = 0
        elif inputs["en"]:
            self.q = (self.q + 1) % 16
        return {"q": self.q}
"""
PORTS_OF_COUNT = "module count(input clk, input rst, input en, output [3:0] q);"


def test_reference_models_decide_between_groups_of_rtl(toolchain, tmp_path):
    found = chosen([HOLDS, CLEARS, RUNS], toolchain, tmp_path, header=PORTS_OF_COUNT, references=[COUNTS])
    assert found.text == HOLDS
    assert "2 of 4 independent answers, RTL and reference models" in found.how
    assert "def eval" in found.reference


def test_what_the_answers_do_not_agree_on_is_one_question(toolchain, tmp_path):
    found = chosen([HOLDS, CLEARS], toolchain, tmp_path, header=PORTS_OF_COUNT)
    (question,) = found.questions
    assert "en=0" in question.text
    assert "is q" in question.text
    assert "(held)" in question.text
    assert found.divergence is not None
    assert found.divergence.signal == "q"


def test_an_answer_to_the_question_decides(toolchain, tmp_path):
    (asked,) = chosen([HOLDS, CLEARS], toolchain, tmp_path, header=PORTS_OF_COUNT).questions
    for option in asked.options:
        decided = Decided({asked.text: option})
        found = chosen([HOLDS, CLEARS], toolchain, tmp_path, header=PORTS_OF_COUNT, decided=decided)
        # What is held is not 0, and what is cleared is.
        assert found.text == (CLEARS if option == "0" else HOLDS)
        assert (found.questions, found.examined) == ((), 1)
        assert "1 more do otherwise than you have decided" in found.how
        assert decided.useless == ()
    unfit = Decided({asked.text: "maybe"})
    with pytest.raises(UsageError, match="is no answer to"):
        chosen([HOLDS, CLEARS], toolchain, tmp_path, header=PORTS_OF_COUNT, decided=unfit)


def test_what_the_specification_shows_comes_before_a_majority(toolchain, tmp_path):
    table = "For example:\n\n| a | b | s |\n|---|---|---|\n| 3 | 1 | 4 |\n| 2 | 1 | 3 |\n"
    found, events = chosen([MINUS, MINUS, OR, PLUS], toolchain, tmp_path, specification=table, told=True)
    assert found.text == PLUS
    assert found.examined == 1
    assert "3 more contradict an example" in found.how
    assert any("3 answers contradict" in getattr(event, "text", "") for event in events)


def test_an_example_that_nobody_shows_is_left_out(toolchain, tmp_path):
    table = "| a | b | s |\n|---|---|---|\n| 3 | 1 | 9 |\n"
    found = chosen([PLUS, PLUS, MINUS], toolchain, tmp_path, specification=table)
    assert (found.text, found.examined) == (PLUS, 3)


def test_an_example_waveform_is_played(toolchain, tmp_path):
    waveform = """Here is an example waveform:

  time   clk rst en q
  0ns    0   1   0  x
  5ns    1   1   0  0
  10ns   0   0   1  0
  15ns   1   0   1  1
  20ns   0   0   0  1
  25ns   1   0   0  1
"""
    found = chosen([CLEARS, CLEARS, HOLDS], toolchain, tmp_path, header=PORTS_OF_COUNT, specification=waveform)
    assert found.text == HOLDS


def test_an_answer_that_never_settles_drops_out_alone(toolchain, tmp_path):
    loop = PLUS.replace(b"a + b", b"~s + (a & b & 4'd0)")
    hang = PLUS.replace(b"endmodule", b"  reg c = 0;\n  always c = ~c;\nendmodule")
    found = chosen([PLUS, loop, PLUS, hang], toolchain, tmp_path)
    assert found.text == PLUS
    assert found.agreeing == 2


def test_an_answer_that_talks_to_the_simulator_is_refused(toolchain, tmp_path):
    text = PLUS.replace(b"endmodule", b'  initial $system("touch /tmp/x");\nendmodule')
    found, events = chosen([PLUS, text], toolchain, tmp_path, told=True)
    assert (found.agreeing, found.examined, found.refused) == (1, 1, 1)
    assert any("calls the simulator" in str(event) for event in events)


def test_twenty_answers_that_do_not_compile_are_none(toolchain, tmp_path):
    answers = [b"module add(input [3:0] a b, output s; assign = %d" % (number % 2) for number in range(20)]
    assert chosen(answers, toolchain, tmp_path) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import os\ndef eval(i):\n    return {}", "imports os"),
        ("def eval(i):\n    open('x', 'w')\n    return {}", "uses open"),
        ("def eval(i):\n    return eval(i)", "calls itself without end"),
    ],
)
def test_a_bad_reference_model_drops_out_and_is_named(text, why, toolchain, tmp_path):
    found, events = chosen([HOLDS], toolchain, tmp_path, header=PORTS_OF_COUNT, references=[text, COUNTS], told=True)
    assert found.text == HOLDS
    assert any(why in str(event) for event in events)
