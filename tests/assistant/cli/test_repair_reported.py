"""From a bug report to a commit, and what is kept of the way."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("git", "iverilog")

COUNTER = """module counter(input clk, input rst, input up, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else if (up) q <= q + 4'd2;
endmodule
"""
OTHER = "module other(input a, output b);\n  assign b = ~a;\nendmodule\n"
BENCH = """module counter_tb;
  reg clk = 0, rst = 1, up = 1; wire [3:0] q; integer i, errors = 0;
  counter dut(.clk(clk), .rst(rst), .up(up), .q(q));
  initial begin
    #1 clk = 1; #1 clk = 0; rst = 0;
    for (i = 1; i < 20; i = i + 1) begin
      #1 clk = 1; #1 clk = 0;
      if (q !== (i & 15)) begin errors = errors + 1; $display("FAIL: q is %d, expected %d", q, i & 15); end
    end
    if (errors == 0) $display("PASS");
    $finish;
  end
endmodule
"""
MAKEFILE = "test:\n\tiverilog -o tb.vvp tb/counter_tb.v rtl/counter.v\n\tvvp -n tb.vvp\n"
REPORT = "# The counter counts in steps of two\n\nWith `up` high, `q` of the counter is wrong after the first clock.\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "tree"
    files = {"rtl/counter.v": COUNTER, "rtl/other.v": OTHER, "tb/counter_tb.v": BENCH, "Makefile": MAKEFILE}
    for name, text in {**files, ".gitignore": "*.vvp\n"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "issue.md").write_text(REPORT)
    for words in (["init", "-q"], ["config", "user.name", "Ada"], ["config", "user.email", "a@b"], ["add", "."]):
        subprocess.run(["git", *words], cwd=root, check=True)
    subprocess.run(["git", "commit", "-qm", "first"], cwd=root, check=True)
    return root


def run(tree: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    code = main(["-C", str(tree), *words, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.needs("make")
def test_what_another_language_drives_screens_without_make(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # `system` comes with vvp; loaded by name it stands for another language's module, and the shell for its makefiles.
    burn = "i=0; while [ $$i -lt 200000 ]; do i=$$((i + 1)); done"
    compiled = "mkdir -p out; echo +timescale+1ns/1ps > out/cmds.f; iverilog -o out/tb -f out/cmds.f $(FILES)"
    rule = f"test:\n\t{burn}\n\t{compiled}\n\tvvp -m system out/tb\n"
    (tree / "Makefile").write_text("FILES = $(CURDIR)/tb/counter_tb.v rtl/counter.v\n" + rule)
    words = ("--report", str(tree.parent / "issue.md"), "--test", "make test", "--no-model", "--budget", "120")
    assert main(["-C", str(tree), "repair", *words, "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out.splitlines()[-1])
    assert "the command's simulations fail as it does" in captured.err
    assert (found["status"], found["report"]["paths"]) == ("repaired", ["rtl/counter.v"])
    # The command itself has judged.
    # The command itself has judged.
    assert found["report"]["fixed"] == ["make test"]


@pytest.mark.needs("make")
def test_a_report_becomes_a_commit(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = str(tree.parent / "issue.md")
    code, found = run(tree, capsys, "locate", "--report", report, "--test", "make test")
    places = found["places"]
    assert isinstance(places, list)
    assert (code, places[0]["path"], places[0]["first_line"]) == (0, "rtl/counter.v", 2)
    words = ("repair", "--report", report, "--test", "make test", "--no-model", "--budget", "120")
    code, found = run(tree, capsys, *words, "--commit")
    assert (code, found["status"]) == (0, "repaired")
    branch = "veriloop/the-counter-counts-in-steps-of-two"
    shown = subprocess.run(["git", "show", branch], cwd=tree, capture_output=True, text=True, check=True).stdout
    assert "The counter counts in steps of two" in shown
    assert "Assisted-by: veriloop:search" in shown
    assert "Verified-by: veriloop check --worktree --test 'make test'" in shown
    assert subprocess.run(["git", "status", "--porcelain"], cwd=tree, capture_output=True, check=True).stdout == b""
    code, kept = run(tree, capsys, "log")
    attempts = kept["attempts"]
    assert isinstance(attempts, list)
    assert (code, len(attempts)) == (0, 1)
    attempt = attempts[0]
    code, one = run(tree, capsys, "show", attempt["id"][:10])
    assert (one["status"], one["commit"], bool(one["diff"])) == ("repaired", attempt["commit"], True)
    main(["-C", str(tree), "log", "--rows"])
    assert json.loads(capsys.readouterr().out)["report"] == REPORT


@pytest.mark.needs("make")
def test_what_names_what_is_changed_is_shown_and_committed(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = COUNTER.replace("counter(", "counter #(parameter STEP_SIZE = 2) (").replace("4'd2", "STEP_SIZE")
    (tree / "rtl" / "counter.v").write_text(wrong)
    (tree / "README.md").write_text("# Counter\n\n`STEP_SIZE`, 2 by default, is what it counts by.\n")
    subprocess.run(["git", "add", "."], cwd=tree, check=True)
    subprocess.run(["git", "commit", "-qm", "second"], cwd=tree, check=True)
    words = ("repair", "rtl/counter.v", "--report", str(tree.parent / "issue.md"), "--test", "make test", "--no-model")
    code, found = run(tree, capsys, *words, "--budget", "120", "--commit")
    assert (code, found["status"]) == (0, "repaired")
    listed = found["checklist"]
    assert isinstance(listed, list)
    assert [(one["path"], one["line"], one["name"], one["stale"]) for one in listed] == [
        ("README.md", 3, "STEP_SIZE", True)
    ]
    message = subprocess.run(
        ["git", "log", "-1", "--format=%B", "veriloop/the-counter-counts-in-steps-of-two"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "- README.md:3 (documentation) has STEP_SIZE: parameter, was 2, is 1; it has the value as it was" in message
    assert (tree / "README.md").read_text().startswith("# Counter\n\n`STEP_SIZE`, 2 by")


def test_without_a_test_the_likely_ones_are_named(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tree), "repair", "--report", str(tree.parent / "issue.md")]) == 2
    assert "--test make" in capsys.readouterr().err


def test_a_commit_of_a_dirty_tree_is_refused_before_anything_runs(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tree / "rtl/other.v").write_text(OTHER + "// edited\n")
    words = ["repair", "rtl/counter.v", "--testbench", "tb/counter_tb.v", "--commit", "--no-model"]
    assert main(["-C", str(tree), *words]) == 2
    assert "edits that no commit has" in capsys.readouterr().err


def test_a_flaky_test_is_called_so(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = "test -e .ran && exit 1; touch .ran; cat rtl/counter.v > /dev/null"
    words = ["locate", "--report", str(tree.parent / "issue.md"), "--test", command]
    assert main(["-C", str(tree), *words]) == 3
    assert "is flaky" in capsys.readouterr().err
