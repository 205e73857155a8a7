"""Dataflow: what reaches a signal, and the text that drives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.design.dataflow import Dataflow
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design

DESIGN = b"""module inverter(input x, output y); assign y = ~x; endmodule
module m(input clk, rst, en, input [3:0] a, output reg [3:0] q, output w, output k, output two);
  parameter IDLE = 2;
  reg [3:0] state, next;
  wire inner;
  and gate(w, a[0], en);
  function [3:0] twice(input [3:0] v); twice = v << 1; endfunction
  function [3:0] same(input [3:0] v); return v; endfunction
  always @(posedge clk or posedge rst) if (rst) state <= 0; else if (en) state <= next;
  always @* case (state) IDLE: next = twice(a); default: next = state; endcase
  always @(posedge clk) q <= next;
  inverter u(.x(state[0]), .y(inner));
  assign k = inner;
  genvar i;
  generate for (i = 0; i < 2; i = i + 1) begin : lane wire s; assign s = a[i]; end endgenerate
  assign two = lane[0].s ^ lane[1].s ^ same(a)[0];
endmodule
module tb;
  reg clk, d; wire k;
  m dut(.clk(clk), .rst(1'b0), .en(d), .a(4'd0), .q(), .w(), .k(k), .two());
  always @(posedge clk) d <= k;
endmodule
"""


def flow(text: bytes = DESIGN) -> Dataflow:
    path = Path("d.sv")
    elaboration = elaborate(Design(toplevel="", sources=(path,)), {path: text})
    return Dataflow.of(elaboration)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("w", {"w": 0, "a": 1, "en": 1}),
        ("state", {"state": 0, "clk": 1, "rst": 1, "en": 1, "next": 1, "IDLE": 2, "a": 2, "twice": 2, "v": 3}),
        # Into the instance, through it, and out of its input.
        (
            "k",
            {
                "k": 0,
                "inner": 1,
                "state": 4,
                "clk": 5,
                "rst": 5,
                "en": 5,
                "next": 5,
                "IDLE": 6,
                "a": 6,
                "twice": 6,
                "v": 7,
            },
        ),
        ("two", {"two": 0, "s": 1, "a": 1, "same": 1, "i": 2, "v": 2}),
        ("nothing", {"nothing": 0}),
    ],
)
def test_cone(output: str, expected: dict[str, int]) -> None:
    assert dict(flow().cone([output], module="m")) == expected


def test_a_cone_of_a_module_stays_below_it() -> None:
    assert dict(flow().cones(["y"], module="inverter")) == {("inverter", "y"): 0, ("inverter", "x"): 1}
    assert flow().cones(["d"], module="tb")["inverter", "x"] == 5
    assert flow().cone(["d"], module="nowhere") == {}


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        ("q", ["q <= next"]),
        ("state", ["state <= 0", "state <= next"]),
        ("next", ["next = twice(a)", "next = state"]),
        ("w", ["w"]),
        ("inner", ["inner"]),
        ("same", ["return v;"]),
        ("s", ["s = a[i]"]),
        ("clk", []),
    ],
)
def test_drivers(signal: str, expected: list[str]) -> None:
    spans = flow().drivers("m", signal)
    assert [DESIGN[span.start : span.end].decode() for span in spans] == expected
    assert all(span.line == DESIGN.count(b"\n", 0, span.start) + 1 for span in spans)


def test_spans_are_bytes_of_the_file_whatever_its_encoding() -> None:
    text = "module m(input a, output y); /* größer */ assign y = a; endmodule\n"
    for encoding in ("utf-8", "latin-1"):
        content = text.encode(encoding)
        (span,) = flow(content).drivers("m", "y")
        assert content[span.start : span.end] == b"y = a"


@pytest.mark.parametrize(
    ("text", "output", "reads"),
    [
        ("output y, input a, b; missing u(.p(y), .q(a), .r(b));", "y", {"a", "b"}),
        (
            "output reg y; input a, c; task t(output o, input i); o = i; endtask always @(posedge c) t(y, a);",
            "y",
            {"o", "c"},
        ),
        ("output [3:0] y; input [1:0] n; input d; reg [3:0] y; always @* y[n] = d;", "y", {"n", "d"}),
        ("output reg [1:0] y, z; input [3:0] a; always @* {y, z} = a;", "z", {"a"}),
        ("output reg [3:0] y; input c; always @(posedge c) y++;", "y", {"y", "c"}),
        ("output reg y; input [3:0] a; integer i; always @* for (i = 0; i < 4; i = i + 1) y = a[i];", "y", {"a", "i"}),
        ("output y; input a; wire y = a;", "y", {"a"}),
        ("output y; input a, b, s; assign y = s ? a : b;", "y", {"s", "a", "b"}),
    ],
)
def test_reads(text: str, output: str, reads: set[str]) -> None:
    body = text.replace("output ", "output ", 1)
    names = "y, z" if "z;" in text else "y"
    inputs = {"a", "b", "c", "d", "n", "s"} & set(text.replace(";", " ").replace(",", " ").split())
    ports = ", ".join([names, *sorted(inputs)])
    assert flow(f"module m({ports}); {body} endmodule\n".encode()).reads("m", output) == reads


@pytest.mark.parametrize("depth", [900, 5000])
def test_deep_nesting(depth: int) -> None:
    arms = " else ".join(f"if (a == {i}) y = b;" for i in range(depth))
    braces = "{" * depth + "z" + "}" * depth
    text = f"module m(input [9:0] a, input b, output reg y); always @* {arms} endmodule\n"
    assert set(flow(text.encode()).reads("m", "y")) in ({"a", "b"}, set())
    text = f"module m(input a, output z); assign {braces} = a; endmodule\n"
    assert set(flow(text.encode()).reads("m", "z")) in ({"a"}, set())
