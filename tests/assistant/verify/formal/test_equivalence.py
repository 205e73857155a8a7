from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from veriloop.assistant.design.clocking import read_clocking
from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.formal.equivalence import compare_always
from veriloop.assistant.verify.formal.harness import frames_to_rows
from veriloop.assistant.verify.formal.prover import Answer, Prover, Verdict
from veriloop.assistant.verify.stimulus.pins import Pins, pins_of
from veriloop.assistant.verify.stimulus.replay import Subject

pytestmark = pytest.mark.needs("yosys")

MACHINE = """\
module m(input clk, input rst, input go, output busy, output done);
  parameter IDLE = 0, BUSY = 1, DONE = 2;
  reg [1:0] state, next;
  always_comb
    case (state)
      IDLE: next = go ? BUSY : IDLE;
      BUSY: next = go ? BUSY : DONE;
      DONE: next = IDLE;
    endcase
  always @(posedge clk) if (rst) state <= IDLE; else state <= next;
  assign busy = state == BUSY;
  assign done = state == DONE;
endmodule
"""
FREE = """\
module m(input clk, input rst, input [3:0] a, output [3:0] y, output valid);
  reg [3:0] kept;
  reg full;
  always @(posedge clk) begin kept <= a; full <= !rst; end
  assign valid = full;
  assign y = full ? kept : 4'bx;
endmodule
"""


@pytest.fixture
def compare(write: Callable[[str, str], Path], root: Path, scratch: Path) -> Callable[..., tuple[Verdict, Pins]]:
    def compare(one: str, other: str, *, lenient: bool = False) -> tuple[Verdict, Pins]:
        path = write("m.sv", one)
        design = Design(toplevel="m", sources=(path,))
        elaboration = elaborate(design.rooted(root))
        pins = pins_of(elaboration.modules["m"], read_clocking(elaboration, "m"))
        prover = Prover.find(CancelToken())
        assert prover is not None
        one_subject, other_subject = (Subject(module="m", files={str(path): text.encode()}) for text in (one, other))
        found = compare_always(
            one_subject,
            other_subject,
            pins,
            design,
            prover,
            root=root,
            scratch=scratch,
            timeout_s=20,
            cancel=CancelToken(),
            lenient=lenient,
        )
        assert found is not None
        return found, pins

    return compare


def test_a_case_that_leaves_a_state_out_is_proved_in_steps(compare: Callable[..., tuple[Verdict, Pins]]):
    renumbered = MACHINE.replace("BUSY = 1, DONE = 2", "BUSY = 2, DONE = 1")
    found, _ = compare(MACHINE, renumbered)
    assert (found.answer, found.stepwise) == (Answer.HOLDS, True)
    found, pins = compare(MACHINE, MACHINE.replace("go ? BUSY : DONE", "go ? DONE : BUSY"))
    assert found.answer is Answer.FAILS
    rows = frames_to_rows(found.frames, pins, stepwise=found.stepwise)
    resets = [row.values[0] for row in rows if row.clocks]
    assert resets[:2] == [1, 1], "a reset comes first"


def test_a_bit_that_the_reference_leaves_unknown_may_be_anything(compare: Callable[..., tuple[Verdict, Pins]]):
    shown = FREE.replace("full ? kept : 4'bx", "kept")
    assert compare(FREE, shown)[0].answer is Answer.FAILS
    assert compare(FREE, shown, lenient=True)[0].answer is Answer.HOLDS
    # What the reference knows the other one has to know, too.
    assert compare(shown, FREE, lenient=True)[0].answer is Answer.FAILS
    assert compare(FREE, FREE.replace("kept <= a", "kept <= ~a"), lenient=True)[0].answer is Answer.FAILS
    assert compare(FREE, FREE, lenient=True)[0].answer is Answer.HOLDS
