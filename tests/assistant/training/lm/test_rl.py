"""A model that is trained for seconds learns on from rewards, goes on from its checkpoint and can be exported."""

from __future__ import annotations

import json

import pytest

from veriloop.assistant.cli.main import main
from veriloop.assistant.training.corpus import generate
from veriloop.assistant.training.draft import families

pytestmark = pytest.mark.needs("torch", "iverilog")


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rl")
    (directory / "rows").mkdir()
    # The second of these families is one that is held out.
    made = list(generate(families("word_multiplexer,thermometer_encoder"), range(4), mutants=2))
    (directory / "rows" / "a.jsonl").write_text("".join(row.to_json() + "\n" for row in made))
    words = ["--rows", str(directory / "rows"), "--out", str(directory / "sft"), "--width", "32", "--layers", "1"]
    assert main(["train", "sft", *words, "--vocabulary", "600", "--steps", "3"]) == 0
    return directory


def learn(directory, minutes):
    words = ["--from", str(directory / "sft"), "--rows", str(directory / "rows"), "--out", str(directory / "rl")]
    return main(
        ["train", "rl", *words, "--minutes", minutes, "--group", "2", "--questions", "1", "--held-out", "1", "--json"]
    )


def test_it_learns_goes_on_and_counts_before_and_after(started, capsys):
    capsys.readouterr()
    assert learn(started, "0.001") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["steps"] >= 1
    assert first["before"]["rows"] == first["after"]["rows"] == 1
    assert learn(started, str((first["seconds"] + 0.1) / 60)) == 0
    second = json.loads(capsys.readouterr().out)
    assert second["steps"] > first["steps"]
    assert second["before"] == first["before"]
    assert "train rl" in (started / "rl" / "run.json").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--group", "1"], "above 1"),
        (["--minutes", "0"], "above 0"),
        (["--from", "none"], "no run of training"),
    ],
)
def test_bad_input(words, said, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    start = [] if "--from" in words else ["--from", "sft"]
    assert main(["train", "rl", *start, "--rows", "rows", "--out", "rl", *words]) == 2
    assert said in capsys.readouterr().err
