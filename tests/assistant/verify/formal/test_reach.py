from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from veriloop.assistant.design.clocking import read_clocking
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.formal.harness import frames_to_rows
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.formal.reach import Reach, reach
from veriloop.assistant.verify.stimulus.coverage import Kind, Point
from veriloop.assistant.verify.stimulus.pins import Pins, pins_of

DESIGN = """\
module m(input clk, input rst, input [7:0] a, output reg [5:0] n, output y);
  reg [1:0] state;
  always @(posedge clk or posedge rst)
    if (rst) begin n <= 0; state <= 0; end
    else begin
      if (n == 20) n <= 0; else n <= n + 1;
      case (state)
        2'd0: if (a == 8'h5a) state <= 1;
        2'd1: if (a == 8'ha5) state <= 2;
        2'd2: state <= 0;
        default: state <= 0;
      endcase
    end
  assign y = state == 2 ? (n > 40 ? 1'b0 : 1'b1) : 1'b0;
endmodule
"""


def point(kind: Kind, line: int, column: int, what: str) -> Point:
    return Point(kind=kind, path="m.sv", line=line, column=column, module="m", what=what)


def toggle(what: str) -> Point:
    return point("toggle", 1, 1, what)


@pytest.fixture
def ask(write: Callable[[str, str], Path], root: Path, scratch: Path) -> Callable[..., tuple[Reach, Pins]]:
    def ask(*points: Point, text: str = DESIGN) -> tuple[Reach, Pins]:
        design = Design(toplevel="m", sources=(write("m.sv", text),))
        elaboration = elaborate(design.rooted(root))
        pins = pins_of(elaboration.modules["m"], read_clocking(elaboration, "m"))
        prover = Prover.find(CancelToken())
        assert prover is not None
        found = reach(points, design, prover, cwd=root, scratch=scratch, pins=pins, cancel=CancelToken())
        return found, pins

    return ask


@pytest.mark.needs("yosys")
def test_what_no_inputs_reach_is_proved_and_the_way_to_the_rest_is_found(ask: Callable[..., tuple[Reach, Pins]]):
    never = [toggle("n[5]:0->1"), toggle("n[5]:1->0"), point("line", 11, 16, "case")]
    hard = [toggle("state[1]:0->1"), point("branch", 9, 15, "if")]
    found, pins = ask(*never, *hard)
    assert found.unreachable == set(never)
    assert found.ways.keys() == set(hard)
    rows = frames_to_rows(found.ways[hard[0]].frames, pins)
    values = [row.values[1] for row in rows]
    assert values.index(0x5A) < values.index(0xA5)
    assert rows[0].values[0] == 1, "a reset comes first"


@pytest.mark.needs("yosys")
def test_what_yosys_does_not_take_stays_open_and_takes_no_other_with_it(ask: Callable[..., tuple[Reach, Pins]]):
    strange = toggle("nowhere[3]:0->1")
    found, _ = ask(strange, toggle("n[5]:0->1"))
    assert found.open == {strange}
    assert found.unreachable == {toggle("n[5]:0->1")}


@pytest.mark.needs("yosys")
def test_the_side_of_a_choice_that_is_never_taken(ask: Callable[..., tuple[Reach, Pins]]):
    text = DESIGN.replace("state == 2 ? (n > 40 ? 1'b0 : 1'b1) : 1'b0", "n > 40 ? 1'b0 : a[0]")
    never, always = point("branch", 14, 21, "cond_then"), point("branch", 14, 22, "cond_else")
    found, _ = ask(never, always, text=text)
    assert found.unreachable == {never}
    assert always in found.ways
