"""What a change may not touch."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.verify.protected import judging, protected
from veriloop.assistant.verify.testbench import CocotbTestbench, TraceTestbench, VerilogTestbench

DESIGN = Design(toplevel="top_tb", sources=(Path("rtl/a.v"), Path("./bench_of_a.v")))
RTL = b"""module a(input clk, input x, output y);
  // a comment
  assign y = x;
  assert property (@(posedge clk) x |-> y) else $error("no");
  cover property (@(posedge clk) y);
endmodule
"""


@pytest.mark.parametrize(
    "path",
    [
        "tb/a.v",
        "hw/Tests/a.v",
        "sim/Makefile",
        "verif/env.sv",
        "a_tb.v",
        "rtl/tb_a.sv",
        "rtl/test_a.py",
        "rtl/a_tb_t1.v",
        "a.tb.v",
        "lint.vlt",
        "x/fix.waiver",
        ".rules.verible_lint",
        "files.f",
        "a.core",
        "veriloop.toml",
        "rtl/GNUmakefile",
        "build.mk",
        "Bender.yml",
        "tb.v",
    ],
)
def test_these_judge(path):
    assert judging(path)


@pytest.mark.parametrize(
    "path", ["rtl/a.v", "attributes.sv", "rtl/contest.v", "simple/a.v", "rtl/testable.v", "lib.f.v"]
)
def test_these_do_not(path):
    assert not judging(path)


def check(contents: dict[str, tuple[bytes, bytes]], *, workflow="repair", testbenches=(), named=()) -> dict[str, str]:
    return {one.path: one.why for one in protected(contents, testbenches, workflow, named=named)}


@pytest.mark.parametrize(
    "after",
    [
        RTL.replace(b"assign y = x;", b"assign y = ~x;"),
        RTL.replace(b"  assert", b"\n    assert"),
        RTL.replace(b"// a comment", b""),
        RTL.replace(b"// a comment", b"// forces $display and $finish to release"),
        RTL + RTL.replace(b"module a", b"module b"),
    ],
)
def test_rtl_beside_its_checks_may_change(after):
    assert check({"rtl/a.v": (RTL, after)}) == {}


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (RTL.replace(b"x |-> y", b"1"), "a check of its own"),
        (RTL.replace(b"cover property (@(posedge clk) y);", b""), "a check of its own"),
        (RTL.replace(b"$error", b"$display"), "a check of its own"),
        (RTL.replace(b"assert", b"// assert"), "a check of its own"),
        (RTL.replace(b"// a comment", b"/* verilator lint_off WIDTH */"), "switches a checker off"),
        (RTL.replace(b"// a comment", b"// synthesis translate_off"), "switches a checker off"),
        (b"", "a check of its own"),
        (RTL.replace(b"assign", b'initial $display("PASS"); assign'), "answer for its testbench"),
        (RTL.replace(b"assign", b"initial $finish; assign"), "answer for its testbench"),
        (RTL.replace(b"assign", b"initial force top_tb.failed = 0; assign"), "answer for its testbench"),
    ],
)
def test_its_checks_may_not(after, why):
    assert why in check({"rtl/a.v": (RTL, after)})["rtl/a.v"]
    assert why in check({"rtl/a.v": (RTL, after)}, workflow="any")["rtl/a.v"]


def test_the_testbench_is_its_own_whatever_its_name():
    top = b"module top_tb;\nendmodule\n"
    contents = {"bench_of_a.v": (top, top + b"//\n"), "rtl/a.v": (RTL, RTL + b"//\n"), "expected.txt": (b"1", b"2")}
    verilog = VerilogTestbench(name="t", design=DESIGN)
    trace = TraceTestbench(name="t", design=DESIGN, oracle=Path("expected.txt"), output="o.txt")
    assert set(check(contents, testbenches=[verilog], workflow="any")) == {"bench_of_a.v"}
    assert set(check(contents, testbenches=[trace], workflow="any")) == {"bench_of_a.v", "expected.txt"}
    assert set(check(contents, testbenches=[trace], workflow="testbench")) == {"rtl/a.v"}


def test_cocotb_modules_are_tests():
    design = Design(toplevel="a", sources=(Path("rtl/a.v"),))
    bench = CocotbTestbench(name="t", design=design, module="drive", search_path=(Path("py"),))
    assert set(check({"py/drive.py": (b"", b"x")}, testbenches=[bench])) == {"py/drive.py"}


def test_rtl_that_the_user_names_is_rtl_wherever_it_lies():
    contents = {"test/alu.v": (RTL, RTL + b"//\n"), "test/files.f": (b"", b"x")}
    assert set(check(contents)) == {"test/alu.v", "test/files.f"}
    assert set(check(contents, named={"test/alu.v", "test/files.f"})) == {"test/files.f"}


def test_repair_writes_rtl_only():
    assert check({"gen/rom.py": (b"", b"x")}) == {"gen/rom.py": "is no RTL"}
    assert check({"gen/rom.py": (b"", b"x")}, workflow="any") == {}


def test_the_repository_says_what_is_editable_and_what_is_not():
    contents = dict.fromkeys(("rtl/a.v", "rtl/gen/b.v", "sim/model.v", "c.v"), (RTL, RTL + b"//\n"))
    found = {one.path for one in protected(contents, (), "repair", editable=["rtl/*", "sim/*.v"], locked=["rtl/gen/*"])}
    assert found == {"rtl/gen/b.v", "c.v"}
    assert {one.path for one in protected(contents, (), "any", locked=["rtl/gen/*"])} == {"rtl/gen/b.v", "sim/model.v"}
