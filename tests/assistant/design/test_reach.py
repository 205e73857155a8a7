"""Who depends on whom, by names, includes, macros and file names."""

from __future__ import annotations

import pytest

from veriloop.assistant.design.reach import Reach, file_facts, visible_text

FILES = {
    "rtl/top.v": b"module top; mid m(); endmodule",
    "rtl/mid.sv": b'`include "defs.vh"\nmodule mid; import p::*; wire [`W-1:0] a; leaf #(.A(1)) l(); endmodule',
    "rtl/leaf.v": b'// top uses it\nmodule leaf #(parameter A = 0) (); initial $readmemh("rom.hex", m); endmodule',
    "rtl/p.sv": b"package p; typedef logic t; endpackage",
    "inc/defs.vh": b"`define W 8\n",
    "rtl/types.sv": b"typedef enum {A, B} state_t;\nmodule inside; typedef logic word_t; endmodule",
    "rtl/uses.sv": b"module uses; state_t s; word_t w; endmodule",
    "rtl/alone.v": b"// This module leaf is none\nmodule alone; endmodule",
    "tb/top_tb.v": b'module top_tb; top dut(); initial $display("alone mid"); endmodule',
}


def reach(**changes: bytes) -> Reach:
    files = {**FILES, **changes}
    return Reach({path: file_facts(content) for path, content in files.items()}, ["mem/rom.hex", "mem/other.hex"])


@pytest.mark.parametrize(
    ("changed", "users"),
    [
        ("rtl/alone.v", {"rtl/alone.v"}),
        ("rtl/leaf.v", {"rtl/leaf.v", "rtl/mid.sv", "rtl/top.v", "tb/top_tb.v"}),
        ("rtl/p.sv", {"rtl/p.sv", "rtl/mid.sv", "rtl/top.v", "tb/top_tb.v"}),
        ("inc/defs.vh", {"inc/defs.vh", "rtl/mid.sv", "rtl/top.v", "tb/top_tb.v"}),
        ("mem/rom.hex", {"mem/rom.hex", "rtl/leaf.v", "rtl/mid.sv", "rtl/top.v", "tb/top_tb.v"}),
        ("mem/other.hex", {"mem/other.hex"}),
        ("rtl/types.sv", {"rtl/types.sv", "rtl/uses.sv"}),
        ("tb/top_tb.v", {"tb/top_tb.v"}),
    ],
)
def test_who_depends_on_a_file(changed, users):
    assert reach().users([changed]) == users


def test_files_that_declare_the_same_module_do_not_use_each_other():
    facts = {
        "a/tb.v": file_facts(b"module tb; a x(); endmodule : tb"),
        "b/tb.v": file_facts(b"module tb; b x(); endmodule : tb"),
        "a.v": file_facts(b"module a; endmodule"),
        "b.v": file_facts(b"module b; endmodule"),
    }
    assert Reach(facts).users(["a.v"]) == {"a.v", "a/tb.v"}


def test_a_macro_that_a_file_sets_itself_comes_from_no_other():
    facts = {
        "a.v": file_facts(b"`define W 3\nmodule a; wire [`W:0] x; endmodule"),
        "b.v": file_facts(b"`ifndef W\n`define W 4\n`endif\nmodule b; wire [`W:0] x; endmodule"),
    }
    assert Reach(facts).users(["b.v"]) == {"b.v"}
    assert Reach(facts).users(["a.v"]) == {"a.v", "b.v"}


def test_a_name_that_is_gone_reaches_its_users():
    files = {path: file_facts(content) for path, content in FILES.items() if path != "rtl/leaf.v"}
    assert "rtl/mid.sv" in Reach(files).users([], {"leaf"})


def test_a_header_that_a_macro_names_may_be_any():
    found = reach(**{"rtl/alone.v": b"`include `HEADER\nmodule alone; endmodule"})
    assert "rtl/alone.v" in found.users(["inc/defs.vh"])


def test_a_link_follows_what_it_leads_to():
    found = Reach({"a.v": file_facts(b"module a; endmodule")}, ["copy.v"], {"copy.v": "a.v"})
    assert found.users(["a.v"]) == {"a.v", "copy.v"}


def test_files_that_use_each_other_come_to_an_end():
    facts = {
        "a.v": file_facts(b"module a; b x(); endmodule"),
        "b.v": file_facts(b"module b; a x(); endmodule"),
    }
    assert Reach(facts).users(["a.v"]) == {"a.v", "b.v"}
    assert Reach(facts).reached("a.v") == {"a.v", "b.v"}


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        (b"assign a = b;", b"  assign a=b ; // said", True),
        (b"assign a = b;", b"assign a = /* x */ b;\n\n", True),
        (b"assign a = b;", b"assign a = c;", False),
        (b"a <= b", b"a < = b", False),
        (b"a && b", b"a & &b", False),
        (b"a=~b;", b"a =~b ;", True),
        (b"a/b", b"a//b", False),
        (b"wire ab;", b"wire a b;", False),
        (b"`define A 1\nwire x;", b"`define A 1 wire x;", False),
        (b"`define A 1 // one\n", b"`define A 1\n", True),
        (b'"// no comment"', b'"// no  comment"', False),
        (b"wire a;", b"/* verilator lint_off WIDTH */ wire a;", False),
        (b"wire a; // synthesis keep", b"wire a;", False),
        (b"initial $display(`__LINE__);", b"\ninitial $display(`__LINE__);", False),
        (b"\\a+b c;", b"\\a +b c;", False),
    ],
)
def test_what_layout_and_comments_change(before, after, same):
    assert (visible_text(before) == visible_text(after)) is same
