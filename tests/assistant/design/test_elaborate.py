"""Elaboration: what slang says, as values; broken files never raise."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veriloop.assistant.design.dataflow import Dataflow
from veriloop.assistant.design.elaborate import Elaboration, Elaborator, declared, elaborate
from veriloop.assistant.design.model import Design

COUNTER = b"""`define WIDTH 4
module counter #(parameter STEP = 1, parameter TWICE = 2 * STEP) (
    input clk, input signed [7:0] start, output reg [`WIDTH-1:0] count
);
  localparam IDLE = 0;
  enum logic [1:0] {LOW, HIGH} level;
  reg [7:0] memory [0:15];
  genvar i;
  generate for (i = 0; i < 2; i = i + 1) begin : lane
    wire carry;
    half h (.a(start[i]), .y(carry));
  end endgenerate
  always @(posedge clk) begin : block reg odd; count <= count + STEP; end
endmodule
module half(input a, output y); assign y = ~a; endmodule
"""


def elaborated(text: bytes, *, toplevel: str = "", **more: bytes) -> Elaboration:
    files = {Path("top.sv"): text} | {Path(f"{name}.sv"): content for name, content in more.items()}
    return elaborate(Design(toplevel=toplevel, sources=tuple(files)), files)


def test_hierarchy_and_modules() -> None:
    found = elaborated(COUNTER)
    assert found.errors == ()
    assert found.tops == ("counter",)
    assert dict(found.hierarchy) == {"counter": "counter", "counter.lane[0].h": "half", "counter.lane[1].h": "half"}
    counter = found.modules["counter"]
    assert [(port.name, port.direction, port.width_bits, port.signed) for port in counter.ports] == [
        ("clk", "input", 1, False),
        ("start", "input", 8, True),
        ("count", "output", 4, False),
    ]
    assert counter.parameters == (("STEP", "1"), ("TWICE", "2"), ("IDLE", "0"))
    assert counter.path == Path("top.sv")


def test_signals() -> None:
    signals = elaborated(COUNTER).signals("counter")
    shown = {name: (signal.width_bits, signal.kind, signal.is_memory) for name, signal in signals.items()}
    assert shown["clk"] == (1, "net", False)
    assert shown["count"] == (4, "variable", False)
    assert shown["memory"] == (8, "variable", True)
    assert shown["IDLE"] == (32, "parameter", False)
    assert shown["HIGH"] == (2, "enum value", False)
    assert shown["lane[1].carry"] == (1, "net", False)
    assert shown["block.odd"] == (1, "variable", False)
    assert signals["count"].direction == "output"
    assert elaborated(COUNTER).signals("nowhere") == {}


def test_parameters_and_defines_of_the_design() -> None:
    text = b"module m #(parameter W = 1) (input [W-1:0] a, input [`N-1:0] b); endmodule\n"
    design = Design(toplevel="m", sources=(Path("m.v"),), parameters=(("W", "5"),), defines=(("N", "7"),))
    found = elaborate(design, {Path("m.v"): text})
    assert [port.width_bits for port in found.modules["m"].ports] == [5, 7]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"module m; wire a = b; endmodule\n", ["top.sv:1:20 UndeclaredIdentifier"]),
        (b"module m;\r\n\twire a = b;\r\nendmodule\r\n", ["top.sv:2:11 UndeclaredIdentifier"]),
        (b"\xef\xbb\xbfmodule m;\n wire a = b; endmodule\n", ["top.sv:2:11 UndeclaredIdentifier"]),
        ("// ü\nmodule m; /* ü */ wire a = b; endmodule\n".encode(), ["top.sv:2:28 UndeclaredIdentifier"]),
        ("// ü\nmodule m; /* ü */ wire a = b; endmodule\n".encode("latin-1"), ["top.sv:2:28 UndeclaredIdentifier"]),
        (b"`define X b\nmodule m; wire a = `X; endmodule\n", ["top.sv:2:20 UndeclaredIdentifier"]),
        (b"module m(output q); always @* q = 1; endmodule\n", ["top.sv:1:31 AssignToNet"]),
        (b"module m(input a, output y); reg y; endmodule\n", ["top.sv:1:26 Redefinition"]),
        (b"module m(input a, output y); assign y = a[0]; endmodule\n", ["top.sv:1:43 CannotIndexScalar"]),
        (b"", []),
        (b"\0" * 9, None),
        (b"module m; initial " + b"begin " * 9000, None),
        (b"module m; wire a = " + b"(" * 9000, None),
        # What the simulators accept, or what another file may still bring.
        (b"module m; assign y = late; wire late; endmodule\n", []),
        (b"module m; missing u(.a(1'b1)); endmodule\n", []),
        (b"module m; initial $vendor_task(3); endmodule\n", []),
        (b"module m; m inner(); endmodule\n", []),
        (b"module m(output reg q); assign q = 1; endmodule\n", []),
        (b"module m(output reg q); always_ff q <= 1; endmodule\n", []),
        (b"module m(x); input x; output y; endmodule\n", []),
    ],
)
def test_errors(text: bytes, expected: list[str] | None) -> None:
    errors = elaborated(text).errors
    if expected is None:
        assert errors
    else:
        assert [f"{error.path}:{error.line}:{error.column} {error.code}" for error in errors] == expected


def test_what_is_missing_is_told_apart() -> None:
    found = elaborated(b'`include "gone.vh"\nmodule m import p::*; (); sub u(); other v(); endmodule\n')
    assert found.missing_modules == ("other", "sub")
    assert found.missing_names == ("p",)
    assert found.missing_includes == ("gone.vh",)


def test_a_file_that_is_not_there_is_a_diagnostic() -> None:
    found = elaborate(Design(toplevel="", sources=(Path("no_such_file.v"),)))
    assert [error.code for error in found.errors] == ["NoSuchFile"]
    assert found.modules == {}


def test_macros_reach_the_files_after_them() -> None:
    assert elaborated(b"`define N 3\n", second=b"module m; wire [`N:0] a; endmodule\n").errors == ()


def test_headers_and_libraries(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "leaf.v").write_text("module leaf(input a); twig t(); endmodule\n")
    (tmp_path / "lib" / "twig.v").write_text("module twig; endmodule\n")
    (tmp_path / "cells.v").write_text("module cell_a; endmodule\nmodule cell_b; endmodule\n")
    (tmp_path / "width.vh").write_text("`define W 3\n")
    (tmp_path / "top.v").write_text(
        '`include "width.vh"\nmodule top(input [`W:0] a); leaf l(a[0]); cell_a c(); endmodule\n'
    )
    design = Design(
        toplevel="top",
        sources=(Path("top.v"),),
        library_dirs=(Path("lib"),),
        library_files=(Path("cells.v"),),
    ).rooted(tmp_path)
    found = elaborate(design)
    assert (found.errors, found.missing_modules) == ((), ())
    assert set(found.modules) == {"top", "leaf", "twig", "cell_a"}
    changed = elaborate(design, {tmp_path / "width.vh": b"`define W 8\n"})
    assert changed.modules["top"].ports[0].width_bits == 9


def test_an_elaborator_takes_one_file_again_and_again() -> None:
    top, half = COUNTER.split(b"module half")
    files = {Path("top.sv"): top, Path("half.sv"): b"module half" + half}
    elaborator = Elaborator(Design(toplevel="counter", sources=tuple(files)), files)
    for width in range(300):
        text = top.replace(b"count + STEP", b"count + " + (b"STEP" if width % 2 else b"nothing"))
        assert bool(elaborator.errors({Path("top.sv"): text})) is (width % 2 == 0)
    assert elaborator.errors() == ()


ENUM = b"module top(input [7:0] a, output reg y); typedef enum {OFF, ON} s_t; s_t s; always @* begin s = OFF; end\n"
ENUM += b"always @* y = a[3:0] == 0; endmodule\n"


@pytest.mark.parametrize("new", [(b"= OFF", b"= a"), (b"= OFF", b"= a[0] ? OFF : 1'b1"), (b"3:0", b"-3:0")])
def test_a_change_that_one_simulator_would_refuse_is_objected_to(new: tuple[bytes, bytes], tmp_path: Path) -> None:
    path, changed = tmp_path / "top.sv", ENUM.replace(*new)
    path.write_bytes(ENUM)
    elaborator = Elaborator(Design(toplevel="top", sources=(path,)))
    assert not elaborator.errors({path: changed})
    assert elaborator.objections({path: changed})
    assert not elaborator.objections({path: ENUM.replace(b"= OFF", b"= ON")})
    # What a design has already, every change of it may have, too; but nothing that both refuse.
    path.write_bytes(changed)
    lenient = Elaborator(Design(toplevel="top", sources=(path,)))
    assert not lenient.objections({path: changed + b"// once more\n"})
    assert lenient.objections({path: changed.replace(b"y = a", b"y = b")})


@pytest.mark.parametrize(
    ("text", "modules", "packages"),
    [
        (b"module a; endmodule interface b; endinterface package p; endpackage", ("a", "b"), ("p",)),
        (b"module ; endmodule", (), ()),
        (b'`include "no.v"\nmodule a; endmodule', ("a",), ()),
        (b"\xff\0junk", (), ()),
    ],
)
def test_declared(text: bytes, modules: tuple[str, ...], packages: tuple[str, ...]) -> None:
    assert declared(text) == (modules, packages)


def test_deeply_nested_blocks() -> None:
    text = b"module m; " + b"if (1) begin : x " * 1000 + b"wire y; " + b"end " * 1000 + b"endmodule\n"
    assert all(signal.kind == "net" for signal in elaborated(text).signals("m").values())


_PIECES = st.sampled_from(
    [
        b"module ",
        b"endmodule",
        b"begin",
        b"(",
        b'`include "x"',
        b"`define X `X",
        b"`X",
        b"8'h",
        b"\0",
        b"\xff",
        b"#(",
        b";",
    ]
)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.integers(0, len(COUNTER)), st.integers(0, 40), _PIECES), max_size=6))
def test_broken_text_is_a_value(changes: list[tuple[int, int, bytes]]) -> None:
    text = COUNTER
    for position, cut, piece in changes:
        text = text[:position] + piece + text[position + cut :]
    found = elaborated(text)
    assert all(error.severity == "error" for error in found.errors)
    assert set(found.hierarchy.values()) == set(found.modules)
    dataflow = Dataflow.of(found)
    for name, module in found.modules.items():
        assert all(signal.name for signal in found.signals(name).values())
        dataflow.cones([port.name for port in module.ports], module=name)
