"""Every feature through the real server, over stdio: marked Verilog in, places out."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.assistant.design.marked import Marked, read_marks
from tests.lsp.client import Client, cursor, position, span

_NUMBERS = itertools.count()

CHILD = """// A child.
module child #(parameter W = 8) (
  input clk, // the clock
  input [W-1:0] d,
  output reg [W-1:0] q
);
endmodule
"""


class Opened:
    """Marked files, open in the client."""

    def __init__(self, client: Client, tree: Path, text: str) -> None:
        self.client = client
        self.root = tree / f"case{next(_NUMBERS)}"
        self.marked: Marked = read_marks(text)
        self.marked.write(self.root)
        self.uris = {name: client.open(self.root / name) for name in self.marked.files}

    def ask(self, method: str, kind: Any, **more: Any) -> Any:
        return self.client.request(method, kind(**cursor(self.marked, self.root), **more))

    def document(self, name: str = "a.sv") -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uris[name])

    def declared(self) -> list[tuple[str, types.Range]]:
        return [(self.uris[name], span(self.marked.files[name], a, b)) for name, a, b in self.marked.declarations]

    def used(self) -> list[tuple[str, types.Range]]:
        return [(self.uris[name], span(self.marked.files[name], a, b)) for name, a, b in self.marked.uses]


@pytest.fixture
def opened(client, tree):
    return lambda text: Opened(client, tree, text)


def places(found: list[types.Location]) -> list[tuple[str, types.Range]]:
    return [(one.uri, one.range) for one in found]


NAVIGATION = [
    (types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams, "module m(input ⟪a⟫); wire b = §a; endmodule"),
    (types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams, "/* é𝔸 */ module m(input ⟪é_⟫); endmodule\n" * 0
     + 'module m; wire ⟪a⟫; /* é𝔸 */ wire b = §a; endmodule'),
    (types.TEXT_DOCUMENT_DECLARATION, types.DeclarationParams,
     "module m(b); output ⟪b⟫; reg ⟪b⟫; assign §b = 1; endmodule"),
    (types.TEXT_DOCUMENT_TYPE_DEFINITION, types.TypeDefinitionParams,
     "module m; typedef struct { int x; } ⟪t⟫; t a; initial §a.x = 1; endmodule"),
    (types.TEXT_DOCUMENT_TYPE_DEFINITION, types.TypeDefinitionParams,
     "module ⟪c⟫; endmodule module m; c §u(); endmodule"),
    (types.TEXT_DOCUMENT_IMPLEMENTATION, types.ImplementationParams,
     "module §c1; endmodule module m; c1 ⟪u⟫(), ⟪v⟫(); endmodule"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "kind", "text"), NAVIGATION)
def test_a_name_leads_to_its_places(opened, method, kind, text):
    case = opened(text)
    assert places(case.ask(method, kind)) == case.declared()


def test_references_with_and_without_the_declaration(opened):
    case = opened("module m(input ⟪a⟫); wire b = ⟦§a⟧ & ⟦a⟧; endmodule")
    for included in (True, False):
        context = types.ReferenceContext(include_declaration=included)
        found = case.ask(types.TEXT_DOCUMENT_REFERENCES, types.ReferenceParams, context=context)
        assert places(found) == [*(case.declared() if included else []), *case.used()]


def test_big_answers_come_in_parts(opened, client):
    case = opened("module m(input §a); " + "wire w = a; " * 500 + "endmodule")
    context = types.ReferenceContext(include_declaration=True)
    more = {"context": context, "partial_result_token": "part"}
    assert case.ask(types.TEXT_DOCUMENT_REFERENCES, types.ReferenceParams, **more) == ()
    parts = client.wait(lambda: [one.value for one in client.progress if one.token == "part"])
    client.wait(lambda: sum(len(one.value) for one in client.progress if one.token == "part") == 501)
    assert max(map(len, parts)) < 501


def test_highlights_tell_writing_from_reading(opened):
    case = opened("module m; reg a; always @(*) begin §a = 1; if (a) ; end endmodule")
    found = case.ask(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT, types.DocumentHighlightParams)
    kinds = types.DocumentHighlightKind
    assert [one.kind for one in found] == [kinds.Write, kinds.Write, kinds.Read]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            CHILD + "module m; child #(4) u(.§clk(1)); endmodule",
            ["input clk", "*input port* of module child", "the clock"],
        ),
        (CHILD + "module m; §child u(); endmodule", ["module child #(parameter W = 8) (", "A child."]),
        ("module m; localparam §L = 3 * 7; endmodule", ["localparam L = 3 * 7", "value `21`"]),
        ("module m #(parameter W = 5)(input [2*W-1:0] §d); endmodule", ["10 bits", "input [2*W-1:0] d"]),
        ("module m; typedef enum {A, §B} e; e x = B; endmodule", ["*enum value*", "value `1`"]),
        ("`define §TWO 2\nmodule m; wire [`TWO:0] x; endmodule", ["`define TWO 2", "*macro*"]),
        ("module m; wire w = §; // no name\nendmodule", None),
    ],
)
def test_hover_says_what_a_name_is(opened, text, expected):
    found = opened(text).ask(types.TEXT_DOCUMENT_HOVER, types.HoverParams)
    if expected is None:
        assert found is None
    else:
        assert [part for part in expected if part not in found.contents.value] == [], found.contents.value


def test_names_of_a_file_are_a_tree(opened, client):
    case = opened(
        "package p; typedef enum {A} e; endpackage\nmodule m(input a); if (1) begin : g wire w; end endmodule"
    )
    found = client.request(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.DocumentSymbolParams(case.document()))

    def tree(names: Any) -> Any:
        return {name.name: tree(name.children or []) for name in names}

    assert tree(found) == {"p": {"A": {}, "e": {}}, "m": {"a": {}, "g": {"w": {}}}}
    for one in found:
        assert one.range.start <= one.selection_range.start <= one.selection_range.end <= one.range.end


def test_names_of_all_files_are_found_by_their_letters(opened, client):
    case = opened("module quite_unlikely_name; endmodule")
    for query in ("quite_unlikely_name", "quite", "qunlnm"):
        found = client.request(types.WORKSPACE_SYMBOL, types.WorkspaceSymbolParams(query))
        assert [one.name for one in found if one.location.uri == case.uris["a.sv"]] == ["quite_unlikely_name"]


COMPLETION = [
    (CHILD + "module m; wire clk; child u(.§); endmodule", ["clk", "d", "q"], ["W", "always"]),
    (CHILD + "module m; child u(.clk(1), .§); endmodule", ["d", "q"], ["clk", "W"]),
    (CHILD + "module m; child #(.§) u(); endmodule", ["W"], ["clk"]),
    ("module m; typedef struct { int aa, ab; } t; t x; initial x.a§ endmodule", ["aa", "ab"], ["x", "t"]),
    ("package p; parameter XX = 1; endpackage module m; int a = p::§; endmodule", ["XX"], ["a"]),
    ("interface b; logic dd; endinterface module m(b x); assign x.§ endmodule", ["dd"], ["x"]),
    ("`define SIZE 3\nmodule m; wire [`S§:0] x; endmodule", ["SIZE"], ["m"]),
    ("module m; wire count; assign co§ endmodule", ["count"], ["SIZE"]),
    ("module m; function f(input arg1); f = ar§; endfunction endmodule", ["arg1"], ["m"]),
    ("package pq; parameter QQ = 1; endpackage module m; import pq::*; wire w = Q§; endmodule", ["QQ"], []),
    ("module m; // co§\nendmodule", [], ["count", "wire"]),
]


@pytest.mark.parametrize(("text", "present", "absent"), COMPLETION)
def test_completion_offers_what_can_be_written(opened, text, present, absent):
    found = opened(text).ask(types.TEXT_DOCUMENT_COMPLETION, types.CompletionParams)
    labels = [item.label for item in found.items]
    assert set(present) <= set(labels)
    assert not set(absent) & set(labels)


def test_a_completion_says_more_when_it_is_asked(opened, client):
    case = opened(CHILD + "module m; child u(.cl§); endmodule")
    found = case.ask(types.TEXT_DOCUMENT_COMPLETION, types.CompletionParams)
    (item,) = [item for item in found.items if item.label == "clk"]
    resolved = client.request(types.COMPLETION_ITEM_RESOLVE, item)
    assert "the clock" in resolved.documentation.value


def test_an_instance_is_completed_with_all_its_ports(opened):
    case = opened(CHILD + "module m;\n  chil§\nendmodule")
    found = case.ask(types.TEXT_DOCUMENT_COMPLETION, types.CompletionParams)
    (item,) = [item for item in found.items if item.label == "child instance"]
    assert item.text_edit.new_text == ("child ${1:u_child} (\n\t.clk(${2:clk}),\n\t.d(${3:d}),\n\t.q(${4:q})\n);")


@pytest.mark.parametrize(
    ("text", "label", "active"),
    [
        (CHILD + "module m; child u(a, §); endmodule", "child(input clk, input [W-1:0] d, output reg [W-1:0] q)", 1),
        (CHILD + "module m; child #(§) u(); endmodule", "child #(parameter W = 8)", 0),
        (CHILD + "module m; child u(.q(§)); endmodule", "child(input clk, input [W-1:0] d, output reg [W-1:0] q)", 2),
        ("module m; function f(input a, b); endfunction wire x = f(1, §); endmodule", "f(input a, b)", 1),
    ],
)
def test_signatures_name_what_is_being_written(opened, text, label, active):
    found = opened(text).ask(types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpParams)
    (one,) = found.signatures
    assert (one.label, found.active_parameter) == (label, active)


def test_rename_changes_every_file(opened, client):
    case = opened("=== c.sv\nmodule c(input ⟪a⟫); endmodule\n=== m.sv\nmodule m; wire a; c u(.⟦§a⟧(a)); endmodule")
    found = case.ask(types.TEXT_DOCUMENT_RENAME, types.RenameParams, new_name="b")
    changed = [(uri, edit.range) for uri, edits in found.changes.items() for edit in edits]
    assert sorted(changed, key=str) == sorted([*case.declared(), *case.used()], key=str)
    assert {edit.new_text for edits in found.changes.values() for edit in edits} == {"b"}


def test_rename_writes_out_what_a_connection_leaves_out(opened):
    case = opened("module c5(input a); endmodule module m(input §a); c5 u(.a); endmodule")
    found = case.ask(types.TEXT_DOCUMENT_RENAME, types.RenameParams, new_name="b")
    assert [edit.new_text for edits in found.changes.values() for edit in edits] == ["b", "a(b)"]


@pytest.mark.parametrize(
    ("text", "name", "reason"),
    [
        ("module m; wire a, b; assign §a = 1; endmodule", "b", "b is declared already"),
        ("module m; wire §a; endmodule", "wire", "reserved word"),
        ("module m; wire §a; endmodule", "1a", "is no name"),
        ("module m; wire a; initial begin int b; b = §a; end endmodule", "b", "means something else"),
        (
            "module c6(input a); endmodule module m; wire a; c6 u(.*); assign x = u.§a; endmodule",
            "b",
            "connected by .*",
        ),
    ],
)
def test_rename_refuses_with_the_reason(opened, text, name, reason):
    with pytest.raises(JsonRpcException, match=reason):
        opened(text).ask(types.TEXT_DOCUMENT_RENAME, types.RenameParams, new_name=name)


def test_rename_is_prepared_only_where_it_can_be_done(opened):
    case = opened("module m; wire ⟪§a⟫; endmodule")
    assert [
        (case.uris["a.sv"], case.ask(types.TEXT_DOCUMENT_PREPARE_RENAME, types.PrepareRenameParams))
    ] == case.declared()
    with pytest.raises(JsonRpcException, match="nothing that is declared"):
        opened("module m; wire w = §unknown; endmodule").ask(
            types.TEXT_DOCUMENT_PREPARE_RENAME, types.PrepareRenameParams
        )


def test_semantic_tokens_whole_by_range_and_what_changed(opened, client):
    case = opened("module m(input a);\nlocalparam L = 1;\nwire w = a;\nendmodule\n")
    full = client.request(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, types.SemanticTokensParams(case.document()))
    assert decoded(client, full.data) == [
        (0, 7, "class", 1),
        (0, 15, "parameter", 1),
        (1, 11, "variable", 3),
        (2, 5, "variable", 1),
        (2, 9, "parameter", 0),
    ]
    part = types.Range(types.Position(2, 0), types.Position(3, 0))
    some = client.request(
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, types.SemanticTokensRangeParams(case.document(), part)
    )
    assert decoded(client, some.data) == [(2, 5, "variable", 1), (2, 9, "parameter", 0)]
    client.change(case.uris["a.sv"], 2, types.TextDocumentContentChangePartial(part, "wire w = L & a;\n"))
    delta = client.request(
        types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA,
        types.SemanticTokensDeltaParams(case.document(), full.result_id),
    )
    data = list(full.data)
    for edit in delta.edits:
        data[edit.start : edit.start + edit.delete_count] = edit.data or []
    fresh = client.request(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, types.SemanticTokensParams(case.document()))
    assert data == list(fresh.data)
    assert sum(len(edit.data or []) for edit in delta.edits) < len(data)


def decoded(client: Client, data: Any) -> list[tuple[int, int, str, int]]:
    provider = client.capabilities.semantic_tokens_provider
    assert provider is not None
    names = provider.legend.token_types
    found, line, column = [], 0, 0
    for index in range(0, len(data), 5):
        column = data[index + 1] + (column if data[index] == 0 else 0)
        line += data[index]
        found.append((line, column, names[data[index + 3]], data[index + 4]))
    return found


def test_inlay_hints_name_ports_widths_and_values(opened, client):
    case = opened(CHILD + "module m #(parameter N = 2 + 2);\nwire [N-1:0] x;\nchild #(4) u(x[0], x, x);\nendmodule")
    every = types.Range(types.Position(0, 0), types.Position(99, 0))
    found = client.request(types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintParams(case.document(), every))
    labels = {str(hint.label).strip() for hint in found}
    assert {": 4", ": 4 bits", "W:", "→ clk:", "→ d:", "← q:"} <= labels


def test_folds_hold_modules_lists_comments_and_branches(opened, client):
    case = opened("// one\n// two\nmodule m(\n  input a\n);\n`ifdef X\nwire x;\n`else\nwire y;\n`endif\nendmodule\n")
    found = client.request(types.TEXT_DOCUMENT_FOLDING_RANGE, types.FoldingRangeParams(case.document()))
    lines = {(one.start_line, one.end_line) for one in found}
    assert {(0, 1), (2, 10), (2, 4), (5, 6), (7, 8)} <= lines


def test_a_selection_grows(opened, client):
    case = opened("module m; assign x = (a + §b); endmodule")
    here = cursor(case.marked, case.root)["position"]
    (found,) = client.request(types.TEXT_DOCUMENT_SELECTION_RANGE, types.SelectionRangeParams(case.document(), [here]))
    count, last = 0, found
    while last.parent is not None:
        assert last.parent.range.start <= last.range.start
        assert last.parent.range.end >= last.range.end
        last, count = last.parent, count + 1
    assert count > 4


def test_includes_are_links(opened, client):
    case = opened('=== h.svh\n// nothing\n=== a.sv\n`include "⟪h.svh⟫"\n`include "nowhere.svh"\n')
    (link,) = client.request(types.TEXT_DOCUMENT_DOCUMENT_LINK, types.DocumentLinkParams(case.document()))
    assert [(case.uris["a.sv"], link.range)] == case.declared()
    assert link.target == case.uris["h.svh"]


def test_the_hierarchy_goes_both_ways(opened, client):
    case = opened("module c7; endmodule module §b7; c7 u1(), u2(); endmodule module a7; b7 top(); endmodule")
    (item,) = case.ask(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY, types.CallHierarchyPrepareParams)
    down = client.request(types.CALL_HIERARCHY_OUTGOING_CALLS, types.CallHierarchyOutgoingCallsParams(item))
    up = client.request(types.CALL_HIERARCHY_INCOMING_CALLS, types.CallHierarchyIncomingCallsParams(item))
    assert [(one.to.name, one.to.detail, len(one.from_ranges)) for one in down] == [("c7", "u1, u2", 2)]
    assert [(one.from_.name, len(one.from_ranges)) for one in up] == [("a7", 1)]


def test_autos_are_a_code_action(opened, client):
    case = opened(CHILD + "module m8;\n  child #(.W(4)) u_c (/*AUTOINST*/);\nendmodule\n")
    every = types.Range(types.Position(0, 0), types.Position(0, 0))
    context = types.CodeActionContext([], only=[types.CodeActionKind.Source])
    (action,) = client.request(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionParams(case.document(), every, context))
    ((_, (edit,)),) = action.edit.changes.items()
    assert action.title == "Expand AUTOs"
    assert "// Outputs" in edit.new_text
    assert "(d[W-1:0])" in edit.new_text


def test_a_macro_is_shown_and_replaced(opened, client):
    case = opened(
        "`define ADD(a, b) ((a) + (b))\n`define TWICE(x) `ADD(x, x)\nmodule m; wire w = `§TWICE(y[1]); endmodule"
    )
    params = cursor(case.marked, case.root)
    raw = {"textDocument": {"uri": params["text_document"].uri},
           "position": {"line": params["position"].line, "character": params["position"].character}}  # fmt: skip
    assert client.request("veriloop/expandMacro", raw).expansion == "((y[1]) + (y[1]))"
    here = types.Range(params["position"], params["position"])
    actions = client.request(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionParams(case.document(), here, types.CodeActionContext([])),
    )
    ((_, (edit,)),) = next(one for one in actions if "TWICE" in one.title).edit.changes.items()
    assert edit.new_text == "((y[1]) + (y[1]))"


def test_drivers_and_cones(opened, client):
    case = opened("module m(input a, b, output §y); wire t; assign t = a & b; assign y = ~t; wire z = b; endmodule")
    params = cursor(case.marked, case.root)
    raw = {"textDocument": {"uri": params["text_document"].uri},
           "position": {"line": params["position"].line, "character": params["position"].character}}  # fmt: skip
    (driver,) = client.request("veriloop/drivers", raw)
    text = case.marked.files["a.sv"]
    assert driver["range"]["start"]["character"] == text.index("y = ~t")
    cone = client.request("veriloop/cone", raw)
    assert [(one["name"], one["distance"]) for one in cone] == [("t", 1), ("a", 2), ("b", 2)]


def test_lenses_count_instances(opened, client):
    case = opened("module c9; endmodule module m9; c9 u(), v(); endmodule")
    found = client.request(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensParams(case.document()))
    titles = {one.command.title for one in found if one.command.command == "veriloop.showReferences"}
    assert titles == {"2 instances", "not instantiated"}


@pytest.mark.needs("verible")
def test_formatting_is_veribles(opened, client):
    case = opened("module m;\nwire   a;\n   wire b;\nendmodule\n")
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    (edit,) = client.request(types.TEXT_DOCUMENT_FORMATTING, types.DocumentFormattingParams(case.document(), options))
    assert edit.new_text == "  wire a;\n  wire b;\n"
    part = types.Range(types.Position(1, 0), types.Position(2, 0))
    (edit,) = client.request(
        types.TEXT_DOCUMENT_RANGE_FORMATTING, types.DocumentRangeFormattingParams(case.document(), part, options)
    )
    assert (edit.range.start.line, edit.range.end.line) == (1, 2)
    broken = opened("module m; wire (\n")
    with pytest.raises(JsonRpcException, match="cannot format"):
        client.request(types.TEXT_DOCUMENT_FORMATTING, types.DocumentFormattingParams(broken.document(), options))


def test_positions_count_what_was_agreed_on(tmp_path):
    text = "module m; wire a; /* é𝔸 */ wire b = a; endmodule"
    (tmp_path / "a.sv").write_text(text, encoding="utf-8")
    for encoding, column in (("utf-8", len(text[:36].encode())), ("utf-16", 37), ("utf-32", 36)):
        one = Client(tmp_path, encoding=encoding)
        assert str(one.capabilities.position_encoding).lower().replace("-", "").endswith(encoding.replace("-", ""))
        uri = one.open(tmp_path / "a.sv")
        at = types.Position(0, column)
        (found,) = one.request(
            types.TEXT_DOCUMENT_DEFINITION, types.DefinitionParams(types.TextDocumentIdentifier(uri), at)
        )
        assert found.range == span(text, 15, 16)
        one.close()
    assert position(text, len(text[:36].encode())).character == 37
