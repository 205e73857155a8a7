from __future__ import annotations

import time

import pytest

from tests.assistant.design.marked import read_marks
from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.editing.coloring import color
from veriloop.assistant.design.editing.definition import definition
from veriloop.assistant.design.editing.uses import find_references

# Each text is about one name: from every marked place the definition is the marked declaration, and the references are
# all marked places and nothing else.
NAMES = {
    "port": "module m(input ⟪a⟫, output b); assign b = ⟦a⟧ & ⟦a⟧; endmodule",
    "port of the old style": "module m(⟦a⟧, b); input ⟪a⟫; output b; wire b = ⟦a⟧; endmodule",
    "net": "module m; wire [3:0] ⟪w⟫ = 1, v = ⟦w⟧; endmodule module n; wire w; assign w = 1; endmodule",
    "memory": "module m; reg [7:0] ⟪mem⟫ [0:3]; initial ⟦mem⟧[0] = ⟦mem⟧[1]; endmodule",
    "parameter": "module m #(parameter ⟪W⟫ = 2, V = ⟦W⟧)(input [⟦W⟧-1:0] a); endmodule",
    "parameter without its keyword": "module m #(⟪W⟫=2, V=⟦W⟧)(input [⟦W⟧-1:0] a); endmodule",
    "parameter before a directive": """module m #(parameter logic ⟪A⟫ = 1,
`ifdef X
parameter P = 1
`else
parameter P = 0
`endif
)(input a); wire w = ⟦A⟧; endmodule""",
    "bound from another file": """=== c.sv\nmodule c; parameter ⟪D⟫ = 2; wire [⟦D⟧:0] w; endmodule
=== b.sv\nmodule p #(parameter D = 1)(); endmodule bind c p #(.D(⟦D⟧)) u();""",
    "localparam": "module m; localparam ⟪L⟫ = 8'hFF; wire [⟦L⟧:0] x = 4'b1?⟦L⟧:2; endmodule",
    "function": "module m; function ⟪f⟫(input x); ⟦f⟧ = x; endfunction wire y = ⟦f⟧(1); endmodule",
    "argument": "module m; function f(input ⟪x⟫, y); f = ⟦x⟧ + y; endfunction wire x = f(.⟦x⟧(1), .y(2)); endmodule",
    "task": "module m; task ⟪t⟫; begin end endtask initial ⟦t⟧; endmodule",
    "genvar": "module m; genvar ⟪g⟫; for (⟦g⟧ = 0; ⟦g⟧ < 2; ⟦g⟧ = ⟦g⟧ + 1) begin : b wire w = ⟦g⟧; end endmodule",
    "genvar of a loop": """module m; for (genvar ⟪g⟫ = 0; ⟦g⟧ < 2; ⟦g⟧++) begin wire w = ⟦g⟧; end
        for (genvar g = 0; g < 2; g++) begin end endmodule""",
    "loop variable": "module m; initial for (int ⟪i⟫ = 0; ⟦i⟧ < 2; ⟦i⟧++) $display(⟦i⟧); int i; endmodule",
    "foreach": "module m; int a[4]; initial foreach (a[⟪i⟫]) a[⟦i⟧] = ⟦i⟧; endmodule",
    "shadowed": "module m; int ⟪i⟫; initial begin int i; i = 1; end initial ⟦i⟧ = 2; endmodule",
    "shadowing": "module m; int i; initial begin int ⟪i⟫; ⟦i⟧ = 1; end initial i = 2; endmodule",
    "generate block": "module m; for (genvar i=0;i<2;i++) begin : ⟪g⟫ wire w; end assign ⟦g⟧[0].w = 1; endmodule",
    "in a generate block": "module m; for (genvar i=0;i<2;i++) begin : g wire ⟪w⟫; end assign g[0].⟦w⟧ = 1; endmodule",
    "typedef": "module m; typedef logic [3:0] ⟪t⟫; ⟦t⟧ x; wire ⟦t⟧ y; endmodule",
    "struct member": "module m; typedef struct { int ⟪a⟫; int b; } s; s x, a; assign x.⟦a⟧ = 1; endmodule",
    "nested struct": """package p; typedef struct packed { logic ⟪q⟫; } in_t;
        typedef struct { in_t in; } out_t; endpackage
        module m(input p::out_t x[2]); wire q = x[1].in.⟦q⟧; endmodule""",
    "pattern key": "module m; typedef struct { int ⟪a⟫; } s; int a; s x = '{⟦a⟧: a}; endmodule",
    "pattern of an array": "module m; typedef struct {int ⟪a⟫;} s; s x[2] = '{'{⟦a⟧: 1}, '{⟦a⟧: 2}}; endmodule",
    "anonymous struct": "module m; struct { int ⟪a⟫; } s; initial s.⟦a⟧ = 1; endmodule",
    "enum value": "module m; typedef enum {⟪IDLE⟫, RUN} s_t; s_t s; always_comb case (s) ⟦IDLE⟧: ; "
    "default: ; endcase endmodule",
    "enum in a package": """package p; typedef enum {⟪A⟫} e; endpackage
        module m; import p::*; int x = ⟦A⟧, y = p::⟦A⟧; endmodule""",
    "package": "package ⟪p⟫; int x; endpackage : ⟦p⟧ module m import ⟦p⟧::*; (input a); int y = ⟦p⟧::x; endmodule",
    "imported by name": """package p; parameter ⟪X⟫ = 1; parameter Y = 2; endpackage
        module m; import p::⟦X⟧; int a = ⟦X⟧; endmodule""",
    "module": "module ⟪c⟫; endmodule module m; ⟦c⟧ c1(); ⟦c⟧ #(1) c2(); endmodule : m",
    "module and instance": "module ⟪c⟫(input a); endmodule module m; ⟦c⟧ c(.a(1)); wire x = c.a; endmodule",
    "instance": "module c; wire w; endmodule module m; c ⟪u⟫(); assign ⟦u⟧.w = 1; endmodule",
    "connected port": "module c(input ⟪a⟫, b); wire x = ⟦a⟧; endmodule module m; wire a; c u(.⟦a⟧(a), .b(a)); "
    "endmodule",
    "connected parameter": "module c #(parameter ⟪P⟫ = 1)(); endmodule module m; parameter P = 2; c #(.⟦P⟧(P)) u(); "
    "endmodule",
    "hierarchical name": "module c; reg ⟪r⟫; endmodule module m; c u(); initial m.u.⟦r⟧ = 1; endmodule",
    "interface": "interface ⟪b⟫; endinterface module m(⟦b⟧ x, ⟦b⟧.s y); ⟦b⟧ z(); endmodule",
    "interface member": "interface b; logic ⟪d⟫; modport s(input ⟦d⟧); endinterface module m(b.s x); "
    "wire w = x.⟦d⟧; endmodule",
    "modport": "interface b; logic d; modport ⟪s⟫(input d); endinterface module m(b.⟦s⟧ x); endmodule",
    "class": "class ⟪A⟫; endclass class B extends ⟦A⟧; endclass module m; ⟦A⟧ a = new; endmodule",
    "inherited": "class A; int ⟪x⟫; endclass class B extends A; function f(); ⟦x⟧ = this.⟦x⟧ + super.⟦x⟧; "
    "endfunction endclass",
    "method out of the class": """class A; extern function void ⟪f⟫(int k); int x; endclass
        function void A::⟦f⟧(int k); x = k; endfunction""",
    "member in a method out of the class": """class A; extern function void f(); int ⟪x⟫; endclass
        function void A::f(); ⟦x⟧ = 1; endfunction""",
    "macro": "`define ⟪M⟫ 1\n`ifdef ⟦M⟧\nmodule m; wire M = `⟦M⟧; endmodule\n`endif",
    "macro argument": "`define ADD(⟪a⟫, b) ((⟦a⟧) + (b))\nmodule m; wire a = `ADD(1, 2); endmodule",
    "name in a macro's use": "`define ID(x) x\nmodule m; wire ⟪w⟫; wire v = `ID(⟦w⟧); endmodule",
    "property": "module m(input c); property ⟪p⟫; @(posedge c) 1; endproperty assert property (⟦p⟧); endmodule",
    "escaped": "module m; wire \\⟪a+b⟫ ; assign \\⟦a+b⟧ = 1; endmodule",
    "without the unused branch": "module m;\n`ifdef X\nwire ⟪w⟫;\n`else\nreg ⟪w⟫;\n`endif\nassign ⟦w⟧ = 1; endmodule",
    "comment and string": 'module m; wire ⟪w⟫; // w\n/* w */ initial $display("w", ⟦w⟧); endmodule',
    "after an error": "module m; wire ⟪w⟫; assign = ; assign ⟦w⟧ = (; wire v = ⟦w⟧; endmodule",
    "no end of the module": "module m(input ⟪a⟫);\n wire x = ⟦a⟧;\n assign y = ⟦a⟧",
    "bound": "module t; wire ⟪w⟫; endmodule module c(input a); endmodule bind t c u(.a(⟦w⟧));",
    "other file": "=== c.sv\nmodule c(input ⟪a⟫); endmodule\n=== m.sv\nmodule m; c u(.⟦a⟧(1)); endmodule",
    "header": '=== h.svh\nparameter ⟪W⟫ = 3;\n=== m.sv\nmodule m;\n`include "h.svh"\nwire [⟦W⟧:0] x; endmodule',
    "name of the includer in a header": """=== m.sv\nmodule m; wire ⟪clk⟫;\n`include "h.svh"\nendmodule
=== h.svh\nassign x = ⟦clk⟧;\n""",
    "macro of a header": '=== h.vh\n`define ⟪W⟫ 3\n=== m.sv\n`include "h.vh"\nmodule m; wire [`⟦W⟧:0] x; endmodule',
    "nearest of two": """=== a/c.sv\nmodule ⟪c⟫; endmodule\n=== b/c.sv\nmodule c; endmodule
=== a/m.sv\nmodule m; ⟦c⟧ u(); endmodule\n=== b/m.sv\nmodule m2; c u(); endmodule""",
}


@pytest.mark.parametrize("indexed", [True, False], ids=["indexed", "fresh"])
@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES.keys())
def test_a_name_is_found_from_everywhere(text, indexed, tmp_path):
    check(text, tmp_path, indexed)


def check(text: str, root, indexed: bool) -> None:
    marked = read_marks(text)
    analysis = Analysis({marked.write(root): None})
    if indexed:
        analysis.workspace.index()
    everywhere = sorted([*marked.declarations, *marked.uses])
    for name, start, _ in everywhere:
        source = analysis.source(root / name)
        at = f"from {name}:{source.lines.position(start)}"
        found = [(str(one.path.relative_to(root)), one.start, one.end) for one in definition(analysis, source, start)]
        assert set(marked.declarations) <= set(found), at
        references = find_references(analysis, source, start)
        assert sorted((str(one.path.relative_to(root)), one.start, one.end) for one in references) == everywhere, at


def test_a_connection_without_parentheses_means_the_port_and_the_signal(tmp_path):
    marked = read_marks("module c(input ⟪a⟫); endmodule module m(input ⟪a⟫); c u(.⟦a⟧); endmodule")
    analysis = Analysis({marked.write(tmp_path): None})
    source = analysis.source(tmp_path / "a.sv")
    ((_, use, _),) = marked.uses
    port, signal = [start for _, start, _ in marked.declarations]
    assert [one.start for one in definition(analysis, source, use)] == [port, signal]
    assert [one.start for one in find_references(analysis, source, port)] == [port, use]
    assert [one.start for one in find_references(analysis, source, signal)] == [signal, use]


def test_alternatives_that_share_a_name_are_both_meant_from_outside(tmp_path):
    marked = read_marks(
        "module m; if (1) begin : g wire ⟪w⟫; end else begin : g wire ⟪w⟫; end assign g.⟦w⟧ = 1; endmodule"
    )
    analysis = Analysis({marked.write(tmp_path): None})
    source = analysis.source(tmp_path / "a.sv")
    ((_, use, _),) = marked.uses
    declared = [start for _, start, _ in marked.declarations]
    assert [one.start for one in definition(analysis, source, use)] == declared
    assert [one.start for one in find_references(analysis, source, declared[1])] == [*declared, use]


def test_a_macro_of_several_headers_leads_to_each(tmp_path):
    marked = read_marks(
        "=== a.svh\n`define ⟪CHECK⟫(x)\n=== b.svh\n`define ⟪CHECK⟫(x) x\n"
        '=== m.sv\n`ifdef QUIET\n`include "a.svh"\n`else\n`include "b.svh"\n`endif\nmodule m; `⟦CHECK⟧(1) endmodule\n'
    )
    analysis = Analysis({marked.write(tmp_path): None})
    ((_, use, _),) = marked.uses
    found = definition(analysis, analysis.source(tmp_path / "m.sv"), use)
    assert [(one.path.name, one.start, one.end) for one in found] == marked.declarations


def test_alternatives_that_share_a_name_are_told_apart_from_inside(tmp_path):
    marked = read_marks("module m; if (1) begin : g wire w; end else begin : g wire ⟪w⟫; wire x = ⟦w⟧; end endmodule")
    analysis = Analysis({marked.write(tmp_path): None})
    ((_, use, _),) = marked.uses
    found = definition(analysis, analysis.source(tmp_path / "a.sv"), use)
    assert [("a.sv", one.start, one.end) for one in found] == marked.declarations


@pytest.mark.parametrize(
    "text",
    [
        "module m; wire w = §unknown; endmodule",
        "module m; initial $dis§play; endmodule",
        "mod§ule m; endmodule",
        "module m; wire w = 8'h§FF; endmodule",
        "module m; wire w; // §w\nendmodule",
        "module m; wire w = x.§w; endmodule",
        "module c(input a); endmodule module m; c u(.§nothing(1)); endmodule",
        "§",
    ],
)
def test_what_is_declared_nowhere_is_not_found(text, tmp_path):
    marked = read_marks(text)
    analysis = Analysis({marked.write(tmp_path): None})
    ((name, at),) = marked.cursors
    assert definition(analysis, analysis.source(tmp_path / name), at) == []


def test_what_was_looked_for_everywhere_is_not_looked_for_again_at_each_name(tmp_path):
    for number in range(20):
        (tmp_path / f"f{number}.sv").write_text(f"module f{number};\n" + "// p of a package\n" * 2500 + "endmodule\n")
    # Declared nowhere, so each of them might be the package's.
    names = " ".join(f"assign u{number} = v{number};" for number in range(500))
    (tmp_path / "a.sv").write_text(f"module a; import p::*; {names} endmodule\n")
    analysis = Analysis({tmp_path: None})
    source = analysis.source(tmp_path / "a.sv")
    began = time.process_time()
    assert sum(1 for _ in color(analysis, source)) == 1
    # Many times as long if all files are looked through for `p` at each name.
    assert time.process_time() - began < 8
    assert not analysis.workspace.indexed
    (tmp_path / "p.sv").write_text("package p; endpackage\n")
    analysis.workspace.changed_on_disk(tmp_path / "p.sv")
    (found,) = definition(analysis, source, source.content.index(b"p::"))
    assert found.path.name == "p.sv"
