"""The measurement measures: on a small tree whose answers are known."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.bench.editing.run import EditingSettings, run_editing
from veriloop.assistant.bench.editing.sample import checked, draw, elaborated
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, finish

pytest.importorskip("pygls")

FILES = {
    "c.sv": "module c #(parameter W = 2)(input [W-1:0] a, output y);\n  assign y = ^a; // a\nendmodule\n",
    "m.sv": "module m(output q);\n  wire [1:0] a = 1;\n  c u(.a(a), .y(q));\nendmodule\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    for name, text in FILES.items():
        (root / name).write_text(text)
    return root


@pytest.mark.needs("verible")
def test_a_session_is_measured_and_compared(tree):
    rows, summary = finish(run_editing(EditingSettings(tree, count=8), CancelToken()))
    by_method = {row.method: row for row in rows}
    assert {"hover", "definition", "references", "documentHighlight", "completion"} <= set(by_method)
    definition = by_method["definition"]
    assert definition.answered == 1.0
    assert 0 < definition.p50_ms <= definition.p95_ms
    assert definition.other_answered is not None
    assert summary["definition_right"] == summary["references_complete"] == 1.0
    assert summary["keystrokes_answered"] == 1.0
    assert summary["memory_mb"] > 10
    assert summary["inline_asked"] > 0
    assert summary["inline_breaking"] == 0
    assert {path.name for path in tree.iterdir()} == set(FILES), "the tree itself is left alone"


def test_wrong_answers_are_counted_as_wrong(tree, tmp_path):
    sample = tmp_path / "sample.txt"
    # The first line is right, the second names another place on purpose.
    sample.write_text("m.sv:3:10 m.sv:2:14 # the wire\nm.sv:3:8 m.sv:2:14\n")
    _, summary = finish(run_editing(EditingSettings(tree, count=2, sample=sample), CancelToken()))
    assert (summary["definition_right"], summary["definition_right_of"]) == (0.5, 2)
    assert summary["definition_right_by"] == "a checked list"


def test_the_sample_is_of_names_that_the_tree_declares(tree):
    drawn = {one.name for one in draw(tree, 100)}
    assert drawn == {"c", "W", "a", "y", "m", "q", "u"}
    bound = {(str(one.at[0]), one.at[1], one.at[2]): one.declared for one in elaborated(tree, 100)}
    assert bound["m.sv", 2, 9] == (Path("m.sv"), 1, 13)
    assert bound["c.sv", 1, 14] == (Path("c.sv"), 0, 42)


def test_what_slang_makes_of_genvars_is_not_asked(tmp_path):
    loop = "genvar n; for (n = 0; n < 2; n = n + 1) begin : b wire w = n; assign z[n] = w; end"
    (tmp_path / "g.v").write_text(f"module g(output [1:0] z);\n  {loop}\nendmodule\n")
    # Else the loop would pass for where `n` is declared.
    assert {one.declared for one in elaborated(tmp_path, 100)} == {
        (Path("g.v"), 0, 22),
        (Path("g.v"), 1, 2 + loop.index("w =")),
    }


def test_what_cannot_be_measured_is_said(tmp_path):
    with pytest.raises(UsageError, match="no Verilog"):
        finish(run_editing(EditingSettings(tmp_path), CancelToken()))
    with pytest.raises(UsageError, match="no such directory"):
        finish(run_editing(EditingSettings(tmp_path / "nowhere"), CancelToken()))
    (tmp_path / "list").write_text("nonsense\n")
    with pytest.raises(UsageError, match="list:1: not FILE:LINE:COL"):
        checked(tmp_path / "list")
