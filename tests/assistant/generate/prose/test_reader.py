"""Standard blocks in words other than those of any public set, and words that change what they mean."""

from __future__ import annotations

import itertools

import pytest

from veriloop.assistant.generate import synthesis
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.synthesis import Abstained, Synthesis

AB = "- input a\n- input b\n- output y\n\n"
A4 = "- input a (4 bits)\n- output y (4 bits)\n\n"
BYTE = "- input clk\n- input rst\n- output q (8 bits)\n\n"
CLOCKED = "- input clk\n- input rst\n- output q (4 bits)\n\n"


def read(text: str) -> Synthesis | Abstained:
    interface = read_interface(text)
    assert interface is not None
    return synthesis.synthesise(text, interface)


def made(text: str) -> Synthesis:
    found = read(text)
    assert isinstance(found, Synthesis), found
    return found


def words(count: int) -> list[tuple[int, ...]]:
    return list(itertools.product((0, 1), repeat=count))


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("Build a NAND gate.", lambda a, b: 1 - (a & b)),
        ("Please design a two-input NOR gate.", lambda a, b: 1 - (a | b)),
        ("Create a circuit that implements an exclusive-or gate.", lambda a, b: a ^ b),
        ("y = ~(a | b) & a", lambda a, b: 0),
        ("Implement the boolean function y = a xnor b.", lambda a, b: 1 - (a ^ b)),
        ("The output y should be 1 if a = b, otherwise y should be 0.", lambda a, b: int(a == b)),
        ("y is 1 when both a and b are high, otherwise 0.", lambda a, b: a & b),
        ("The value of y should be 1 if neither a nor b is 1, and 0 otherwise.", lambda a, b: int(not a and not b)),
    ],
)
@pytest.mark.needs("iverilog")
def test_functions_of_two_inputs(text, function, simulate):
    rows = simulate(made(AB + text), [{"a": a, "b": b} for a, b in words(2)])
    assert [row["y"] for row in rows] == [function(a, b) for a, b in words(2)]


@pytest.mark.parametrize(
    ("text", "function"),
    [
        ("The circuit should behave like a wire.", lambda a: a),
        ("Connect the input a to the output y.", lambda a: a),
        ("This module inverts its input.", lambda a: 15 - a),
        ("The output is the bitwise complement of the input.", lambda a: 15 - a),
        ("Reverse the bit order of the 4-bit input.", lambda a: int(f"{a:04b}"[::-1], 2)),
    ],
)
@pytest.mark.needs("iverilog")
def test_functions_of_a_vector(text, function, simulate):
    rows = simulate(made(A4 + text), [{"a": value} for value in range(16)])
    assert [row["y"] for row in rows] == [function(value) for value in range(16)]


@pytest.mark.needs("iverilog")
def test_a_counter_with_a_range_of_its_own(simulate):
    text = (
        CLOCKED
        + "Build a counter that counts from 3 to 11, inclusive. The active-high synchronous reset should reset the "
        "counter to 3. Everything is triggered on the rising edge of clk."
    )
    text = text.replace("Everything is", "All flip-flops are")
    rows = simulate(made(text), [{"rst": 1}, *[{"rst": 0}] * 10])
    assert [row["q"] for row in rows] == [3, 4, 5, 6, 7, 8, 9, 10, 11, 3, 4]


@pytest.mark.needs("iverilog")
def test_a_decimal_counter_says_which_digits_are_about_to_count(simulate):
    text = (
        "- input clk\n- input rst\n- output q (12 bits)\n- output up (2 bits)\n\nImplement a 3-digit BCD counter. "
        "Each decimal digit is encoded using 4 bits: q[3:0] is the ones digit, q[7:4] is the tens digit, etc. "
        "For digits [2:1], also output an enable signal indicating when each of the upper two digits should be "
        "incremented. Reset is active high synchronous."
    )
    rows = simulate(made(text), [{"rst": 1}, *[{"rst": 0}] * 1000])
    assert [f"{row['q']:x}" for row in rows[:11]] == [*map(str, range(10)), "10"]
    assert [f"{row['q']:03x}" for row in rows] == [f"{number % 1000:03d}" for number in range(1001)]
    assert all(row["up"] == (number % 10 == 9) + 2 * (number % 100 == 99) for number, row in enumerate(rows[:1000]))


@pytest.mark.needs("iverilog")
def test_flip_flops_with_an_asynchronous_low_reset(simulate):
    ports = "- input clk\n- input rst_n\n- input d (8 bits)\n- output q (8 bits)\n\n"
    text = (
        ports
        + "Create eight D flip-flops with active-low asynchronous reset. They must be reset to 0x5a rather than zero."
    )
    flops = made(text.replace("They must", "The flip-flops must"))
    assert "negedge rst_n" in flops.rtl
    assert flops.assumed == ("clk is used at its rising edge",)
    rows = simulate(flops, [{"rst_n": 0, "d": 7}, {"rst_n": 1, "d": 7}, {"d": 9}, {"rst_n": 0}])
    assert [row["q"] for row in rows] == [0x5A, 7, 9, 0x5A]


@pytest.mark.needs("iverilog")
def test_a_galois_register(simulate):
    text = (
        CLOCKED
        + "Implement a 4-bit Galois LFSR with taps at bit positions 4 and 3. Reset is active high and synchronous "
        "and resets the output q to 4'h1."
    )
    state, expected = 1, [1]
    for _ in range(6):
        state = (state >> 1) ^ (0b1100 if state & 1 else 0)
        expected.append(state)
    rows = simulate(made(text), [{"rst": 1}, *[{"rst": 0}] * 6])
    assert [row["q"] for row in rows] == expected


@pytest.mark.needs("iverilog")
def test_falling_edges_of_every_bit(simulate):
    text = (
        "- input clk\n- input in (4 bits)\n- output fell (4 bits)\n\nFor each bit in a 4-bit vector, detect when the "
        "input signal changes from 1 in one clock cycle to 0 the next. The output bit should be set the cycle after a "
        "1 to 0 transition occurs."
    )
    rows = simulate(made(text), [{"in": value} for value in (0, 15, 9, 9, 0)])
    assert [row["fell"] for row in rows] == [0, 0, 6, 0, 9]


@pytest.mark.needs("iverilog")
def test_a_sequence_that_overlaps_itself(simulate):
    text = (
        "- input clk\n- input reset\n- input bit_in\n- output seen\n\nImplement a state machine that searches for the "
        "sequence 1011 in an input bit stream. When the sequence is found, it should set seen to 1, forever, until "
        "reset. Reset is active high synchronous."
    )
    bits = [1, 0, 1, 0, 1, 1, 0]
    rows = simulate(made(text), [{"reset": 1, "bit_in": 0}, *({"reset": 0, "bit_in": bit} for bit in bits)])
    assert [row["seen"] for row in rows] == [0, 0, 0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    "text",
    [
        # One thing more than the block, one thing that turns it round, one thing that is left open.
        AB + "Build an AND gate. The output is inverted when nobody looks.",
        AB + "Build an AND gate that is open for an hour a day.",
        AB + "Build a 3-input AND gate.",
        AB + "Do not build an AND gate.",
        AB + "Build an AND gate or an OR gate.",
        AB + "y = a ? b",
        AB + "y = a & c",
        A4 + "Reverse the byte order of the 4-bit input.",
        A4 + "Reverse the bit order of the 8-bit input.",
        A4 + "Behaves like a wire, delayed by one clock.",
        "- input a\n- input b\n- input c\n- output y\n\nConnect a to y.",
        "- input a (4 bits)\n- output y (2 bits)\n\nThe output is the input.",
        CLOCKED + "Build a counter that counts from 3 to 11.",
        CLOCKED + "Build a counter that counts from 0 to 31. Reset is active high synchronous.",
        CLOCKED + "Build a counter that counts from 0 to 9, with a period of 9. Reset is active high synchronous.",
        CLOCKED + "Build a counter that counts from 0 to 9. Reset is active high synchronous, and resets it to 12.",
        CLOCKED + "Build a counter that counts from 0 to 9. Reset is active high synchronous and asynchronous.",
        CLOCKED
        + "Build a counter that counts from 0 to 9. Reset is active high synchronous. It counts odd numbers only.",
        CLOCKED + "Build a counter that counts down from 9 to 0. Reset is active high synchronous.",
        CLOCKED
        + "Implement a 4-bit Galois LFSR with taps at bit positions 5 and 3. Reset is active high synchronous to 1.",
        CLOCKED
        + "Implement a 4-bit Fibonacci LFSR with taps at bit positions 4 and 3. Reset is active high synchronous to 1.",
        BYTE + "Build a 3-digit BCD counter. Reset is active high synchronous.",
        BYTE + "Build a 2-digit BCD counter. Reset is active high synchronous. q[3:0] is the tens digit.",
        "- input clk\n- input d\n- output q\n\nBuild two D flip-flops.",
        "- input clk\n- input d\n- input e\n- output q\n\nBuild a D flip-flop.",
    ],
)
def test_what_is_not_wholly_understood_is_left_alone(text):
    assert isinstance(read(text), Abstained)


def test_the_sentence_that_nobody_understands_is_named():
    found = read(AB + "Build an AND gate. It hums at night.")
    assert isinstance(found, Abstained)
    assert "It hums at night" in found.reason


def test_what_the_words_say_is_played():
    found = made(AB + "Build a NAND gate.")
    assert len(found.played) == 4
    assert all(row.expected for row in found.played)


def test_what_the_words_say_is_a_model_for_testbenches():
    clocked = made(CLOCKED + "Build a counter that counts from 0 to 9. Reset is active high synchronous.")
    assert clocked.reference is not None
    values = []
    for step in [{"rst": 1}, *[{"rst": 0}] * 11]:
        clocked.reference.tick(step)
        values.append(int("".join(clocked.reference.outputs(step).values()), 2))
    assert values == [*range(10), 0, 1]
    # A testbench looks after rising edges.
    falling = made(
        CLOCKED + "Build a counter that counts from 0 to 9. Reset is active high synchronous. All flip-flops "
        "are triggered on the falling edge of clk."
    )
    assert falling.reference is None
