"""A sample of the refactorings, and what the figures are made of."""

from __future__ import annotations

import json

import pytest

from veriloop.assistant.bench.refactoring import RefactoringRow, pairs, summary
from veriloop.assistant.cli.main import main
from veriloop.assistant.errors import UsageError


def test_every_refactoring_comes_right_and_with_a_slip():
    found = pairs()
    assert (len(found), sum(pair.same for pair in found)) == (40, 20)
    assert all(pair.before != pair.after for pair in found)
    assert all(bool(pair.about) is not pair.same for pair in found)
    with pytest.raises(UsageError, match="no pair matches"):
        pairs("nothing")


@pytest.mark.needs("yosys", "verilator", "c++", "iverilog")
@pytest.mark.parametrize("name", ["lights", "sequence", "encoder"])
def test_a_sample_of_them(name, capsys):
    # States of another coding, a history in place of states, loops in place of cases.
    assert main(["bench", "refactor", "--only", f"{name}*", "--limit", "300", "--json"]) == 0
    *rows, counts = map(json.loads, capsys.readouterr().out.splitlines())
    assert [row["verdict"] for row in rows] == ["equivalent", "different"]
    assert (counts["right"], counts["wrong"], counts["undecided"]) == (2, 0, 0)


def test_what_is_wrong_counts_as_wrong_and_what_is_late_as_not_decided():
    def row(verdict: str, seconds: float, *, same: bool = True) -> RefactoringRow:
        return RefactoringRow(pair="p", same=same, verdict=verdict, why="", seconds=seconds)

    rows = [
        row("equivalent", 1.0),
        row("equivalent", 1.0, same=False),
        row("bounded", 1.0),
        row("different", 99.0, same=False),
    ]
    found = summary(rows, 60.0)
    assert (found["right"], found["wrong"], found["undecided"], found["decided_in_time"]) == (2, 1, 1, 0.5)


@pytest.mark.parametrize("words", [["--limit", "0"], ["--only", "nothing"]])
def test_what_cannot_be_asked_for(words, capsys):
    assert main(["bench", "refactor", *words]) == 2
