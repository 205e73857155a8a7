"""Explaining from the editor: of the buffer, in a document of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.client import Client

TEXT = """module m(input clk, input d, output reg q);
  always @(posedge clk)
    q <= d;
endmodule
"""


def actions(client: Client, uri: str, start: int, end: int) -> list[str]:
    selected = types.Range(types.Position(start, 0), types.Position(end, 0))
    params = types.CodeActionParams(types.TextDocumentIdentifier(uri), selected, types.CodeActionContext([]))
    return [one.title for one in client.request(types.TEXT_DOCUMENT_CODE_ACTION, params)]


def test_lines_are_explained(tmp_path, monkeypatch):
    monkeypatch.setenv("VERILOOP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "m.sv").write_text("// not what the buffer holds\n")
    client = Client(tmp_path)
    uri = client.open(tmp_path / "m.sv", TEXT)
    assert "Explain line 3" in actions(client, uri, 2, 2)
    assert "Explain lines 2 to 3" in actions(client, uri, 1, 3)
    words = types.ExecuteCommandParams("veriloop.explain", arguments=[uri, "2-3"])
    told = client.request(types.WORKSPACE_EXECUTE_COMMAND, words)
    assert "q" in told["text"]
    assert "clk" in told["text"]
    (shown,) = client.shown
    assert Path(told["path"]).read_text() == told["text"]
    assert shown.uri == Path(told["path"]).as_uri()
    for wrong in ("x", "1-"):
        with pytest.raises(JsonRpcException, match="no lines"):
            client.request(
                types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams("veriloop.explain", arguments=[uri, wrong])
            )
    client.close()
