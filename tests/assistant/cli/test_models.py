from __future__ import annotations

import json
import socket

import pytest

from veriloop.assistant.cli.main import main

pytestmark = [pytest.mark.needs("llama.cpp")]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch):
    def refuse(self, address):
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def run(capsys, *words):
    code = main(["models", *words, "--json"])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_model_that_comes_with_veriloop(capsys, no_network):
    code, (data,) = run(capsys)
    assert code == 0
    (model,) = data["models"]
    assert model["bundled"]
    assert {used["why"] for used in data["used"].values()} == {"it comes with Veriloop"}
    assert {used["name"] for used in data["used"].values()} == {model["name"]}
    code, (shown,) = run(capsys, "verify", model["name"])
    assert (code, shown["verified"], shown["sha256"]) == (0, True, model["sha256"])
    code, (shown,) = run(capsys, "show", model["name"])
    assert "Training." in shown["card"]
    assert main(["models", "rm", model["name"]]) == 2
    assert "came with Veriloop" in capsys.readouterr().err


def test_a_model_from_a_file_to_its_end(model_file, capsys, no_network):
    code, (made,) = run(capsys, "add", str(model_file), "--name", "tiny")
    assert code == 0
    assert (made["name"], made["context_tokens"], made["has_fim"], made["description"]) == ("tiny", 512, True, "random")
    assert run(capsys, "use", "tiny", "--for", "judge")[0] == 0
    _, (listed,) = run(capsys)
    assert listed["used"]["judge"] == {"name": "tiny", "why": "you chose it for judge"}
    assert listed["used"]["generate"]["why"] == "the only one that is installed"
    code, (speed,) = run(capsys, "bench", "tiny")
    assert code == 0
    assert speed["prefill_tok_s"] > 0
    assert speed["decode_tok_s"] > 0
    assert speed["same_greedy"] is True
    assert speed["rank_median_model"] is None
    assert run(capsys)[1][0]["models"][0]["decode_tok_s"] == speed["decode_tok_s"]
    assert run(capsys, "verify")[1][0]["verified"] is True
    assert run(capsys, "rm", "tiny")[0] == 0
    assert [model["bundled"] for model in run(capsys)[1][0]["models"]] == [True]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "none.gguf"], 3, "cannot be read"),
        (["add", "text.gguf"], 2, "no GGUF file"),
        (["show", "none"], 3, "there is no model 'none'"),
        (["use", "none"], 3, "there is no model 'none'"),
        (["rm", "none"], 3, "there is no model 'none'"),
        (["pull", "none"], 3, "catalogue"),
        (["pull", "http://127.0.0.1:9/x.gguf"], 3, "127.0.0.1:9"),
    ],
)
def test_bad_input(words, code, said, home, capsys):
    (home / "text.gguf").write_text("text")
    assert main(["models", *words]) == code
    assert said in capsys.readouterr().err


def test_a_file_that_is_cut_off_is_not_kept(model_file, home, capsys):
    (home / "cut.gguf").write_bytes(model_file.read_bytes()[:100_000])
    assert main(["models", "add", "cut.gguf"]) in (2, 3)
    assert "model" in capsys.readouterr().err
    assert [model["bundled"] for model in run(capsys)[1][0]["models"]] == [True]
