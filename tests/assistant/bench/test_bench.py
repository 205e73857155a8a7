"""The bench on a set of our own making, in the layout of the public ones."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.assistant.repair.conftest import COUNTER
from veriloop.assistant.bench import chipbench, cirfix
from veriloop.assistant.bench.confirm import Confirmation, confirm
from veriloop.assistant.bench.ranking import _ordered, _plain
from veriloop.assistant.bench.report import plot, write_report
from veriloop.assistant.bench.run import Row, Settings, _keep, cases, further, lost_runs, read_rows, run_suite, summary
from veriloop.assistant.cli.benches.language_model import case_bugs
from veriloop.assistant.cli.main import main
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import conclude, run_testbench
from veriloop.assistant.verify.testbench import TraceTestbench, VerilogTestbench
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


def test_a_model_ranks_the_bugs_of_a_suite_by_what_its_testbench_saw(data, toolchain, tmp_path):
    data.rename(tmp_path / "chipbench")
    ((name, bugs),) = case_bugs(tmp_path, Session(cwd=tmp_path))
    found = {bug.name: bug for bug in bugs}
    assert (name, len(found)) == ("ChipBench", 2)
    for bug in found.values():
        assert bug.result.failures
        assert _plain(bug.right) == _plain(TOP.decode())
        # What is looked for is among what the operators propose.
        assert _plain(bug.right) in {text for _, _, text in _ordered(bug)}


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


def test_ctrl_c_stops_a_suite_within_a_second_and_keeps_its_rows(data, toolchain, tmp_path):
    folder = data / "verilog_debug" / "zero_shot_arithmetic"
    never = TEST.replace(b"{q_ref, last_ref} !== {q_dut, last_dut}", b"n > 0 || q_ref !== q_dut")
    (folder / "Prob002_counter_test.sv").write_bytes(never)
    words = ["bench", "chipbench-debug", "--data", str(data), "--out", "out", "--jobs", "1"]
    mine = f"VERILOOP_MARK={tmp_path}"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "dev")} | dict([mine.split("=", 1)])
    with subprocess.Popen(
        [sys.executable, "-m", "veriloop.assistant.cli.main", *words],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "[1/2]" in line:
                break
        time.sleep(2)
        started = time.monotonic()
        # As a terminal does it: the whole group hears it.
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        took_s = time.monotonic() - started
    assert (process.returncode, errors) == (130, "veriloop: interrupted\n")
    assert took_s < 1
    assert [json.loads(line)["case"] for line in (tmp_path / "out/rows.jsonl").read_text().splitlines()] == [
        "arithmetic/Prob001_counter"
    ]
    time.sleep(0.2)
    assert [pid for pid in Path("/proc").iterdir() if pid.name.isdigit() and mine in _environment(pid)] == []


def _environment(process: Path) -> list[str]:
    try:
        return (process / "environ").read_text(errors="replace").split("\0")
    except OSError:
        return []


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


def _runs(*words):
    """Results from words like `verilator zeros pass`."""
    return [
        SimResult(engine=engine, start=start.replace("-", ""), outcome=Outcome(outcome))
        for engine, start, outcome in (word.split() for word in words)
    ]


BOTH = ("verilator zeros pass", "verilator ones pass", "icarus x pass")


@pytest.mark.parametrize(
    ("replayed", "golden", "lost"),
    [
        (BOTH, BOTH, ()),
        (("verilator zeros pass", "verilator ones fail", "icarus x pass"), BOTH, ("verilator ones",)),
        # A simulator that refuses the repair makes one result, which names no start state.
        (("verilator - compile_error", "icarus x pass"), BOTH, ("verilator zeros", "verilator ones")),
        # It ends after the first run that hangs.
        (("verilator zeros timeout", "icarus x pass"), BOTH, ("verilator zeros", "verilator ones")),
        # Where the golden design fails, a failure says nothing.
        (("verilator zeros fail", "icarus x pass"), ("verilator zeros fail", "icarus x pass"), ()),
        (BOTH, ("verilator zeros fail",), None),
    ],
)
def test_a_repair_must_pass_wherever_the_golden_design_does(replayed, golden, lost):
    assert lost_runs(_runs(*replayed), _runs(*golden)) == lost


SUMMARY = [
    *("suite", "cases", "solvable", "plausible", "confirmed", "false_verified", "overfit", "abstained"),
    *("cpu_s_median", "cpu_s_total", "candidates_median", "version", "commit"),
]


def test_what_passes_less_than_the_golden_design_is_neither_plausible_nor_an_icarus_verdict(tmp_path):
    met = Row(case="a", kind="k", solvable=True, evidence="tests (icarus)", plausible=True, confirmed="confirmed")
    rows = [met, replace(met, case="b", plausible=False, confirmed="overfit", notes=("verilator ones",))]
    counts = summary(Settings(suite="cirfix", data=tmp_path, out=tmp_path, extra={"version": "1", "commit": "c"}), rows)
    assert list(counts) == SUMMARY
    names = ("plausible", "confirmed", "overfit", "abstained", "false_verified")
    assert [counts[name] for name in names] == [1, 1, 0, 1, 0]
    assert further(rows) == {"inconclusive": 0, "icarus_only": 1}
    report, _ = write_report(rows, counts, tmp_path)
    assert "fails where the golden passes: verilator ones" in report.read_text()


def test_a_half_written_row_does_not_swallow_the_next_one(tmp_path):
    state = tmp_path / "rows.jsonl"
    first, second = (Row(case=name, kind="k", solvable=True, notes=("n",)) for name in "ab")
    _keep(state, first)
    with state.open("ab") as stream:
        stream.write(b'{"case": "\xc3')
    _keep(state, second)
    assert read_rows(state) == {"a": first, "b": second}


def test_the_oracle_that_the_right_design_meets_is_taken(toolchain, tmp_path):
    folder = tmp_path / "set" / "counter"
    folder.mkdir(parents=True)
    bench = b"""module t;
  reg clk = 0, rst_n = 0; wire [3:0] q; wire last; integer f;
  counter dut (.clk(clk), .rst_n(rst_n), .en(1'b1), .q(q), .last(last));
  always #5 clk = ~clk;
  initial begin
    f = $fopen("o.txt"); $fwrite(f, "time,last\\n");
    #12 rst_n = 1;
    repeat (30) begin @(negedge clk); $fwrite(f, "%0d,%b\\n", $time, last); end
    $fclose(f); $finish;
  end
endmodule
"""
    (folder / "counter.v").write_bytes(COUNTER)
    (folder / "outbuf.v").write_bytes(b"module outbuf(input a, output b); assign b = a; endmodule\n")
    (folder / "counter_wadden_buggy1.v").write_bytes(COUNTER.replace(b"q + 1", b"q + 2"))
    (folder / "record.v").write_bytes(bench)
    # The likelier by its length is the wrong one.
    (folder / "oracle.txt").write_text("time,last\n" + "".join(f"{20 + 10 * n},1\n" for n in range(30)))
    settings = Settings(suite="cirfix", data=tmp_path / "set", out=tmp_path / "out")
    right = "".join(f"{20 + 10 * n},{int(n in (8, 18))}\n" for n in range(20))
    (folder / "oracle_new.txt").write_text("time,last\n" + right)
    (unsettled,) = cases(settings)
    (case,) = cases(settings, CancelToken())
    assert unsettled.files["tb/oracle.txt"] == (folder / "oracle.txt").read_bytes()
    assert case.files["tb/oracle.txt"] == (folder / "oracle_new.txt").read_bytes()
    assert isinstance(case.testbench, TraceTestbench)
    assert {path.as_posix() for path in case.testbench.design.sources} == {
        "tb/record.v",
        "rtl/outbuf.v",
        "rtl/counter.v",
    }


DATA = os.environ.get("VERILOOP_DATA", "")


@pytest.mark.skipif(not DATA, reason="VERILOOP_DATA names no directory with the public sets")
@pytest.mark.parametrize(("suite", "folder"), [("chipbench-debug", "chipbench"), ("cirfix", "cirfix")])
def test_the_public_sets_are_read(suite, folder, tmp_path):
    found = cases(Settings(suite=suite, data=Path(DATA) / folder, out=tmp_path))
    assert len({case.name for case in found}) == len(found) >= 17
    for case in found:
        assert case.rtl in case.files
        assert case.golden != case.files[case.rtl]
        assert isinstance(case.testbench, VerilogTestbench | TraceTestbench)
        sources = [path.as_posix() for path in case.testbench.design.sources]
        declared = [name for path in sources for name in chipbench.modules(case.files[path])]
        assert len(set(declared)) == len(declared), f"{case.name}: a module is there twice"
