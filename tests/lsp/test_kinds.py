"""Each feature for each kind of name, through the real server, as a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.assistant.design.marked import Marked, read_marks
from tests.lsp.client import Client, cursor, position, span

Symbols = types.SymbolKind
Items = types.CompletionItemKind


@dataclass(frozen=True)
class Kind:
    """One kind of name: a text about one name, with the cursor on a use, and what each feature says of it."""

    text: str
    hover: tuple[str, ...]
    """Parts of what hovering says."""
    token: str
    """Its semantic token, of every marked place."""
    symbol: types.SymbolKind
    item: types.CompletionItemKind
    leads_to: str = ""
    """Text that ends with the name to which its type definition leads; empty: nowhere."""
    instances: tuple[str, ...] = ()
    """The names to which its implementation leads."""
    above: tuple[str, ...] | None = None
    """What instantiates it; none where it is in no hierarchy of its own."""
    signature: tuple[str, str] | None = None
    """A piece of the text and the signature that is shown after it."""


KINDS = {
    "module": Kind(
        "// Adds.\nmodule ⟪adder_k⟫ #(parameter N = 4)(input [N-1:0] a); endmodule : ⟦adder_k⟧\n"
        "module user_k; ⟦ad§der_k⟧ #(8) u1(0); ⟦adder_k⟧ u2(1); endmodule",
        ("module adder_k #(parameter N = 4)", "Adds."), "class", Symbols.Module, Items.Module,
        leads_to="module adder_k", instances=("u1", "u2"), above=("user_k",),
        signature=("#(", "adder_k #(parameter N = 4)"),
    ),
    "port": Kind(
        "module child_p(input [5:0] ⟪data_p⟫, // What comes.\n output q); assign q = ^⟦da§ta_p⟧; endmodule\n"
        "module user_p; child_p u(.⟦data_p⟧(6'd1), .q()); endmodule",
        ("input [5:0] data_p", "*input port* of module child_p", "6 bits", "What comes."),
        "parameter", Symbols.Property, Items.Property,
        signature=("child_p u(", "child_p(input [5:0] data_p, output q)"),
    ),
    "port of a type": Kind(
        "package types_q; typedef struct packed { logic [2:0] f; } word_q; endpackage\n"
        "module child_q(input types_q::word_q ⟪in_q⟫, output o); assign o = ⟦in§_q⟧.f[0]; endmodule",
        ("types_q::word_q in_q", "3 bits"), "parameter", Symbols.Property, Items.Property, leads_to="; } word_q",
    ),
    "parameter": Kind(
        "module child_w #(parameter ⟪WIDTH_W⟫ = 3 + 4 /* bits */)(input [⟦WID§TH_W⟧-1:0] a); endmodule\n"
        "module user_w; child_w #(.⟦WIDTH_W⟧(9)) u(0); endmodule",
        ("parameter WIDTH_W = 3 + 4", "*parameter* of module child_w", "value `9` · in `user_w.u`"),
        "variable", Symbols.Constant, Items.Constant,
    ),
    "package": Kind(
        "// Shared.\npackage ⟪shared_k⟫; parameter X = 1; endpackage : ⟦shared_k⟧\n"
        "module user_s import ⟦shared_k⟧::*; (); int a = ⟦sha§red_k⟧::X; endmodule",
        ("package shared_k;", "*package*", "Shared."), "namespace", Symbols.Package, Items.Module,
    ),
    "interface": Kind(
        "// A bus.\ninterface ⟪bus_k⟫; logic d; modport s(input d); endinterface\n"
        "module child_b(⟦b§us_k⟧.s x); endmodule\nmodule user_b; ⟦bus_k⟧ x(); child_b u(x); endmodule",
        ("interface bus_k;", "A bus."), "interface", Symbols.Interface, Items.Interface,
        leads_to="interface bus_k", instances=("x",), above=("user_b",),
    ),
    "interface port": Kind(
        "interface bus_m; logic d; endinterface\nmodule child_m(bus_m ⟪link_m⟫); wire w = ⟦li§nk_m⟧.d; endmodule",
        ("bus_m link_m", "port* of module child_m"), "parameter", Symbols.Property, Items.Property,
        leads_to="interface bus_m",
    ),
    "struct": Kind(
        "module m_st; typedef struct packed { logic [6:0] a; logic b; } ⟪pair_t⟫; // Two.\n"
        "⟦pa§ir_t⟧ x; ⟦pair_t⟧ y; endmodule",
        ("typedef struct packed", "*type* of module m_st", "8 bits"), "type", Symbols.Struct, Items.Struct,
    ),
    "struct member": Kind(
        "module m_sm; typedef struct packed { logic [6:0] ⟪low_sm⟫; logic b; } t_sm; t_sm x;\n"
        "assign x.⟦lo§w_sm⟧ = 7'd1; wire y = x.⟦low_sm⟧[0]; endmodule",
        ("logic [6:0] low_sm", "*member*"), "property", Symbols.Field, Items.Field,
    ),
    "struct variable": Kind(
        "module m_sv; typedef struct packed { logic [6:0] a; } t_sv; t_sv ⟪held_sv⟫;\n"
        "assign ⟦he§ld_sv⟧.a = 1; endmodule",
        ("t_sv held_sv", "7 bits"), "variable", Symbols.Variable, Items.Variable, leads_to="; } t_sv",
    ),
    "enum": Kind(
        "module m_en; typedef enum logic [1:0] {A_EN, B_EN} ⟪state_en⟫; ⟦sta§te_en⟧ s; endmodule",
        ("typedef enum logic [1:0]", "2 bits"), "type", Symbols.Struct, Items.Struct,
    ),
    "enum value": Kind(
        "module m_ev; typedef enum logic [2:0] {IDLE_EV, ⟪BUSY_EV⟫ = 5} e; e s; wire w = s == ⟦BU§SY_EV⟧; endmodule",
        ("*enum value*", "value `3'b101`", "3 bits"), "enumMember", Symbols.EnumMember, Items.EnumMember,
    ),
    "function": Kind(
        "module m_fu;\n // Doubles.\n function [7:0] ⟪twice_fu⟫(input [6:0] x); ⟦twice_fu⟧ = {x, 1'b0}; endfunction\n"
        "wire [7:0] y = ⟦twi§ce_fu⟧(3); endmodule",
        ("function [7:0] twice_fu(input [6:0] x);", "8 bits", "Doubles."), "function", Symbols.Function, Items.Function,
        signature=("y = twice_fu(", "twice_fu(input [6:0] x)"),
    ),
    "task": Kind(
        "module m_ta;\n // Waits.\n task ⟪wait_ta⟫(input int n); #n; endtask\n initial ⟦wai§t_ta⟧(3); endmodule",
        ("task wait_ta(input int n);", "*task* of module m_ta", "Waits."), "method", Symbols.Function, Items.Function,
        signature=("initial wait_ta(", "wait_ta(input int n)"),
    ),
    "macro": Kind(
        "// Larger.\n`define ⟪MAX_MA⟫(a, b) ((a) > (b) ? (a) : (b))\n"
        "module m_ma; int x = `⟦MA§X_MA⟧(1, 2);\n`ifdef ⟦MAX_MA⟧\n`endif\nendmodule",
        ("`define MAX_MA(a, b)", "*macro*", "Larger."), "macro", Symbols.Constant, Items.Constant,
        signature=("`MAX_MA(", "MAX_MA(a, b)"),
    ),
    "genvar": Kind(
        "module m_ge; genvar ⟪index_ge⟫; // Which.\n"
        "for (⟦index_ge⟧ = 0; ⟦index_ge⟧ < 2; ⟦index_ge⟧++) begin : g wire w = ⟦ind§ex_ge⟧; end endmodule",
        ("genvar index_ge", "*genvar* of module m_ge", "Which."), "variable", Symbols.Variable, Items.Variable,
    ),
    "hierarchical name": Kind(
        "module child_h; reg [3:0] ⟪state_h⟫; // Inside.\n always @* ⟦state_h⟧ = 0; endmodule\n"
        "module user_h; for (genvar i = 0; i < 2; i++) begin : g child_h u(); end\n"
        " wire [3:0] w = user_h.g[1].u.⟦sta§te_h⟧ | g[0].u.⟦state_h⟧; endmodule",
        ("reg [3:0] state_h", "of module child_h", "4 bits", "Inside."),
        "variable", Symbols.Variable, Items.Variable,
    ),
    "instance in a hierarchical name": Kind(
        "module child_i; wire w; endmodule\n"
        "module user_i; child_i ⟪unit_i⟫(); wire w = user_i.⟦un§it_i⟧.w; endmodule",
        ("child_i unit_i()", "*instance* of module user_i"), "property", Symbols.Object, Items.Reference,
        leads_to="module child_i", above=("user_i",),
    ),
}  # fmt: skip


class Case:
    """A kind's text, open in the client."""

    def __init__(self, client: Client, tree: Path, name: str) -> None:
        self.kind = KINDS[name]
        self.client = client
        self.marked: Marked = read_marks(self.kind.text)
        self.root = self.marked.write(tree / name.replace(" ", "_"))
        self.text = self.marked.files["a.sv"]
        self.uri = client.open(self.root / "a.sv")
        self.document = types.TextDocumentIdentifier(self.uri)
        self.declared = [span(self.text, a, b) for _, a, b in self.marked.declarations]
        self.everywhere = in_order([*self.declared, *(span(self.text, a, b) for _, a, b in self.marked.uses)])
        _, start, end = self.marked.declarations[0]
        self.name = self.text.encode()[start:end].decode()

    def ask(self, method: str, params: Any, **more: Any) -> Any:
        return self.client.request(method, params(**cursor(self.marked, self.root), **more))

    def ranges(self, found: Any) -> list[types.Range]:
        assert {one.uri for one in found} <= {self.uri}
        return in_order(one.range for one in found)

    def names(self, found: Any) -> tuple[str, ...]:
        lines = self.text.split("\n")
        return tuple(lines[one.start.line][one.start.character : one.end.character] for one in self.ranges(found))


def in_order(ranges: Iterable[types.Range]) -> list[types.Range]:
    return sorted(ranges, key=lambda one: (one.start.line, one.start.character))


@pytest.fixture(scope="module")
def cases(client: Client, tree: Path) -> dict[str, Case]:
    return {name: Case(client, tree, name) for name in KINDS}


@pytest.fixture(params=KINDS)
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    return cases[request.param]


def test_hover(case):
    told = case.ask(types.TEXT_DOCUMENT_HOVER, types.HoverParams).contents.value
    assert [part for part in case.kind.hover if part not in told] == [], told


def test_definition_and_declaration(case):
    assert case.ranges(case.ask(types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams)) == case.declared
    assert case.ranges(case.ask(types.TEXT_DOCUMENT_DECLARATION, types.DeclarationParams)) == case.declared


def test_type_definition(case):
    found = case.ranges(case.ask(types.TEXT_DOCUMENT_TYPE_DEFINITION, types.TypeDefinitionParams))
    if not case.kind.leads_to:
        assert found == []
        return
    end = case.text.index(case.kind.leads_to) + len(case.kind.leads_to)
    start = end - len(case.kind.leads_to.split()[-1])
    assert found == [span(case.text, start, end)]


def test_implementation(case):
    found = case.ask(types.TEXT_DOCUMENT_IMPLEMENTATION, types.ImplementationParams)
    assert case.names(found) == case.kind.instances


def test_references_and_highlights(case):
    context = types.ReferenceContext(include_declaration=True)
    found = case.ask(types.TEXT_DOCUMENT_REFERENCES, types.ReferenceParams, context=context)
    assert case.ranges(found) == case.everywhere
    lit = case.ask(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, types.DocumentHighlightParams)
    assert in_order(one.range for one in lit) == case.everywhere


def test_rename(case):
    place = case.ask(types.TEXT_DOCUMENT_PREPARE_RENAME, types.PrepareRenameParams)
    assert place in case.everywhere
    edit = case.ask(types.TEXT_DOCUMENT_RENAME, types.RenameParams, new_name="another_name")
    assert {one.new_text for one in edit.changes[case.uri]} == {"another_name"}
    assert in_order(one.range for one in edit.changes[case.uri]) == case.everywhere


def test_symbols(case):
    found = case.client.request(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.DocumentSymbolParams(case.document))
    waiting, kinds = list(found), []
    while waiting:
        one = waiting.pop()
        waiting += one.children or []
        if one.name == case.name:
            kinds.append((one.kind, one.selection_range))
    assert kinds == [(case.kind.symbol, case.declared[0])]
    found = case.client.request(types.WORKSPACE_SYMBOL, types.WorkspaceSymbolParams(case.name))
    assert [(one.kind, one.location.range) for one in found if one.name == case.name] == [
        (case.kind.symbol, case.declared[0])
    ]


def test_semantic_tokens(case):
    params = types.SemanticTokensParams(case.document)
    data = case.client.request(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, params).data
    names = case.client.capabilities.semantic_tokens_provider.legend.token_types
    line = column = 0
    kinds = {}
    for index in range(0, len(data), 5):
        column = data[index + 1] + (column if data[index] == 0 else 0)
        line += data[index]
        kinds[line, column] = (names[data[index + 3]], bool(data[index + 4] & 1))
    for place in case.everywhere:
        told = kinds[place.start.line, place.start.character]
        assert told[0] == case.kind.token
    assert kinds[case.declared[0].start.line, case.declared[0].start.character][1]


def test_completion(case):
    found = case.ask(types.TEXT_DOCUMENT_COMPLETION, types.CompletionParams)
    chosen = [item for item in found.items if item.label == case.name]
    assert [item.kind for item in chosen] == [case.kind.item]
    resolved = case.client.request(types.COMPLETION_ITEM_RESOLVE, chosen[0])
    assert case.name in resolved.documentation.value


def test_the_hierarchy_of_instances(case):
    items = case.ask(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY, types.CallHierarchyPrepareParams)
    if case.kind.above is None:
        # The hierarchy of the module around it.
        return
    (item,) = items
    up = case.client.request(types.CALL_HIERARCHY_INCOMING_CALLS, types.CallHierarchyIncomingCallsParams(item))
    assert tuple(one.from_.name for one in up) == case.kind.above


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.signature is not None])
def test_signature(name, cases):
    case = cases[name]
    after, label = case.kind.signature or ("", "")
    at = position(case.text, case.text.index(after) + len(after))
    if name == "module":
        at = position(case.text, case.text.index("#(8") + 2)
    params = types.SignatureHelpParams(case.document, at)
    (one,) = case.client.request(types.TEXT_DOCUMENT_SIGNATURE_HELP, params).signatures
    assert one.label == label


def test_what_depends_on_parameters_is_that_of_the_instance(client, tree):
    marked = read_marks(
        "module child_x #(parameter W = 2)(input [W-1:0] d); endmodule\n"
        "module user_x; child_x #(.W(3)) u1(.d(1)); child_x #(.§W(9)) u2(.§d(2)); endmodule\n"
    )
    root = marked.write(tree / "instances")
    document = types.TextDocumentIdentifier(client.open(root / "a.sv"))
    told = []
    for _, at in marked.cursors:
        params = types.HoverParams(document, position(marked.files["a.sv"], at))
        told.append(client.request(types.TEXT_DOCUMENT_HOVER, params).contents.value)
    assert "value `9` · in `user_x.u2`" in told[0]
    assert "9 bits · in `user_x.u2`" in told[1]
