from __future__ import annotations

import pytest

from veriloop.assistant.generate.interface import Bit, Interface, read_interface


def ports(text: str, header: str | None = None) -> list[str]:
    interface = read_interface(text, header=header)
    assert interface is not None
    return [str(port) for port in interface.ports]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("- input a\n- output y", ["input logic a", "output logic y"]),
        ("  - input  data (8 bits)\n  - output sum ( 16 bits)", ["input logic [7:0] data", "output logic [15:0] sum"]),
        ("* `input` [3:0] `nibble`\n* output parity", ["input logic [3:0] nibble", "output logic parity"]),
        ("1. input v[4:1]\n2. output y", ["input logic [4:1] v", "output logic y"]),
        ("- input v (4-bit)\n- output y\n\ny is v[1] and v[4].", ["input logic [4:1] v", "output logic y"]),
        ("- input v (4 bits)\n- output y\n\ny is v[0] and v[3].", ["input logic [3:0] v", "output logic y"]),
        ("- input a, b (2 bits each)\n- output y;", ["input logic [1:0] a", "input logic [1:0] b", "output logic y"]),
        (
            "Input ports:\n    [7:0]a: the word\n    go: starts\n"
            "Output ports:\n    y: 16-bit output of\n      it all\n\n"
            "Implementation:\n    Output y: late",
            ["input logic [7:0] a", "input logic go", "output logic [15:0] y"],
        ),
        (
            "**Inputs:**\n- `p`, `q` \u2014 2-bit data inputs (`[1:0]`, wire)\n\n**Output:**\n- `r` \u2014 a flag\n",
            ["input logic [1:0] p", "input logic [1:0] q", "output logic r"],
        ),
        (
            "- input a\n- output y\n\nMore:\n- Input interface: it is fast.\n- output signal",
            ["input logic a", "output logic y"],
        ),
    ],
)
def test_ports_are_listed(text, expected):
    assert ports(text) == expected


def test_a_header_is_read_by_the_elaborator():
    header = "module m #(parameter W = 3) (input [W-1:0] a, b, input signed [2:0] c, output reg [4:1] q);"
    assert ports("", header) == [
        "input logic [2:0] a",
        "input logic [2:0] b",
        "input logic [2:0] c",
        "output logic [4:1] q",
    ]


def test_a_header_in_the_text_counts_where_nothing_is_listed():
    interface = read_interface("Complete this:\n\n    module adder(input a, input b, output [1:0] s);\n")
    assert interface is not None
    assert interface.toplevel == "adder"
    assert [port.name for port in interface.ports] == ["a", "b", "s"]


@pytest.mark.parametrize(
    "line",
    [
        "- input [W-1:0] b",
        "- input b (WIDTH bits)",
        "- inout b",
        "- input b is wide",
        "- input 8-bit b",
        "- input [x] b",
    ],
)
def test_a_list_with_a_line_that_cannot_be_read_is_none(line):
    assert read_interface(f"- input a\n{line}\n- output y\n") is None


def test_nothing_is_made_up():
    assert read_interface("A counter that counts.") is None
    assert read_interface("module broken(input [; output);") is None


@pytest.fixture
def interface() -> Interface:
    found = read_interface("- input clk\n- input rst_n\n- input a\n- input ab\n- input x (4 bits)\n- output z")
    assert found is not None
    return found


def test_names_of_bits(interface):
    assert interface.bit("x[2]") == interface.bit("x2") == interface.bit("_x_2_") == Bit("x", 2)
    assert interface.bit("x[4]") is None
    assert interface.bit("x") is None
    assert interface.bit("A") == Bit("a")


def test_names_written_together(interface):
    assert interface.word("x[3]x[1]") == (Bit("x", 3), Bit("x", 1))
    assert interface.word("ab") == (Bit("ab"),)
    assert interface.word("a x1") == (Bit("a"), Bit("x", 1))
    assert interface.word("nothing") is None


def test_clock_and_reset_are_told_by_name(interface):
    assert interface.clock is not None
    assert interface.clock.name == "clk"
    assert interface.reset is not None
    assert interface.reset.name == "rst_n"
    assert [port.name for port in interface.data] == ["a", "ab", "x"]
