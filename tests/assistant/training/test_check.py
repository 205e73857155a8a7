"""The check sees what is wrong with a family."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.training.check import check_families, lint
from veriloop.assistant.training.draft import Family, families
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
