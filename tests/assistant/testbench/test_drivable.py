"""What a testbench can be written for, and by which pins it drives: nothing is simulated here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import NotVerified, UsageError, VeriloopError
from veriloop.assistant.testbench.drivable import driven_module, other_polarity, pins_to_drive
from veriloop.assistant.testbench.mutants import mutants_of
from veriloop.assistant.verify.stimulus.pins import Pins


def pins(tmp_path: Path, text: str) -> Pins:
    """The pins of the module `top` of a text."""
    (tmp_path / "dut.sv").write_text(text)
    elaboration = elaborate(Design(toplevel="top", sources=(tmp_path / "dut.sv",)))
    return pins_to_drive(*driven_module(elaboration, "top"))


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("module top(input a, output y);\n  assign y = b;\nendmodule\n", UsageError, "does not elaborate"),
        ("module other(input a, output y);\n  assign y = a;\nendmodule\n", UsageError, "no module top"),
        ("module top(input e, inout p, output y);\n  assign p = e;\n  assign y = p;\nendmodule\n", NotVerified, "p of"),
        (
            "interface bus; logic a; endinterface\n"
            "module top(bus b, input c, output y);\n  assign y = b.a & c;\nendmodule\n",
            NotVerified,
            "interface as a port",
        ),
        ("module top(input [7:0] a [0:3], output [7:0] y);\n  assign y = a[0];\nendmodule\n", NotVerified, "a of top"),
        (
            "package p; typedef struct { logic a; logic [3:0] b; } pair; endpackage\n"
            "module top(input p::pair x, output y);\n  assign y = x.a;\nendmodule\n",
            NotVerified,
            "x of top",
        ),
        ("module top(input real r, output y);\n  assign y = r > 1.0;\nendmodule\n", NotVerified, "r of top"),
        (
            "module top(input d, output reg q);\n  reg tick = 0;\n  always #5 tick = ~tick;\n"
            "  always @(posedge tick) q <= d;\nendmodule\n",
            NotVerified,
            "none of its inputs clocks",
        ),
        ("module top(input a);\nendmodule\n", NotVerified, "no output"),
    ],
)
def test_what_cannot_be_driven_is_said_in_one_line(tmp_path: Path, text: str, kind: type[VeriloopError], says: str):
    with pytest.raises(kind, match=says) as raised:
        pins(tmp_path, text)
    assert "\n" not in raised.value.message
    assert raised.value.hint


def test_a_packed_struct_and_an_inout_that_nothing_drives_are_vectors(tmp_path: Path):
    found = pins(
        tmp_path,
        "package p; typedef struct packed { logic a; logic [3:0] b; } pair; endpackage\n"
        "module top(input p::pair x, inout z, output y);\n  assign y = x.a & z;\nendmodule\n",
    )
    assert [(port.name, port.width_bits) for port in found.inputs] == [("x", 5), ("z", 1)]


def test_only_a_reset_of_which_the_name_alone_is_known_is_turned_round(tmp_path: Path):
    used = "module top(input clk, input rst_n, output reg q);\n  always @(posedge clk) if (!rst_n) q <= 0;\nendmodule\n"
    assert other_polarity(pins(tmp_path, used)) is None
    named = (
        "module top(input clk, input rst, output reg q);\n  wire run = rst;\n"
        "  always @(posedge clk) q <= run ? ~q : 1'b0;\nendmodule\n"
    )
    found = pins(tmp_path, named)
    assert [(reset.name, reset.active) for reset in found.resets] == [("rst", 1)]
    turned = other_polarity(found)
    assert turned is not None
    assert [reset.active for reset in turned.resets] == [0]


CLOCKED = "module top(input clk, input rst_n, {ports});\n  always @(posedge clk) {body};\nendmodule\n"


@pytest.mark.parametrize(
    ("ports", "body", "expected"),
    [
        (
            "input in_valid, output reg in_ready, input [7:0] in_data, input mode",
            "in_ready <= in_valid & mode & |in_data",
            [("valid/ready", "in_valid", "in_ready", ("in_data",), "", "")],
        ),
        (
            "input s_axis_tvalid, output reg s_axis_tready, input [7:0] s_axis_tdata, input s_axis_tlast",
            "s_axis_tready <= s_axis_tvalid & s_axis_tlast & |s_axis_tdata",
            [("AXI-Stream", "s_axis_tvalid", "s_axis_tready", ("s_axis_tdata", "s_axis_tlast"), "", "")],
        ),
        ("input req, output reg ack", "ack <= req", [("req/ack", "req", "ack", (), "", "")]),
        ("input req_i, output reg gnt_o", "gnt_o <= req_i", [("req/ack", "req_i", "gnt_o", (), "", "")]),
        (
            "input i_valid, output reg o_ready",
            "o_ready <= i_valid",
            [("valid/ready", "i_valid", "o_ready", (), "", "")],
        ),
        (
            "input wb_cyc_i, input wb_stb_i, input wb_we_i, input [3:0] wb_adr_i, output reg wb_ack_o",
            "wb_ack_o <= wb_cyc_i & wb_stb_i & (wb_we_i | |wb_adr_i)",
            [("Wishbone", "wb_stb_i", "wb_ack_o", ("wb_we_i", "wb_adr_i"), "", "wb_cyc_i")],
        ),
        (
            "input psel, input penable, input pwrite, input [3:0] paddr, output reg pready",
            "pready <= psel & penable & (pwrite | |paddr)",
            [("APB", "psel", "pready", ("paddr", "pwrite"), "penable", "")],
        ),
        ("input psel, input penable, output reg q", "q <= psel & penable", [("APB", "psel", "", (), "penable", "")]),
        ("input valid, input other, output reg q", "q <= valid & other", []),
        ("input invalidate, output reg already", "already <= invalidate", []),
    ],
)
def test_handshakes_are_known_by_their_names(tmp_path: Path, ports: str, body: str, expected: list[object]):
    found = pins(tmp_path, CLOCKED.format(ports=ports, body=body))
    said = [(hold.kind, hold.valid, hold.ready, hold.payload, hold.enable, hold.along) for hold in found.holds]
    assert said == expected


def test_no_mutant_of_what_nothing_clocks_goes_round(tmp_path: Path):
    text = (
        "module top(input [1:0] a, input s, output y, output z);\n"
        "  assign y = s ? a[1] : a[0];\n  assign z = a[0] & s;\nendmodule\n"
    )
    found = pins(tmp_path, text)
    design = Design(toplevel="top", sources=(Path("dut.sv"),))
    mutants = mutants_of(design, [Path("dut.sv")], found, root=tmp_path, count=60)
    assert len(mutants) > 5
    assert len({one.text for one in mutants}) == len(mutants)
    # Names are exchanged, but no output comes to stand on both sides.
    assert any("z = a[0]" not in one.text.decode() for one in mutants)
    assert not any(re.search(r"assign (y|z) =[^;]*\b\1\b", one.text.decode()) for one in mutants)
