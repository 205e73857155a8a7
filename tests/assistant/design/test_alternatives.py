"""Many versions in one design: each version that is held must be that version, and what cannot be held is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veriloop.assistant.design.alternatives import Choices, Facts, is_clocked, package_text, written_by
from veriloop.assistant.design.edits import Edit, apply_edits, differences
from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.model import Design

TEXT = """\
`default_nettype none
module dut (input wire clk, input wire [3:0] a, output reg [3:0] q, output wire [4:0] y, output wire z);
  localparam [1:0] STEP = 2'd1;
  reg [3:0] count = 0;
  wire [3:0] next = count + STEP;
  always @(posedge clk) begin
    count <= next;
    if (a[0]) q <= a; else if (a[1]) q <= count;
    case (a) 4'd1: q <= 0; default: ; endcase
  end
  assign y = {1'b0, a} + 1, z = a < 2;
  sub inner (.a(a[0]), .b());
endmodule
module sub (input wire a, output wire b);
  reg r;
  always @* r = ~a;
  assign b = r;
endmodule
"""


@pytest.fixture
def held(tmp_path):
    """What a list of replacements (old text, new text) makes: the text with all versions, and those it holds."""
    path = tmp_path / "dut.sv"

    def held(*versions: tuple[str, str], text: str = TEXT, exact: bool = False) -> tuple[str, list[bool]]:
        path.write_text(text)
        elaboration = Elaborator(Design(toplevel="", sources=(path,))).elaborate()
        facts = Facts(elaboration.assigned_widths(), elaboration.overridden_parameters, is_whole=elaboration.is_whole)
        choices = Choices({path: text.encode()}, facts, exact_sensitivity=exact)
        found = [choices.changes({path: text.replace(old, new, 1).encode()}) for old, new in versions]
        kept = {number: changes for number, changes in enumerate(found, 1) if changes}
        combined = choices.combined(kept).get(path, text.encode())
        package = tmp_path / "package.sv"
        package.write_bytes(package_text("0"))
        design = Design(toplevel="", sources=(package, path))
        ignored = {"MultipleAlwaysAssigns", "MixedVarAssigns"}
        errors = [one for one in Elaborator(design).errors({path: combined}) if one.code not in ignored]
        assert not errors, f"{errors[0]}\n{combined.decode()}"
        return combined.decode(), [bool(one) for one in found]

    return held


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("q <= a;", "q <= ~a;"),
        ("if (a[0]) q <= a; else if", "if (a[0]) q <= a; if"),
        ("count <= next;", "count <= next; q <= 1;"),
        ("{1'b0, a} + 1", "a - 1"),
        ("a < 2", "a"),
        ("count + STEP", "count"),
        ("posedge clk", "negedge clk"),
        ("posedge clk", "posedge clk or posedge a"),
        ("always @* r = ~a;", "always @(posedge a) r = a;"),
        ("r = ~a", "r = a"),
        ("2'd1", "2'd2"),
        ("reg [3:0] count", "reg [4:0] count"),
        (".a(a[0])", ".a(a[2:1])"),
        ("4'd1: q <= 0;", "4'd1, 4'd2: q <= 0;"),
        ("4'd1: q <= 0;", ""),
        ("wire [3:0] next = count", "wire [2:0] next = count"),
    ],
)
def test_what_can_be_chosen(held, old, new, exact):
    combined, kept = held((old, new), exact=exact)
    assert kept == [True]
    assert "veriloop_batch::version" in combined


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("output wire [4:0] y", "output wire [5:0] y"),
        ("input wire [3:0] a", "input wire signed [3:0] a"),
        ("assign y =", "assign z ="),
        (".b()", ".b(z)"),
        ("sub inner", "sub other"),
        ("`default_nettype none", ""),
        ("module sub", "module sup"),
        ("a < 2", "z"),
    ],
)
def test_what_cannot_be_chosen_is_left_out(held, old, new):
    combined, kept = held((old, new))
    assert kept == [False]
    assert combined == TEXT


def test_versions_at_one_place_share_a_choice_and_equal_ones_a_branch(held):
    combined, kept = held(("q <= a;", "q <= 1;"), ("q <= a;", "q <= 2;"), ("q <= a;", "q <= 1;"))
    assert kept == [True] * 3
    assert combined.count("case (veriloop_batch::version)") == 1
    assert "1, 3: " in combined


def test_a_place_inside_another_stays_in_its_unchanged_text(held):
    combined, kept = held(("q <= a;", "q <= 1;"), ("if (a[0]) q <= a; else if", "if (a[0]) q <= a; if"))
    assert kept == [True, True]
    assert combined.count("case (veriloop_batch::version)") == 2


def test_a_wider_alternative_widens_nothing_else(held):
    combined, _ = held(("a < 2", "{4{a}}"))
    assert "wire [0:0]" in combined


def test_an_event_driven_simulator_gets_a_process_a_version(held):
    plain, _ = held(("r = ~a", "r = a"))
    exact, _ = held(("r = ~a", "r = a"), exact=True)
    assert plain.count("always @*") == 1
    assert exact.count("always @*") == 2


def test_a_parameter_that_an_instance_overrides_is_left_out(held):
    text = "module top; sub #(.W(3)) s(); endmodule\nmodule sub; parameter W = 2; initial $display(W); endmodule\n"
    assert held(("W = 2", "W = 4"), text=text)[1] == [False]
    assert held(("W = 2", "W = 4"), text=text.replace("#(.W(3)) ", ""))[1] == [True]


def test_a_net_whose_width_differs_between_instances_is_left_out(held):
    text = (
        "module top; sub #(3) s(); sub #(4) t(); endmodule\n"
        "module sub #(parameter W = 2); wire [W-1:0] y; assign y = 1 + 2; endmodule\n"
    )
    assert held(("1 + 2", "1 - 2"), text=text)[1] == [False]


def test_a_text_with_a_directive_is_left_out(held):
    text = "module m(input a, output reg b);\nalways @* begin\n`ifdef X\nb = a;\n`endif\nb = 1;\nend\nendmodule\n"
    assert held(("b = 1;", "b = 1; end\n`define Y\nbegin"), text=text)[1] == [False]


def test_named_blocks_do_not_meet(held):
    text = "module m(input c, output reg b);\nalways @(posedge c) begin : blk\nreg t; t = 1; b <= t;\nend\nendmodule\n"
    assert held(("reg t;", "reg [1:0] t;"), text=text)[1] == [True]


def test_a_line_tells_who_wrote_it(held):
    combined, _ = held(("q <= a;", "q <= 1 +;".replace("+", "+ 1")), ("r = ~a", "r = a ^ 1"))
    lines = combined.splitlines()
    where = {number: written_by(combined.encode(), number) for number in range(1, len(lines) + 1)}
    assert {1} in [set(found) for line, found in where.items() if "q <= 1 + 1" in lines[line - 1]]
    assert {2} in [set(found) for line, found in where.items() if "r = a ^ 1" in lines[line - 1]]
    assert where[1] == frozenset()


_LINES = st.lists(st.sampled_from([b"a\n", b"b\n", b"ab\n", b"\n", b"c d\n"]), max_size=8).map(b"".join)


@given(_LINES, _LINES)
def test_differences_lead_from_one_text_to_the_other(before, after):
    edits = [Edit(path="", start=start, end=end, text=text) for start, end, text in differences(before, after)]
    assert apply_edits(before, edits) == after


def test_two_lines_that_changed_are_two_differences():
    found = differences(b"x = 1;\ny = 2;\nz = 3;\n", b"x = 4;\ny = 5;\nz = 3;\n")
    assert found == ((4, 5, b"4"), (11, 12, b"5"))


def test_widths_are_those_of_the_left_side(tmp_path):
    path = tmp_path / "dut.sv"
    path.write_text(TEXT)
    elaboration = Elaborator(replace(Design(toplevel="dut", sources=(path,)))).elaborate()
    widths = {TEXT[at : at + 4]: found for (_, at), found in elaboration.assigned_widths().items()}
    assert widths["next"] == {4}
    assert widths["y = "] == {5}
    assert widths["z = "] == {1}
    assert Path(path) in {path for path, _ in elaboration.assigned_widths()}


def test_one_model_never_assigns_a_variable_in_both_ways(held):
    """Verilator would write the non-blocking value back over the blocking one; an event-driven simulator would not."""
    version = ("q <= a;", "q = a;")
    assert held(version)[1] == [False]
    assert held(version, exact=True)[1] == [True]


def test_a_loop_counts_as_an_assignment(held):
    text = TEXT.replace("reg r;", "reg r; integer i; always @* for (i = 0; i < 2; i = i + 1) r = a;", 1)
    assert held(("for (i = 0; i < 2; i = i + 1)", "for (b = 0; b < 2; b = b + 1)"), text=text)[1] == [False]


def test_one_model_never_gets_a_second_driver(held):
    version = ("q <= a;", "r <= a;")
    text = TEXT.replace("reg [3:0] count", "reg r; always @(negedge clk) r <= 1; reg [3:0] count")
    assert held(version, text=text)[1] == [False]
    assert held(version, text=text, exact=True)[1] == [True]


def test_what_an_index_reads_is_not_assigned(held):
    text = """\
    module m (input clk, input [1:0] a, input [1:0] b, output reg [7:0] q);
      reg [7:0] mem [0:3]; integer i;
      always @(posedge clk) begin mem[a] <= 1; q[a] <= 0; end
      always @* for (i = 0; i < 4; i = i + 1) ;
    endmodule
    """
    changes = [("mem[a] <=", "mem[b] <="), ("q[a] <=", "q[i[2:0]] <="), ("mem[a] <=", "i[0] <=")]
    assert held(*changes, text=text)[1] == [True, True, False]


CONDITIONAL = """\
`define check(x) nothing
module m #(parameter WIDE = 0) (input clk, input a, input b, output reg q, output reg r, output [3:0] y);
  task nothing; begin end endtask
  generate
    if (WIDE) begin wire [3:0] t = a + b; assign y = t; end
    else assign y = {4{a}};
  endgenerate
`ifdef NOWHERE
  wire [3:0] never = a;
`endif
  always @(posedge clk)
    if (a) begin
`ifdef NOWHERE
      q <= 1;
`else
      q <= 0;
`endif
    end
  always @(posedge clk) begin
    if (a) `check(a);
    r <= a;
  end
endmodule
"""


@pytest.mark.parametrize("exact", [False, True])
def test_conditional_text_branches_not_taken_and_macros_are_held(held, exact):
    changes = [
        ("if (a) begin", "if (b) begin"),
        ("wire [3:0] t = a + b", "wire [3:0] t = a - b"),
        ("wire [3:0] never = a", "wire [3:0] never = b"),
        ("if (a) `check(a)", "if (b) `check(a)"),
        ("`check(a)", "`check(b)"),
    ]
    assert held(*changes, text=CONDITIONAL, exact=exact)[1] == [True] * 5


def test_what_a_condition_cuts_in_two_is_no_place(held):
    text = CONDITIONAL.replace("if (a) begin\n`ifdef", "if (a)\n`ifdef", 1).replace("`endif\n    end", "`endif", 1)
    assert held(("if (a)", "if (b)"), text=text)[1] == [False]


@pytest.mark.parametrize(
    ("old", "new", "clocked"),
    [
        ("q <= a;", "q <= ~a;", True),
        ("if (a[0]) q", "if (a[1]) q", True),
        ("q <= a;", "force q = ~a;", False),
        ("a < 2", "a < 3", False),
        ("r = ~a", "r = a", False),
        ("2'd1", "2'd2", False),
    ],
)
def test_what_differs_at_edges_only(tmp_path, old, new, clocked):
    path = tmp_path / "dut.sv"
    path.write_text(TEXT)
    elaboration = Elaborator(Design(toplevel="", sources=(path,))).elaborate()
    facts = Facts(elaboration.assigned_widths(), elaboration.overridden_parameters)
    choices = Choices({path: TEXT.encode()}, facts, exact_sensitivity=False)
    changes = choices.changes({path: TEXT.replace(old, new, 1).encode()})
    assert changes is None or is_clocked(changes) is clocked
    assert changes is not None or not clocked


def test_a_process_that_wakes_by_nothing_is_left_out(held):
    # It never runs, and would for the selector. That of `always_comb` runs at time 0 in any case.
    text = TEXT.replace("always @* r = ~a;", "always @(*) if (a) r = 0; else r = STEP;\n  localparam STEP = 1;")
    process = "always @(*) if (a) r = 0; else r = STEP;"
    constant, again = "always @* r = STEP;", "always @* r = a;"
    assert held((process, constant), (process, again), text=text)[1] == [False, True]
    assert held(("if (a) r = 0; else r = STEP;", "r = 1;"), ("r = STEP", "r = ~a"), text=text)[1] == [False, True]
    woken = text.replace("always @(*)", "always_comb")
    process = process.replace("always @(*)", "always_comb")
    assert held((process, "always_comb r = STEP;"), (process, constant), text=woken)[1] == [True, False]
