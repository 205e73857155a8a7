"""Candidates of a repair that other machines judge come to what they come to here."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repair.farm_screen import FarmScreen
from veriloop.assistant.repair.screen import Screen, Worker
from veriloop.assistant.verify.simulation import run_testbench
from veriloop.assistant.verify.testbench import CommandTest, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.needs("verilator", "c++")]

WRONG = "module mix(input [3:0] a, input [3:0] b, output [3:0] y);\n  assign y = a + b;\nendmodule\n"
BENCH = """module mix_tb;
  reg [3:0] a, b; wire [3:0] y; integer i, bad;
  mix dut(.a(a), .b(b), .y(y));
  initial begin
    bad = 0;
    for (i = 0; i < 256; i = i + 1) begin
      {a, b} = i; #1 if (y !== (a ^ b)) bad = bad + 1;
    end
    $display("Mismatches: %0d in %0d samples", bad, 256);
    $finish;
  end
endmodule
"""
OPERATORS = ("^", "|", "&", "-", "*", "~^", "^ ~", "& ~", "| ~", ">>", "<<", "%", "+ 1 +", "- 1 -", "^ 1 ^", "/", "==")


@pytest.fixture
def options(tmp_path, cache):
    root, scratch = tmp_path / "tree", tmp_path / "build"
    root.mkdir()
    scratch.mkdir()
    (root / "mix.v").write_text(WRONG)
    (root / "mix_tb.v").write_text(BENCH)
    return {
        "original": {"mix.v": WRONG.encode()},
        "workers": [Worker(root, scratch)],
        "toolchain": Toolchain.find(cache=cache, cancel=CancelToken()),
        "elaborator": None,
        "timeout_s": 20.0,
        "cancel": CancelToken(),
    }


CANDIDATES = [{"mix.v": WRONG.replace("+", text).encode()} for text in OPERATORS]


def judged(screen):
    return [(run.outcome, run.score, run.reason, run.engine) for run in screen.judge(CANDIDATES)]


def test_batches_are_cut_into_pieces(farm, options):
    bench = VerilogTestbench(
        name="mix", design=Design(toplevel="mix_tb", sources=(Path("mix.v"), Path("mix_tb.v"))), timeout_s=20
    )
    worker = options["workers"][0]
    known = run_testbench(
        bench, root=worker.root, scratch=worker.scratch, toolchain=options["toolchain"], cancel=CancelToken()
    )
    engine = "verilator"
    here, there = Screen(bench, engine=engine, **options), FarmScreen(farm, bench, engine=engine, worth_s=0, **options)
    before = farm.counts.jobs
    try:
        for screen in (here, there):
            screen.share(options["original"], known)
            assert screen.batches
        said = judged(there)
        assert farm.counts.jobs == before + 2
        assert said == judged(here)
        assert [outcome.value for outcome, *_ in said].count("pass") == 1
        # What is done sooner here than it is sent away stays here.
        there._worth_s = 60
        there.judge(CANDIDATES)
        assert farm.counts.jobs == before + 2
    finally:
        here.close()
        there.close()


def test_a_command_runs_for_each_candidate_somewhere(farm, options):
    line = "test \"$(grep -c '[*]' mix.v)\" = 1 && echo 1 passed || { echo 1 failed; exit 1; }"
    bench = CommandTest(name="grep", command=line, timeout_s=20)
    here, there = (
        Screen(bench, engine="command", **options),
        FarmScreen(farm, bench, engine="command", worth_s=0, **options),
    )
    before = farm.counts.jobs
    try:
        assert there.jobs == 2
        assert judged(there) == judged(here)
        assert farm.counts.jobs == before + 2
        assert [replace(run, wall_s=0).passed for run in there.judge(CANDIDATES)].count(True) == 1
    finally:
        here.close()
        there.close()
