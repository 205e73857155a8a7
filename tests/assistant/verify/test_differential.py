"""Variants side by side: who differs from whom, on the same stimuli."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.assistant.repair.conftest import COUNTER
from veriloop.assistant.design.model import Design, Port
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.differential import compare, recorder, renamed, top_of
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = pytest.mark.needs("verilator", "c++", "iverilog")

WITH_HELPER = (
    b"module top(input a, output y); inv i(a, y); endmodule module inv(input a, output y); assign y = ~a; endmodule"
)
DETECTOR = b"""module detector(input clk, input rst_n, input data, output reg hit);
  reg [7:0] seen;
  always @(posedge clk or negedge rst_n)
    if (!rst_n) begin seen <= 0; hit <= 0; end
    else begin seen <= {seen[6:0], data}; hit <= {seen, data} == 9'b110100101; end
endmodule
"""


@pytest.fixture
def side_by_side(tmp_path, monkeypatch):
    """Compares contents of one file."""
    monkeypatch.setenv("VERILOOP_CACHE", str(tmp_path / "cache"))
    cancel = CancelToken()
    toolchain = Toolchain.find(cache=tmp_path / "cache", cancel=cancel)

    def run(*contents: bytes, **options):
        (tmp_path / "m.v").write_bytes(contents[0])
        variants = [{"m.v": content} for content in contents]
        design = Design(toplevel="m", sources=(Path("m.v"),))
        return compare(variants, design, root=tmp_path, scratch=tmp_path, toolchain=toolchain, cancel=cancel, **options)

    return run


def test_equal_behaviour_is_one_group(side_by_side):
    found = side_by_side(COUNTER, COUNTER.replace(b"q + 1", b"1 + q"), COUNTER.replace(b"q + 1", b"q + 2"))
    assert found.groups(3) == (0, 0, 1)
    assert found.cycles == 4096


def test_ports_may_have_any_name(side_by_side):
    ports = b"input [3:0] mode, input seed, input hold, input cycle, output [3:0] seen"
    text = b"module m(" + ports + b"); assign seen = mode; endmodule"
    assert side_by_side(text, text.replace(b"seen = mode", b"seen = ~mode")).differs == {(0, 1): 0}


def test_a_detector_is_woken_by_recorded_inputs(side_by_side):
    other = DETECTOR.replace(b"110100101", b"110100111")
    rows = ["0" + "0"] * 3 + [f"1{bit}" for bit in "110100101" * 3]
    assert (0, 1) in side_by_side(DETECTOR, other, recorded=rows, reference=True).differs


def test_an_unknown_reference_matches_anything(side_by_side):
    unknown = b"module m(input a, output y); reg r; assign y = r; endmodule"
    known = b"module m(input a, output y); assign y = 1; endmodule"
    assert side_by_side(unknown, known, reference=True).differs == {}
    assert side_by_side(unknown, known).differs


def test_an_asynchronous_reset_differs_from_a_synchronous_one(side_by_side):
    synchronous = COUNTER.replace(b"posedge clk or negedge rst_n", b"posedge clk")
    assert (0, 1) in side_by_side(COUNTER, synchronous).differs


ARRAYS = b"""module m(input clk, input rst_i, input [3:0] a [0:2], output reg [3:0] y [2]);
  always @(posedge clk) if (rst_i) begin y[0] <= 0; y[1] <= 0; end else begin y[0] <= a[2]; y[1] <= a[0] + a[1]; end
endmodule
"""


def test_ports_may_be_arrays(side_by_side):
    found = side_by_side(ARRAYS, ARRAYS.replace(b"a[0] + a[1]", b"a[1] + a[0]"), ARRAYS.replace(b"a[2]", b"a[1]"))
    assert found.groups(3) == (0, 0, 1)


def test_outputs_that_stand_still_are_named(side_by_side):
    always_reset = ARRAYS.replace(b"if (rst_i)", b"if (!rst_i)")
    found = side_by_side(ARRAYS, always_reset, ARRAYS.replace(b"a[2]", b"a[1]"))
    assert found.stilled(1, against=0) == ("y",)
    assert found.stilled(2, against=0) == ()
    assert found.stilled(0, against=1) == ()


def test_what_is_reset_wrongly_in_the_original_moves_in_the_other(side_by_side):
    always_reset = ARRAYS.replace(b"if (rst_i)", b"if (!rst_i)")
    assert side_by_side(always_reset, ARRAYS).stilled(1, against=0) == ()


def test_what_cannot_be_put_side_by_side_is_no_error(side_by_side):
    assert side_by_side(b"module m(inout a); endmodule", b"module m(inout a); endmodule") is None
    assert side_by_side(b"module m(", b"module m(") is None


def test_modules_are_renamed_where_they_are_declared_and_used():
    text = renamed(WITH_HELPER, "_v1", {"top", "inv"}).decode()
    assert "module top_v1(" in text
    assert "inv_v1 i(a, y)" in text
    assert "module inv_v1(" in text
    assert top_of({"m.v": WITH_HELPER}) == "top"


def test_a_recorder_keeps_what_was_there():
    ports = [Port(name="clk", direction="input", width_bits=1), Port(name="en", direction="input", width_bits=1)]
    text = recorder(COUNTER, "counter", ports, "out.txt").decode()
    assert 'always @(posedge clk) $fwrite(veriloop_file, "%b\\n", en);' in text
    assert text.startswith(COUNTER.decode().rsplit("endmodule", 1)[0])
