from __future__ import annotations

import pytest

from veriloop.assistant.generate.power_up import with_power_up


def test_registers_start_at_zero():
    process = b"  always @(posedge clk) begin p <= d; q <= p; end\n"
    text = b"module m(input clk, d, output reg q);\n  reg p;\n" + process + b"endmodule\n"
    made, names = with_power_up(text)
    assert names == ("p", "q")
    assert made.endswith(b"  initial begin\n    p = 0;\n    q = 0;\n  end\nendmodule\n")


def test_always_ff_gives_way_where_it_drives_such_a_register():
    text = (
        b"module m(input clk, d, output logic q, r = 1);\n"
        b"  always_ff @(posedge clk) q <= d;\n  always_ff @(posedge clk) r <= d;\nendmodule\n"
    )
    made, names = with_power_up(text)
    assert names == ("q",)
    assert made.count(b"always_ff") == 1
    assert b"always @(posedge clk) q <= d;" in made


@pytest.mark.parametrize(
    "text",
    [
        b"module m(input a, output y);\n  assign y = a;\nendmodule\n",
        b"module m(input clk, d, output reg q);\n  initial q = 1;\n  always @(posedge clk) q <= d;\nendmodule\n",
        b"module m(input clk, d);\n  reg q = 0;\n  always @(posedge clk) q <= d;\nendmodule\n",
        b"module m(input clk, d);\n  reg m [0:3];\n  always @(posedge clk) m[0] <= d;\nendmodule\n",
        b"module m(input clk, d, output reg q);\n  always @(posedge clk",
    ],
    ids=["combinational", "initial block", "declaration", "memory", "half a file"],
)
def test_the_rest_stays_as_it_is(text):
    assert with_power_up(text) == (text, ())
