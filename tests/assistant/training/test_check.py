"""The check sees what is wrong with a family."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from random import Random

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.training.check import check_families, lint
from veriloop.assistant.training.draft import Draft, Family, Machine, Outputs, Pins, State, families
from veriloop.assistant.verify.verilator import Verilator

pytestmark = pytest.mark.needs("iverilog")


def broken(old: str, new: str) -> Family:
    """The queue that counts its words, with one change of its text."""
    (good,) = families("sync_fifo")

    def author(random, variant):
        draft = good.author(random, 0)
        assert old in draft.rtl
        return dataclasses.replace(draft, rtl=draft.rtl.replace(old, new, 1))

    return dataclasses.replace(good, author=author, variants=1)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("pop && !empty", "pop", "cycles differ; first"),
        ("push && !full", "push && !ful", "does not compile: line"),
        ("if (rst) begin", "if (rst begin", "does not parse"),
        ("output logic empty", "output logic empty, output logic more", "the model gives"),
        (
            "assign empty = (count == 0);",
            "assign empty = (count == 0) ^ odd; logic odd; assign odd = !odd === 1'b1;",
            "",
        ),
    ],
)
def test_a_wrong_design_is_named(old, new, says):
    ((count, problems),) = check_families([broken(old, new)], [0], cancel=CancelToken())
    assert count == 1
    assert [says in str(problem) for problem in problems] == [True]


def test_one_that_does_not_compile_leaves_the_others_alone():
    good = families("sync_fifo")[0]
    bad = broken("push && !full", "push && !ful")
    ((count, problems),) = check_families([good, dataclasses.replace(bad, name="bad")], [0], cancel=CancelToken())
    assert count == good.variants + 1
    assert [problem.family for problem in problems] == ["bad"]


@pytest.mark.needs("verilator")
def test_an_incomplete_case_is_named():
    verilator = Verilator.find(configured=None, compiler=None, cache=Path(), cancel=CancelToken())
    (problem,) = lint([broken("default: ;", "")], 0, verilator, cancel=CancelToken())
    assert "CASEINCOMPLETE" in problem.message


TWO_CLOCKS = """
module crossing (
  input logic wr_clk,
  input logic wr_rst,
  input logic rd_clk,
  input logic rd_rst,
  input logic send,
  output logic seen
);
  logic flag, meta;

  always_ff @(posedge wr_clk) begin
    if (wr_rst) flag <= 1'b0;
    else if (send) flag <= ~flag;
  end

  always_ff @(posedge rd_clk) begin
    if (rd_rst) begin
      meta <= 1'b0;
      seen <= 1'b0;
    end else begin
      meta <= flag;
      seen <= meta;
    end
  end
endmodule
"""


def crossing(*, right: bool) -> Family:
    """A flag that goes from one clock to a slower one; the wrong model takes both for one clock."""

    def reset(s: State) -> None:
        s.flag = s.meta = s.seen = 0

    def step(s: State, i: Pins) -> Outputs:
        out = {"seen": s.seen}
        if i.rd_clk or not right:
            s.meta, s.seen = s.flag, s.meta
        if i.wr_clk and i.send:
            s.flag ^= 1
        return out

    def author(random: Random, variant: int) -> Draft:
        clocks = {"wr_clk": (1, 0), "rd_clk": (3, 1)}
        return Draft(rtl=TWO_CLOCKS, about="A flag.", model=Machine(reset, step), clocks=clocks)

    return Family(name="crossing", kind="test", variants=1, held_out=False, author=author)


def test_two_clocks_tick_as_the_draft_says():
    ((count, problems),) = check_families([crossing(right=True)], [0, 1], cancel=CancelToken())
    assert (count, problems) == (2, ())
    ((_, problems),) = check_families([crossing(right=False)], [0], cancel=CancelToken())
    assert ["cycles differ" in str(problem) for problem in problems] == [True]
