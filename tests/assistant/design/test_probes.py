"""Counters beside statements."""

from __future__ import annotations

from veriloop.assistant.design.probes import probed
from veriloop.assistant.design.syntax import SyntaxTree

BENCH = b"""module tb;
  reg clk = 0; wire [3:0] q; reg [127:0] wide;
  task check; begin : body
    integer own;
    if (q !== 4) $display("ERROR: q %d", q); else $display("ok");
  end endtask
  function f(input a); f = a; endfunction
  initial begin $dumpfile("x.vcd"); $dumpvars(0, tb); #10 check; end
  always @(posedge clk) if (q) wide <= 1; else case (q) 1: wide <= 2; default: begin wide = 3; end endcase
endmodule : tb
"""


def test_each_statement_is_counted_where_it_stands() -> None:
    counted, probes = probed(BENCH, "r.vcd", signals=True)
    texts = [BENCH[one.start : one.end] for one in probes]
    assert texts == [b'$display("ERROR: q %d", q);', b'$display("ok");', b"wide <= 1;", b"wide <= 2;", b"wide = 3;"]
    assert [(one.prints, sorted(one.reads)) for one in probes[:2]] == [('"ERROR: q %d"', ["q"]), ('"ok"', ["q"])]
    assert counted.count(b"\n") == BENCH.count(b"\n")
    assert not SyntaxTree(counted).gaps


def test_only_the_own_record_is_written_and_what_is_wide_or_local_stays_out() -> None:
    counted, _ = probed(BENCH, "r.vcd", signals=True)
    assert b"x.vcd" not in counted
    assert counted.count(b"$dumpvars") == 1
    recorded = counted.partition(b"$dumpvars(1, ")[2].partition(b")")[0].split(b", ")
    assert recorded[-2:] == [b"clk", b"q"]


def test_text_that_does_not_parse_stays() -> None:
    assert probed(b"module m; always @(posedge", "r.vcd", signals=True) == (b"module m; always @(posedge", ())
