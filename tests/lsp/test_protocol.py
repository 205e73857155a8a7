"""How the server behaves as a program: what it keeps up with, what it survives, how it is stopped."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError

from tests.lsp.client import ROOT, Client


def said(client: Client, uri: str) -> tuple[types.Diagnostic, ...]:
    told = client.diagnostics.get(uri)
    return tuple(told.diagnostics) if told is not None else ()


def definition(client: Client, uri: str, line: int, character: int) -> list[types.Location]:
    here = types.Position(line, character)
    params = types.DefinitionParams(types.TextDocumentIdentifier(uri), here)
    found: list[types.Location] = client.request(types.TEXT_DOCUMENT_DEFINITION, params)
    return found


def test_diagnostics_follow_the_text(client, tree):
    path = tree / "broken.sv"
    path.write_text("module broken;\n  wire w = 1\nendmodule\n")
    uri = client.open(path)
    client.wait(lambda: uri in client.diagnostics and client.diagnostics[uri].diagnostics)
    (one,) = client.diagnostics[uri].diagnostics
    assert (one.source, one.severity, one.range.start.line) == ("slang", types.DiagnosticSeverity.Error, 1)
    at = types.Position(1, 12)
    client.change(uri, 2, types.TextDocumentContentChangePartial(types.Range(at, at), ";"))
    client.wait(lambda: client.diagnostics[uri].version == 2)
    assert client.diagnostics[uri].diagnostics == ()


def test_clients_that_ask_for_diagnostics_get_them(tmp_path):
    (tmp_path / "a.sv").write_text("module m; wire w = unknown; endmodule\n")
    one = Client(tmp_path, pull=True)
    uri = one.open(tmp_path / "a.sv")
    params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    report = one.request(types.TEXT_DOCUMENT_DIAGNOSTIC, params)
    assert [item.code for item in report.items] == ["UndeclaredIdentifier"]
    assert one.diagnostics == {}
    one.close()


@pytest.mark.needs("verilator")
def test_saving_asks_verilator_and_says_nothing_twice(client, tree):
    path = tree / "linted.sv"
    path.write_text(
        "module linted(input [7:0] a, output [3:0] y, output z);\n"
        "  assign y = a;\n"
        "  reg q;\n"
        "  assign z = q;\n"
        "endmodule\n"
    )
    uri = client.open(path)
    client.notify(types.TEXT_DOCUMENT_DID_SAVE, types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
    client.wait(lambda: any(one.source == "verilator" for one in said(client, uri)))
    found = [(one.range.start.line, one.code, one.source) for one in client.diagnostics[uri].diagnostics]
    assert (1, "WidthTruncate", "slang") in found
    assert not any(line == 1 and source == "verilator" for line, _, source in found)
    assert (2, "UNDRIVEN", "verilator") in found


@pytest.mark.needs("verilator")
def test_waivers_of_the_tree_count(tmp_path):
    (tmp_path / "waived.sv").write_text("module waived(output z);\n  reg q;\n  assign z = q;\nendmodule\n")
    (tmp_path / "lint.vlt").write_text('`verilator_config\nlint_off -rule UNDRIVEN -file "*waived.sv"\n')
    one = Client(tmp_path, pull=True)
    uri = one.open(tmp_path / "waived.sv")
    document = types.TextDocumentIdentifier(uri)
    one.notify(types.TEXT_DOCUMENT_DID_SAVE, types.DidSaveTextDocumentParams(document))
    time.sleep(1.0)
    report = one.request(types.TEXT_DOCUMENT_DIAGNOSTIC, types.DocumentDiagnosticParams(document))
    assert "UNDRIVEN" not in [item.code for item in report.items]
    one.close()


def test_a_request_that_is_taken_back_ends(tmp_path):
    text = "\n".join(f"module m{i}(input a); wire w{i} = a; endmodule" for i in range(5000))
    (tmp_path / "big.sv").write_text(text)
    one = Client(tmp_path, timeout_s=120)
    uri = one.open(tmp_path / "big.sv")
    document = types.TextDocumentIdentifier(uri)
    symbols = types.DocumentSymbolParams(document)
    one.request(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, symbols)
    one.wait(lambda: uri in one.diagnostics)
    params = types.SemanticTokensParams(document)
    before = one.cpu_s
    one.request(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, params)
    whole_s = one.cpu_s - before
    # What is known of the names is forgotten with the text.
    one.change(uri, 2, types.TextDocumentContentChangeWholeDocument(text + "\n"))
    one.request(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, symbols)
    one.wait(lambda: one.diagnostics[uri].version == 2)
    before = one.cpu_s
    ended = one.cancel(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, params, after_s=0.02)
    assert isinstance(ended, JsonRpcException)
    assert ended.code == types.LSPErrorCodes.RequestCancelled.value
    assert len(definition(one, uri, 3, 30)) == 1
    assert one.cpu_s - before < 0.7 * whole_s, f"of {whole_s} s"
    one.close()


def test_a_crash_ends_the_request_alone(client, tree):
    path = tree / "fine.sv"
    path.write_text("module fine; wire a; wire b = a; endmodule\n")
    uri = client.open(path)
    with pytest.raises(JsonRpcInternalError):
        client.request(
            "veriloop/expandMacro", {"textDocument": {"uri": uri}, "position": {"line": "x", "character": 0}}
        )
    with pytest.raises(JsonRpcException, match="cannot be read"):
        definition(client, (tree / "nowhere.sv").as_uri(), 0, 0)
    assert len(definition(client, uri, 0, 30)) == 1


def test_a_buffer_hides_the_file_until_it_is_closed(tmp_path):
    one = Client(tmp_path)
    (tmp_path / "c.sv").write_text("module c(input a); endmodule\n")
    (tmp_path / "m.sv").write_text("module m; c u(.a(1)); endmodule\n")
    m = one.open(tmp_path / "m.sv")
    c = one.open(tmp_path / "c.sv", "\n\nmodule c(input a); endmodule\n")
    assert definition(one, m, 0, 10)[0].range.start.line == 2
    document = types.TextDocumentIdentifier(c)
    one.notify(types.TEXT_DOCUMENT_DID_CLOSE, types.DidCloseTextDocumentParams(document))
    assert definition(one, m, 0, 10)[0].range.start.line == 0
    one.close()


def test_files_that_change_on_disk_are_read_anew(tmp_path):
    one = Client(tmp_path)
    (tmp_path / "m.sv").write_text("module m; c u(); endmodule\n")
    m = one.open(tmp_path / "m.sv")
    assert definition(one, m, 0, 10) == []
    one.wait(lambda: one.registrations)
    assert one.registrations[0].method == types.WORKSPACE_DID_CHANGE_WATCHED_FILES
    path = tmp_path / "c.sv"
    for kind, text, expected in (
        (types.FileChangeType.Created, "module c; endmodule\n", 1),
        (types.FileChangeType.Changed, "module d; endmodule\n", 0),
        (types.FileChangeType.Changed, "module c; endmodule\n", 1),
        (types.FileChangeType.Deleted, "", 0),
    ):
        path.write_text(text) if text else path.unlink()
        change = types.FileEvent(path.as_uri(), kind)
        one.notify(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, types.DidChangeWatchedFilesParams([change]))
        assert len(definition(one, m, 0, 10)) == expected, kind
    one.close()


def test_settings_count_without_a_restart(tmp_path):
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "h.svh").write_text("parameter W = 3;\n")
    (tmp_path / "m.sv").write_text("`ifdef WIDE\nmodule m; wire w = unknown; endmodule\n`endif\n")
    one = Client(tmp_path, pull=True)
    uri = one.open(tmp_path / "m.sv")
    params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    assert one.request(types.TEXT_DOCUMENT_DIAGNOSTIC, params).items == ()
    (tmp_path / "veriloop.toml").write_text('[design]\ndefines = ["WIDE"]\n')
    one.notify(types.WORKSPACE_DID_CHANGE_CONFIGURATION, types.DidChangeConfigurationParams(settings={}))
    codes = [item.code for item in one.request(types.TEXT_DOCUMENT_DIAGNOSTIC, params).items]
    assert codes == ["UndeclaredIdentifier"]
    (tmp_path / "veriloop.toml").write_text("[desing]\n")
    change = types.FileEvent((tmp_path / "veriloop.toml").as_uri(), types.FileChangeType.Changed)
    one.notify(types.WORKSPACE_DID_CHANGE_WATCHED_FILES, types.DidChangeWatchedFilesParams([change]))
    (complaint,) = one.request(types.TEXT_DOCUMENT_DIAGNOSTIC, params).items
    assert "unknown key `desing`" in complaint.message
    one.close()


def test_several_trees_come_and_go(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    for root, other in ((first, "c"), (second, "d")):
        root.mkdir()
        (root / f"{other}.sv").write_text(f"module {other}; endmodule\n")
    (first / "m.sv").write_text("module m; c u(); d v(); endmodule\n")
    one = Client(first)
    uri = one.open(first / "m.sv")
    assert [len(definition(one, uri, 0, column)) for column in (10, 17)] == [1, 0]
    folder = types.WorkspaceFolder(second.as_uri(), "second")
    event = types.WorkspaceFoldersChangeEvent(added=[folder], removed=[])
    one.notify(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, types.DidChangeWorkspaceFoldersParams(event))
    assert [len(definition(one, uri, 0, column)) for column in (10, 17)] == [1, 1]
    event = types.WorkspaceFoldersChangeEvent(added=[], removed=[folder])
    one.notify(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS, types.DidChangeWorkspaceFoldersParams(event))
    assert [len(definition(one, uri, 0, column)) for column in (10, 17)] == [1, 0]
    one.close()


def test_a_file_alone_without_a_tree(tmp_path):
    path = tmp_path / "alone.sv"
    path.write_text("module alone(input a);\n wire b = a;\n missing u(b);\nendmodule\n")
    one = Client()
    uri = one.open(path)
    assert definition(one, uri, 1, 10)[0].range.start == types.Position(0, 19)
    one.wait(lambda: uri in one.diagnostics)
    assert one.diagnostics[uri].diagnostics == ()
    here = types.RenameParams(types.TextDocumentIdentifier(uri), types.Position(0, 19), "c")
    assert len(one.request(types.TEXT_DOCUMENT_RENAME, here).changes[uri]) == 2
    module = types.RenameParams(types.TextDocumentIdentifier(uri), types.Position(0, 8), "c")
    with pytest.raises(JsonRpcException, match="belongs to no project"):
        one.request(types.TEXT_DOCUMENT_RENAME, module)
    one.close()


def test_a_buffer_that_has_no_file(client):
    item = types.TextDocumentItem("untitled:Untitled-1", "systemverilog", 1, "module u; wire a; wire b = a; endmodule")
    client.notify(types.TEXT_DOCUMENT_DID_OPEN, types.DidOpenTextDocumentParams(item))
    (found,) = definition(client, "untitled:Untitled-1", 0, 27)
    assert (found.uri, found.range.start.character) == ("untitled:Untitled-1", 15)


def test_reading_the_trees_is_told(tmp_path):
    for number in range(60):
        body = "".join(f"wire [3:0] w{i} = {i}; assign x = w{i};\n" for i in range(400))
        (tmp_path / f"m{number}.sv").write_text(f"module m{number};\n{body}endmodule\n")
    one = Client(tmp_path)
    kinds = ("begin", "report", "end")
    one.wait(lambda: {told.value["kind"] for told in one.progress if isinstance(told.value, dict)} >= set(kinds))
    status: Any = one.request("veriloop/status", {})
    assert (status.files, status.indexed) == (60, 60)
    one.close()


def test_a_port_of_this_machine_alone(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "veriloop.assistant.cli.main", "lsp", "--tcp", str(port)]
    server = subprocess.Popen(
        words, env={"PYTHONPATH": str(ROOT / "dev"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    )
    try:
        end = time.monotonic() + 20
        while True:
            try:
                connection = socket.create_connection(("127.0.0.1", port), timeout=5)
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.05)
        listening = Path("/proc/net/tcp").read_text()
        assert f"0100007F:{port:04X}" in listening
        assert f"00000000:{port:04X}" not in listening
        params: dict[str, Any] = {"processId": None, "rootUri": None, "capabilities": {}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}).encode()
        with connection:
            connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            assert b"Content-Length" in connection.recv(64)
    finally:
        server.kill()
        server.wait()


def test_what_is_refused_is_not_logged(tmp_path):
    (tmp_path / "a.sv").write_text("module m; wire w = unknown; endmodule\n")
    one = Client(tmp_path)
    uri = one.open(tmp_path / "a.sv")
    params = types.RenameParams(types.TextDocumentIdentifier(uri), types.Position(0, 21), "x")
    # A log that nobody reads fills its pipe, and then the server would hang.
    for _ in range(400):
        with pytest.raises(JsonRpcException, match="nothing that is declared"):
            one.request(types.TEXT_DOCUMENT_RENAME, params)
    one.close()
