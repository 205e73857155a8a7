from __future__ import annotations

import json

import pytest

from veriloop.assistant.cli.main import main

pytestmark = [pytest.mark.needs("verilator", "c++", "iverilog")]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Rows are kept where one stands."""
    monkeypatch.chdir(tmp_path)


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


def test_what_was_cut_off_goes_on(tmp_path, capsys):
    problem(tmp_path, "Prob001_table", XOR)
    problem(tmp_path, "Prob002_prose", "The output is the exclusive or.")
    words = ("verilogeval", "--data", str(tmp_path), "--out", "rows")
    *whole, counts = run(capsys, *words)
    kept = tmp_path / "rows/rows.jsonl"
    first, second = kept.read_text().splitlines()
    # A kill came in the middle of the second line; the first says what no run would say.
    kept.write_text(first.replace("truth table", "kept") + "\n" + second[:20] + "\n")
    *rows, again = run(capsys, *words, "--resume")
    assert [row["kind"] for row in rows] == ["kept", whole[1]["kind"]]
    assert rows[1] == whole[1]
    assert again["by_kind"] == {"kept": 1}
    assert run(capsys, *words)[-1] == counts


def test_a_testbench_that_passes_what_is_wrong_everywhere_is_the_harness_s_fault(tmp_path, capsys):
    problem(tmp_path, "Prob001_half", XOR)
    bench = tmp_path / "Prob001_half_test.sv"
    # It sees an output that is not driven, and takes any that is for the right one.
    bench.write_text(bench.read_text().replace("r !== (r ^ y ^ r)", "y === 1'bx || y === 1'bz"))
    *rows, _ = run(capsys, "verilogeval", "--data", str(tmp_path))
    assert rows[0]["outcome"] == "harness"
    assert "a module that is wrong everywhere passes the testbench" in rows[0]["why"]


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
    figures = {"recorded", "problems", "pass_at_1", "selected", "pass_at_20", "gap_closed", "calibration_90", "sure_90"}
    assert set(counts) == figures | {"version", "commit"}


KEYS = {"suite", "problems", "solved", "wrong", "abstained", "harness_failures", "by_kind", "version", "commit"}


def rtllm(directory, name, text, reference, bench):
    folder = directory / "v2.0" / "Arithmetic" / name
    folder.mkdir(parents=True)
    (folder / "design_description.txt").write_text(text)
    (folder / "testbench.v").write_text(bench)
    (folder / f"verified_{name}.v").write_text(reference)


def test_rtllm_tries_its_harness_before_it_blames_anybody(tmp_path, capsys):
    text = "Module name:\n  NAME\n\nInput ports:\n  a: one\n  b: other\nOutput ports:\n  y: both\n\n"
    reference = "module verified_NAME(input a, input b, output y);\n  assign y = a ^ b;\nendmodule\n"
    bench = (
        "module tb;\n  reg [1:0] i; wire y; integer bad = 0;\n"
        "  NAME uut (.a(i[1]), .b(i[0]), .y(y));\n  initial begin\n"
        "    repeat (4) begin i = i === 2'bxx ? 0 : i + 1; #1; if (y CHECK ^i) bad = bad + 1; end\n"
        '    if (bad == 0) $display("=== Your Design Passed ==="); else $display("failures: %0d", bad);\n'
        "    $finish;\n  end\nendmodule\n"
    )
    for name, check, rule in (("good", "!==", XOR), ("bad", "!==", ""), ("blind", "===", XOR)):
        own = [part.replace("NAME", name).replace("CHECK", check) for part in (text + rule, reference, bench)]
        rtllm(tmp_path, name, *own)
    *rows, counts = run(capsys, "rtllm", "--data", str(tmp_path))
    assert {row["problem"]: row["outcome"] for row in rows} == {
        "good": "solved",
        "bad": "abstained",
        "blind": "harness",
    }
    assert "the reference fails its own testbench" in next(row for row in rows if row["problem"] == "blind")["why"]
    assert set(counts) == KEYS


def test_chipbench_hands_over_the_modules_that_its_prompt_provides(tmp_path, capsys):
    folder = tmp_path / "verilog_gen" / "not_self_contain"
    folder.mkdir(parents=True)
    given = "```\nmodule half(input p, output n);\n  assign n = p;\nendmodule\n```\n"
    reference = (
        "module RefModule(input a, input b, output y);\n  wire w;\n  half h (a, w);\n  assign y = w ^ b;\nendmodule\n"
    )
    problem(folder, "Prob001_given", XOR + given, reference)
    *rows, counts = run(capsys, "chipbench-gen", "--data", str(tmp_path))
    assert [(row["problem"], row["outcome"]) for row in rows] == [("not_self_contain/Prob001_given", "solved")]
    assert (counts["suite"], set(counts)) == ("chipbench-gen", KEYS)


def test_a_testbench_that_passes_everything_is_the_harness_s_fault(tmp_path, capsys):
    problem(tmp_path, "Prob001_blind", XOR)
    bench = tmp_path / "Prob001_blind_test.sv"
    bench.write_text(bench.read_text().replace("errors = errors + 1", "errors = errors"))
    *rows, counts = run(capsys, "verilogeval", "--data", str(tmp_path))
    assert rows[0]["outcome"] == "harness"
    assert "a module that does nothing passes the testbench" in rows[0]["why"]
    assert counts["harness_failures"] == 1


@pytest.mark.parametrize("suite", ["verilogeval", "hdlbits-select", "rtllm", "chipbench-gen"])
def test_a_directory_without_the_set(suite, tmp_path, capsys):
    assert main(["bench", suite, "--data", str(tmp_path)]) == 2
    assert "veriloop: " in capsys.readouterr().err
