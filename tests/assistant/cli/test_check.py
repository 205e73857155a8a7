"""`veriloop check` and `veriloop undo` as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from veriloop.assistant.cli.main import main
from veriloop.assistant.config import load_config
from veriloop.assistant.repository.apply import write
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.trust import trust

pytestmark = pytest.mark.needs("git")

NOT_GATE = b"module inv(input a, output y);\n  assign y = ~a;\nendmodule\n"
BROKEN = NOT_GATE.replace(b"~a", b"a")
BENCH = b"""module inv_tb;
  reg a; wire y; integer bad;
  inv dut(.a(a), .y(y));
  initial begin
    bad = 0;
    a = 0; #1 if (y !== 1) bad = bad + 1;
    a = 1; #1 if (y !== 0) bad = bad + 1;
    $display("Mismatches: %0d in %0d samples", bad, 2);
    $finish;
  end
endmodule
"""
SILENT = b"module silent_tb;\n  inv dut();\n  initial #1 $finish;\nendmodule\n"


@pytest.fixture
def root(tmp_path, monkeypatch, runtime):
    root = tmp_path / "a clone"
    root.mkdir()
    monkeypatch.setenv("VERILOOP_CACHE", str(runtime))
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(root)
    git("init", "--quiet")
    save(root / "rtl/inv.v", BROKEN)
    save(root / "tb/inv_tb.v", BENCH)
    commit()
    return root


def git(*words: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *identity, *words], check=True, capture_output=True, text=True).stdout


def commit() -> None:
    git("add", "--all")
    git("commit", "--quiet", "--message", "x")


def save(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def check(capsys, *words: str) -> tuple[int, dict[str, Any]]:
    """The exit code, and the report with the summary after it."""
    code = main(["--json", "check", *words])
    *report, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert summary["exit"] == code
    assert list(summary) == ["outcome", "evidence", "exit", "cached", "checked", "left_out", "seconds"]
    assert all(one["type"] == "report" and one["schema"] == 1 for one in report)
    return code, {**(report[0] if report else {}), **summary}


@pytest.mark.needs("verilator", "c++")
def test_a_fix_on_disk_is_verified(root, capsys):
    save(root / "rtl/inv.v", NOT_GATE)
    index = (root / ".git/index").read_bytes()
    code, data = check(capsys)
    assert (code, data["evidence"], data["fixed"]) == (0, "tests", ["inv_tb"])
    assert data["replay"] == "veriloop check --worktree"
    assert "+  assign y = ~a;" in str(data["diff"])
    assert (root / ".git/index").read_bytes() == index
    assert git("status", "--short") == " M rtl/inv.v\n"


@pytest.mark.needs("verilator", "c++")
def test_only_what_is_staged_counts_with_staged(root, capsys):
    save(root / "rtl/inv.v", NOT_GATE)
    git("add", "rtl/inv.v")
    save(root / "rtl/inv.v", BROKEN.replace(b"= a", b"= 1'b0"))
    assert check(capsys, "--staged")[0] == 0
    code, data = check(capsys, "--worktree")
    assert (code, data["passed"]) == (1, False)


@pytest.mark.needs("verilator", "c++")
def test_a_regression_is_refuted(root, capsys):
    save(root / "rtl/inv.v", NOT_GATE)
    commit()
    save(root / "rtl/inv.v", BROKEN)
    code, data = check(capsys)
    assert (code, data["broken"]) == (1, ["inv_tb"])
    assert main(["check"]) == 1
    assert "inv_tb (it passed before): 2 of 2 samples mismatch" in capsys.readouterr().out
    assert main(["check", "--full"]) == 1
    assert "passed before: this change breaks it" in capsys.readouterr().out


@pytest.mark.needs("verilator", "c++")
def test_a_patch_is_judged_on_top_of_what_is_on_disk(root, capsys):
    save(root / "rtl/inv.v", NOT_GATE)
    (root.parent / "fix.patch").write_text(git("diff"))
    git("checkout", "--quiet", ".")
    save(root / "tb/inv_tb.v", BENCH.replace(b"2);", b"2); // edited, not committed"))
    assert check(capsys, "../fix.patch")[0] == 0
    assert (root / "rtl/inv.v").read_bytes() == BROKEN
    (root / "rtl/inv.v").write_bytes(b"something else\n")
    assert main(["check", "../fix.patch"]) == 2
    assert "does not apply" in capsys.readouterr().err


@pytest.mark.needs("verilator", "c++")
def test_a_testbench_that_is_named_is_the_only_one(root, capsys):
    save(root / "rtl/inv.v", NOT_GATE)
    save(root / "other/bench.v", BENCH.replace(b"inv_tb", b"bench"))
    code, data = check(capsys, "--testbench", "other/bench.v")
    assert code == 0
    assert [step["name"] for step in data["steps"] if step["runs"]] == ["other/bench.v"]
    assert data["replay"] == "veriloop check --worktree --testbench other/bench.v"
    assert main(["check", "--testbench", "none.v"]) == 2


@pytest.mark.needs("verilator")
def test_a_command_judges(root, capsys):
    save(root / "rtl/inv.v", NOT_GATE)
    code, data = check(capsys, "--test", "grep -q '~a' rtl/inv.v")
    assert (code, data["fixed"]) == (0, ["grep -q '~a' rtl/inv.v"])
    assert check(capsys, "--test", "grep -q nothing rtl/inv.v")[0] == 1


@pytest.mark.needs("verilator", "c++")
def test_without_a_test_that_says_anything_nothing_is_verified(root, capsys):
    (root / "tb/inv_tb.v").unlink()
    save(root / "tb/silent_tb.v", SILENT)
    commit()
    save(root / "rtl/inv.v", NOT_GATE)
    code, data = check(capsys)
    assert (code, data["outcome"], data["passed"], data["evidence"]) == (0, "passed", True, "elaborates")
    assert "behaviour: no test was run" in data["unchecked"]
    main(["check", "--full"])
    assert "so it is not counted" in capsys.readouterr().err


@pytest.mark.needs("verilator")
def test_the_tests_of_the_configuration_judge_once_they_are_trusted(root, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    command = "test -e lib/x && grep -q '~a' rtl/inv.v"
    save(root / ".gitignore", b"lib\n")
    save(root / "lib/x", b"")
    save(
        root / "veriloop.toml",
        f'[project]\nneeds = ["lib"]\n[[testbench]]\nname = "mine"\nkind = "command"\ncommand = "{command}"\n'.encode(),
    )
    commit()
    save(root / "rtl/inv.v", NOT_GATE)
    assert main(["check"]) == 3
    assert "veriloop trust" in capsys.readouterr().err
    trust(root, load_config(root))
    code, data = check(capsys)
    assert (code, data["fixed"]) == (0, ["mine"])


@pytest.mark.needs("verilator")
def test_a_test_whose_program_is_not_here_is_left_out_and_named(root, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    entry = '[[testbench]]\nname = "{}"\nkind = "command"\ncommand = "{}"\n'
    absent = entry.format("absent", "no-such-program-here")
    save(root / "veriloop.toml", (absent + entry.format("mine", "sh run.sh")).encode())
    save(root / "run.sh", b"grep -q '~a' rtl/inv.v")
    save(root / "rtl/inv.v", NOT_GATE)
    commit()
    trust(root, load_config(root))
    save(root / "rtl/inv.v", NOT_GATE.replace(b"y = ~a", b"y = (~a)"))
    why = "cannot run here: the test command cannot run: sh: 1: no-such-program-here: not found"
    for _ in range(2):
        code, data = check(capsys)
        assert (code, data["outcome"], data["left_out"]) == (0, "verified", [f"absent: {why}"])
        # Once the program is there another answer may come of it, so this one is not kept.
        assert "steps" in data
    save(root / "run.sh", b"no-such-program-here; exit 127")
    assert main(["check"]) == 3
    assert "the test command cannot run" in capsys.readouterr().err


@pytest.mark.needs("verilator", "c++")
def test_a_testbench_of_the_configuration(root, capsys):
    save(root / "veriloop.toml", b'[[testbench]]\nname = "main"\nsources = ["tb/inv_tb.v"]\n')
    commit()
    save(root / "rtl/inv.v", NOT_GATE)
    code, data = check(capsys)
    assert (code, data["fixed"]) == (0, ["main"])


def test_nothing_changed(root, capsys):
    code, data = check(capsys)
    assert (code, data["outcome"], data["cached"], data["checked"]) == (0, "unchanged", True, [])
    assert main(["check", "--staged"]) == 0
    assert "nothing to check" in capsys.readouterr().out


@pytest.mark.needs("verilator", "c++")
def test_as_a_pre_commit_hook(root):
    """With what git hands to a hook, in `git commit --all`, which commits from an index of its own."""
    search = os.pathsep.join(path for path in sys.path if path)
    hook = root / ".git/hooks/pre-commit"
    hook.write_text(
        f"#!/bin/sh\nPYTHONPATH='{search}' exec '{sys.executable}' -m veriloop.assistant.cli.main check --staged\n"
    )
    hook.chmod(0o755)
    save(root / "rtl/inv.v", NOT_GATE)
    git("commit", "--quiet", "--all", "--message", "good")
    save(root / "rtl/inv.v", BROKEN)
    with pytest.raises(subprocess.CalledProcessError) as caught:
        git("commit", "--quiet", "--all", "--message", "bad")
    assert "refuted: inv_tb" in caught.value.stderr + caught.value.stdout
    assert git("log", "--format=%s").split() == ["good", "x"]


def test_outside_of_a_repository(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VERILOOP_CACHE", str(tmp_path / "cache"))
    assert main(["check"]) == 2
    assert "git init" in capsys.readouterr().err


def test_undo_and_a_second_undo(root, capsys):
    repository = Repository.open(root)
    write(repository, repository.snapshot(), {"rtl/inv.v": NOT_GATE, "rtl/new.v": b"n\n"})
    assert main(["--json", "undo"]) == 0
    assert json.loads(capsys.readouterr().out) == {"restored": ["rtl/inv.v", "rtl/new.v"]}
    assert (root / "rtl/inv.v").read_bytes() == BROKEN
    assert git("status", "--short") == ""
    assert main(["undo"]) == 2
    assert "nothing to undo" in capsys.readouterr().err


def test_undo_keeps_later_edits(root, capsys):
    repository = Repository.open(root)
    write(repository, repository.snapshot(), {"rtl/inv.v": NOT_GATE})
    save(root / "rtl/inv.v", NOT_GATE + b"// mine\n")
    assert main(["undo"]) == 2
    assert "rtl/inv.v was edited since" in capsys.readouterr().err
    assert (root / "rtl/inv.v").read_bytes() == NOT_GATE + b"// mine\n"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_killed_change_is_taken_back_by_the_next_verb(root, capsys):
    repository = Repository.open(root)
    base = repository.snapshot()
    pid = os.fork()
    if pid == 0:
        replace = Path.replace

        def die(source: Path, target: Path) -> Path:
            done = replace(source, target)
            if Path(target).name == "inv.v":
                os.kill(os.getpid(), signal.SIGKILL)
            return done

        Path.replace = die  # type: ignore[method-assign,assignment]  # for this child only
        write(repository, base, {"rtl/inv.v": NOT_GATE, "rtl/new.v": b"n\n"})
        os._exit(0)
    os.waitpid(pid, 0)
    assert (root / "rtl/inv.v").read_bytes() == NOT_GATE
    assert main(["check"]) == 0
    captured = capsys.readouterr()
    assert "nothing to check" in captured.out
    assert "rtl/inv.v is as it was" in captured.err
    assert git("status", "--short") == ""


@pytest.mark.needs("verilator")
def test_a_command_runs_where_the_user_stands(root, capsys, monkeypatch):
    save(root / "rtl/inv.v", NOT_GATE)
    monkeypatch.chdir(root / "rtl")
    assert check(capsys, "--test", "grep -q '~a' inv.v")[0] == 0


@pytest.mark.needs("verilator", "c++")
def test_a_testbench_of_the_configuration_by_its_name_and_a_path_from_the_root(root, capsys, monkeypatch):
    save(root / "veriloop.toml", b'[[testbench]]\nname = "main"\nsources = ["tb/inv_tb.v"]\n')
    commit()
    save(root / "rtl/inv.v", NOT_GATE)
    monkeypatch.chdir(root / "rtl")
    assert check(capsys, "--testbench", "main")[1]["fixed"] == ["main"]
    assert check(capsys, "--testbench", "tb/inv_tb.v")[1]["fixed"] == ["tb/inv_tb.v"]
    assert check(capsys, "--testbench", "../tb/inv_tb.v")[0] == 0


# --- as a hook ---

COUNTER = b"""module counter(input clk, input rst, output reg [3:0] q);
  always @(posedge clk) if (rst) q <= 0; else q <= q + 1;
endmodule
"""
COUNTER_BENCH = b"""module counter_tb;
  reg clk = 0, rst = 1; wire [3:0] q; integer i, bad = 0;
  counter dut(.clk(clk), .rst(rst), .q(q));
  always #5 clk = ~clk;
  initial begin
    #22 rst = 0;
    for (i = 0; i < 20; i = i + 1) begin
      @(negedge clk);
      if (q !== ((i + 1) & 15)) bad = bad + 1;
    end
    $display("Mismatches: %0d in %0d samples", bad, 20);
    $finish;
  end
endmodule
"""


@pytest.fixture
def two(root):
    """A repository whose two modules have a test each; all of it passes."""
    save(root / "rtl/inv.v", NOT_GATE)
    save(root / "rtl/counter.v", COUNTER)
    save(root / "tb/counter_tb.v", COUNTER_BENCH)
    commit()
    return root


def staged(root: Path, path: str, content: bytes) -> None:
    save(root / path, content)
    git("add", path)


@pytest.mark.needs("verilator", "c++", "iverilog")
def test_a_refusal_names_file_line_signal_and_cycle_in_ten_lines(two, capsys):
    staged(two, "rtl/counter.v", COUNTER.replace(b"q + 1", b"q + 2"))
    assert main(["check", "--staged", "--budget", "900"]) == 1
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert len(lines) <= 10
    assert captured.err == ""
    assert lines[0] == "refuted: counter_tb"
    assert lines[1].startswith("rtl/counter.v:2: always @(posedge clk)")
    assert lines[2].startswith("counter_tb.q is 4'b0010, was 4'b0001 before this change, at 25 ns, cycle 3 of ")
    assert lines[3].startswith("counter_tb (it passed before): 19 of 20 samples mismatch")
    assert lines[-1] == "again: veriloop check --staged"


@pytest.mark.needs("verilator", "c++")
def test_only_the_tests_that_a_change_reaches_run_and_the_answer_is_kept(two, capsys):
    staged(two, "rtl/counter.v", COUNTER.replace(b"q + 1", b"1 + q"))
    code, data = check(capsys, "--staged")
    assert (code, data["outcome"], data["evidence"], data["cached"]) == (0, "verified", "tests", False)
    assert data["checked"] == ["parse", "lint counter", "elaborate counter", "counter_tb"]
    assert data["classes"] == {"rtl/counter.v": "tests"}
    code, again = check(capsys, "--staged")
    assert (code, again["outcome"], again["cached"], "steps" in again) == (0, "verified", True, False)
    assert again["checked"] == data["checked"]
    assert "counter_tb" in check(capsys, "--staged", "--all")[1]["checked"]


@pytest.mark.needs("verilator", "c++")
def test_a_test_that_failed_before_refuses_no_commit_for_ever(two, capsys):
    save(two / "rtl/inv.v", NOT_GATE.replace(b"~a", b"1'b1"))
    save(two / "sub/tb/inv_tb.v", BENCH.replace(b"inv_tb", b"sub_inv_tb").replace(b"bad + 1", b"bad"))
    commit()
    other = NOT_GATE.replace(b"~a", b"(1'b1)")
    staged(two, "rtl/inv.v", other)
    code, data = check(capsys, "--staged", "--budget", "900")
    # Two testbenches of one name are told apart.
    assert (code, data["outcome"]) == (0, "passed")
    (left_out,) = data["left_out"]
    assert left_out.startswith("tb/inv_tb.v: fails as it did before this change: ")
    assert "sub/tb/inv_tb.v" in data["checked"]
    # On disk, where somebody may be mending it, it is still told.
    assert check(capsys, "--worktree")[0] == 1
    # A test that fails more than before refuses.
    staged(two, "rtl/inv.v", NOT_GATE.replace(b"~a", b"a"))
    assert check(capsys, "--staged")[0] == 1


@pytest.mark.needs("verilator", "c++")
def test_the_half_that_is_staged_counts(two, capsys):
    broken, good = NOT_GATE.replace(b"~a", b"1'b0"), NOT_GATE.replace(b"~a", b"!a")
    staged(two, "rtl/inv.v", broken)
    save(two / "rtl/inv.v", good)
    assert check(capsys, "--staged")[0] == 1
    staged(two, "rtl/inv.v", good)
    save(two / "rtl/inv.v", broken)
    save(two / "rtl/untracked.v", b"module inv(input a, output y); garbage")
    assert check(capsys, "--staged")[0] == 0
    assert (two / "rtl/inv.v").read_bytes() == broken


@pytest.mark.needs("verilator")
def test_comments_and_texts_need_no_work(two, capsys):
    staged(two, "rtl/inv.v", b"// said\n" + NOT_GATE)
    staged(two, "README.md", b"text\n")
    code, data = check(capsys, "--staged")
    assert (code, data["outcome"], data["checked"]) == (0, "unchanged", [])


@pytest.mark.needs("verilator", "c++")
def test_a_module_without_tests_passes_with_a_warning_unless_tests_are_asked_for(two, capsys):
    staged(two, "rtl/new.v", b"module fresh(input a, output y); assign y = a; endmodule\n")
    assert main(["check", "--staged"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("passed, not verified: evidence: elaborates\nwarning: rtl/new.v: no test exercises it")
    staged(two, "veriloop.toml", b'[project]\nevidence = [{ paths = ["rtl/*"], at_least = "tests" }]\n')
    code, data = check(capsys, "--staged")
    assert (code, data["outcome"]) == (3, "not verified")
    assert data["warnings"] == ["rtl/new.v: elaborates; what is asked for: tests"]


@pytest.mark.needs("verilator", "c++")
def test_what_the_budget_leaves_out_is_said(two, capsys, monkeypatch, tmp_path):
    staged(two, "rtl/inv.v", NOT_GATE.replace(b"~a", b"!a"))
    code, data = check(capsys, "--staged", "--budget", "0.001")
    assert (code, data["outcome"]) == (3, "not verified")
    assert "inv_tb: the budget is spent" in data["left_out"]
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    save(tmp_path / "config/veriloop/config.toml", b'[check]\nbudget_s = 0.001\nover_budget = "warn"\n')
    code, data = check(capsys, "--staged")
    assert (code, data["outcome"]) == (0, "passed")
    assert data["warnings"][-1] == "not run, the budget is spent: lint inv, inv_tb"
    assert main(["check", "--budget", "0"]) == 2


@pytest.mark.needs("verilator")
def test_levels_stop_before_the_tests(two, capsys):
    staged(two, "rtl/inv.v", NOT_GATE.replace(b"~a", b"1'b0"))
    code, data = check(capsys, "--staged", "--level", "elaborates")
    assert (code, data["outcome"], data["evidence"]) == (0, "passed", "elaborates")
    staged(two, "rtl/inv.v", NOT_GATE.replace(b"~a", b"nowhere"))
    code, data = check(capsys, "--staged", "--level", "lint")
    assert (code, data["outcome"]) == (1, "refuted")
    assert "inv_tb: the change is refuted already" not in data["left_out"]


@pytest.mark.needs("verilator")
def test_a_new_latch_is_refused_and_an_old_one_is_not(two, capsys):
    latch = b"module hold(input e, input d, output reg q);\n  always @* if (e) q = d;\nendmodule\n"
    staged(two, "rtl/hold.v", latch)
    code, data = check(capsys, "--staged")
    assert (code, data["outcome"]) == (1, "refuted")
    assert any("LATCH" in one for one in data["warnings"])
    commit()
    staged(two, "rtl/hold.v", latch.replace(b"q = d", b"q = !d"))
    assert check(capsys, "--staged")[0] == 0


@pytest.mark.needs("verilator", "c++")
def test_a_range_of_commits(two, capsys, monkeypatch):
    first = git("rev-parse", "HEAD").strip()
    staged(two, "rtl/inv.v", NOT_GATE.replace(b"~a", b"1'b1"))
    git("commit", "--quiet", "--message", "broken")
    save(two / "rtl/inv.v", NOT_GATE)
    assert check(capsys, "--since", first)[0] == 1
    assert check(capsys, "--since", "HEAD")[1]["outcome"] == "unchanged"
    assert main(["check", "--since", "nowhere"]) == 2
    monkeypatch.setenv("PRE_COMMIT_FROM_REF", first)
    monkeypatch.setenv("PRE_COMMIT_TO_REF", "HEAD")
    assert check(capsys, "--staged")[0] == 1


@pytest.mark.needs("yosys", "verilator", "iverilog")
def test_a_refactoring_is_proved_or_told_apart(two, capsys):
    staged(two, "rtl/counter.v", COUNTER.replace(b"q + 1", b"4'd1 + q"))
    assert main(["--json", "check", "--staged", "--refactor", "--budget", "120"]) == 0
    module, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert (module["module"], module["verdict"]) == ("counter", "equivalent")
    assert (summary["outcome"], summary["evidence"], summary["checked"]) == ("verified", "equivalence", ["counter"])
    staged(two, "rtl/counter.v", COUNTER.replace(b"q + 1", b"q + 2"))
    assert main(["check", "--staged", "--refactor", "--budget", "120"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("refuted\ncounter: different: q is ")
    assert "rst = 1" in out
    staged(two, "rtl/counter.v", b"// said\n" + COUNTER)
    assert main(["check", "--staged", "--refactor"]) == 0
    assert "nothing to prove" in capsys.readouterr().out


# --- mutants ---


@pytest.mark.needs("verilator", "c++")
def test_tests_that_notice_mutants_raise_the_evidence(two, capsys):
    staged(two, "rtl/counter.v", COUNTER.replace(b"q + 1", b"1 + q"))
    code, data = check(capsys, "--staged", "--level", "mutants")
    (score,) = data["mutants"]
    assert (code, data["outcome"], data["evidence"]) == (0, "verified", "tests+mutants")
    assert "mutants" in data["checked"]
    assert (score["path"], score["survivors"]) == ("rtl/counter.v", [])
    assert score["killed"] == score["made"] - score["equivalent"] > 5
    assert git("status", "--short") == "M  rtl/counter.v\n"


@pytest.mark.needs("verilator", "c++")
def test_what_the_tests_meet_of_a_change_is_measured_where_it_is_asked_for(two, capsys):
    # Nothing in the test counts to 15 and beyond, so that branch is never met.
    body = b"always @(posedge clk) if (rst) q <= 0;\n    else if (q == 14) q <= 15;\n    else q <= q + 1;"
    save(two / "tb/counter_tb.v", COUNTER_BENCH.replace(b"i < 20", b"i < 10"))
    commit()
    staged(two, "rtl/counter.v", COUNTER.replace(COUNTER.splitlines()[1].strip(), body))
    _, before = check(capsys, "--staged")
    code, data = check(capsys, "--staged", "--coverage")
    assert (code, before["coverage"]) == (0, {})
    assert data["coverage"] == {
        "rtl/counter.v": {"line": {"met": 3, "points": 4}, "branch": {"met": 0, "points": 0}, "missed": ["3 if"]}
    }
    assert main(["check", "--staged", "--coverage"]) == 0
    assert "rtl/counter.v: blocks 3 of 4; not met: 3 if" in capsys.readouterr().out


@pytest.mark.needs("verilator", "c++")
def test_a_fault_that_no_test_notices_is_named_with_its_line(two, capsys):
    # Reset is never asserted again, and the upper bits are not looked at.
    save(two / "tb/counter_tb.v", COUNTER_BENCH.replace(b"q !== ((i + 1) & 15)", b"q[0] !== ((i + 1) & 1)"))
    commit()
    staged(two, "rtl/counter.v", COUNTER.replace(b"q <= 0; else q <= q + 1", b"q <= 0; else q <= 1 + q"))
    code, data = check(capsys, "--staged", "--level", "mutants", "--sarif", "out.sarif")
    (score,) = data["mutants"]
    assert (code, data["outcome"], data["evidence"]) == (0, "verified", "tests")
    assert 0 < score["killed"] < score["made"]
    assert {one["line"] for one in score["survivors"]} == {2}
    lines = [line for line in data["unchecked"] if line.startswith("no test notices rtl/counter.v:2: ")]
    assert len(lines) == len(score["survivors"]) > 0
    assert any("the tests notice" in line for line in data["warnings"])
    results = json.loads((two / "out.sarif").read_text())["runs"][0]["results"]
    assert "mutant-unnoticed" in {one["ruleId"] for one in results}


@pytest.mark.needs("verilator", "c++")
def test_a_command_is_asked_about_mutants_one_by_one(two, capsys):
    staged(two, "rtl/inv.v", NOT_GATE.replace(b"~a", b"!a"))
    words = ("--staged", "--level", "mutants", "--test", "grep -q '= !a' rtl/inv.v")
    code, data = check(capsys, *words)
    assert (code, data["evidence"]) == (0, "tests+mutants")
    assert data["mutants"][0]["killed"] == data["mutants"][0]["made"] > 0


# --- lint ---

LINTED = b"""module linted(input clk, input [3:0] d, output reg [3:0] q, output y);
  always @(posedge clk) q = d;
  inv u(.a(nope), .y(y));
endmodule
"""


@pytest.mark.needs("verilator")
def test_new_findings_are_explained_with_what_would_mend_them(two, capsys, tmp_path):
    staged(two, "rtl/linted.v", LINTED)
    code, data = check(capsys, "--staged", "--level", "lint", "--fixes", "../fix.patch")
    assert code == 0
    about = {one["code"]: one["about"] for one in data["findings"]}
    assert "races" in about["BLKSEQ"]
    assert data["fixes"] == [
        "rtl/linted.v:3: declare `wire nope;`, which is what it is taken for [IMPLICIT]",
        "rtl/linted.v:2: `<=` for `=` [BLKSEQ]",
    ]
    # They are shown, and applied by whoever asks for that.
    assert (two / "rtl/linted.v").read_bytes() == LINTED
    git("apply", "--index", "../fix.patch")
    assert (two / "rtl/linted.v").read_bytes() == LINTED.replace(b"q = d", b"q <= d").replace(
        b"  inv", b"  wire nope;\n  inv"
    )
    _, data = check(capsys, "--staged", "--level", "lint")
    assert not {"BLKSEQ", "IMPLICIT"} & {one["code"] for one in data["findings"]}
    assert main(["check", "--staged", "--level", "lint", "--full"]) == 0
    assert "UNDRIVEN: A signal is read and never driven" in capsys.readouterr().out


@pytest.mark.needs("verilator")
def test_what_a_baseline_holds_blocks_nothing(two, capsys):
    latch = b"module hold(input e, input d, output reg q);\n  always @* if (e) q = d;\nendmodule\n"
    staged(two, "rtl/hold.v", latch)
    words = ("--staged", "--level", "lint")
    assert check(capsys, *words, "--write-baseline", "lint.json")[0] == 1
    assert [one["rule"] for one in json.loads((two / "lint.json").read_text())["findings"]].count("LATCH") == 1
    code, data = check(capsys, *words, "--baseline", "lint.json")
    assert (code, data["findings"]) == (0, [])
    # A second one of the kind is new, wherever it stands.
    staged(two, "rtl/hold.v", b"\n" + latch + latch.replace(b"hold", b"hold2").replace(b"q", b"p"))
    code, data = check(capsys, *words, "--baseline", "lint.json")
    assert (code, [one["code"] for one in data["findings"]].count("LATCH")) == (1, 1)
    (two / "lint.json").write_text("{}")
    assert main(["check", *words, "--baseline", "lint.json"]) == 2
    assert "is no baseline of lint" in capsys.readouterr().err


@pytest.mark.needs("verilator")
def test_a_waiver_counts_and_its_change_is_shown_apart(two, capsys):
    latch = b"module hold(input e, input d, output reg q);\n  always @* if (e) q = d;\nendmodule\n"
    save(two / "lint/own.vlt", b'`verilator_config\nlint_off -rule LATCH -file "*/hold.v"\n')
    commit()
    staged(two, "rtl/hold.v", latch)
    code, data = check(capsys, "--staged", "--level", "lint")
    assert (code, "LATCH" in {one["code"] for one in data["findings"]}) == (0, False)
    assert not [step for step in data["steps"] if step["name"] == "protected"]
    # One that this Verilator does not take waives nothing, and hides nothing.
    staged(two, "lint/own.vlt", b"`verilator_config\nlint_off -rule NOSUCHRULE\n")
    code, data = check(capsys, "--staged", "--level", "lint")
    assert (code, "LATCH" in {one["code"] for one in data["findings"]}) == (1, True)
    (step,) = [step for step in data["steps"] if step["name"] == "protected"]
    assert "lint/own.vlt: is a waiver" in step["detail"]
