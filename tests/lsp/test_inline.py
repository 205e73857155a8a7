"""Inline completion through the real server: marked Verilog in, what may be written out."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.assistant.design.marked import read_marks
from tests.lsp.client import Client, position
from veriloop.models.store import Store, data_home

_NUMBERS = itertools.count()
CHILD = """=== child.sv
module child (input logic clk, input logic [7:0] d, output logic [7:0] q);
endmodule
=== a.sv
"""
TWO = "module m(input a, b, output y, z);\n  assign y = a & b;\n  assign z§\nendmodule\n"


@pytest.fixture(scope="module")
def nothing_installed(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="module")
def client(nothing_installed, tree):
    one = Client(tree)
    yield one
    one.close()


class Writing:
    """Marked files, open in a client, and the cursor in one of them."""

    def __init__(self, client: Client, root: Path, text: str) -> None:
        marked = read_marks(text)
        root = marked.write(root / f"case{next(_NUMBERS)}")
        self.client = client
        self.name, self.at = marked.cursors[0]
        self.text = marked.files[self.name]
        self.uri = {name: client.open(root / name) for name in marked.files}[self.name]
        self.version = 1

    def params(self, *, invoked: bool = False) -> types.InlineCompletionParams:
        kinds = types.InlineCompletionTriggerKind
        context = types.InlineCompletionContext(kinds.Invoked if invoked else kinds.Automatic)
        here = position(self.text, self.at)
        return types.InlineCompletionParams(context, types.TextDocumentIdentifier(self.uri), here)

    def ask(self, *, invoked: bool = False) -> list[str]:
        found = self.client.request(types.TEXT_DOCUMENT_INLINE_COMPLETION, self.params(invoked=invoked))
        items: Any = found.items if hasattr(found, "items") else found or []
        return [item.insert_text for item in items]

    def type(self, text: str) -> None:
        here = position(self.text, self.at)
        self.version += 1
        change = types.TextDocumentContentChangePartial(types.Range(here, here), text)
        self.client.change(self.uri, self.version, change)
        content = self.text.encode()
        self.text = (content[: self.at] + text.encode() + content[self.at :]).decode()
        self.at += len(text.encode())


CASES = [
    (TWO, " = a & b;"),
    ("// é𝔸\n" + TWO, " = a & b;"),
    (
        CHILD + "module m;\n  logic clk; logic [7:0] d, q;\n  child u (\n    §\n  );\nendmodule\n",
        ".clk(clk),\n    .d(d),\n    .q(q)",
    ),
    (CHILD + "module m;\n  logic clk; logic [7:0] d, q;\n  child u (.clk(clk), .d(d), .q(§));\nendmodule\n", "q"),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_what_comes_next_is_suggested(client, tree, text, expected):
    assert expected in Writing(client, tree, text).ask()


def test_nothing_is_suggested_in_a_comment(client, tree):
    assert Writing(client, tree, "module m; // assi§\nendmodule\n").ask(invoked=True) == []


def test_who_types_a_suggestion_keeps_the_rest_of_it(client, tree):
    writing = Writing(client, tree, TWO)
    shown = writing.ask()[0]
    writing.type(shown[:3])
    assert writing.ask() == [shown[3:]]
    writing.type("~")
    assert shown[3:] not in writing.ask()


def install(model_file: Path) -> None:
    store = Store(data_home(os.environ))
    made = store.add(model_file, name="random")
    store.note(type(made)(**{**{name: getattr(made, name) for name in made.__slots__}, "has_fim": True}))
    store.use("random", ("complete",))


@pytest.mark.needs("llama.cpp")
def test_with_a_model_nothing_that_breaks_the_text_is_shown(tmp_path, monkeypatch, model_file):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    install(model_file)
    one = Client(tmp_path, timeout_s=120)
    writing = Writing(one, tmp_path, TWO)
    # Weights are random, so what the model writes is no Verilog.
    assert writing.ask(invoked=True) == [" = a & b;"]
    assert writing.ask() == [" = a & b;"]
    tasks = Path(f"/proc/{one.process_id}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    assert children, "the model has no process of its own"
    one.close()
    one.wait(lambda: not any(Path(f"/proc/{child}").exists() for child in children))


@pytest.mark.needs("llama.cpp")
def test_the_next_key_ends_what_the_model_is_doing(tmp_path, monkeypatch, write):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    install(write(tmp_path / "slow.gguf", width=768, layers=8, context=2048))
    one = Client(tmp_path, timeout_s=120)
    text = "".join(f"wire w{number};\n" for number in range(60))
    writing = Writing(one, tmp_path, f"module m;\n{text}assign w1§\nendmodule\n")
    writing.ask(invoked=True)
    writing.type(" ")
    asked = one.ask_soon(types.TEXT_DOCUMENT_INLINE_COMPLETION, writing.params(invoked=True))
    time.sleep(0.1)
    began = time.monotonic()
    writing.type("=")
    assert not asked.result(30)
    assert time.monotonic() - began < 3, "it went on for a text that is no more"
    ended = one.cancel(types.TEXT_DOCUMENT_INLINE_COMPLETION, writing.params(invoked=True), after_s=0.1)
    assert getattr(ended, "code", None) == types.LSPErrorCodes.RequestCancelled.value
    one.close()
