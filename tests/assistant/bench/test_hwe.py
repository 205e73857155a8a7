"""Bugs in whole repositories."""

from __future__ import annotations

import dataclasses
import json
import tarfile
from pathlib import Path

import pytest

from tests.assistant.cli.test_repair_reported import BENCH, COUNTER, MAKEFILE, OTHER, REPORT
from veriloop.assistant.bench.hwe import Row, changed_lines, read_tasks, run_task, summary
from veriloop.assistant.bench.kept import Kept
from veriloop.assistant.cli.main import main
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.isolation.confinement import Isolation

GOLD = """--- a/rtl/counter.v
+++ b/rtl/counter.v
@@ -1,3 +1,3 @@
 module counter(input clk, input rst, input up, output reg [3:0] q);
-  always @(posedge clk) if (rst) q <= 0; else if (up) q <= q + 4'd2;
+  always @(posedge clk) if (rst) q <= 0; else if (up) q <= q + 4'd1;
 endmodule
"""


def write_task(root: Path, name: str, **about: object) -> Path:
    """A task of a broken counter."""
    tree, folder = root / f"{name}.tree", root / "tasks" / name
    files = {"rtl/counter.v": COUNTER, "rtl/other.v": OTHER, "tb/counter_tb.v": BENCH, "Makefile": MAKEFILE}
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    folder.mkdir(parents=True)
    with tarfile.open(folder / "base.tar", "w") as archive:
        archive.add(tree, "base")
    data = {"id": name, "repo_archive": "base.tar", "bug_report": REPORT, "test_command": "make test", "timeout_s": 60}
    (folder / "task.json").write_text(json.dumps({**data, **about}))
    (folder / "gold.patch").write_text(GOLD)
    return folder


def result(root: Path, cache: Path) -> Row:
    (task,) = read_tasks(root / "tasks")
    return finish(run_task(task, budget_s=120, cache=cache, isolation=Isolation(), cancel=CancelToken()))


@pytest.mark.needs("git", "iverilog", "make")
def test_a_task_is_repaired_and_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_task(tmp_path, "injected-counter", pass_to_pass=["grep -q endmodule rtl/other.v"])
    row = result(tmp_path, tmp_path / "cache" / "veriloop")
    assert (row.status, row.resolved, row.false_verified, row.rank) == ("repaired", True, False, 1), row.why
    assert 0 < row.cpu_s < 300
    assert row.tried > 0
    counts = summary([row])
    assert (counts["tasks"], counts["injected_resolved"], counts["real"], counts["top1"]) == (1, 1, 0, 1)


@pytest.mark.needs("git", "iverilog", "make")
def test_what_breaks_a_test_that_passed_is_falsely_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_task(tmp_path, "real-counter", pass_to_pass=['grep -q "4\'d2" rtl/counter.v'])
    row = result(tmp_path, tmp_path / "cache" / "veriloop")
    assert (row.resolved, row.false_verified) == (False, True)
    assert summary([row])["false_verified"] == 1


@pytest.mark.needs("git", "iverilog", "make")
def test_a_run_that_was_cut_off_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = write_task(tmp_path, "injected-counter")
    known = Row(
        id="injected-counter", injected=True, status="not found", resolved=False, false_verified=False, rank=2,
        minutes=9.0, why="the budget is spent", cpu_s=540.0,
    )  # fmt: skip
    Kept(tmp_path / "out").keep(known)
    words = ["bench", "hwe", "--json", "--tasks", str(tmp_path / "tasks"), "--out", str(tmp_path / "out")]
    assert main([*words, "--resume"]) == 0
    counts = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (counts["tasks"], counts["injected_resolved"], counts["minutes_median"]) == (1, 0, 9.0)
    (folder / "base.tar").write_bytes(b"no archive")
    assert main(words) == 0
    row = json.loads(capsys.readouterr().out.splitlines()[0])
    assert (row["status"], row["cpu_s"]) == ("broken task", 0.0)
    assert [row.status for row in Kept(tmp_path / "out", resume=True).rows(Row).values()] == ["broken task"]


def test_tasks_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no task"):
        read_tasks(tmp_path)
    folder = write_task(tmp_path, "a")
    (folder / "base.tar").unlink()
    with pytest.raises(UsageError, match=r"no base\.tar"):
        read_tasks(tmp_path / "tasks")
    (folder / "task.json").write_text("{}")
    with pytest.raises(UsageError, match="is no task"):
        read_tasks(tmp_path / "tasks")


def test_a_broken_archive_costs_its_task_only(tmp_path: Path) -> None:
    folder = write_task(tmp_path, "a")
    (folder / "base.tar").write_bytes(b"no archive")
    assert result(tmp_path, tmp_path / "cache").status == "broken task"


def test_the_lines_that_a_fix_changes() -> None:
    assert changed_lines(GOLD) == {("rtl/counter.v", 2)}
    assert changed_lines("--- a/x.v\n+++ b/x.v\n@@ -5,2 +5,3 @@\n a\n+new\n b\n") == {("x.v", 5)}


def test_counts_are_kept_apart() -> None:
    row = Row(
        id="a", injected=False, status="s", resolved=True, false_verified=False, rank=4, minutes=2.0, why=""
    )  # fmt: skip
    other = dataclasses.replace(row, injected=True, resolved=False, rank=0, minutes=4.0)
    counts = summary([row, other])
    assert counts == {
        "tasks": 2, "real": 1, "real_resolved": 1, "injected": 1, "injected_resolved": 0, "false_verified": 0,
        "abstained": 1, "top1": 0, "top5": 1, "minutes_median": 3.0,
    }  # fmt: skip
