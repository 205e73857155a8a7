"""In which order proposals are tried."""

from __future__ import annotations

from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.repair.operators import proposals
from veriloop.assistant.repair.rank import Failing, Ranker

LOOP = b"""module m(input [7:0] a, output reg [7:0] y);
  integer i;
  always @(*) for (i = 0; i < 8; i = i + 1) y[i] = a[i] < a[0];
endmodule
"""
STATES = b"""module m(input clk, input done, input tick, output reg q);
  parameter WAIT = 1, RUN = 0;
  wire last = q & tick;
  always @(posedge clk) if (done) q <= RUN; else if (tick) q <= ~q;
endmodule
"""


def ranked(content: bytes) -> list[tuple[str, bytes]]:
    """Single changes in their order, each as its operator and the text that it leaves."""
    found = []
    for structure, proposal in proposals(SyntaxTree(content)):
        if len(proposal.replacements) == 1:
            ((start, end, text),) = proposal.replacements
            priority = Ranker(structure, Failing()).priority(proposal)
            found.append((priority, proposal.operator, content[:start] + text.encode() + content[end:]))
    return [(operator, after) for _, operator, after in sorted(found, key=lambda one: one[0])]


def place(content: bytes, before: bytes, after: bytes) -> int:
    """Where a change comes."""
    return [text for _, text in ranked(content)].index(content.replace(before, after))


def test_how_a_loop_runs_is_tried_later_than_what_it_does():
    assert place(LOOP, b"a[i] < a[0]", b"a[i] <= a[0]") < place(LOOP, b"i < 8", b"i <= 8")


def test_what_nothing_reads_any_more_is_tried_sooner():
    assert place(STATES, b"if (tick)", b"if (last)") < place(STATES, b"if (tick)", b"if (done)")
    assert place(STATES, b"q <= RUN", b"q <= WAIT") < place(STATES, b"q <= RUN", b"q <= tick")


def test_an_input_that_a_log_happens_to_name_is_not_what_is_wrong():
    text = b"""module m(input clk, input [7:0] block, output q);
  wire [7:0] w;
  sub inner(.clk(clk), .a(block), .y(w));
  assign q = w[0] & w[1];
endmodule
"""
    structure, proposal = next(pair for pair in proposals(SyntaxTree(text)) if pair[1].operator == "operator")
    named = Ranker(structure, Failing(wrong=frozenset({"block", "successful"}))).priority(proposal)
    assert named == Ranker(structure, Failing()).priority(proposal)


def test_what_a_failing_output_calls_is_as_near_as_what_it_reads():
    text = b"""module m(input clk, input [7:0] a, output reg [7:0] o, output reg [7:0] far);
  function [7:0] f(input [7:0] x); f = x + 1; endfunction
  function [7:0] g(input [7:0] x); g = f(x) ^ x; endfunction
  always @(posedge clk) o <= g(a);
  always @(posedge clk) far <= a - 1;
endmodule
"""
    found = [pair for pair in proposals(SyntaxTree(text)) if pair[1].operator == "literal"]
    structure, called = next(pair for pair in found if pair[1].focus[0] < text.index(b"endfunction"))
    _, other = next(pair for pair in found if pair[1].focus[0] > text.index(b"far <="))
    assert structure.cone({"o"}) == {"o": 0, "a": 1, "g": 1, "f": 2}
    for distances in (None, {"o": 0}):
        ranker = Ranker(structure, Failing(wrong=frozenset({"o"})), distances)
        assert ranker.priority(called) - called.cost < ranker.priority(other) - other.cost
