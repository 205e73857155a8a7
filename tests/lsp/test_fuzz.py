"""Random edits and requests: nothing crashes, and the answers are those of a server that starts with the last text."""

from __future__ import annotations

import os
import random
import shutil
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.client import Client, position
from veriloop.assistant.design.syntax import SyntaxTree

EDITS = int(os.environ.get("VERILOOP_FUZZ_EDITS", "150"))
FILE = os.environ.get("VERILOOP_FUZZ_FILE")
"""A real file to begin with, for longer runs than those of every day."""
ROOT = os.environ.get("VERILOOP_FUZZ_ROOT")
"""The tree that the file stands in, whose other files are there, too; it is copied."""
_COMPARED = 15
"""Places at which the server is compared with a fresh one."""
_SUGGESTED = 0.2
_PIECES = [
    "module x(input a);", "endmodule", "begin", "end", "wire w;", "assign w = a;", "(", ")", "#(", "`ifdef X\n",
    "`endif\n", "`define M(a) a\n", "`M(", "typedef struct { int q; } t;", ".", "::", "\n", " ", "é", "\U0001d538",
    "\r\n", "/*", "*/", "//", '"', "for (genvar i=0;i<2;i++) begin : g", "c u(.a(a));", "import p::*;", "package p;",
    "endpackage", "generate", "'{", "}",
]  # fmt: skip
_TEXT = """package p; typedef enum {A, B} e; endpackage
module c #(parameter W = 3)(input [W-1:0] a, output reg q);
  import p::*;
  e state;
  always @(posedge a[0]) case (state) A: q <= a[1]; default: q <= p::B; endcase
endmodule
module top;
  wire [2:0] a; wire q;
  for (genvar i = 0; i < 2; i++) begin : g
    c #(.W(3)) u(.a(a), .q());
  end
  assign a = g[0].u.q;
endmodule
"""
_REQUESTS = {
    types.TEXT_DOCUMENT_HOVER: types.HoverParams,
    types.TEXT_DOCUMENT_DEFINITION: types.DefinitionParams,
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: types.DocumentHighlightParams,
    types.TEXT_DOCUMENT_COMPLETION: types.CompletionParams,
    types.TEXT_DOCUMENT_SIGNATURE_HELP: types.SignatureHelpParams,
    types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY: types.CallHierarchyPrepareParams,
}


def test_random_edits_and_requests(tmp_path):
    random_ = random.Random(int(os.environ.get("VERILOOP_FUZZ_SEED", "7")))
    first = Path(FILE).read_text(encoding="utf-8").replace("\r", "") if FILE else _TEXT
    tree = tmp_path / "tree"
    path = tree / (Path(FILE).relative_to(ROOT) if FILE and ROOT else "a.sv")
    if ROOT:
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(first, encoding="utf-8")
    client = Client(tree)
    uri, text = client.open(path), first
    for version in range(2, EDITS + 2):
        start = random_.randrange(len(text) + 1)
        end = min(len(text), start + random_.choice([0, 0, 0, 1, 5, 30]))
        piece = random_.choice(_PIECES) if random_.random() < 0.8 else ""
        if "\r" in text[max(0, start - 1) : end + 1]:
            # No client sends a range that cuts a line's end in two.
            continue
        place = types.Range(*(position(text, len(text[:at].encode())) for at in (start, end)))
        text = text[:start] + piece + text[end:]
        client.change(uri, version, types.TextDocumentContentChangePartial(place, piece))
        if version % 3 == 0:
            ask(client, uri, text, random_)
        if len(text) > len(first) + 3000 or not text:
            text = first
            client.change(uri, version, types.TextDocumentContentChangeWholeDocument(text))
    fresh = Client(tree)
    fresh.open(path, text)
    document = types.TextDocumentIdentifier(uri)
    for method, params in (
        (types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, types.SemanticTokensParams(document)),
        (types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.DocumentSymbolParams(document)),
        (types.TEXT_DOCUMENT_FOLDING_RANGE, types.FoldingRangeParams(document)),
    ):
        one, other = client.request(method, params), fresh.request(method, params)
        assert one.data == other.data if hasattr(one, "data") else one == other
    for _ in range(_COMPARED):
        at = position(text, len(text[: random_.randrange(len(text) + 1)].encode()))
        context = types.ReferenceContext(include_declaration=True)
        for method, kind in _REQUESTS.items():
            params = kind(document, at)
            assert client.request(method, params) == fresh.request(method, params), (method, at)
        wanted = types.ReferenceParams(context, document, at)
        found = [one.request(types.TEXT_DOCUMENT_REFERENCES, wanted) for one in (client, fresh)]
        # File by file; in which order the files were read is a server's own affair.
        assert sorted(map(str, found[0])) == sorted(map(str, found[1])), at
    client.close()
    fresh.close()


def ask(client: Client, uri: str, text: str, random_: random.Random) -> None:
    chosen = random_.randrange(len(text) + 1)
    at = position(text, len(text[:chosen].encode()))
    if random_.random() < _SUGGESTED:
        context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
        params = types.InlineCompletionParams(context, types.TextDocumentIdentifier(uri), at)
        found: Any = client.request(types.TEXT_DOCUMENT_INLINE_COMPLETION, params)
        gaps = SyntaxTree(text.encode()).gap_count
        for item in found.items if hasattr(found, "items") else found or []:
            written = text[:chosen] + item.insert_text + text[chosen:]
            assert SyntaxTree(written.encode()).gap_count <= gaps, item.insert_text
    method, kind = random_.choice(list(_REQUESTS.items()))
    client.request(method, kind(types.TextDocumentIdentifier(uri), at))
    refused = None
    try:
        client.request(types.TEXT_DOCUMENT_RENAME, types.RenameParams(types.TextDocumentIdentifier(uri), at, "zz"))
    except JsonRpcException as error:
        refused = error
    assert refused is None or refused.code == types.LSPErrorCodes.RequestFailed.value


def test_the_sample_is_valid_to_begin_with(tmp_path):
    path = Path(tmp_path / "a.sv")
    path.write_text(_TEXT)
    client = Client(tmp_path)
    uri = client.open(path)
    client.wait(lambda: uri in client.diagnostics)
    errors = [one for one in client.diagnostics[uri].diagnostics if one.severity == types.DiagnosticSeverity.Error]
    assert errors == []
    client.close()
