from __future__ import annotations

import pytest

from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.questions import Decided
from veriloop.assistant.generate.synthesis import Abstained, Synthesis, synthesise

PORTS = "- input a (4 bits)\n- input b (4 bits)\n- input sel (2 bits)\n- output y (4 bits)\n\n"
TABLE = """| `sel` | Output (`y`) |
| ----- | ------------ |
| 00    | a            |
| 01    | ~b           |
| 1x    | a & b        |
"""


def read(text: str) -> Synthesis | Abstained:
    interface = read_interface(text)
    assert interface is not None
    return synthesise(text, interface)


@pytest.mark.needs("iverilog")
def test_what_is_chosen_may_be_an_expression(simulate):
    found = read(PORTS + TABLE)
    assert isinstance(found, Synthesis)
    assert found.kind == "table of choices"
    rows = simulate(found, [{"a": 0b1100, "b": 0b1010, "sel": sel} for sel in range(4)])
    assert [row["y"] for row in rows] == [0b1100, 0b0101, 0b1000, 0b1000]
    assert len(found.played) == 1 << 10


@pytest.mark.needs("iverilog")
def test_what_is_left_may_be_said_at_once(simulate):
    found = read(PORTS + TABLE.replace("1x   ", "other") + "\nThat is all.\n")
    assert isinstance(found, Synthesis)
    rows = simulate(found, [{"a": 0b1100, "b": 0b1010, "sel": sel} for sel in (2, 3)])
    assert [row["y"] for row in rows] == [0b1000, 0b1000]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("| 1x ", "| 10 ", "the table says nothing of sel[1:0] = 11: what is y then?"),
        ("| 01 ", "| 0x ", "the table chooses a and ~b at sel[1:0] = 00"),
    ],
)
def test_a_gap_and_a_contradiction_are_questions(old, new, said):
    found = read(PORTS + TABLE.replace(old, new))
    assert isinstance(found, Abstained)
    assert [str(question) for question in found.questions] == [said]


@pytest.mark.needs("iverilog")
def test_what_a_gap_is_to_be_can_be_answered(simulate):
    text = PORTS + TABLE.replace("| 1x ", "| 10 ")
    interface = read_interface(text)
    assert interface is not None
    for answer, value in (("0", 0), ("~b", 0b0101)):
        found = synthesise(
            text, interface, Decided({"the table says nothing of sel[1:0] = 11: what is y then?": answer})
        )
        assert isinstance(found, Synthesis)
        assert [row["y"] for row in simulate(found, [{"a": 0b1100, "b": 0b1010, "sel": 3}])] == [value]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # A port that the table does not use, something that is no port, a width that does not fit, a loop.
        ("| ~b ", "| ~a "),
        ("a & b", "a & c"),
        ("a & b", "a & sel"),
        ("a & b", "y & b"),
        ("a & b", "a when it rains"),
    ],
)
def test_what_is_not_wholly_understood_is_left_alone(old, new):
    text = (PORTS + TABLE).replace(old, new)
    if old == "| ~b ":
        text = text.replace("a & b", "a")
    found = read(text)
    assert isinstance(found, Abstained)
    assert not found.questions


@pytest.mark.needs("iverilog")
def test_a_state_table_in_columns_without_bars(simulate):
    text = """- input clk
- input rst
- input go
- output busy

State transition table:

                       go
    current state   1       0
    IDLE  next state  RUN   IDLE
    RUN               RUN   LAST
    LAST              IDLE  IDLE

When the current state is RUN, the output busy should be 1. For all other states (IDLE, LAST), the output busy should
be 0. Reset is synchronous, active high, and leads to state IDLE.
"""
    found = read(text)
    assert isinstance(found, Synthesis)
    assert (found.kind, found.assumed) == ("state table", ())
    steps = [{"rst": 1, "go": 0}, *({"rst": 0, "go": go} for go in (1, 1, 0, 1, 0))]
    assert [row["busy"] for row in simulate(found, steps)] == [0, 1, 1, 0, 0, 0]
    assert isinstance(read(text.replace("should\nbe 0", "should\nbe 1")), Abstained)
