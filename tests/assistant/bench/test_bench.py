"""The bench on a set of our own making, in the layout of the public ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.assistant.repair.conftest import COUNTER
from veriloop.assistant.bench import chipbench, cirfix
from veriloop.assistant.bench.confirm import Confirmation, confirm
from veriloop.assistant.bench.report import plot, write_report
from veriloop.assistant.bench.run import Settings, read_rows, run_suite, summary
from veriloop.assistant.cli.main import main
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.verify.simulation import conclude, run_testbench
from veriloop.assistant.verify.testbench import TraceTestbench
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog", "git")

TOP = COUNTER.replace(b"module counter", b"module TopModule")
REFERENCE = COUNTER.replace(b"module counter", b"module RefModule")
TEST = b"""`timescale 1ps/1ps
module tb;
  reg clk = 0, rst_n = 0, en = 0;
  wire [3:0] q_ref, q_dut; wire last_ref, last_dut;
  integer bad = 0, n = 0;
  RefModule good (.clk(clk), .rst_n(rst_n), .en(en), .q(q_ref), .last(last_ref));
  TopModule dut (.clk(clk), .rst_n(rst_n), .en(en), .q(q_dut), .last(last_dut));
  always #5 clk = ~clk;
  initial begin
    #12 rst_n = 1;
    repeat (100) begin
      @(negedge clk); n = n + 1;
      if ({q_ref, last_ref} !== {q_dut, last_dut}) bad = bad + 1;
      en = (n % 5) != 0;
    end
    $display("Hint: Output 'q' has %0d mismatches. First mismatch occurred at time 1.", bad);
    $display("Mismatches: %1d in %1d samples", bad, n);
    $finish;
  end
endmodule
"""
BUGS = {
    "Prob001_counter": TOP.replace(b"q + 1", b"q + 2"),
    "Prob002_counter": TOP.replace(b"if (!rst_n)", b"if (rst_n)"),
}
RIGHT_IN_THE_TEST_ONLY = TOP.replace(b"if (last)", b"if (last || q > 11)")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A set in ChipBench's layout."""
    folder = tmp_path / "data" / "verilog_debug" / "zero_shot_arithmetic"
    folder.mkdir(parents=True)
    for name, bug in BUGS.items():
        prompt = (
            b"Write a counter.\n\nBased on the problem description above, the code has bug:\n```\n" + bug + b"```\n"
        )
        (folder / f"{name}_prompt.txt").write_bytes(prompt)
        (folder / f"{name}_ref.sv").write_bytes(REFERENCE)
        (folder / f"{name}_test.sv").write_bytes(TEST)
    return tmp_path / "data"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One cache for the session."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def toolchain(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Toolchain:
    """This machine's tools."""
    monkeypatch.setenv("VERILOOP_CACHE", str(cache))
    return Toolchain.find(cache=cache, cancel=CancelToken())


def test_a_suite_is_run_counted_and_resumed(data, toolchain, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["bench", "chipbench-debug", "--data", str(data), "--budget", "20", "--jobs", "2", "--json"]
    assert main([*words, "--out", "out"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counts = rows.pop()
    assert {row["case"] for row in rows} == {f"arithmetic/{name}" for name in BUGS}
    assert counts["suite"] == "chipbench-debug"
    assert (counts["cases"], counts["solvable"], counts["plausible"], counts["confirmed"]) == (2, 2, 2, 2)
    assert (counts["false_verified"], counts["overfit"], counts["abstained"]) == (0, 0, 0)
    assert counts["cpu_s_total"] > 0
    assert {"cpu_s_median", "candidates_median", "version", "commit"} <= counts.keys()
    assert "Prob001_counter" in (tmp_path / "out/report.md").read_text()
    # A kill in the middle of a row: the whole ones are kept, the cut one is run again.
    state = tmp_path / "out/rows.jsonl"
    lines = state.read_text().splitlines(keepends=True)
    state.write_text(lines[0] + lines[1][: len(lines[1]) // 2])
    assert main([*words, "--out", "out", "--resume"]) == 0
    again = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kept = json.loads(lines[0])
    assert next(row for row in again if row.get("case") == kept["case"])["cpu_s"] == kept["cpu_s"]
    assert again[-1]["plausible"] == 2


@pytest.mark.parametrize(
    ("repaired", "expected"),
    [
        (TOP, Confirmation.CONFIRMED),
        (BUGS["Prob001_counter"], Confirmation.OVERFIT),
        (TOP.replace(b"q + 1", b"q + 1 + (q > 11)"), Confirmation.CONFIRMED),
        (TOP.replace(b"else if (en)", b"else if (en || q == 15)"), Confirmation.CONFIRMED),
        (TOP.replace(b"else if (en)", b"else if (en || q == 9)"), Confirmation.OVERFIT),
    ],
)
def test_a_repair_is_confirmed_only_if_it_behaves_as_the_reference(data, toolchain, tmp_path, repaired, expected):
    case = next(iter(chipbench.load(data)))
    root, scratch = tmp_path / "root", tmp_path / "scratch"
    scratch.mkdir()
    for path, content in case.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    baseline = run_testbench(case.testbench, root=root, scratch=scratch, toolchain=toolchain, cancel=CancelToken())
    assert not conclude(case.testbench, baseline, root=root).passed
    answer = confirm(case, repaired, baseline, root=root, scratch=scratch, toolchain=toolchain, cancel=CancelToken())
    assert answer.confirmation is expected, answer.reason


def test_a_defect_that_does_not_show_is_inconclusive(data, toolchain, tmp_path):
    case = next(iter(chipbench.load(data)))
    same = type(case)(
        name="x", kind="x", files={**case.files, case.rtl: TOP}, rtl=case.rtl, golden=TOP, testbench=case.testbench
    )
    root, scratch = tmp_path / "root", tmp_path / "scratch"
    scratch.mkdir()
    for path, content in same.files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    answer = confirm(same, TOP, (), root=root, scratch=scratch, toolchain=toolchain, cancel=CancelToken())
    assert answer.confirmation is Confirmation.INCONCLUSIVE


def test_helpers_are_merged_by_name_and_never_twice(data):
    folder = data / "verilog_debug" / "zero_shot_arithmetic"
    helper = b"module ram(input a, output b); assign b = a; endmodule\n"
    user = TOP.replace(b"endmodule", b"  ram r (.a(en), .b());\nendmodule")
    prompt = b"Use this:\n" + helper + b"\nBased on the problem description above\n```\n" + user + b"```\n"
    (folder / "Prob001_counter_prompt.txt").write_bytes(prompt)
    case = next(iter(chipbench.load(data)))
    assert sum(content.count(b"module ram") for content in case.files.values()) == 1
    assert case.files[case.rtl] == user


def test_a_cirfix_circuit_is_told_by_its_files(tmp_path):
    folder = tmp_path / "counter"
    folder.mkdir()
    bench = b'module t; integer f; initial begin f = $fopen("o.txt"); $fwrite(f, "time,q\\\\n"); end endmodule'
    names = ("counter.v", "counter_wadden_buggy1.v", "counter_buggy_num.v")
    for name in names:
        (folder / name).write_bytes(COUNTER)
    (folder / "counter_tb.v").write_bytes(bench)
    (folder / "counter_tb_t1.v").write_bytes(bench)
    (folder / "oracle.txt").write_text("time,q\n1,0\n")
    (folder / "oracle_half.txt").write_text("time,q\n")
    (case,) = cirfix.load(tmp_path)
    assert case.name == "counter/counter_wadden_buggy1"
    assert isinstance(case.testbench, TraceTestbench)
    assert case.testbench.name == "counter_tb_t1"
    assert case.testbench.output == "o.txt"


@pytest.mark.parametrize("suite", [chipbench.load, cirfix.load])
def test_a_directory_without_the_suite_is_said_so(tmp_path, suite):
    with pytest.raises(UsageError, match="holds no"):
        list(suite(tmp_path))


def test_no_case_matches(data, tmp_path):
    settings = Settings(suite="chipbench-debug", data=data, out=tmp_path / "out", only="nothing")
    with pytest.raises(UsageError, match="no case"):
        finish(run_suite(settings, CancelToken()))


def test_counts_of_nothing_are_zero(tmp_path):
    settings = Settings(suite="cirfix", data=tmp_path, out=tmp_path)
    assert summary(settings, [])["cpu_s_median"] == 0.0
    assert read_rows(tmp_path / "none") == {}
    path, _ = write_report([], summary(settings, []), tmp_path)
    assert path.is_file()
    assert plot([], tmp_path / "p.svg") in (True, False)
