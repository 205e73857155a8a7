"""What a file says about itself."""

from __future__ import annotations

from veriloop.assistant.design.facts import Unit, file_facts


def test_units_and_what_they_instantiate() -> None:
    facts = file_facts(
        b"""
        module a(input clk, output q); b #(1) u(); generate if (1) c v(); else begin d w(); end endgenerate
          for (genvar i = 0; i < 2; i++) begin e x(); end
          case (W) 1: f y(); default: begin g z(); b again(); end endcase
          bind target checker_m k();
        endmodule
        module old(x, y); input x; output y; nand n(y, x, x); endmodule
        interface bus(input clk); endinterface
        program p; endprogram
        primitive udp(o, i); output o; input i; table 0 : 1; 1 : 0; endtable endprimitive
        """
    )
    assert [(unit.name, unit.kind, unit.ports) for unit in facts.units] == [
        ("a", "module", 2),
        ("old", "module", 2),
        ("bus", "interface", 1),
        ("p", "program", 0),
        ("udp", "primitive", 1),
    ]
    assert facts.units[0].instantiates == ("b", "c", "d", "e", "f", "g", "checker_m")
    assert facts.units[0].binds == ("target",)
    assert facts.units[1].instantiates == ()


def test_packages_headers_and_binds() -> None:
    facts = file_facts(b'`include "x/defs.svh"\npackage p; import q::*; endpackage\nbind chip probe i(.*);\n')
    assert facts.packages == ("p",)
    assert facts.scopes == ("q",)
    assert facts.includes == ("x/defs.svh",)
    assert facts.binds == (("probe", "chip"),)


def test_what_drives_is_told_from_what_is_driven() -> None:
    assert file_facts(b"module t; initial begin #5 $finish; end endmodule").drives
    assert not file_facts(b"module t(input a); b #(3) u(a); endmodule").drives


def test_broken_text_is_no_error() -> None:
    assert file_facts(b"") == file_facts(b"\xff\xfe\x00")
    assert [unit.name for unit in file_facts(b"module m(input a; always @(; endmodule\nmodule n; endmodule").units][
        :1
    ] == ["m"]
    assert Unit(name="x", kind="module", ports=0).instantiates == ()
