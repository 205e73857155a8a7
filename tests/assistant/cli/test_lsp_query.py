"""Every question from the command line, in a process of its own kind: text and JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from veriloop.assistant.cli.lsp_query import QUESTIONS
from veriloop.assistant.cli.main import main

FILES = {
    "c.sv": "// a child\nmodule c #(parameter W = 2)(input [W-1:0] a, output y);\n  assign y = ^a;\nendmodule\n",
    "m.sv": (
        '`include "h.svh"\n`define TWO 2\nmodule m(output q);\n  wire [`TWO-1:0] a = 1;\n  c u(a, q);\nendmodule\n'
    ),
    "h.svh": "// nothing\n",
    "i.sv": "module i(input a, b, output y, z);\n  assign y = a & b;\n  assign z\nendmodule\n",
}
# Where each question is asked, and a piece of the answer.
CASES = {
    "definition": ("m.sv:5:7", "m.sv:4:19"),
    "declaration": ("m.sv:5:7", "m.sv:4:19"),
    "type-definition": ("m.sv:5:5", "c.sv:2:8"),
    "implementation": ("c.sv:2:8", "m.sv:5:5"),
    "references": ("c.sv:2:43", "c.sv:3:15"),
    "highlight": ("c.sv:2:43", "c.sv:3:15"),
    "hover": ("c.sv:2:43", "width_bits: 2"),
    "completion": ("c.sv:3:15", "always_ff"),
    "signature": ("m.sv:5:7", "c(input [W-1:0] a, output y)"),
    "prepare-rename": ("m.sv:5:7", "m.sv:5:7"),
    "rename": ("m.sv:5:7", "-> renamed"),
    "symbols": ("c.sv", "parameter W"),
    "workspace-symbols": ("c.sv", "kind: module"),
    "semantic-tokens": ("c.sv", "is_declaration: True"),
    "hints": ("m.sv", "→ a:"),
    "folding": ("c.sv", "last: 3"),
    "selection": ("c.sv:3:15", "c.sv:3:14"),
    "links": ("m.sv", "h.svh:1:1"),
    "hierarchy": ("c.sv:2:8", "names: u"),
    "expand-macro": ("m.sv:4:9", "text: 2"),
    "expand-autos": ("m.sv", "nothing"),
    "drivers": ("c.sv:3:10", "c.sv:3:10"),
    "driver-cone": ("c.sv:3:10", "name: a"),
    "load-cone": ("c.sv:2:43", "name: y"),
    "diagnostics": ("c.sv", "DECLFILENAME"),
    "inline": ("i.sv:3:11", "text:  = a & b;"),
}
TEXTS = {"rename": "renamed", "workspace-symbols": "c"}


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "veriloop.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("question", CASES)
def test_each_question_is_answered(question, tree, capsys):
    place, expected = CASES[question]
    if question == "diagnostics":
        (tree / "c.sv").write_text(FILES["c.sv"].replace("module c ", "module child "))
    words = ["lsp-query", question, place, *([TEXTS[question]] if question in TEXTS else [])]
    assert main(words) == 0
    assert expected in capsys.readouterr().out
    assert main([*words, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["question"] == question
    if question not in ("expand-autos",):
        assert answer["result"]


def test_every_question_is_tried_somewhere():
    # Formatting and verification need further tools, and are tried through the server.
    assert set(QUESTIONS) - set(CASES) == {"format", "verification"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["definition", "nowhere.sv:1:1"], "no such file"),
        (["definition", "c.sv:99:1"], "the file has 5 lines"),
        (["definition", "c.sv:0:1"], "both count from 1"),
        (["rename", "c.sv:2:43"], "needs the new name"),
        (["hover", "c.sv:2:43", "text"], "takes no TEXT"),
        (["rename", "c.sv:1:1", "x"], "nothing that is declared"),
        (["nonsense", "c.sv"], "invalid choice"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_line(words, message, tree, capsys):
    assert main(["lsp-query", *words]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("veriloop:") == 1
