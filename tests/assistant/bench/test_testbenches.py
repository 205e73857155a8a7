"""`bench testbenches`: written testbenches, run by plain pytest where Veriloop is not installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "yosys", "cocotb")

GOLDEN = "module top_module(input [1:0] a, input s, output y);\n  assign y = s ? a[1] : a[0];\nendmodule\n"
BENCH = """
module tb;
  reg [1:0] a = 0; reg s = 0; wire y; integer errors = 0, samples = 0;
  top_module dut(a, s, y);
  initial begin
    repeat (8) begin #1 samples = samples + 1; if (y !== a[s]) errors = errors + 1; {s, a} = {s, a} + 3'd1; end
    $display("Mismatches: %0d in %0d samples", errors, samples); $finish;
  end
endmodule
"""
SWAPPED = GOLDEN.replace("s ? a[1] : a[0]", "s ? a[0] : a[1]")
SAME = GOLDEN.replace("s ? a[1] : a[0]", "a[s]")


def test_it_passes_on_the_reference_and_fails_on_what_the_golden_testbench_detects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    record = {"task_id": "mux", "description": "", "header": "", "module_code": GOLDEN, "testbench": BENCH}
    (tmp_path / "HDLBits_data.jsonl").write_text(json.dumps(record) + "\n")
    mutants = {"task_id": "mux", "mutants": [SWAPPED, SAME]}
    (tmp_path / "HDLBits_data_mutants.jsonl").write_text(json.dumps(mutants) + "\n")
    assert main(["bench", "testbenches", "--data", str(tmp_path), "--json"]) == 0
    row, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert (row["error"], row["passes"], row["passed"]) == ("", True, [])
    assert (summary["designs"], summary["pass_on_reference"]) == (1, 1)
    assert (summary["detected_by_golden"], summary["failed_of_those"]) == (1, 1)
    assert (summary["missed_by_golden"], summary["failed_of_missed"]) == (1, 0)


def test_what_brings_no_mutants_is_no_set_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "design_description.txt").write_text("")
    assert main(["bench", "testbenches", "--data", str(tmp_path)]) == 2
    assert "brings mutants" in capsys.readouterr().err
