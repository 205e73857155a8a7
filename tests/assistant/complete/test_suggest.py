"""Suggestions with all of their checks: marked Verilog in, the text that may be written out."""

from __future__ import annotations

import pytest

from tests.assistant.design.marked import read_marks
from veriloop.assistant.complete.check import Checker
from veriloop.assistant.complete.related import related
from veriloop.assistant.complete.suggest import Suggester
from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.events import CancelToken

CHILD = """=== child.sv
module child #(parameter W = 8, parameter DEPTH = 4) (
  input logic clk, input logic rst_n,
  input logic [W-1:0] i_data,
  output logic [W-1:0] o_data, output logic valid
);
endmodule
=== a.sv
"""
PACKAGE = "=== p.sv\npackage p; parameter X = 1; endpackage\n=== a.sv\n"
SIGNALS = "  logic clk, rst_n, valid; logic [7:0] data, q;\n"


@pytest.fixture
def opened(tmp_path):
    def open_(text: str):
        marked = read_marks(text)
        marked.write(tmp_path)
        analysis = Analysis({tmp_path: None})
        analysis.workspace.index()
        name, at = marked.cursors[0]
        return analysis, analysis.source(tmp_path / name), at

    return open_


CASES = [
    (
        CHILD + "module m;\n" + SIGNALS + "  child u (\n    §\n  );\nendmodule\n",
        ".clk(clk),\n    .rst_n(rst_n),\n    .i_data(data),\n    .o_data(data),\n    .valid(valid)",
    ),
    (
        CHILD + "module m;\n" + SIGNALS + "  child u (\n    .clk(clk),\n    .rst_n(rst_n),\n    §\n  );\nendmodule\n",
        ".i_data(data),\n    .o_data(data),\n    .valid(valid)",
    ),
    (
        CHILD + "module m;\n" + SIGNALS + "  child u (§\n  assign q = data;\nendmodule\n",
        "\n    .clk(clk),\n    .rst_n(rst_n),\n    .i_data(data),\n    .o_data(data),\n    .valid(valid)\n  );",
    ),
    (CHILD + "module m;\n" + SIGNALS + "  child u (.cl§\n  );\nendmodule\n", "k(clk)"),
    (CHILD + "module m;\n" + SIGNALS + "  child u (.clk(§\n  );\nendmodule\n", "clk)"),
    (CHILD + "module m;\n" + SIGNALS + "  child u (.clk(§));\nendmodule\n", "clk"),
    (CHILD + "module m;\n" + SIGNALS + "  child u (.rst_n(rst_n), .i_data(data), .o_data(q), .valid(valid), .cl§);\n"
     "endmodule\n", "k(clk)"),
    (CHILD + "module m #(parameter W = 8);\n  child #(.§) u();\nendmodule\n", "W(W)"),
    ("module m(input [3:0] a, b, output reg [3:0] y);\n  always @* case (a)\n    4'd0: y = b;\n"
     "    4'd1: y = b + 4'd1;\n    4'd2: y§\n    default: y = 0;\n  endcase\nendmodule\n", " = b + 4'd2;"),
    ("module m(input a, b, output y, z);\n  assign y = a & b;\n  assign z§\nendmodule\n", " = a & b;"),
    # What would not compile is not said: `c` has no like that is declared, and drivers may not meet.
    ("module m(input a, output y);\n  assign y = a;\n  assign §\nendmodule\n", None),
    ("module m; // assi§\nendmodule\n", None),
    ('module m; initial $display("assi§");\nendmodule\n', None),
    ("module m; wire a;\n  assign §a = 1;\nendmodule\n", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_what_is_suggested_at_once(opened, text, expected):
    analysis, source, at = opened(text)
    found = Suggester(analysis).at_once(source, at, CancelToken())
    assert (found.text if found is not None else None) == expected


@pytest.mark.parametrize(
    ("text", "written", "holds"),
    [
        ("module m(input a, output y);\n  assign y =§\nendmodule\n", " a;", True),
        ("module m(input a, output y);\n  assign y =§\nendmodule\n", " b;", False),
        ("module m(input a, output y);\n  assign y =§\nendmodule\n", " (a;", False),
        ("module m(input a, output y);\n  assign y =§\nendmodule\n", " a &", True),
        ("module m(input a, output y);\n  assign y = a;\n  §\nendmodule\n", "always @* begin", False),
        ("module m(input a, output y);\n  assign y = a;\n  §\nendmodule\n", "wire b = a;", True),
        ("module m(input a, output y);\n  assign y = a;\n  §\nendmodule\n", "wire a;", False),
        ("module m(input [7:0] a, output [3:0] y);\n  assign y =§\nendmodule\n", " a;", False),
        ("module m(input [7:0] a, output [3:0] y);\n  assign y =§\nendmodule\n", " a[3:0];", True),
        (CHILD + "module m;\n  §\nendmodule\n", "child u_child();", True),
        (CHILD + "module m;\n  §\nendmodule\n", "unheard_of u();", False),
        (CHILD + "module m;\n  §\nendmodule\n", "child u_child(.nothing(1));", False),
        (PACKAGE + "module m;\n  localparam Y =§\nendmodule\n", " p::X;", True),
        (PACKAGE + "module m;\n  localparam Y =§\nendmodule\n", " p::Z;", False),
        # Errors elsewhere neither excuse nor forbid.
        ("module m(input a, output y);\n  wire w = nowhere;\n  assign y =§\nendmodule\n", " a;", True),
        ("module m(input a, output y);\n  wire w = nowhere;\n  assign y =§\nendmodule\n", " nothing;", False),
    ],
)  # fmt: skip
def test_a_suggestion_makes_nothing_worse(opened, text, written, holds):
    analysis, source, at = opened(text)
    before = analysis.live.diagnostics(source)
    assert Checker(analysis).holds(source, at, written) is holds
    assert analysis.live.diagnostics(source) == before


def test_of_a_models_text_what_holds_is_kept(opened):
    analysis, source, at = opened("module m(input a, output y, z);\n  assign y =§\nendmodule\n")
    suggester = Suggester(analysis)
    whole = suggester.checked(source, at, [" a;\n  assign z = ~a;"], CancelToken())
    assert whole is not None
    assert whole.text == " a;\n  assign z = ~a;"
    part = suggester.checked(source, at, [" b;", " a;\n  initial nothing = ~a;"], CancelToken())
    assert part is not None
    assert (part.text, part.origin) == (" a;", "model")
    assert suggester.checked(source, at, [" b;", "", "   "], CancelToken()) is None


def test_a_model_is_told_of_the_instance_and_of_packages(opened):
    analysis, source, at = opened(CHILD + "module m;\n  child u (.§\nendmodule\n")
    assert related(analysis, source, at).startswith("module child #(parameter W = 8")
    package = "=== p.sv\npackage p;\n  typedef enum {IDLE, RUN} state_t;\n  localparam N = 3;\nendpackage\n=== a.sv\n"
    analysis, source, at = opened(package + "module m;\n  initial $display(p::§);\nendmodule\n")
    assert "localparam N = 3;" in related(analysis, source, at)
    analysis, source, at = opened(package + "module m;\n  import p::*;\n  state_t s;\n  assign s = §\nendmodule\n")
    assert "typedef enum {IDLE, RUN} state_t;" in related(analysis, source, at)
