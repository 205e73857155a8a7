"""`veriloop bench judge` on a set of one problem."""

from __future__ import annotations

import json

import pytest

from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog")

HEADER = "module top_module(\n\tinput a,\n\tinput b,\n\toutput y);\n"
BENCH = """`timescale 1 ps/1 ps
module reference_module(input a, input b, output y);
  assign y = a ^ b;
endmodule
module stimulus_gen(output reg a, output reg b);
  initial begin
    repeat (3) begin {a, b} = 0; repeat (4) #5 {a, b} = {a, b} + 1; end
    #1 $finish;
  end
endmodule
module tb();
  wire a, b, y_ref, y_dut;
  integer errors = 0, clocks = 0;
  wire tb_match;
  reg clk = 0;
  initial forever
    #5 clk = ~clk;
  stimulus_gen stim1 (.a(a), .b(b));
  reference_module good1 (.a(a), .b(b), .y(y_ref) );
  top_module top_module1 (
    .a,
    .b,
    .y(y_dut) );
  assign tb_match = y_ref === y_dut;
  always @(posedge clk, negedge clk) begin
    clocks = clocks + 1;
    if (!tb_match) errors = errors + 1;
  end
  final $display("Mismatches: %1d in %1d samples", errors, clocks);
endmodule
"""
KEYS = {"cases", "right", "wrong", "undecided", "accuracy_decided", "by_class", "version", "commit"}


@pytest.fixture
def data(tmp_path):
    def module(text):
        return f"{HEADER}\tassign y = {text}; // changed\nendmodule\n"

    def records(name, *rows):
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    told = {"header": HEADER, "module_code": module("a ^ b"), "testbench": BENCH}
    records(
        "HDLBits_data.jsonl",
        {"task_id": "table", "description": "a | b | y\n0 | 0 | 0\n0 | 1 | 1\n1 | 0 | 1\n1 | 1 | 0\n", **told},
        {"task_id": "told", "description": "The output tells the inputs apart.", **told},
    )
    wrong = [module(text) for text in ("a | b", "a & b", "~a")]
    for name in ("table", "told"):
        with (tmp_path / "HDLBits_data_mutants.jsonl").open("a") as stream:
            stream.write(json.dumps({"task_id": name, "mutants": wrong}) + "\n")
    right = [module(text) for text in ("a ^ b", "b ^ a", "a != b", "b != a", "~(a ~^ b)")]
    answers = [{"task_id": name, "llmgen_RTL": [module("a"), *right]} for name in ("table", "told")]
    records("HDLBits_data_RTL_4omini_20.jsonl", *answers)
    return tmp_path


def run(capsys, data, *words):
    asked = ["bench", "judge", "--data", str(data), "--out", str(data / "out"), "--json", *words]
    assert main(asked) == 0
    *rows, further, counts = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert set(counts) == KEYS
    assert set(further) == {"calibration", "without_evidence", "cpu_s_median"}
    return rows, counts


def test_every_class_is_made_and_judged(data, capsys):
    rows, counts = run(capsys, data)
    assert [row["case"] for row in rows] == [
        f"{name}/{side}" for name in ("table", "told") for side in ("rtl", "testbench", "both", "harness")
    ]
    assert (counts["cases"], counts["right"], counts["wrong"], counts["undecided"]) == (8, 8, 0, 0)
    assert counts["by_class"]["both"] == {"cases": 2, "right": 2, "wrong": 0, "undecided": 0}
    assert all(row["exists"] for row in rows)
    assert {row["made"] for row in rows} >= {"a mutant", "an answer that fails", "the golden design against a mutant"}
    again, same = run(capsys, data, "--resume", "--only", "told/*")
    assert [row["cpu_s"] for row in again] == [row["cpu_s"] for row in rows[4:]], "nothing was judged again"
    assert same["cases"] == 4


def test_without_answers_only_the_specification_speaks(data, capsys):
    rows, counts = run(capsys, data, "--recorded", "none")
    assert {row["case"] for row in rows if row["side"] == "unknown"} == {"told/rtl", "told/testbench", "told/both"}
    assert (counts["right"], counts["wrong"], counts["undecided"]) == (5, 0, 3)


def test_bad_input(data, capsys):
    assert main(["bench", "judge", "--data", str(data), "--only", "nothing"]) == 2
    assert "no case matches 'nothing'" in capsys.readouterr().err
    (data / "HDLBits_data_mutants.jsonl").unlink()
    assert main(["bench", "judge", "--data", str(data)]) == 2
    assert "holds no HDLBits with its mutants" in capsys.readouterr().err
