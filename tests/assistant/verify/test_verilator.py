"""The Verilator driver against the real Verilator and the real compiler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.verilator import (
    END_MARK,
    SEED,
    START_STATES,
    Binary,
    Rejected,
    Verilator,
    messages,
)

pytestmark = pytest.mark.needs("verilator")
builds = pytest.mark.needs("c++")

LOG = """\
%Warning-WIDTHTRUNC: rtl/a b.sv:3:12: Operator ASSIGNW expects 4 bits, but Assign RHS's SEL generates 8 bits.
                                    : ... note: In instance 'top'
    3 |   assign q = d[7:0];
%Error: rtl/a.sv:7:1: syntax error, unexpected endmodule
%Error-NEEDTIMINGOPT: rtl/a.sv:9: Use --timing
%Error: Cannot find file containing module: 'sub'
%Error: Exiting due to 3 error(s)
"""


def test_messages_become_diagnostics():
    found = [(each.path, each.line, each.column, each.severity, each.code) for each in messages(LOG)]
    assert found == [
        ("rtl/a b.sv", 3, 12, "warning", "WIDTHTRUNC"),
        ("rtl/a.sv", 7, 1, "error", ""),
        ("rtl/a.sv", 9, 0, "error", "NEEDTIMINGOPT"),
        ("", 0, 0, "error", ""),
    ]
    assert messages(LOG)[0].message.startswith("Operator ASSIGNW")


@pytest.fixture
def lint(root, write, tools):
    def lint(text: str, **design: Any):
        sources = (write("top.sv", text),)
        return tools.verilator.lint(Design(toplevel="top", sources=sources, **design), cwd=root, cancel=CancelToken())

    return lint


def test_lint_of_a_clean_design_is_empty(lint):
    assert lint("module top(input logic a, output logic b); assign b = a; endmodule\n") == ()


def test_lint_names_place_and_rule(lint):
    found = lint("module top(input logic [4:0] a, output logic [3:0] b);\nassign b = a;\nendmodule\n")
    assert ("WIDTHTRUNC", "warning", 2, "top.sv") in [
        (each.code, each.severity, each.line, each.path) for each in found
    ]


@pytest.mark.parametrize("text", ["", "\n", "module", "module top(; endmodule", '`include "none.vh"\n', "\x00\xff"])
def test_lint_of_what_is_no_design_is_errors(lint, text):
    assert any(each.severity == "error" for each in lint(text))


@pytest.fixture
def build(root, scratch, write, tools):
    """Builds a toplevel `top` from one source."""

    def build(text: str, **arguments: Any):
        features = arguments.pop("features", None)
        sources = (write("rtl/top.sv", text),)
        directory = scratch / f"build {len(list(scratch.iterdir()))}"
        directory.mkdir()
        design = Design(toplevel="top", sources=sources, **arguments)
        return tools.verilator.build(design.rooted(root), directory, cwd=root, cancel=CancelToken(), features=features)

    return build


@pytest.fixture
def simulate(root, tools):
    def simulate(built, reset: int = 0, *, seed: int = SEED, plusargs=(), timeout_s: float = 20.0):
        assert isinstance(built, Binary), built
        return tools.verilator.simulate(
            built, cwd=root, timeout_s=timeout_s, reset=reset, seed=seed, plusargs=plusargs, cancel=CancelToken()
        )

    return simulate


def said(done: Completed) -> str:
    return done.output.split(END_MARK)[0].strip().splitlines()[0]


@builds
def test_the_start_state_reaches_registers_and_memories(build, simulate):
    built = build(
        "module top; logic [7:0] r; logic [3:0] m [0:3];\n"
        'initial begin #1 $display("%h %h %h", r, m[0], m[3]); $finish; end endmodule\n'
    )
    by_start = {start: said(simulate(built, reset)) for reset, start in START_STATES}
    assert by_start["zeros"] == "00 0 0"
    assert by_start["ones"] == "ff f f"
    assert by_start[f"random {SEED}"] not in {"00 0 0", "ff f f"}
    assert said(simulate(built, 2)) == by_start[f"random {SEED}"]
    assert said(simulate(built, 2, seed=77)) != by_start[f"random {SEED}"]


@builds
@pytest.mark.parametrize(
    ("text", "ok", "word"),
    [
        ("initial $finish;", True, f"{END_MARK}$finish"),
        ('initial begin #5 $display("bye"); end', True, f"{END_MARK}starvation"),
        ('initial $fatal(1, "gave up");', False, "%Fatal"),
        ('initial begin #1 $error("wrong"); $finish; end', False, "%Error"),
        ("initial begin #1 assert (0); $finish; end", False, "Assertion failed"),
        ('initial begin #1 $stop; $display("on"); $finish; end', False, "$stop"),
        ("initial $finish(2);", True, f"{END_MARK}$finish"),
        ('initial begin if ($test$plusargs("loud")) $display("heard"); $finish; end', True, "heard"),
        (
            'string s; initial begin void\'($value$plusargs("n=%s", s)); $display("<%s>", s); $finish; end',
            True,
            "<a b>",
        ),
    ],
)
def test_ways_to_end(build, simulate, text, ok, word):
    done = simulate(build(f"`timescale 1ns/1ps\nmodule top;\n{text}\nendmodule\n"), plusargs=["+loud", "+n=a b"])
    assert done.ok is ok, done.output
    assert word in done.output
    assert not done.timed_out


@builds
def test_a_loop_that_does_not_converge_ends_by_itself(build, simulate):
    loop = "logic on = 0; wire a, b; assign a = ~(b & on); assign b = a; initial begin #1 on = 1; #1 $display(a); end"
    done = simulate(build(f"module top; {loop} endmodule\n"))
    assert not done.ok
    assert "did not converge" in done.output


@builds
@pytest.mark.parametrize("text", ["initial forever #1;", "initial while ($time < 1) $fflush;"])
def test_a_hang_is_a_timeout(build, simulate, text):
    done = simulate(build(f"module top;\n{text}\nendmodule\n"), timeout_s=0.5)
    assert done.timed_out
    assert done.wall_s < 3


@builds
def test_the_design_is_read_as_it_says(build, simulate, write):
    write("rtl/beside.vh", "`define BESIDE 1\n")
    write("inc/far.vh", "`define FAR 2\n")
    write("lib/helper.v", 'module helper; initial $display("helped"); endmodule\n')
    write(
        "more/all.v",
        'module used; initial $display("used"); endmodule\nmodule spare; initial $display("no"); endmodule\n',
    )
    built = build(
        '`include "beside.vh"\n`include "far.vh"\nmodule top #(parameter WIDTH = 4, parameter NAME = "none");\n'
        "helper h(); used u();\n"
        'initial begin #1 $display("%0d%0d%0d %0d %s", `BESIDE, `FAR, `GIVEN, WIDTH, NAME);\n'
        '`ifdef FLAG\n$display("flag");\n`endif\n$finish; end\nendmodule\n',
        include_dirs=(Path("inc"),),
        defines=(("GIVEN", "3"), ("FLAG", "")),
        parameters=(("WIDTH", "9"), ("NAME", '"some"')),
        library_dirs=(Path("lib"),),
        library_files=(Path("more/all.v"),),
    )
    lines = simulate(built).output.split()
    assert {"123", "9", "some", "flag", "helped", "used"} <= set(lines)
    assert "no" not in lines


@builds
def test_tracing_writes_a_vcd(build, simulate, root):
    text = 'module top; logic q = 0; initial begin $dumpfile("t.vcd"); $dumpvars; #5 q = 1; #5 $finish; end endmodule\n'
    assert simulate(build(text, features=Features(trace=True))).ok
    assert "$enddefinitions" in (root / "t.vcd").read_text()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("module top; assign q = ; endmodule\n", "syntax error"),
        ("module top; sub s(); endmodule\n", "sub"),
        ("module other; endmodule\n", "top"),
        ("module top; logic a; logic a; endmodule\n", "a"),
        ('`include "none.vh"\nmodule top; endmodule\n', "none.vh"),
    ],
)
def test_what_verilator_rejects_is_a_value(build, text, message):
    built = build(text)
    assert isinstance(built, Rejected)
    assert message in built.diagnostics[0].message
    assert all(each.severity == "error" for each in built.diagnostics)


def test_a_missing_source_is_a_value(root, scratch, tools):
    design = Design(toplevel="top", sources=(Path("none.sv"),))
    built = tools.verilator.build(design.rooted(root), scratch, cwd=root, cancel=CancelToken())
    assert isinstance(built, Rejected)
    assert "none.sv" in built.diagnostics[0].message


def test_no_compiler_is_a_tool_not_found(root, scratch, write, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    cancel = CancelToken()
    verilator = Verilator.find(configured=None, compiler=None, cache=tmp_path / "cache", cancel=cancel)
    design = Design(toplevel="top", sources=(write("top.sv", "module top; initial $finish; endmodule\n"),))
    with pytest.raises(ToolNotFound, match="C\\+\\+20") as caught:
        verilator.build(design.rooted(root), scratch, cwd=root, cancel=cancel)
    assert "install" in caught.value.hint
    assert not list(tmp_path.glob("cache/runtime/*"))


def test_a_compiler_that_breaks_is_a_tool_failed(root, scratch, write, tmp_path):
    compiler = tmp_path / "g++"
    compiler.write_text('#!/bin/sh\ncase "$*" in *-c*-o*|*gch*) echo broken; exit 1;; esac\nexit 0\n')
    compiler.chmod(0o755)
    cancel = CancelToken()
    verilator = Verilator.find(configured=None, compiler=compiler, cache=tmp_path / "cache", cancel=cancel)
    design = Design(toplevel="top", sources=(write("top.sv", "module top; initial $finish; endmodule\n"),))
    with pytest.raises(ToolFailed, match=r"g\+\+ cannot compile") as caught:
        verilator.build(design.rooted(root), scratch, cwd=root, cancel=cancel)
    assert "broken" in caught.value.output
    # Who waits for the one that builds holds a file that stays.
    assert {path.suffix for path in tmp_path.glob("cache/runtime/*")} <= {".lock"}


def test_the_configured_verilator_must_be_there(tmp_path):
    with pytest.raises(ToolNotFound, match="no-verilator"):
        Verilator.find(configured=Path("/no-verilator"), compiler=None, cache=tmp_path, cancel=CancelToken())
