from __future__ import annotations

import json
from pathlib import Path

import pytest

from veriloop.assistant.bench.mutating import Task, judge_mutants
from veriloop.assistant.bench.problems import Problem
from veriloop.assistant.cli.main import main
from veriloop.assistant.events import CancelToken

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "yosys")

GOLDEN = """
module top_module(input clk, input rst, input [15:0] a, output reg hit);
  always @(posedge clk) if (rst) hit <= 0; else hit <= a == 16'h1234;
endmodule
"""
BENCH = """
module tb;
  reg clk = 0, rst = 1; reg [15:0] a = 16'h1230; wire hit; integer errors = 0, samples = 0;
  top_module dut(clk, rst, a, hit);
  always #5 clk = ~clk;
  always @(negedge clk) begin samples = samples + 1; if (!rst && hit !== (a == 16'h1234)) errors = errors + 1; end
  initial begin
    repeat (2) @(negedge clk); rst <= 0;
    repeat (6) begin @(negedge clk); a <= a + 1; end
    $display("Mismatches: %0d in %0d samples", errors, samples); $finish;
  end
endmodule
"""
ALWAYS = GOLDEN.replace("a == 16'h1234", "1'b1")
COMMENT = GOLDEN.replace("hit <= 0;", "hit <= 1'b0; /* the same */")
RARE = GOLDEN.replace("16'h1234", "16'h1235")
HIDDEN = GOLDEN.replace("a == 16'h1234", "(a == 16'h1234) ^ (a == 16'hbe35)")
BROKEN = GOLDEN.replace("endmodule", "")


PROBLEM = Problem(
    name="hit",
    specification="",
    header=None,
    bench={"test.sv": BENCH.encode()},
    golden=GOLDEN.encode(),
    answer="top_module",
)


def test_mutants_are_killed_or_proved_equivalent():
    texts = [ALWAYS, COMMENT, RARE, HIDDEN, BROKEN]
    task = Task(problem=PROBLEM, mutants=tuple(text.encode() for text in texts), detected=(None,) * len(texts))
    row = judge_mutants(task, CancelToken())
    assert not row.error
    assert (row.detected_by_golden, row.killed_of_those) == (2, 2)
    # The one with 0xbe35 is met by no drawn value: the prover finds it.
    assert (row.missed_by_golden, row.killed_of_missed, row.proved_equivalent) == (2, 1, 1)
    assert row.undecided == 0


def test_the_suite_reads_hdlbits_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    record = {
        "task_id": "hit",
        "description": "",
        "header": "",
        "module_code": GOLDEN,
        "testbench": BENCH,
    }
    (tmp_path / "HDLBits_data.jsonl").write_text(json.dumps(record) + "\n")
    mutants = {"task_id": "hit", "mutants": [ALWAYS, COMMENT]}
    (tmp_path / "HDLBits_data_mutants.jsonl").write_text(json.dumps(mutants) + "\n")
    words = ["bench", "mutants", "--data", str(tmp_path), "--out", "rows", "--json"]
    assert main(words) == 0
    summary = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert summary.keys() == {
        "suite", "designs", "detected_by_golden", "killed_of_those", "missed_by_golden", "killed_of_missed",
        "proved_equivalent", "undecided", "version", "commit",
    }  # fmt: skip
    assert (summary["killed_of_those"], summary["proved_equivalent"]) == (1, 1)
    # What is known is not asked again; a line that was cut off is no row.
    kept = tmp_path / "rows/rows.jsonl"
    kept.write_text(kept.read_text().replace('"killed_of_those": 1', '"killed_of_those": 7') + '{"design": "hi')
    assert main([*words, "--resume"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["killed_of_those"] == 7


def test_a_set_without_mutants(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "HDLBits_data.jsonl").write_text(
        json.dumps({"task_id": "hit", "description": "", "header": "", "module_code": GOLDEN, "testbench": BENCH})
    )
    assert main(["bench", "mutants", "--data", str(tmp_path)]) == 2
    assert "no HDLBits_data_mutants.jsonl" in capsys.readouterr().err


def test_yosys_makes_mutants_of_a_set_that_brings_none():
    row = judge_mutants(Task(problem=PROBLEM), CancelToken())
    assert not row.error
    assert row.mutants == 20
    assert row.detected_by_golden > 0
    assert row.killed_of_those == row.detected_by_golden
    assert row.undecided == 0
    assert row.killed_of_missed + row.proved_equivalent == row.missed_by_golden
