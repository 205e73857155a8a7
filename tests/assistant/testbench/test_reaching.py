from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.bench.covering import cover, coverage_summary
from veriloop.assistant.bench.references import ReferenceDesign, reference_designs
from veriloop.assistant.cli.main import main
from veriloop.assistant.events import CancelToken
from veriloop.assistant.testbench.drawing import Input, Phase, phase_rows
from veriloop.assistant.testbench.inputs import corners

pytestmark = pytest.mark.needs("verilator", "c++", "yosys")

LOCK = b"""
module lock(input clk, input rst_n, input [15:0] key, output reg open);
  reg [1:0] step;
  reg [3:0] dead;
  always @(posedge clk or negedge rst_n)
    if (!rst_n) begin step <= 0; open <= 0; dead <= 0; end
    else begin
      dead <= dead & 4'd3;
      if (dead == 4'd9) open <= 1;
      case (step)
        0: step <= key == 16'h1234 ? 1 : 0;
        1: step <= key == 16'hbeef ? 2 : 0;
        2: begin open <= key[0] ^ key[15]; step <= 3; end
        default: step <= 0;
      endcase
    end
endmodule
"""
CLOCK = b"""
module hours(input clk, input rst, output reg [15:0] n);
  always @(posedge clk) if (rst) n <= 0; else n <= n + 1;
endmodule
"""


def design(name: str, rtl: bytes) -> ReferenceDesign:
    return ReferenceDesign(name=name, rtl=rtl, toplevel=name, bench={}, bench_top="", instance=name)


def test_rounds_and_proofs_reach_all_that_can_be_reached():
    row = cover(design("lock", LOCK), CancelToken())
    assert not row.error
    assert (row.line, row.branch, row.toggle) == (100, 100, 100), row.missed
    assert row.unreachable >= 5
    assert row.cycles < 3000


def test_what_lies_beyond_the_cycles_of_a_design_without_inputs_is_said_to(tmp_path: Path):
    row = cover(design("hours", CLOCK), CancelToken())
    assert (row.line, row.branch, row.toggle) == (100, 100, 100), row.missed
    assert row.beyond == 2, "bit 15; what bit 14 is in the end, the last reset takes back"
    assert row.cycles <= 20_000


def test_a_design_that_does_not_elaborate_counts_with_nothing():
    row = cover(design("broken", b"module broken(input a, output y); assign y = b; endmodule"), CancelToken())
    assert row.error
    assert coverage_summary([row])["line"] == 0


def test_the_suite_reads_a_set_and_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "set" / "Arithmetic" / "half"
    folder.mkdir(parents=True)
    (folder / "design_description.txt").write_text("a half adder")
    (folder / "verified_half.v").write_text(
        "module verified_half(input a, input b, output s, output c); assign {c, s} = a + b; endmodule"
    )
    (folder / "testbench.v").write_text("module tb; reg a, b; wire s, c; half dut(a, b, s, c); endmodule")
    (one,) = reference_designs(tmp_path)
    assert (one.toplevel, one.instance, one.bench_top) == ("verified_half", "half", "tb")
    assert main(["bench", "coverage", "--data", str(tmp_path), "--json"]) == 0
    summary = capsys.readouterr().out.splitlines()[-1]
    keys = ("designs", "line", "branch", "toggle", "cycles_median", "cpu_s_median", "version", "commit")
    assert all(f'"{key}"' in summary for key in keys)
    assert '"designs": 1, "line": 100.0, "branch": 100.0, "toggle": 100.0' in summary


def test_a_set_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["bench", "coverage", "--data", str(tmp_path)]) == 2
    assert main(["bench", "coverage", "--data", str(tmp_path / "gone")]) == 2
    assert "no such directory" in capsys.readouterr().err


def test_the_same_seed_draws_the_same_cycles():
    inputs = (Input("rst", 1, (), 1), Input("a", 8, tuple(corners(8, [17]))), Input("b", 8), Input("en", 1))
    phase = Phase(5, 40, 3)
    first, again = list(phase_rows(phase, inputs, 2)), list(phase_rows(phase, inputs, 2))
    assert first == again
    assert [values[0] for values, _ in first[:3]] == [1, 1, 1]
    assert all(mask == 3 for _, mask in first[:3])
    assert list(phase_rows(Phase(6, 40, 3), inputs, 2)) != first
    assert all(0 <= value < 256 for values, _ in first for value in values)
    assert 17 in corners(8, [17])
