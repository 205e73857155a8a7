from __future__ import annotations

from pathlib import Path

from veriloop.assistant.design.clocking import Clocking, read_clocking
from veriloop.assistant.design.constants import constants
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design

FILE = Path("m.sv")


def clocking(text: str, top: str = "m") -> Clocking:
    elaboration = Elaborator(Design(toplevel=top, sources=(FILE,)), {FILE: text.encode()}).elaborate()
    return read_clocking(elaboration, top)


def names(found: Clocking) -> tuple[list[str], list[tuple[str, bool, bool]]]:
    return [one.name for one in found.clocks], [(r.name, r.active_low, r.asynchronous) for r in found.resets]


def test_an_asynchronous_reset_is_the_edge_that_the_process_asks_about():
    found = clocking(
        "module m(input tick, input go, input d, output reg q);"
        " always @(posedge tick or negedge go) if (!go) q <= 0; else q <= d; endmodule"
    )
    assert names(found) == (["tick"], [("go", True, True)])
    assert found.resets_all


def test_a_synchronous_reset_is_told_by_name_and_its_polarity_by_the_text():
    found = clocking(
        "module m(input clk, input resetx, input d, output reg q);"
        " always @(posedge clk) if (resetx == 1'b0) q <= 0; else q <= d; endmodule"
    )
    assert names(found) == (["clk"], [("resetx", True, False)])


def test_clocks_are_followed_through_instances_and_dividers_are_no_inputs():
    found = clocking(
        "module r(input c, input d, output reg q); always @(negedge c) q <= d; endmodule\n"
        "module m(input ck_in, input d, output q); reg half = 0; always @(posedge ck_in) half <= ~half;"
        " r inner(.c(half), .d(d), .q(q)); endmodule"
    )
    assert names(found)[0] == ["ck_in"]


def test_both_edges_and_two_clocks():
    found = clocking(
        "module m(input a_clk, input b_clk, input d, output reg p, q, r);"
        " always @(posedge a_clk) p <= d; always @(negedge a_clk) q <= d; always @(posedge b_clk) r <= d; endmodule"
    )
    assert [(one.name, one.rising, one.falling) for one in found.clocks] == [
        ("a_clk", True, True),
        ("b_clk", True, False),
    ]


def test_a_register_that_is_not_reset_is_noticed():
    assert not clocking(
        "module m(input clk, rst, d, output reg q, p); always @(posedge clk or posedge rst)"
        " if (rst) q <= 0; else begin q <= d; p <= d; end endmodule"
    ).resets_all


def test_a_port_of_both_directions_that_nothing_drives_is_quiet():
    text = (
        "module m(inout [3:0] data, inout bus, input en, output [3:0] q);"
        " assign q = data; assign bus = en ? 1 : 1'bz; endmodule"
    )
    assert clocking(text).quiet == {"data"}


def test_constants_are_read_from_every_base_and_not_from_comments():
    assert constants([b"x = 8'hF0 + 'd12 + 3; // 77\n y = 4'b10_10; z = \"5\"; w = 4'bx1;"]) == (3, 10, 12, 240)
