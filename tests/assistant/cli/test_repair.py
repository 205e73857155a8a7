"""`veriloop repair` as a user runs it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.assistant.repair.conftest import COUNTER, COUNTER_TB, Clone
from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "git")

BROKEN = COUNTER.replace(b"q + 1", b"q + 2")


@pytest.fixture
def clone(clone: Clone) -> Clone:
    """A repository with a broken counter, in which the user stands."""
    clone.commit({"rtl/counter.v": BROKEN, "tb/counter_tb.v": COUNTER_TB})
    return clone


def test_repair_apply_check_undo(clone, capsys):
    assert main(["repair", "rtl/counter.v", "--testbench", "tb/counter_tb.v", "--apply"]) == 0
    text = capsys.readouterr().out
    assert "verified: 1 of 1 tests pass, 1 of them failed before; evidence: tests" in text
    assert "applied to the work tree; veriloop undo takes it back" in text
    assert clone.git("diff", "--name-only").split() == ["rtl/counter.v"]
    assert main(["check", "--testbench", "tb/counter_tb.v"]) == 0
    assert main(["undo"]) == 0
    assert (clone.root / "rtl/counter.v").read_bytes() == BROKEN
    assert clone.git("status", "--short") == ""


SILENT_TB = COUNTER_TB.replace(b'"Mismatches: %0d in %0d samples", bad, n', b'"%0s", bad ? "no good" : "all fine"')
RECORDING_TB = b"""module counter_tb;
  reg clk = 0, rst_n = 0;
  wire [3:0] q;
  wire last;
  integer file;
  counter dut (.clk(clk), .rst_n(rst_n), .en(1'b1), .q(q), .last(last));
  always #5 clk = ~clk;
  initial begin
    file = $fopen("out.txt");
    $fwrite(file, "time,q[3],q[2],q[1],q[0]\\n");
    #12 rst_n = 1;
    repeat (30) @(negedge clk) $fwrite(file, "%0d,%b,%b,%b,%b\\n", $time, q[3], q[2], q[1], q[0]);
    $finish;
  end
endmodule
"""
TABLE = "time,q[3],q[2],q[1],q[0]\n" + "".join(
    f"{20 + 10 * row},{','.join(f'{(row + 1) % 10:04b}')}\n" for row in range(30)
)


@pytest.mark.parametrize(
    ("bench", "words"),
    [
        (SILENT_TB, ["--pass-pattern", "all fine", "--fail-pattern", "no good", "--timeout", "20"]),
        (RECORDING_TB, ["--oracle", "tb/expected.csv", "--output", "out.txt"]),
    ],
)
def test_check_replays_a_repair_however_the_testbench_is_read(clone, capsys, bench, words):
    clone.commit({"tb/counter_tb.v": bench, "tb/expected.csv": TABLE.encode()})
    asked = ["--testbench", "tb/counter_tb.v", *words]
    assert main(["repair", "rtl/counter.v", *asked, "--apply", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["status"] == "repaired"
    program, *again = shlex.split(data["report"]["replay"])
    assert program == "veriloop"
    assert again == ["check", "--worktree", *asked]
    assert main([*again, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["fixed"] == ["tb/counter_tb.v"]


def test_check_replays_which_of_two_files_was_taken(clone, capsys):
    clone.commit({"old/counter.v": COUNTER.replace(b"rst_n)", b"rst_n )")})
    words = ["rtl/counter.v", "--testbench", "tb/counter_tb.v", "--apply", "--json"]
    assert main(["repair", *words]) == 0
    _, *again = shlex.split(json.loads(capsys.readouterr().out)["report"]["replay"])
    assert main([*again, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[0])["fixed"] == ["tb/counter_tb.v"]


def test_a_pattern_that_is_none_is_said_so(clone, capsys):
    (clone.root / "rtl/counter.v").write_bytes(COUNTER)
    assert main(["check", "--testbench", "tb/counter_tb.v", "--pass-pattern", "("]) == 2
    assert "--pass-pattern is no regular expression" in capsys.readouterr().err


def test_without_apply_nothing_is_written(clone, capsys):
    assert main(["repair", "--testbench", "tb/counter_tb.v", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["status"] == "repaired"
    assert data["applied"] is False
    assert data["report"]["passed"] is True
    assert data["report"]["evidence"] == "tests"
    assert data["candidates"] > 0
    assert clone.git("status", "--short") == ""


def test_the_design_is_found_from_a_subdirectory(clone, monkeypatch, capsys):
    monkeypatch.chdir(clone.root / "tb")
    assert main(["repair", "--testbench", "counter_tb.v", "--json"]) == 0
    assert "rtl/counter.v" in json.loads(capsys.readouterr().out)["diff"]


def test_a_command_is_repaired_and_the_files_that_it_reads_are_found(clone, capsys):
    clone.commit(
        {
            "rtl/unused.v": b"module unused; endmodule\n",
            "Makefile": (b"test:\n\tiverilog -g2012 -o sim.vvp rtl/counter.v tb/counter_tb.v\n\tvvp -n sim.vvp\n"),
        }
    )
    assert main(["repair", "--test", "make -s test", "--apply"]) == 0
    captured = capsys.readouterr()
    assert "1 RTL files can hold the fault: rtl/counter.v" in captured.err
    assert "own testbench counter_tb fails by itself, and screens candidates" in captured.err
    assert clone.git("diff", "--stat").count("|") == 1
    assert not (clone.root / "sim.vvp").exists()


def test_a_testbench_of_veriloop_toml_is_used_by_name(clone, capsys):
    clone.commit({"veriloop.toml": b'[[testbench]]\nname = "unit"\nsources = ["tb/counter_tb.v"]\n'})
    assert main(["repair", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report"]["steps"][-1]["name"] == "unit"


@pytest.mark.parametrize(
    "kind", [b'kind = "command"\ncommand = "make"', b'kind = "cocotb"\nmodule = "t"\ntoplevel = "counter"']
)
def test_code_that_the_repository_names_needs_trust(clone, capsys, kind):
    clone.commit({"veriloop.toml": b'[[testbench]]\nname = "unit"\n' + kind + b"\n"})
    assert main(["repair", "--testbench", "unit"]) == 3
    assert "veriloop trust" in capsys.readouterr().err


def test_a_command_that_hangs_ends_with_the_budget(clone, capsys):
    started = time.monotonic()
    assert main(["repair", "rtl/counter.v", "--test", "sleep 300", "--budget", "2"]) == 3
    captured = capsys.readouterr()
    assert "the test fails under sleep: no end within 2 s" in captured.err
    assert "not found: the budget is spent" in captured.out
    assert time.monotonic() - started < 200


def test_a_passing_testbench_leaves_nothing_to_repair(clone, capsys):
    clone.commit({"rtl/counter.v": COUNTER})
    assert main(["repair", "rtl/counter.v", "--testbench", "tb/counter_tb.v"]) == 0
    assert "nothing to repair" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["repair"], 2, "what fails?"),
        (["repair", "rtl/none.v", "--testbench", "tb/counter_tb.v"], 2, "no such file: rtl/none.v"),
        (["repair", "--testbench", "tb/none.v"], 2, "no such file: tb/none.v"),
        (["repair", "--test", "true", "--testbench", "tb/counter_tb.v"], 2, "exclude each other"),
        (["repair", "--test", "false", "--budget", "9", "--cpu-budget", "9"], 2, "exclude each other"),
        (["repair", "--test", "true"], 3, "passes in a private copy"),
        (["repair", "--test", "no-such-program"], 3, "cannot run"),
        (["repair", "--testbench", "tb/counter_tb.v", "--top", "none"], 2, "there is no module none"),
        (["repair", "--testbench", "tb/counter_tb.v", "--oracle", "tb/counter_tb.v"], 2, "--output"),
        (["repair", "/etc/hostname", "--testbench", "tb/counter_tb.v"], 2, "is not in the repository"),
    ],
)
def test_bad_input_gets_one_clear_line_and_changes_nothing(clone, capsys, words, code, said):
    assert main(words) == code
    assert said in capsys.readouterr().err
    assert clone.git("status", "--short") == ""


def test_not_a_git_repository(tmp_path, monkeypatch, capsys, cache):
    monkeypatch.setenv("VERILOOP_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    assert main(["repair", "--test", "true"]) == 2
    assert "git init" in capsys.readouterr().err


def test_no_compiler_is_said_with_what_gets_it(clone, capsys, monkeypatch, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("env", "git", "sh"):
        path = next(Path(folder, name) for folder in os.environ["PATH"].split(":") if Path(folder, name).is_file())
        (tools / name).symlink_to(path)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("VERILOOP_CACHE", str(tmp_path / "empty cache"))
    assert main(["repair", "--testbench", "tb/counter_tb.v"]) == 3
    said = capsys.readouterr().err
    assert "C++20 compiler" in said
    assert "apt-get install g++" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_search_that_is_stopped_changes_nothing_and_the_next_run_cleans_up(clone, number, cache, capsys):
    never = COUNTER_TB.replace(b"q !== expected ||", b"1 ||")
    clone.commit({"tb/counter_tb.v": never})
    words = [sys.executable, "-m", "veriloop.assistant.cli.main", "repair", "--testbench", "tb/counter_tb.v"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "dev")}
    with subprocess.Popen(
        words, cwd=clone.root, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "candidates tried" in line:
                break
        started = time.monotonic()
        process.send_signal(number)
        process.communicate(timeout=20)
        took_s = time.monotonic() - started
    assert process.returncode == (130 if number == signal.SIGINT else -signal.SIGKILL)
    assert took_s < 1
    assert clone.git("status", "--short") == ""
    # A private copy that is younger than a second may be one that its owner is just making.
    time.sleep(1.1)
    assert main(["undo"]) == 2
    assert not list((cache / "trees").iterdir())
