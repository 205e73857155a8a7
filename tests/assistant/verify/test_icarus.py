"""The Icarus driver against the real Icarus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.icarus import Icarus, messages

needs_icarus = pytest.mark.needs("iverilog")


@pytest.mark.parametrize(
    ("log", "found"),
    [
        (
            "a.v:3: syntax error\na.v:3: error: malformed statement\n",
            [("a.v", 3, "syntax error"), ("a.v", 3, "malformed statement")],
        ),
        ("a.v:3: warning: implicit\na.v:4: error: no\n1 error(s) during elaboration.\n", [("a.v", 4, "no")]),
        ("my dir/a.v:12: sorry: not supported.\n", [("my dir/a.v", 12, "sorry: not supported.")]),
        ("none.v: No such file or directory\n", [("", 0, "none.v: No such file or directory")]),
        ("", [("", 0, "failed")]),
    ],
)
def test_messages_become_diagnostics(log, found):
    assert [(each.path, each.line, each.message) for each in messages(log)] == found
    assert {(each.severity, each.tool) for each in messages(log)} == {("error", "icarus")}


@pytest.fixture
def run(root, scratch, write, tools):
    """Compiles and runs a toplevel `top`; its errors, or its output."""

    def run(text: str, *, plusargs=(), timeout_s: float = 20.0, **design: Any):
        cancel, binary = CancelToken(), scratch / "sim.vvp"
        sources = (write("rtl/top.v", text),)
        rooted = Design(toplevel="top", sources=sources, **design).rooted(root)
        errors = tools.icarus.build(rooted, binary, cwd=root, cancel=cancel)
        if errors is not None:
            return errors
        return tools.icarus.simulate(binary, cwd=root, timeout_s=timeout_s, plusargs=plusargs, cancel=cancel)

    return run


@needs_icarus
def test_an_unset_register_is_x(run):
    done = run('module top; reg [1:0] q; initial #1 $display("<%b>", q); endmodule\n')
    assert done.ok
    assert "<xx>" in done.output


@needs_icarus
def test_the_design_is_read_as_it_says(run, write):
    write("rtl/beside.vh", "`define BESIDE 1\n")
    write("inc/far.vh", "`define FAR 2\n")
    write("lib/helper.v", 'module helper; initial $display("helped"); endmodule\n')
    write("more/all.v", 'module used; initial $display("used"); endmodule\n')
    done = run(
        '`include "beside.vh"\n`include "far.vh"\nmodule top; parameter WIDTH = 4;\nhelper h(); used u();\n'
        'initial begin #1 $display("%0d%0d%0d %0d", `BESIDE, `FAR, `GIVEN, WIDTH);\n'
        '`ifdef FLAG\n$display("flag");\n`endif\nif ($test$plusargs("loud")) $display("heard"); end\nendmodule\n',
        plusargs=["+loud"],
        include_dirs=(Path("inc"),),
        defines=(("GIVEN", "3"), ("FLAG", "")),
        parameters=(("WIDTH", "9"),),
        library_dirs=(Path("lib"),),
        library_files=(Path("more/all.v"),),
    )
    assert {"123", "9", "flag", "helped", "used", "heard"} <= set(done.output.split())


@needs_icarus
@pytest.mark.parametrize("text", ["", "module top", "module other; endmodule\n", "module top; sub s(); endmodule\n"])
def test_what_icarus_rejects_is_a_value(run, text):
    errors = run(text)
    assert isinstance(errors, tuple)
    assert errors
    assert all(each.severity == "error" for each in errors)


@needs_icarus
def test_stop_ends_and_fatal_fails(run):
    assert run("module top; initial $stop; endmodule\n").wall_s < 10
    done = run('module top; initial $fatal(1, "gave up"); endmodule\n')
    assert not done.ok
    assert "FATAL" in done.output


@needs_icarus
@pytest.mark.parametrize(
    "text", ["initial forever #1;", "reg a = 0; always @* a = ~a; initial #1 a = 1;", "initial while (1);"]
)
def test_a_hang_is_a_timeout(run, text):
    done = run(f"module top; {text} endmodule\n", timeout_s=0.5)
    assert done.timed_out or "while" not in text
    assert done.wall_s < 3


def test_an_icarus_that_is_not_there_is_none():
    assert Icarus.find(configured=Path("/no-iverilog"), cancel=CancelToken()) is None


@needs_icarus
def test_the_version_is_known(tools):
    assert tools.icarus.version[0].isdigit()
