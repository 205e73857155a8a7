"""What is usual in a design makes the edits that restore it come sooner."""

from __future__ import annotations

import pytest

from veriloop.assistant.repair.habits import MOST_GAIN, Habits

ROTATES = b"""module rotates(input [31:0] a, output reg [31:0] b0, b1, b2, b3);
  always @* begin
    b0 = {a[15 : 0], a[31 : 16]};
    b1 = {b0[19 : 0], b0[31 : 20]};
    b2 = {b1[23 : 0], b1[31 : 24]};
    b3 = {b2[24 : 0], b2[31 : 25]};
  end
endmodule
"""
FLAGS = b"""module flags(input go, output reg w0_we, w1_we, w2_we, w3_we, input [3:0] block);
  always @* begin
    w0_we = 1'b1;
    w1_we = 1'b1;
    w2_we = 1'b1;
    w3_we = 1'b1;
  end
endmodule
"""
WORDS = b"""module words(output reg [7:0] a, b, c, d);
  always @* begin
    a = INIT_4;
    b = INIT_5;
    c = INIT_6;
    d = INIT_7;
  end
endmodule
"""


@pytest.mark.parametrize(
    ("right", "old", "new"),
    [
        (ROTATES, b"{b1[23 : 0], b1[31", b"{b1[23 : 0], b2[31"),
        (FLAGS, b"w2_we = 1'b1", b"w2_we = block"),
        (WORDS, b"d = INIT_7", b"d = INIT_6"),
    ],
)
def test_what_restores_a_habit_gains_and_what_breaks_it_loses(right: bytes, old: bytes, new: bytes) -> None:
    broken = right.replace(old, new)
    at = broken.index(new)
    mending = Habits(broken, [broken]).gain([(at, at + len(new), old.decode())])
    assert 0.5 < mending <= MOST_GAIN
    at = right.index(old)
    assert Habits(right, [right]).gain([(at, at + len(old), new.decode())]) < 0


def test_edits_over_many_lines_and_insertions_are_left_alone_or_weighed() -> None:
    habits = Habits(FLAGS, [FLAGS])
    assert habits.gain([(0, len(FLAGS), "module flags; endmodule")]) == 0.0
    assert isinstance(habits.gain([(len(FLAGS), len(FLAGS), "// end")]), float)
    assert Habits(b"", [b""]).gain([(0, 0, "x")]) <= MOST_GAIN
