from __future__ import annotations

import json

import pytest

from veriloop.assistant.cli.main import main

pytestmark = [pytest.mark.needs("verilator", "c++", "iverilog")]

TESTBENCH = """
module tb;
  reg a, b; wire y, r; integer i, errors = 0;
  TOP dut (.a(a), .b(b), .y(y));
  REF ref1 (.a(a), .b(b), .y(r));
  initial begin
    for (i = 0; i < 4; i = i + 1) begin
      {a, b} = i; #1;
      if (r !== (r ^ y ^ r)) errors = errors + 1;
    end
    $display("Mismatches: %0d in 4 samples", errors);
    $finish;
  end
endmodule
"""
PORTS = "Implement a module named TopModule.\n\n - input a\n - input b\n - output y\n\n"
XOR = "a | b | y\n0 | 0 | 0\n0 | 1 | 1\n1 | 0 | 1\n1 | 1 | 0\n"
REFERENCE = "module RefModule(input a, input b, output y);\n  assign y = a ^ b;\nendmodule\n"


def problem(directory, name, text, reference=REFERENCE):
    bench = TESTBENCH.replace("TOP", "TopModule").replace("REF", "RefModule")
    (directory / f"{name}_prompt.txt").write_text(PORTS + text)
    (directory / f"{name}_ref.sv").write_text(reference)
    (directory / f"{name}_test.sv").write_text(bench)


def run(capsys, *words):
    assert main(["bench", *words, "--json"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_verilogeval_counts_what_is_solved_wrong_and_left(tmp_path, capsys):
    problem(tmp_path, "Prob001_table", XOR)
    problem(tmp_path, "Prob002_misprint", XOR.replace("1 | 1 | 0", "1 | 1 | 1"))
    problem(tmp_path, "Prob003_prose", "The output is the exclusive or.")
    problem(tmp_path, "Prob004_broken", XOR, REFERENCE.replace("a ^ b", "a ^ c"))
    *rows, counts = run(capsys, "verilogeval", "--data", str(tmp_path), "--jobs", "2")
    assert [row["outcome"] for row in rows] == ["solved", "wrong", "abstained", "harness"]
    assert counts["problems"] == 4
    assert (counts["solved"], counts["wrong"], counts["abstained"], counts["harness_failures"]) == (1, 1, 1, 1)
    assert counts["by_kind"] == {"truth table": 1}


def records(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_hdlbits_select_counts_what_the_choice_gains(tmp_path, capsys):
    header = "module top_module(input a, input b, output y);\n"
    right, wrong = (f"{header}  assign y = {text};\nendmodule\n" for text in ("a ^ b", "a | b"))
    bench = TESTBENCH.replace("TOP", "top_module").replace("REF", "reference") + REFERENCE.replace(
        "RefModule", "reference"
    )
    common = {"header": header, "module_code": right, "testbench": bench}
    records(
        tmp_path / "HDLBits_data.jsonl",
        [
            {"task_id": "said", "description": "The output is the exclusive or.", **common},
            {"task_id": "shown", "description": XOR, **common},
        ],
    )
    records(
        tmp_path / "HDLBits_data_RTL_4o_20.jsonl",
        [
            {"task_id": "said", "llmgen_RTL": [right, wrong, right.replace("a ^ b", "b ^ a"), "nothing"]},
            {"task_id": "shown", "llmgen_RTL": [wrong] * 4},
        ],
    )
    *rows, counts = run(capsys, "hdlbits-select", "--data", str(tmp_path), "--recorded", "gpt-4o")
    assert [row["selected"] for row in rows] == [True, True]
    assert (counts["pass_at_1"], counts["selected"], counts["pass_at_20"]) == (25.0, 100.0, 50.0)
    assert counts["gap_closed"] == 3.0
    assert (counts["sure_90"], counts["calibration_90"]) == (50.0, 100.0)


@pytest.mark.parametrize("suite", ["verilogeval", "hdlbits-select"])
def test_a_directory_without_the_set(suite, tmp_path, capsys):
    assert main(["bench", suite, "--data", str(tmp_path)]) == 2
    assert "veriloop: " in capsys.readouterr().err
