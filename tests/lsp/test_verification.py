"""Verification in the editor, with the real simulator and a real repository."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.lsp.client import Client

RIGHT = "module inv(input a, output y);\n  assign y = ~a;\nendmodule\n"
TESTBENCH = """module inv_tb;
  reg a; wire y; integer bad = 0;
  inv dut(.a(a), .y(y));
  initial begin
    a = 0; #1 if (y !== 1) bad = bad + 1;
    a = 1; #1 if (y !== 0) bad = bad + 1;
    if (bad) $display("FAILED: %0d errors", bad); else $display("ALL TESTS PASSED");
    $finish;
  end
endmodule
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VERILOOP_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "repo"
    (root / "tb").mkdir(parents=True)
    (root / "inv.sv").write_text(RIGHT)
    (root / "tb" / "inv_tb.sv").write_text(TESTBENCH)
    (root / "docs").mkdir()
    (root / "docs" / "inv.md").write_text("a | y\n0 | 1\n1 | 0\n")
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "all"]):
        subprocess.run(["git", *words], cwd=root, check=True)
    return root


def lens(client: Client, uri: str) -> str:
    params = types.CodeLensParams(types.TextDocumentIdentifier(uri))
    found = client.request(types.TEXT_DOCUMENT_CODE_LENS, params)
    return next((one.command.title for one in found if one.command.command == "veriloop.verify"), "")


def pulled(client: Client, uri: str) -> Any:
    params = types.DocumentDiagnosticParams(types.TextDocumentIdentifier(uri))
    return client.request(types.TEXT_DOCUMENT_DIAGNOSTIC, params).items


def execute(client: Client, command: str, *arguments: Any) -> Any:
    return client.request(
        types.WORKSPACE_EXECUTE_COMMAND, types.ExecuteCommandParams(command, arguments=list(arguments))
    )


def save(client: Client, path: Path, version: int, text: str) -> None:
    client.change(path.as_uri(), version, types.TextDocumentContentChangeWholeDocument(text))
    path.write_text(text)
    document = types.TextDocumentIdentifier(path.as_uri())
    client.notify(types.TEXT_DOCUMENT_DID_SAVE, types.DidSaveTextDocumentParams(document))


@pytest.mark.needs("verilator", "c++", "git")
def test_a_module_shows_how_it_stands_and_is_repaired(tree):
    client = Client(tree, timeout_s=300)
    path = tree / "inv.sv"
    uri = client.open(path)
    client.wait(lambda: lens(client, uri) == "tests: 1 test never ran here")
    judged = execute(client, "veriloop.verify", uri, "inv")
    assert (judged["passed"], judged["evidence"]) == (True, "tests")
    client.wait(lambda: lens(client, uri) == "tests: 1 passed, just now")

    broken = RIGHT.replace("~a", "a")
    client.change(uri, 2, types.TextDocumentContentChangeWholeDocument(broken))
    assert lens(client, uri) == "tests: 1 passed, just now, stale since line 2"
    with pytest.raises(JsonRpcException, match="not saved"):
        execute(client, "veriloop.verify", uri, "inv")
    save(client, path, 3, broken)
    judged = execute(client, "veriloop.verify", uri, "inv")
    assert (judged["passed"], judged["failing"]) == (False, ["inv_tb"])
    client.wait(lambda: lens(client, uri).startswith("tests: 1 of 1 failed (inv_tb)"))

    here = types.Range(types.Position(1, 0), types.Position(1, 0))
    params = types.CodeActionParams(types.TextDocumentIdentifier(uri), here, types.CodeActionContext([]))
    titles = [one.title for one in client.request(types.TEXT_DOCUMENT_CODE_ACTION, params)]
    assert titles[:3] == ["Verify this change", "Judge this failure: inv_tb", "Repair this: inv_tb fails"]
    verdict = execute(client, "veriloop.judge", uri, "inv_tb")
    assert (verdict["verdict"], verdict["evidence"][0]["line"]) == ("rtl", 2)
    marked = client.wait(lambda: [one for one in pulled(client, uri) if one.source == "veriloop"])
    assert (marked[0].range.start.line, marked[0].code) == (1, "judge-rtl")
    assert "inv_tb: rtl: the test passes what follows from the specification" in marked[0].message
    repaired = execute(client, "veriloop.repair", uri, "inv_tb")
    assert (repaired["status"], repaired["applied"]) == ("repaired", True)
    offer: Any = client.edits[0].edit
    (document,) = offer.document_changes
    assert document.text_document.version == 3
    (annotation,) = offer.change_annotations.values()
    assert annotation.needs_confirmation
    assert "evidence: tests" in annotation.label
    (edit,) = document.edits
    assert "~" in edit.new_text or "!" in edit.new_text
    assert path.read_text() == broken, "the edit is the client's to make"
    client.close()


def test_without_git_nothing_is_said(tmp_path):
    (tmp_path / "m.sv").write_text(RIGHT)
    client = Client(tmp_path)
    uri = client.open(tmp_path / "m.sv")
    assert lens(client, uri) == ""
    with pytest.raises(JsonRpcException, match="git"):
        execute(client, "veriloop.verify", uri, "inv")
    client.close()


@pytest.mark.needs("verilator", "c++", "git")
def test_what_runs_ends_when_it_is_taken_back(tree):
    (tree / "tb" / "inv_tb.sv").write_text(TESTBENCH.replace("a = 0;", "forever #1 a = ~a;"))
    client = Client(tree, timeout_s=300)
    uri = client.open(tree / "inv.sv")
    words = types.ExecuteCommandParams("veriloop.verify", arguments=[uri, "inv"])

    def begun(number: int) -> Any:
        told = [one for one in client.progress if isinstance(one.value, dict) and one.value["kind"] == "begin"]
        running = [one.token for one in told if str(one.token).startswith("veriloop/work/")]
        return running[number] if len(running) > number else None

    asked = client.ask_soon(types.WORKSPACE_EXECUTE_COMMAND, words)
    token = client.wait(lambda: begun(0))
    client.notify(types.WINDOW_WORK_DONE_PROGRESS_CANCEL, types.WorkDoneProgressCancelParams(token))
    # Its simulations would each run until they are out of time, a minute later.
    with pytest.raises(JsonRpcException) as ended:
        asked.result(55)
    assert ended.value.code == types.LSPErrorCodes.RequestCancelled.value
    taken_back = client.cancel(types.WORKSPACE_EXECUTE_COMMAND, words, after_s=1.0)
    assert getattr(taken_back, "code", None) == types.LSPErrorCodes.RequestCancelled.value
    client.wait(lambda: len([one for one in client.progress if _ended(one)]) == 2)
    for wrong in ([uri], [uri, 3], []):
        with pytest.raises(JsonRpcException, match="takes a URI and a text"):
            execute(client, "veriloop.verify", *wrong)
    client.close()


def _ended(told: types.ProgressParams) -> bool:
    return isinstance(told.value, dict) and told.value["kind"] == "end" and "work" in str(told.token)


@pytest.mark.needs("verilator", "c++", "iverilog", "cocotb")
def test_a_testbench_is_written_for_a_module(tree):
    client = Client(tree, timeout_s=300)
    path = tree / "inv.sv"
    uri = client.open(path)
    here = types.Range(types.Position(1, 0), types.Position(1, 0))
    params = types.CodeActionParams(types.TextDocumentIdentifier(uri), here, types.CodeActionContext([]))
    titles = [one.title for one in client.request(types.TEXT_DOCUMENT_CODE_ACTION, params)]
    assert "Write a testbench for inv" in titles
    tests = types.CodeActionParams(
        types.TextDocumentIdentifier(client.open(tree / "tb" / "inv_tb.sv")), here, types.CodeActionContext([])
    )
    assert not any("testbench" in one.title for one in client.request(types.TEXT_DOCUMENT_CODE_ACTION, tests))

    written = execute(client, "veriloop.testbench", uri, "inv")
    assert (written["passed"], written["applied"], written["score"]) == (True, True, 100.0)
    offer: Any = client.edits[-1].edit
    created = [one.uri for one in offer.document_changes if isinstance(one, types.CreateFile)]
    assert created == [(tree / "tests" / name).as_uri() for name in ("test_inv.py", "test_inv_expected.txt")]
    (annotation,) = offer.change_annotations.values()
    assert annotation.needs_confirmation
    assert not (tree / "tests").exists(), "the files are the client's to make"

    (tree / "tests").mkdir()
    (tree / "tests" / "test_inv.py").write_text("")
    with pytest.raises(JsonRpcException, match="is there already"):
        execute(client, "veriloop.testbench", uri, "inv")
    client.close()
