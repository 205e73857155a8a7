"""A command's simulations without what is around them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from veriloop.assistant.events import CancelToken
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.verify.calls import ToolCall, recorded_calls
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.replay import replay
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.testbench import CommandTest

DUT = "module dut(input a, output b); assign b = a; endmodule\n"
BENCH = """module tb; reg a = 0; wire b; dut d(a, b);
  initial begin #1 if (b !== 1) $display("FAIL: b"); else $display("PASS %0d", `N); $finish; end
endmodule
"""
# `system` is the module that vvp has with it; loaded by name it stands for one of another language.
COMMAND = " && ".join(
    (
        "mkdir -p 'out dir'",
        "printf '%s\\n' '+define+N=3' > 'out dir/cmds.f'",
        "cd 'out dir'",
        'export WORD="it\'s $PWD"',
        'iverilog -f cmds.f -g2012 -o "$PWD/x" ../tb/tb.v "$PWD/../rtl/dut.v"',
        "vvp -m system x",
    )
)
TRACKED = {"rtl/dut.v", "tb/tb.v"}


def tree(directory: Path, dut: str = DUT) -> Path:
    for name, text in {"rtl/dut.v": dut, "tb/tb.v": BENCH}.items():
        (directory / name).parent.mkdir(parents=True)
        (directory / name).write_text(text)
    return directory


def run(test: CommandTest, root: Path) -> SimResult:
    scratch = root.parent / f"{root.name} scratch"
    scratch.mkdir()
    return run_command(test, root=root, scratch=scratch, isolation=Isolation(), cancel=CancelToken())


@pytest.mark.needs("iverilog")
def test_the_calls_say_in_another_copy_what_the_command_said(tmp_path: Path) -> None:
    root, scratch = tree(tmp_path / "first copy"), tmp_path / "scratch"
    scratch.mkdir()
    test = CommandTest(name="t", command=COMMAND, timeout_s=60)
    whole, calls = recorded_calls(test, root=root, scratch=scratch, isolation=Isolation(), cancel=CancelToken())
    assert whole.outcome is Outcome.FAIL
    found = replay(calls, test, root, TRACKED)
    assert found is not None
    assert str(tmp_path) not in found.command
    shutil.rmtree(root)
    part = run(found, tree(tmp_path / "second copy"))
    assert (part.outcome, part.failures, part.failing) == (whole.outcome, whole.failures, whole.failing)
    right = run(found, tree(tmp_path / "third copy", DUT.replace("= a", "= ~a")))
    assert right.passed
    assert "PASS 3" in right.log_tail


def test_what_is_not_replayed(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree")
    test = CommandTest(name="t", command="make", timeout_s=60)
    compiled = ToolCall("iverilog", ("-o", "x", "tb/tb.v", "rtl/dut.v"), root)
    driven = ToolCall("vvp", ("-M", "/lib", "-m", "libcocotbvpi_icarus", "x"), root)
    assert replay([compiled, driven], test, root, TRACKED) is not None
    # Verilog alone, another simulator, a compiler that refused, another place, nothing.
    assert replay([compiled, ToolCall("vvp", ("x",), root)], test, root, TRACKED) is None
    assert replay([ToolCall("verilator", ("--cc",), root), compiled, driven], test, root, TRACKED) is None
    assert replay([replace(compiled, refused=True), driven], test, root, TRACKED) is None
    assert replay([compiled, replace(driven, directory=tmp_path)], test, root, TRACKED) is None
    assert replay([], test, root, TRACKED) is None
    # A copy of the design that the command has made: edits of the tracked file would not reach it.
    (root / "build").mkdir()
    (root / "build/dut.v").write_text(DUT)
    copied = replace(compiled, arguments=("-o", "x", "tb/tb.v", "build/dut.v"))
    assert replay([copied, driven], test, root, TRACKED) is None
    assert replay([copied, driven], test, root, {"tb/tb.v"}) is not None
