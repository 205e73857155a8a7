"""Since when a test fails."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from veriloop.assistant.cli.main import main
from veriloop.assistant.locate.changes import changed_lines, touches
from veriloop.assistant.locate.places import places_of

BENCH = """module tb;
  reg clk = 0, rst = 1; wire [3:0] q; wire odd; integer i, errors = 0;
  counter dut(clk, rst, q, odd);
  initial begin
    #1 clk = 1; #1 clk = 0; rst = 0;
    for (i = 1; i < 9; i = i + 1) begin
      #1 clk = 1; #1 clk = 0;
      if (q !== i) begin errors = errors + 1; $display("FAIL: q is %d", q); end
    end
    if (errors == 0) $display("PASS");
    $finish;
  end
endmodule
"""
TEST = "iverilog -o t.vvp tb/tb.v rtl/*.v && vvp -n t.vvp"


def _counter(step: str = "1", odd: str = "q[0]", note: str = "") -> str:
    return f"""{note}module counter(input clk, input rst, output reg [3:0] q, output odd);
  assign odd = {odd};
  always @(posedge clk)
    if (rst) q <= 0;
    else q <= q + {step};
endmodule
"""


@dataclass(frozen=True)
class Clone:
    root: Path

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *words], cwd=self.root, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def commit(self, subject: str, **files: str) -> str:
        for name, text in files.items():
            (self.root / "rtl" / f"{name}.v").write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", subject)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "tree"
    (root / "rtl").mkdir(parents=True)
    (root / "tb").mkdir()
    (root / "tb" / "tb.v").write_text(BENCH)
    (root / ".gitignore").write_text("*.vvp\n")
    found = Clone(root)
    for words in (["init", "-q", "-b", "main"], ["config", "user.name", "Ada"], ["config", "user.email", "a@b"]):
        found.git(*words)
    (tmp_path / "issue.md").write_text("Something is wrong\n")
    return found


@dataclass(frozen=True)
class History:
    clone: Clone
    good: str
    bad: str


@pytest.fixture
def history(clone: Clone) -> History:
    """A dozen commits, two merges, two commits that do not build; the bad one came in by a merge."""
    good = clone.commit("Count", counter=_counter())
    clone.commit("Say more", counter=_counter(note="// counts\n"))
    clone.git("checkout", "-qb", "side")
    clone.commit("Begin", other="module other(input a); endmodule\n")
    bad = clone.commit("Count faster", counter=_counter(step="2", note="// counts\n"))
    clone.commit("Go on", other="module other(input b); endmodule\n")
    clone.git("checkout", "-q", "main")
    clone.commit("Half a file", third="module third(input a;\n")
    clone.commit("The other half", third="module third(input a); endmodule\n")
    clone.git("merge", "-q", "--no-edit", "side")
    clone.commit("Broken again", third="module third(input a;\n")
    clone.git("checkout", "-qb", "more", "HEAD~1")
    clone.commit("Beside", fourth="module fourth; endmodule\n")
    clone.git("checkout", "-q", "main")
    clone.git("merge", "-q", "--no-edit", "more")
    clone.commit("Mended", third="module third(input a); endmodule\n")
    clone.commit("Odd by hand", counter=_counter(step="2", odd="q[0] == 1", note="// counts\n// up\n"))
    return History(clone, good, bad)


def run(clone: Clone, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, object]]:
    report = str(clone.root.parent / "issue.md")
    code = main(["-C", str(clone.root), *words, "--report", report, "--test", TEST, "--json"])
    return code, json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.needs("git", "iverilog")
def test_the_first_bad_commit_comes_first(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    clone = history.clone
    before = clone.git("for-each-ref") + clone.git("status", "--porcelain=v2", "--branch")
    code, found = run(clone, capsys, "locate", "--since", history.good)
    first = found["first_bad"]
    assert isinstance(first, dict)
    assert (code, first["commit"], first["subject"]) == (0, history.bad, "Count faster")
    assert first["date"]
    places = found["places"]
    assert isinstance(places, list)
    assert (places[0]["path"], places[0]["kind"], places[0]["first_line"]) == ("rtl/counter.v", "process", 5)
    assert f'{history.bad[:10]} "Count faster"' in places[0]["reasons"][0]
    assert clone.git("for-each-ref") + clone.git("status", "--porcelain=v2", "--branch") == before


@pytest.mark.needs("git", "iverilog")
def test_what_does_not_build_is_skipped_and_said(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    good = clone.commit("Count", counter=_counter())
    clone.commit("Half a file", counter=_counter(step="2").replace("endmodule", ""))
    last = clone.commit("Whole again", counter=_counter(step="2"))
    _, found = run(clone, capsys, "locate", "--since", good)
    first = found["first_bad"]
    assert isinstance(first, dict)
    assert (first["commit"], first["skipped"]) == (last, 1)
    assert "or one of 1 before it that cannot be tested" in first["what"]


@pytest.mark.needs("git", "iverilog")
def test_edits_that_no_commit_has_are_told_from_commits(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    good = clone.commit("Count", counter=_counter())
    clone.commit("More", other="module other; endmodule\n")
    (clone.root / "rtl" / "counter.v").write_text(_counter(step="3"))
    code, found = run(clone, capsys, "repair", "--since", good, "--no-model", "--budget", "60")
    first = found["first_bad"]
    assert isinstance(first, dict)
    assert (code, found["status"], first["commit"], first["tested"]) == (0, "repaired", "", 1)
    assert "edits that no commit has" in first["what"]


@pytest.mark.needs("git", "iverilog")
def test_where_it_failed_already_nothing_is_blamed(clone: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    old = clone.commit("Count", counter=_counter(step="2"))
    clone.commit("More", counter=_counter(step="2", odd="q[1]"))
    report = str(clone.root.parent / "issue.md")
    assert main(["-C", str(clone.root), "locate", "--report", report, "--test", TEST, "--since", old]) == 0
    shown = capsys.readouterr()
    assert "the test fails there, too" in shown.err
    assert "changed since then" in shown.out
    assert main(["-C", str(clone.root), "locate", "--report", report, "--test", TEST, "--since", "gone"]) == 2
    assert "gone is no commit of this clone" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "after", "now", "lines"),
    [
        ("a b c", "a x c", "a x c", [(2, 2)]),
        ("a b c", "a x c", "n a x c", [(3, 3)]),
        ("a b c", "a x c", "a y z c", [(2, 2)]),
        ("a b c", "a c", "a c", [(1, 2)]),
        ("a b c", "a x y c", "c", [(1, 1)]),
        ("", "a b", "a b", [(1, 2)]),
    ],
)
def test_changed_lines_are_found_where_they_stand_now(
    before: str, after: str, now: str, lines: list[tuple[int, int]]
) -> None:
    texts = ["".join(f"{word}\n" for word in text.split()).encode() for text in (before, after, now)]
    assert list(changed_lines("f", *texts)) == lines


def test_a_place_holds_lines() -> None:
    content = _counter().encode()
    process = next(one for one in places_of({"f": content}) if one.kind == "process")
    assert touches({"f": [(5, 5)]}, process)
    assert not touches({"f": [(1, 2)], "g": [(5, 5)]}, process)
