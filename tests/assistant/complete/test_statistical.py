"""What is suggested without a model: `§` is the cursor, what is expected follows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.complete.lines import line, value, with_value, written
from veriloop.assistant.complete.nearest import Examples, predict
from veriloop.assistant.complete.ngram import go_on
from veriloop.assistant.complete.statistical import guess, guesses

CASES = [
    (
        "case (n)\n  4'd0: seg = table[0];\n  4'd1: seg = table[1];\n  4'd2: §\nendcase\n",
        "seg = table[2];",
    ),
    ("child u (\n  .clk(clk),\n  .wr_en(wr_en),\n  .rd_en(§\n);\n", "rd_en),"),
    (
        "wire a_next, b_next;\nif (rst) begin\n  a <= 0;\n  b <= 0;\nend else begin\n  a <= a_next;\n  b§\nend\n",
        " <= b_next;",
    ),
    (
        "reg [7:0] a_q, a_d;\nreg [7:0] b_q, b_d;\nalways @(posedge clk) a_q <= a_d;\nalways @(posedge clk) b_q §\n",
        "<= b_d;",
    ),
    ("  always_ff @(posedge clk) x <= y;\n  alw§\n", "ays_ff @(posedge clk) x <= y;"),
    ("`define A 1\nassign x = `A;\nassign y = §\n", "`A;"),
]


def hole(text: str) -> Hole:
    return Hole.at(text.replace("§", ""), text.index("§"))


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_a_line_goes_on_as_lines_like_it_did(text, expected):
    assert next(guesses(hole(text))) == expected


def test_numbers_count_on():
    rows = "  3'b000: y = 8'h01;\n  3'b001: y = 8'h02;\n"
    assert predict(hole(f"{rows}  3'b010: §\n"))[0].text == "y = 8'h03;"


def test_what_stands_after_the_cursor_is_not_said_again():
    assert next(guesses(hole("foo u0 (.a(a), .b(b));\nfoo u1 (.a(a), .b(§));\n"))) == "b"


def test_the_line_below_is_the_last_that_is_said():
    found = list(guesses(hole("wire a;\nwire b;\na <= 1;\n§\nb <= 1;\n")))
    assert found.index("b <= 1;") == len(found) - 1
    assert "assign b = 1;" not in guesses(hole("assign a = 1;\n§\nassign b = 1;\n"))


def test_an_empty_file_says_nothing():
    assert guess(Hole("", "", "", "")) == ""
    assert guess(Hole("", "assign ", "", "")) == ""


def test_other_files_help():
    other = Examples("always_ff @(posedge clk or negedge rst_n)\n  if (!rst_n) q <= '0;\n")
    assert next(guesses(hole("always_ff @(pos§\n"), [other])) == "edge clk or negedge rst_n)"


def test_tokens_say_what_the_line_said():
    text = "assign y = {4'hA, b[3:0]} <<< 2 ; // why"
    assert written(line(text).tokens) == text.partition(" //")[0].rstrip()
    assert line("// only a comment").tokens == ()


@pytest.mark.parametrize(
    ("number", "worth", "same"), [("4'd9", 9, "4'd10"), ("8'h0F", 15, "8'h10"), ("3'b011", 3, "3'b100"), ("7", 7, "8")]
)
def test_a_number_is_written_as_it_was(number, worth, same):
    assert value(number) == worth
    assert with_value(number, worth) == number
    assert with_value(number, worth + 1) == same


def test_unknown_digits_have_no_value():
    assert value("4'bx01z") is None
    assert value("1.5") is None


@given(st.text(alphabet="abc ()[]{};.,<=0123'`\"/*\\\n\té", max_size=200), st.integers(0, 200))
def test_no_text_is_too_odd(text, at):
    place = Hole.at(text, min(at, len(text)))
    for found in guesses(place):
        assert "\n" not in found
    go_on(place)
