from __future__ import annotations

import json

import pytest

from veriloop.assistant.cli.main import main

TEXT = "module inv(input a, output y);\n  assign y = ~a;\nendmodule\n"


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "inv.sv").write_text(TEXT)
    return tmp_path


def run(capsys, *words):
    code = main(["explain", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_file_and_a_line_are_explained(capsys):
    code, said = run(capsys, "inv.sv")
    assert code == 0
    assert [remark["grain"] for remark in said["remarks"]] == ["module", "block"]
    code, said = run(capsys, "inv.sv:2")
    assert (code, [remark["says"][0] for remark in said["remarks"]]) == (0, ["y is always `~a`"])
    assert main(["explain", "inv.sv:1-2"]) == 0
    assert "inv.sv:2  y = ~a" in capsys.readouterr().out


@pytest.mark.parametrize("place", ["none.sv", "inv.sv:9", "inv.sv:2-1", "inv.sv:0", "inv.sv:x"])
def test_a_place_that_is_not_there_is_an_error(capsys, place):
    assert main(["explain", place]) == 2
    assert capsys.readouterr().out == ""


def test_nothing_to_explain_is_no_success(capsys, here):
    (here / "empty.sv").write_text("// nothing\n")
    assert run(capsys, "empty.sv")[0] == 3


def test_a_recorded_model_is_asked_by_its_file(capsys, here):
    (here / "said.jsonl").write_text("")
    assert main(["explain", "inv.sv", "--model", "said.jsonl"]) == 3, "it holds no answer to this prompt"
    assert main(["explain", "inv.sv", "--model", "nobody"]) == 3
    assert "veriloop" in capsys.readouterr().err
