"""Which simulators a command starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.verify import calls as seen
from veriloop.assistant.verify.calls import ToolCall, recorded_calls
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.testbench import CommandTest

DUT = "module dut(input a, output b); assign b = a; endmodule\n"
BENCH = """module tb; reg a = 0; wire b; dut d(a, b);
  initial begin #1 if (b !== 1) $display("FAIL: b"); $finish; end
endmodule
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for name, text in {"rtl/dut.v": DUT, "tb/tb.v": BENCH}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (tmp_path / "scratch").mkdir()
    return root


@pytest.mark.needs("iverilog")
def test_a_command_is_seen_to_compile_and_to_run(root: Path) -> None:
    command = "mkdir -p 'a b' && cd 'a b' && iverilog -DX='1 2' -o x ../tb/tb.v ../rtl/dut.v && vvp x +seed=3"
    test = CommandTest(name="t", command=command, timeout_s=60)
    scratch = root.parent / "scratch"
    result, calls = recorded_calls(test, root=root, scratch=scratch, isolation=Isolation(), cancel=CancelToken())
    assert result.outcome is Outcome.FAIL
    assert [(call.tool, call.directory) for call in calls] == [("iverilog", root / "a b"), ("vvp", root / "a b")]
    assert calls[0].arguments == ("-DX=1 2", "-o", "x", "../tb/tb.v", "../rtl/dut.v")
    (bench,) = seen.testbenches_of(calls, root=root, timeout_s=5)
    assert (bench.name, bench.plusargs) == ("tb", ("+seed=3",))
    assert [path.as_posix() for path in bench.design.sources] == ["tb/tb.v", "rtl/dut.v"]


def test_what_another_language_drives_is_no_testbench_in_verilog(root: Path) -> None:
    compiled = ToolCall("iverilog", ("-o", "x", "tb/tb.v", "rtl/dut.v"), root)
    driven = ToolCall("vvp", ("-M", "/lib", "-m", "libcocotbvpi_icarus", "x"), root)
    assert seen.testbenches_of([compiled, driven], root=root, timeout_s=5) == ()
    assert seen.testbenches_of([ToolCall("iverilog", ("rtl/dut.v",), root)], root=root, timeout_s=5) == ()
    assert seen.testbenches_of([ToolCall("iverilog", ("tb/gone.v",), root)], root=root, timeout_s=5) == ()
    assert seen.testbenches_of([ToolCall("iverilog", ("tb/tb.v",), Path("/elsewhere"))], root=root, timeout_s=5) == ()
