from __future__ import annotations

import pytest

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.explain.workflow import explain
from veriloop.models.recorded import RecordedModel

FSM = """\
module control #(parameter W = 4) (
  input clk, input rst_n, input go, input done, input [W-1:0] d,
  output reg busy, output reg [W-1:0] y, output w_valid, input w_ready
);
  localparam IDLE = 0, RUN = 1, STOP = 2;
  reg [1:0] state, following;
  always @(posedge clk or negedge rst_n)
    if (!rst_n) state <= IDLE;
    else state <= following;
  always @* begin
    following = state;
    case (state)
      IDLE: if (go) following = RUN;
      RUN: following = done ? STOP : RUN;
      STOP: following = IDLE;
    endcase
  end
  always @* if (go) busy = state == RUN;
  always @(posedge clk)
    if (go) y <= {y[W-2:0], done};
    else y <= y + 1;
  assign w_valid = |y & w_ready;
  absent u1 (.a(`FOO), .b(busy));
endmodule
"""


@pytest.fixture
def told(tmp_path):
    def tell(text, lines=None, model=None):
        path = tmp_path / "x.sv"
        path.write_text(text)
        analysis = Analysis({tmp_path: None})
        found = finish(explain(analysis, analysis.source(path), lines=lines, model=model, cancel=CancelToken()))
        return found, "\n".join(says for remark in found.remarks for says in remark.says), "\n".join(found.unsure)

    return tell


def test_a_module_has_its_ports_clocks_registers_and_what_outputs_depend_on(told):
    found, says, _ = told(FSM)
    assert found.remarks[0].grain == "module"
    assert "module control: inputs clk, rst_n, go, done, d (4), w_ready; outputs busy, y (4), w_valid" in says
    assert "clocked by the rising edge of clk" in says
    assert "rst_n resets asynchronously, as soon as it is 0" in says
    assert "register state, 2 bits, reset to `IDLE`" in says
    assert "output w_valid depends at once on w_ready and through registers on go, done" in says


def test_a_state_machine_is_told_with_its_transitions(told):
    _, says, _ = told(FSM)
    assert "state is the state of a machine with the states IDLE, RUN, STOP, and starts in IDLE" in says
    assert "it goes from IDLE to RUN while go is 1; RUN to STOP while `done` holds; RUN to RUN while" in says
    assert "STOP to IDLE; in all other cases it stays" in says


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (8, "as soon as rst_n is 0, whatever the clock does, state becomes `IDLE`"),
        (9, "at each rising edge of clk, while rst_n is 1, state becomes `following`"),
        (13, "whenever its inputs change, while state is IDLE and go is 1, following is `RUN`"),
        (20, "at each rising edge of clk, while go is 1, y shifts towards its high end, and `done` comes in at bit 0"),
        (21, "at each rising edge of clk, while go is 0, y counts up by one"),
        (22, "w_valid is always `|y & w_ready`"),
        (6, "state is a signal of 2 bits; a register, written at each rising edge of clk"),
        (23, "u1 is an instance of absent; connected are a = ``FOO`, b = `busy`"),
    ],
)
def test_a_line_says_when_what_happens(told, line, sentence):
    found, says, _ = told(FSM, (line, line))
    assert sentence in says
    assert {remark.grain for remark in found.remarks} == {"line"}


def test_a_block_is_told_as_a_whole_where_the_range_holds_it(told):
    found, says, _ = told(FSM, (7, 9))
    assert [remark.grain for remark in found.remarks] == ["block"]
    assert "runs at each rising edge of clk, and at once at the falling edge of rst_n" in says
    found, says, _ = told(FSM, (16, 16))
    assert [remark.grain for remark in found.remarks] == ["block"], "a line without a statement is told by its block"


def test_what_cannot_be_told_is_named(told):
    _, says, unsure = told(FSM)
    assert "busy is not set on every path of the process at line 18: a latch, meant or not" in unsure
    assert "where none of these applies busy keeps its value: that is a latch" in says
    assert "absent is in no file that was read" in unsure
    assert "`FOO" in unsure
    assert "y is unknown until it is first written" in unsure
    assert "w_valid and w_ready look like a handshake by their names alone" in unsure
    assert "following is not set" not in unsure


def test_two_drivers_no_driver_and_a_crossing_are_named(told):
    _, _, unsure = told(
        "module m(input a, b, input x, output reg q, output p, output r);\n"
        "  reg s; wire t;\n"
        "  always @(posedge a) s <= x;\n  always @(posedge b) q <= s & t;\n"
        "  assign p = x;\n  assign p = s;\nendmodule\n"
    )
    assert "s is written at rising edge of a and read at rising edge of b by q" in unsure
    assert "p is driven from 2 places" in unsure
    assert "nothing here drives the output r" in unsure
    assert "t is read, and nothing here drives it" in unsure


@pytest.mark.parametrize(
    "text",
    ["", "// nothing\n", "module m(input a", "module m; always @(\nendmodule", "\xff\xfe junk (", "`define X 1\n"],
)
def test_broken_text_is_never_an_error(told, text):
    found, _, unsure = told(text)
    assert found.remarks or "hold nothing of a module" in unsure


def test_a_model_adds_words_that_stand_apart(told):
    class Said(RecordedModel):
        def chat(self, messages, sampling, *, n=1, on_text=None, stop=lambda: False):
            assert "w_valid is always" in messages[-1].content
            return super().chat([messages[-1]], sampling, n=n, stop=stop)

    class Any(dict[str, list[str]]):
        def get(self, key, default=None):
            return ["Probably a sender."]

    found, says, _ = told(FSM, model=Said(Any(), name="tiny"))
    assert (found.words, found.model) == ("Probably a sender.", "tiny")
    assert "Probably" not in says
