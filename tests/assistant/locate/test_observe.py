"""What is seen of a test command that fails: here one that never ends."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.locate.observe import Observed, observe
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.testbench import CommandTest, VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = pytest.mark.needs("git", "verilator", "c++", "iverilog", "make")

STUCK = "module dut(input clk, output reg [3:0] n); initial n = 0; always @(posedge clk) n <= n; endmodule\n"
BENCH = """module tb; reg clk = 0; wire [3:0] n; dut dut(clk, n);
  always #1 clk = ~clk;
  initial begin
    $display("waiting");
    while (n != 9) @(negedge clk) TOLD;
    $display("PASS"); $finish;
  end
endmodule
"""


def seen(tmp_path: Path, told: str) -> Observed:
    root = tmp_path / "clone"
    files = {"rtl/dut.v": STUCK, "tb/tb.v": BENCH.replace("TOLD", told)}
    files["Makefile"] = "test:\n\tiverilog -o sim tb/tb.v rtl/dut.v\n\tvvp -n sim\n"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    repository = Repository.open(root, cache=tmp_path / "cache")
    toolchain = Toolchain.find(cache=tmp_path / "runtime", cancel=CancelToken())
    command = CommandTest(name="make", command="make test", timeout_s=4.0)
    return finish(observe(repository, toolchain, command, cancel=CancelToken()))


def test_a_testbench_that_hangs_screens_by_itself_with_seconds(tmp_path):
    found = seen(tmp_path, "")
    assert found.result.outcome is Outcome.TIMEOUT
    assert isinstance(found.bench, VerilogTestbench)
    assert found.bench.name == "tb"
    assert found.bench.timeout_s < 4
    assert [run.outcome for run in found.verdicts] == [Outcome.TIMEOUT]


def test_a_testbench_that_goes_on_saying_something_is_only_slow(tmp_path):
    found = seen(tmp_path, '$display("at %0t", $time)')
    assert found.result.outcome is Outcome.TIMEOUT
    assert found.bench is None
