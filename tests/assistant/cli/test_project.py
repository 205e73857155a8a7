"""`veriloop project`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.assistant.project.conftest import DESIGN, write
from veriloop.assistant.cli.main import main
from veriloop.assistant.config import load_config

MAKEFILE = "test:\n\tiverilog -o x tb/counter_tb.v rtl/counter.v && vvp x\nprint:\n\t@echo rtl/counter.v +incdir+rtl\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return write(tmp_path / "tree", {**DESIGN, "Makefile": MAKEFILE, ".git/HEAD": ""})


def test_text_and_json(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tree / "rtl"), "project"]) == 0
    text = capsys.readouterr().out
    assert "counter  (rtl/counter.v, 1 files, 4 lines): tested by test" in text
    assert "from Makefile:2; DUT counter; 1 modules; told by log" in text
    assert main(["-C", str(tree), "project", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["tops"][0]["name"] == "counter"
    assert data["tests"][0]["command"] == "make"
    assert data["tests"][0]["origin"] == {"path": "Makefile", "reader": "make", "line": 2}


def test_write_keeps_it_once(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tree), "project", "--write"]) == 0
    assert "veriloop trust" in capsys.readouterr().out
    config = load_config(tree).repository
    assert config.design.toplevel == "counter"
    assert [(one.name, one.kind, one.command) for one in config.testbench] == [("test", "command", "make")]
    before = (tree / "veriloop.toml").read_bytes()
    assert main(["-C", str(tree), "project", "--write"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (tree / "veriloop.toml").read_bytes() == before


@pytest.mark.needs("make")
def test_a_command_that_prints_a_file_list(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", str(tree), "project", "--json", "--filelist-command", "make -s print"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["builds"][0]["sources"] == ["rtl/counter.v"]
    assert data["include_dirs"] == [{"value": "rtl", "origins": ["`make -s print`"]}]
    assert main(["-C", str(tree), "project", "--filelist-command", "exit 3"]) == 3
    assert "ends with 3" in capsys.readouterr().err
    assert main(["-C", str(tree), "project", "--filelist-command", "echo nothing"]) == 3
