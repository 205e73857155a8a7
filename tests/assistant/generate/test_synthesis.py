from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veriloop.assistant.generate import synthesis
from veriloop.assistant.generate.interface import Bit, read_interface
from veriloop.assistant.generate.questions import Decided
from veriloop.assistant.generate.synthesis import Abstained, Synthesis
from veriloop.assistant.generate.truth_table import expression

GATES = "- input p\n- input q\n- input r\n- output y\n"
CLOCKED = "Module named `seq`.\n- input clk\n- input rst\n- input go\n- output busy\n"


def synthesise(text: str) -> Synthesis | Abstained:
    interface = read_interface(text)
    return synthesis.synthesise(text, interface) if interface else Abstained(reason="no ports")


def made(text: str) -> Synthesis:
    found = synthesise(text)
    assert isinstance(found, Synthesis), found
    return found


def words(count: int) -> list[tuple[int, ...]]:
    return list(itertools.product((0, 1), repeat=count))


# --- Karnaugh maps and truth tables ---

MAJORITY = """
         p
   qr   0   1
   00 | 0 | 0 |
   01 | 0 | 1 |
   11 | 1 | 1 |
   10 | 0 | 1 |
"""
MAJORITY_PLAIN_ORDER = r"""
   qr\p | 1 | 0 |
   -----+---+---+
   00   | 0 | 0 |
   01   | 1 | 0 |
   10   | 1 | 0 |
   11   | 1 | 1 |
"""
MAJORITY_MARKED = """
//        q r
//  p   00 01 11 10
//  0 | 0 | 0 | 1 | 0 |
//  1 | 0 | 1 | 1 | 1 |
"""
MAJORITY_TABLE = """
| p | q | r | y |
|---|---|---|---|
| 0 | 0 | - | 0 |
| 0 | 1 | 0 | 0 |
| 0 | 1 | 1 | 1 |
| 1 | 0 | 0 | 0 |
| 1 | 0 | 1 | 1 |
| 1 | 1 | x | 1 |
"""
MAJORITY_COLUMNS = "r q p y\n" + "\n".join(f"{r} {q} {p} {int(p + q + r > 1)}" for r, q, p in words(3))
MAJORITY_LIST = "The inputs (p, q, r) make a logic-1 when 3, 5, 6, or 7 appears."


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize(
    "drawn",
    [MAJORITY, MAJORITY_PLAIN_ORDER, MAJORITY_MARKED, MAJORITY_TABLE, MAJORITY_COLUMNS, MAJORITY_LIST],
    ids=["map", "plain order", "comment", "table", "columns", "minterms"],
)
def test_a_function_in_every_form(drawn, simulate):
    steps = [dict(zip("pqr", word, strict=True)) for word in words(3)]
    rows = simulate(made(GATES + drawn), steps)
    assert [row["y"] for row in rows] == [int(sum(word) > 1) for word in words(3)]


def test_what_may_be_anything_makes_it_shorter():
    free = MAJORITY.replace("| 0 | 1 |", "| d | 1 |")
    assert "assign y = q | r;" in made(GATES + free).rtl


def test_a_map_for_a_multiplexer():
    ports = "- input c\n- output d (4 bits)\n"
    text = ports + "       ab\n   c   00  01  11  10\n   0 | 0 | 1 | 1 | 0 |\n   1 | 0 | 1 | 0 | 1 |\n"
    rtl = made(text).rtl
    assert "assign d[3] = ~c;" in rtl
    assert "assign d[2] = c;" in rtl
    assert "assign d[1] = 1'b1;" in rtl
    assert "assign d[0] = 1'b0;" in rtl


def test_a_map_of_other_names_is_a_question():
    found = synthesise(GATES + MAJORITY.replace("qr", "uv"))
    assert isinstance(found, Abstained)
    assert found.questions


def test_two_answers_are_none():
    other = MAJORITY_LIST.replace("3, 5", "2, 5")
    found = synthesise(GATES + MAJORITY + other)
    assert isinstance(found, Abstained)
    assert "different" in found.reason


@given(st.lists(st.sampled_from("01-"), min_size=16, max_size=16))
def test_an_expression_has_the_values(values):
    inputs = [Bit(name) for name in "abcd"]
    text = expression(inputs, dict(enumerate(values)))
    python = re.sub(r"~([a-d])", r"(1 ^ \1)", text.replace("1'b", "")).replace("~(", "1 ^ (")
    for number, word in enumerate(words(4)):
        seen = eval(python, {}, dict(zip("abcd", word, strict=True)))
        assert values[number] in {"-", str(seen & 1)}


# --- State machines ---

DIAGRAM = """
  IDLE (busy=0) --go=0--> IDLE
  IDLE (busy=0) --go=1--> RUN
  RUN  (busy=1) --(always)--> LAST
  LAST (busy=1) --!go--> IDLE
  LAST (busy=1) --go--> RUN
"""
TABLE = """
| State | Next state go=0, Next state go=1 | Output |
|-------|----------------------------------|--------|
| IDLE  | IDLE, RUN                        | 0      |
| RUN   | LAST, LAST                       | 1      |
| LAST  | IDLE, RUN                        | 1      |
"""
MERMAID = """
  IDLE --> IDLE : go=0 / busy=0
  IDLE --> RUN : go=1 / busy=0
  RUN --> LAST : always / busy=1
  LAST --> IDLE : go=0 / busy=1
  LAST --> RUN : else / busy=1
"""


@pytest.mark.needs("iverilog")
@pytest.mark.parametrize("drawn", [DIAGRAM, TABLE, MERMAID], ids=["diagram", "table", "mermaid"])
@pytest.mark.parametrize("code", ["", "Use a one-hot code. "])
def test_a_machine_in_every_form(drawn, code, simulate):
    text = CLOCKED + drawn + code + "Reset is synchronous and active high and leads to state IDLE."
    steps = [{"rst": 1, "go": 0}, *({"rst": 0, "go": go} for go in (0, 1, 0, 1, 1, 0, 0)), {"rst": 1, "go": 1}]
    machine = made(text)
    assert machine.assumed == ()
    assert [row["busy"] for row in simulate(machine, steps)] == [0, 0, 1, 1, 1, 1, 0, 0, 0]


def test_what_is_not_said_is_named():
    conventions = ("rst is active high", "reset leads to state IDLE, the first")
    clocked = "All registers change at the rising edge of clk."
    assert made(CLOCKED + DIAGRAM + clocked).assumed == ("rst is synchronous", *conventions)
    named = CLOCKED.replace("rst", "areset") + DIAGRAM
    assert made(named).assumed[0] == "areset is asynchronous"
    assert made(CLOCKED + DIAGRAM + "Reset is as follows:\n- synchronous\n").assumed == conventions


def test_which_kind_of_reset_it_is_is_asked_where_nothing_tells():
    # What is synchronous here is not the reset.
    text = CLOCKED + DIAGRAM + "- Reset: rst is active low\n- Clock: clk for synchronous operation\n"
    found = synthesise(text)
    assert isinstance(found, Abstained)
    (asked,) = found.questions
    assert (asked.text, asked.options) == ("is rst synchronous or asynchronous?", ("synchronous", "asynchronous"))
    interface = read_interface(text)
    assert interface is not None
    decided = synthesis.synthesise(text, interface, Decided({asked.text: "asynchronous"}))
    assert isinstance(decided, Synthesis)
    assert "or negedge rst" in decided.rtl
    assert decided.assumed == ("reset leads to state IDLE, the first",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("  IDLE (busy=0) --go=1--> LAST", "state IDLE goes to LAST and RUN on go=1: to which state?"),
        ("  LAST (busy=1) --go=1--> DONE", "state DONE has no transitions"),
    ],
)
def test_a_contradiction_is_a_question(line, said):
    found = synthesise(CLOCKED + DIAGRAM + line)
    assert isinstance(found, Abstained)
    assert said in [one.text for one in found.questions]


def test_a_gap_is_a_question():
    found = synthesise(CLOCKED + DIAGRAM.replace("  IDLE (busy=0) --go=0--> IDLE\n", ""))
    assert isinstance(found, Abstained)
    assert [one.text for one in found.questions] == ["state IDLE goes nowhere on go=0: to which state?"]


@pytest.mark.needs("iverilog")
def test_next_state_logic_with_given_codes(simulate):
    ports = "- input go\n- input state (2 bits)\n- output next_state (2 bits)\n- output busy\n"
    codes = "The codes are IDLE=2'b01, RUN=2'b10, LAST=2'b11."
    rows = simulate(made(ports + DIAGRAM + codes), [{"state": state, "go": go} for state in (1, 2, 3) for go in (0, 1)])
    assert [row["next_state"] for row in rows] == [1, 2, 3, 3, 1, 2]
    assert [row["busy"] for row in rows] == [0, 0, 1, 1, 1, 1]


@pytest.mark.needs("iverilog")
def test_one_hot_equations_hold_in_every_state_word(simulate):
    ports = "- input go\n- input y (3 bits)\n- output Y1\n- output RUN_next\n- output busy\n"
    codes = "One-hot codes y = 001, 010, 100 are used for the states (IDLE, RUN, LAST)."
    rows = simulate(made(ports + DIAGRAM + codes), [{"y": y, "go": go} for y in range(8) for go in (0, 1)])
    for row, (y, go) in zip(rows, itertools.product(range(8), (0, 1)), strict=True):
        assert row["Y1"] == row["RUN_next"] == int(bool((y & 1 or y & 4) and go))
        assert row["busy"] == int(bool(y & 6))


def test_codes_are_not_made_up():
    ports = "- input go\n- input state (2 bits)\n- output next_state (2 bits)\n- output busy\n"
    assert isinstance(synthesise(ports + DIAGRAM), Abstained)


# --- Other tables ---


@pytest.mark.needs("iverilog")
def test_a_flip_flop_by_its_table(simulate):
    ports = "- input clk\n- input s\n- input r\n- output Q\n\n"
    text = ports + "s | r | Q\n0 | 0 | Qold\n0 | 1 | 0\n1 | 0 | 1\n1 | 1 | ~Qold\n"
    steps = [{"s": s, "r": r} for s, r in ((1, 0), (0, 0), (1, 1), (1, 1), (0, 1))]
    assert [row["Q"] for row in simulate(made(text), steps)] == [1, 1, 0, 1, 0]


@pytest.mark.needs("iverilog")
def test_codes_with_meanings(simulate):
    text = (
        "- input op (4 bits)\n- output load\n- output store\n\n"
        "op[3:0] | kind\n4'h3 | a load\n4'h7 | store to memory\n4'd9 | a load\nothers | none\n"
    )
    rows = simulate(made(text), [{"op": value} for value in (3, 7, 9, 0)])
    assert [(row["load"], row["store"]) for row in rows] == [(1, 0), (0, 1), (1, 0), (0, 0)]


@pytest.mark.needs("iverilog")
def test_a_row_of_cells(simulate):
    rule = 0b01101000
    table = "\n".join(f"{a} | {b} | {c} | {rule >> (a << 2 | b << 1 | c) & 1}" for a, b, c in words(3))
    text = (
        "- input clk\n- input load\n- input data (8 bits)\n- output q (8 bits)\n\n"
        f"Left | Center | Right | next state of Center\n{table}\n\nThe boundaries are both zero."
    )
    state = 0b01101100
    expected = sum((rule >> ((state << 1 >> i) & 7) & 1) << i for i in range(8))
    rows = simulate(made(text), [{"load": 1, "data": state}, {"load": 0}])
    assert [row["q"] for row in rows] == [state, expected]


# --- Waveforms ---


def wave(names: str, rows: list[tuple[object, ...]]) -> str:
    lines = [f"{5 * number}ns " + " ".join(map(str, row)) for number, row in enumerate(rows)]
    return "Read the waveforms and implement the circuit.\n\n time " + names + "\n" + "\n".join(lines) + "\n"


@pytest.mark.needs("iverilog")
def test_a_combinational_waveform(simulate):
    text = "- input a\n- input b\n- output q\n" + wave("a b q", [(a, b, a & ~b & 1) for a, b in words(2)])
    rows = simulate(made(text), [{"a": a, "b": b} for a, b in words(2)])
    assert [row["q"] for row in rows] == [0, 0, 1, 0]


@pytest.mark.needs("iverilog")
def test_a_counter_from_its_waveform(simulate):
    rows: list[tuple[object, ...]] = [(0, 1, "x")]
    state = 2
    for clears in (1, 1, 0, 0, 0, 0, 0, 0, 0):
        # What follows an edge shows in the same row as the edge.
        rows += [(1, clears, state), (0, clears, state)]
        state = 2 if clears else 0 if state == 4 else state + 1
    text = "- input clk\n- input a\n- output q (3 bits)\n" + wave("clk a q", rows)
    counter = made(text)
    assert any("goes on as" in rule for rule in counter.assumed)
    steps = [{"a": 1}, *[{"a": 0}] * 5]
    assert [row["q"] for row in simulate(counter, steps)] == [2, 3, 4, 0, 1, 2]


def test_an_example_is_not_the_whole():
    text = "- input a\n- input b\n- output q\n" + wave("a b q", [(a, b, a & b) for a, b in words(2)])
    assert isinstance(synthesise(text.replace("Read the waveforms", "Waveform example")), Abstained)


def test_a_waveform_that_no_simple_circuit_shows():
    rows: list[tuple[object, ...]] = [(clock, 0, value) for clock, value in ((0, 0), (1, 1), (0, 2), (1, 7), (0, 3))]
    assert isinstance(synthesise("- input clk\n- input a\n- output q (3 bits)\n" + wave("clk a q", rows)), Abstained)


# --- Nothing to go by ---


@pytest.mark.parametrize("text", ["", "Make it fast.", "- input a\n- output y\n\nTurn a into y as is usual."])
def test_prose_is_left_alone(text):
    assert isinstance(synthesise(text), Abstained)
