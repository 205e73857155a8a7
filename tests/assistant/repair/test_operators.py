"""Every slip that bug studies name is undone by one proposal: a table of what is wrong and what is right."""

from __future__ import annotations

import pytest

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.repair.operators import proposals
from veriloop.assistant.repair.screen import fingerprint

HEAD = (
    "module m #(parameter W = 4, parameter [1:0] S0 = 0, S1 = 1, S2 = 2) (input clk, input rst_n, input en, input up,\n"
    "  input [3:0] a, input [3:0] b, input [7:0] w, output reg [3:0] q, output reg [1:0] s, output o);\n"
)
CLOCKED = "always @(posedge clk or negedge rst_n)"
FUNCTIONS = (
    "function [3:0] f(input [3:0] x); f = ~x; endfunction function [3:0] g(input [3:0] x); g = x; endfunction\n"
    "function [3:0] h(input [3:0] x, input [3:0] y); h = x & y; endfunction\n"
)

SLIPS = {
    "literal": (f"{CLOCKED} q <= a + 4'd1;", f"{CLOCKED} q <= a + 4'd2;"),
    "a long literal": ("assign o = w == 1_000;", "assign o = w == 1001;"),
    "digits swapped": (f"{CLOCKED} q <= a + (w == 8'h1f);", f"{CLOCKED} q <= a + (w == 8'hf1);"),
    "function": (
        f"{FUNCTIONS} assign o = f(a) == g(b);",
        f"{FUNCTIONS} assign o = g(a) == g(b);",
    ),
    "value of another parameter": (
        "localparam [31:0] X = 32'h0a0b, Y = 32'h1234; assign o = a == Y;",
        "localparam [31:0] X = 32'h1234, Y = 32'h1234; assign o = a == Y;",
    ),
    "a flipped bit": (f"{CLOCKED} q <= 4'b0110;", f"{CLOCKED} q <= 4'b0100;"),
    "radix": (f"{CLOCKED} q <= 4'h10;", f"{CLOCKED} q <= 4'b10;"),
    "a digit lost": (f"{CLOCKED} q <= 4'b110;", f"{CLOCKED} q <= 4'b1110;"),
    "driver missing": (
        "reg o_reg; always @(posedge clk) o_reg <= en;",
        "reg o_reg; always @(posedge clk) o_reg <= en;\nassign o = o_reg;",
    ),
    "driver of a wire missing": ("wire x; assign o = x & up;", "wire x; assign o = x & up; assign x = en;"),
    "operator": ("assign o = a < b;", "assign o = a <= b;"),
    "operator of another class": (f"{CLOCKED} q <= a & b;", f"{CLOCKED} q <= a + b;"),
    "operands swapped": (f"{CLOCKED} q <= a - b;", f"{CLOCKED} q <= b - a;"),
    "operand too many": ("assign o = en && up;", "assign o = en;"),
    "negation too many": ("assign o = !en;", "assign o = en;"),
    "negation missing": ("assign o = en;", "assign o = (~en);"),
    "ternary": (f"{CLOCKED} q <= en ? a : b;", f"{CLOCKED} q <= !(en) ? a : b;"),
    "signal of the same width": (f"{CLOCKED} q <= a;", f"{CLOCKED} q <= b;"),
    "signal of another width": (f"{CLOCKED} q <= w;", f"{CLOCKED} q <= a;"),
    "slice": (f"{CLOCKED} q <= w[3:0];", f"{CLOCKED} q <= w[4:1];"),
    "concatenation": (f"{CLOCKED} q <= {{a[2:0], en}};", f"{CLOCKED} q <= {{en, a[2:0]}};"),
    "shift direction": (f"{CLOCKED} q <= {{q[2:0], en}};", f"{CLOCKED} q <= {{en, q[3:1]}};"),
    "condition negated": (
        f"{CLOCKED} if (rst_n) q <= 0; else q <= a;",
        f"{CLOCKED} if (!rst_n) q <= 0; else q <= a;",
    ),
    "guard": (f"{CLOCKED} if (up) q <= a;", f"{CLOCKED} if (up && en) q <= a;"),
    "branches swapped": (f"{CLOCKED} if (en) q <= b; else q <= a;", f"{CLOCKED} if (en) q <= a; else q <= b;"),
    "else missing behind a comment": (
        f"{CLOCKED} begin if (en) q <= a; // up comes second\n if (up) q <= b; else q <= s; end",
        f"{CLOCKED} begin if (en) q <= a; // up comes second\n else if (up) q <= b; else q <= s; end",
    ),
    "else too many before a comment": (
        f"{CLOCKED} begin if (en) q <= a; else // up comes second\n if (up) q <= b; end",
        f"{CLOCKED} begin if (en) q <= a;  // up comes second\n if (up) q <= b; end",
    ),
    "else if": (f"{CLOCKED} if (en) q <= a; else if (up) q <= b;", f"{CLOCKED} if (en) q <= a; if (up) q <= b;"),
    "next state": (
        f"{CLOCKED} case (s) S0: s <= S2; default: s <= S0; endcase",
        f"{CLOCKED} case (s) S0: s <= S1; default: s <= S0; endcase",
    ),
    "case labels doubled": (
        f"{CLOCKED} case (s) 2'b00: q <= a; 2'b00: q <= b; endcase",
        f"{CLOCKED} case (s) 2'b00: q <= a; 2'b01: q <= b; endcase",
    ),
    "case item missing": (
        f"{CLOCKED} case (s) S0: s <= S1; S1: s <= S2; endcase",
        f"{CLOCKED} case (s) S2: s <= S2; S0: s <= S1; S1: s <= S2; endcase",
    ),
    "assignment missing in a case": (
        "always @(*) begin q = 0; case (s) S0: begin q = 1; end S1: begin s = S0; end endcase end",
        "always @(*) begin q = 0; case (s) S0: begin q = 1; end S1: begin q = 1; s = S0; end endcase end",
    ),
    "default missing": (
        f"{CLOCKED} case (s) S0: s <= S1; S1: s <= S0; endcase",
        f"{CLOCKED} case (s) S0: s <= S1; S1: s <= S0; default : s <= S0; endcase",
    ),
    "parameter value": (HEAD.replace("W = 4", "W = 5"), HEAD),
    "parameter off by one": ("assign o = a == W;", "assign o = a == (W - 1);"),
    "declared range": ("reg [2:0] t; always @(*) t = a;", "reg [3:0] t; always @(*) t = a;"),
    "range missing": ("reg t; reg [3:0] u;", "reg [3:0] t; reg [3:0] u;"),
    "connections swapped": ("sub u (.x(a), .y(b));", "sub u (.x(b), .y(a));"),
    "connection open": ("sub u (.x(a), .y());", "sub u (.x(a), .y(b));"),
    "edge": ("always @(negedge clk) q <= a;", "always @(posedge clk) q <= a;"),
    "level for edge": ("always @(clk) q <= a;", "always @(posedge clk) q <= a;"),
    "sensitivity": ("always @(a) q = a + b;", "always @(*) q = a + b;"),
    "asynchronous reset": ("always @(posedge clk) q <= a;", "always @(posedge clk or negedge rst_n) q <= a;"),
    "delay too many": (f"{CLOCKED} q <= #1 a;", f"{CLOCKED} q <= a;"),
    "blocking": (f"{CLOCKED} q = a;", f"{CLOCKED} q <= a;"),
    "combinational to clocked": (
        f"always @(*) begin q = a; s = b; end {CLOCKED} s <= 0;",
        f"{CLOCKED} begin q <= a; s <= b; end {CLOCKED} s <= 0;",
    ),
    "clocked to combinational": (f"{CLOCKED} begin q <= a; s <= b; end", "always @(*) begin q = a; s = b; end"),
    "continuous to clocked": (
        f"{CLOCKED} s <= 0; assign o = en;",
        f"{CLOCKED} s <= 0; {CLOCKED} o <= en;",
    ),
    "reset missing": (
        f"{CLOCKED} if (!rst_n) begin s <= 0; end else begin s <= b; q <= a; end",
        f"{CLOCKED} if (!rst_n) begin q <= 0; s <= 0; end else begin s <= b; q <= a; end",
    ),
    "reset missing though a comment has it": (
        f"{CLOCKED} if (!rst_n) begin /* q <= 0; */ s <= 0; end else begin s <= b; q <= a; end",
        f"{CLOCKED} if (!rst_n) begin q <= 0; s <= 0; end else begin s <= b; q <= a; end",
    ),
    "default assignment missing": (
        "always @(*) begin if (en) q = a; end",
        "always @(*) begin q = 0; if (en) q = a; end",
    ),
    "statement too many": (f"{CLOCKED} begin q <= a; s <= b; end", f"{CLOCKED} begin q <= a; ; end"),
    "statement order": ("always @(*) begin q = a; s = q; end", "always @(*) begin s = q; q = a; end"),
    "statement moved out": (
        f"{CLOCKED} begin if (en) begin q <= a; s <= b; end end",
        f"{CLOCKED} begin if (en) begin s <= b; end q <= a; end",
    ),
    "the same slip twice": (
        f"{CLOCKED} if (en) q <= a + 1; else q <= b + 1;",
        f"{CLOCKED} if (en) q <= a + 2; else q <= b + 2;",
    ),
    "two processes of the wrong kind": (
        f"always @(*) begin q = a; end always @(*) begin s = b; end {CLOCKED} s <= 0;",
        f"{CLOCKED} begin q <= a; end {CLOCKED} begin s <= b; end {CLOCKED} s <= 0;",
    ),
}


def module(body: str) -> bytes:
    """A whole module around a body."""
    return (body + "endmodule\n" if body.startswith("module") else f"{HEAD}{body}\nendmodule\n").encode()


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_undone_by_one_proposal(slip):
    wrong, right = map(module, SLIPS[slip])
    wanted = fingerprint({"m": right.replace(b"output o)", b"output reg o)") if "to clocked" in slip else right})
    made = [
        apply_edits(wrong, [Edit(path="m", start=s, end=e, text=t.encode()) for s, e, t in proposal.replacements])
        for _, proposal in proposals(SyntaxTree(wrong))
    ]
    assert {wanted, fingerprint({"m": right})} & {fingerprint({"m": text}) for text in made}


def test_an_edit_keeps_every_other_byte():
    content = b"module m(input a, output o);\r\n\t// caf\xe9\r\n\tassign o = !a; // end\r\nendmodule\r\n"
    for _, proposal in proposals(SyntaxTree(content)):
        edits = [Edit(path="m", start=s, end=e, text=t.encode()) for s, e, t in proposal.replacements]
        after = apply_edits(content, edits)
        outside = [content[: min(e.start for e in edits)], content[max(e.end for e in edits) :]]
        assert after.startswith(outside[0])
        assert after.endswith(outside[1])


@pytest.mark.parametrize(
    "text", [b"", b"module", b"module m(; endmodule", b"\xff\xfe\x00", b"always @(posedge", b"case"]
)
def test_broken_text_gives_no_traceback(text):
    assert proposals(SyntaxTree(text)) is not None


def test_in_a_module_of_many_signals_a_place_is_offered_the_names_around_it():
    count = 400
    wires = "".join(f"wire n{i} = en ^ n{max(0, i - 1)};\n" for i in range(count))
    content = f"module m (input en, output o);\n{wires}assign o = n{count - 2};\nendmodule\n".encode()
    at = content.rindex(b"n398")
    offered = {
        text
        for _, proposal in proposals(SyntaxTree(content))
        for start, _, text in proposal.replacements
        if proposal.operator == "signal" and start == at
    }
    assert "n399" in offered
    assert "n10" not in offered
    assert 40 <= len(offered) < 60


def test_no_signal_gets_a_second_driver():
    body = (
        "reg [3:0] r, t, u; initial begin u = 0; q = 0; end assign o = en;"
        f"{CLOCKED} begin r <= a; q <= b; end {CLOCKED} begin t <= a; end"
    )
    content = module(body)
    at = content.index(b"r <= a")
    offered = {
        text
        for _, proposal in proposals(SyntaxTree(content))
        for start, _, text in proposal.replacements
        if proposal.operator == "assigned signal" and start == at
    }
    assert {"q", "u", "s"} <= offered
    assert not {"t", "o"} & offered


def test_a_table_of_hundreds_of_lines_gives_no_candidate_for_each_pair_of_them() -> None:
    def count(items: int) -> int:
        lines = "".join(f"8'h{at:02x}: o = 8'h{at * 7 % 256:02x};\n" for at in range(items))
        text = f"module m(input [7:0] a, output reg [7:0] o); always @(*) case (a)\n{lines}endcase endmodule"
        return len(proposals(SyntaxTree(text.encode())))

    assert count(200) < 2.6 * count(100)
