"""Slips: every kind happens, none is a change of form only."""

from __future__ import annotations

from random import Random

import pytest

from veriloop.assistant.training.corpus import design
from veriloop.assistant.training.draft import families
from veriloop.assistant.training.slips import KINDS, draw

COUNTER = """module counter (
  input logic clk,
  input logic rst,
  input logic en,
  output logic [3:0] count
);
  logic wrap;

  assign wrap = en && (count == 4'd9);

  always_ff @(posedge clk) begin
    if (rst)
      count <= 4'd0;
    else if (wrap)
      count <= 4'd0; // start over
    else if (en)
      count <= count + 1'b1;
  end
endmodule
"""


def test_every_kind_is_made_somewhere():
    made: set[str] = set()
    for family in families():
        for seed in range(3):
            text = design(family, seed).rendered.text
            made |= {slip.kind for slip in draw(text, Random(seed), count=12, two_places=0)}
    assert made == set(KINDS)


def test_slips_are_what_a_hand_gets_wrong():
    made: dict[str, set[str]] = {}
    for seed in range(60):
        for slip in draw(COUNTER, Random(seed), count=10, two_places=0):
            (edit,) = slip.edits if len(slip.edits) == 1 else (slip.edits[0],)
            made.setdefault(slip.kind, set()).add("\n".join(line.strip() for line in edit.wrong))
    assert "if (!rst)" in made["negation"] or "else if (!wrap)" in made["negation"]
    assert "assign wrap = en && (count == 4'd8);" in made["off by one"]
    assert "assign wrap = en || (count == 4'd9);" in made["operator"]
    assert "" in made["missing line"]
    assert "else if (en)" in made["wrong name"]
    assert "always_ff @(negedge clk) begin" in made["edge"]
    assert "count <= 4'd1;" in made["off by one"] | made["reset value"]
    assert not any("clk" in line for kind in ("wrong name", "condition added") for line in made.get(kind, ()))


def test_a_slip_touches_no_comment_and_no_port():
    for seed in range(40):
        for slip in draw(COUNTER, Random(seed), count=10):
            broken = slip.apply(COUNTER)
            assert broken.split(");")[0] == COUNTER.split(");")[0]
            assert "start over" in broken or any("start over" in line for edit in slip.edits for line in edit.right)


@pytest.mark.parametrize("text", ["", "module m; endmodule\n", "// nothing\n"])
def test_a_text_with_nothing_to_get_wrong_gives_nothing(text):
    assert draw(text, Random(0), count=5) == []
