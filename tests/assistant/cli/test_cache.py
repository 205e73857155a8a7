"""`veriloop cache` beside `veriloop check`, which fills it."""

from __future__ import annotations

import json
import time

import pytest

from tests.assistant.repair.conftest import COUNTER, COUNTER_TB
from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("verilator", "c++", "git")


@pytest.fixture
def checked(clone, tmp_path, monkeypatch, cache):
    """A repository with a change whose verdict is known, and a cache of its own."""
    own = tmp_path / "own cache"
    own.mkdir()
    (cache / "runtime").mkdir(exist_ok=True)
    (own / "runtime").symlink_to(cache / "runtime")
    monkeypatch.setenv("VERILOOP_CACHE", str(own))
    clone.commit({"rtl/counter.v": COUNTER, "tb/counter_tb.v": COUNTER_TB})
    (clone.root / "rtl/counter.v").write_bytes(COUNTER.replace(b"q + 1", b"1 + q"))
    assert main(["check", "--testbench", "tb/counter_tb.v"]) == 0
    return clone


def asked(capsys, *words):
    capsys.readouterr()
    assert main(["cache", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


WHY = ("why-miss", "--testbench", "tb/counter_tb.v")


def test_a_verdict_is_known_until_what_it_depends_on_changes(checked, capsys):
    kept = asked(capsys)["verdicts"]
    assert kept > 0
    assert [row["known"] for row in asked(capsys, *WHY)["testbenches"]] == [True]
    assert [row["known"] for row in asked(capsys, *WHY, "--head")["testbenches"]] == [True]
    (checked.root / "rtl/counter.v").write_bytes(COUNTER.replace(b"q + 1", b"q + 1 + 0"))
    [row] = asked(capsys, *WHY)["testbenches"]
    assert not row["known"]
    assert [one["part"] for one in row["differences"]] == ["file rtl/counter.v"]
    assert main(["cache", *WHY]) == 0
    assert "file rtl/counter.v:" in capsys.readouterr().out
    # Asking has run nothing.
    assert asked(capsys)["verdicts"] == kept


def test_what_is_cleared_is_gone(checked, capsys):
    found = asked(capsys, "clear")
    assert found["verdicts"] > 0
    assert found["cleared"] == ["verdicts", "answers"]
    assert asked(capsys)["verdicts"] == 0
    [row] = asked(capsys, *WHY)["testbenches"]
    assert "no verdict of it is kept" in row["why"]


def test_a_check_again_takes_the_verdicts_from_the_cache(checked, capsys):
    capsys.readouterr()
    assert main(["check", "--testbench", "tb/counter_tb.v", "--full", "--json"]) == 0
    report = json.loads(capsys.readouterr().out.splitlines()[0])
    assert [step["cached"] for step in report["steps"] if step["runs"]] == [True]
    assert [step["cached"] for step in report["baseline"] if step["runs"]] == [True]


def test_the_user_says_how_much_is_kept(checked, capsys, tmp_path):
    (tmp_path / "xdg_config_home" / "veriloop").mkdir(parents=True)
    (tmp_path / "xdg_config_home" / "veriloop" / "config.toml").write_text("[cache]\nlimit_mb = 0\n")
    asked(capsys, "clear")
    assert main(["check", "--testbench", "tb/counter_tb.v"]) == 0
    assert (asked(capsys)["verdicts"], asked(capsys)["limit_bytes"]) == (0, 0)


def test_a_command_s_verdict_depends_on_the_whole_tree(checked, capsys):
    words = ("--test", "grep -q endmodule rtl/counter.v")
    assert main(["check", *words]) == 0
    assert [row["known"] for row in asked(capsys, "why-miss", *words)["testbenches"]] == [True]
    (checked.root / "notes.txt").write_text("new")
    [row] = asked(capsys, "why-miss", *words)["testbenches"]
    assert [one["part"] for one in row["differences"]] == ["tree"]


@pytest.mark.parametrize("words", [["cache", "none"], ["cache", "why-miss", "--staged", "--head"]])
def test_a_wrong_command_line_is_said_so(clone, capsys, words):
    assert main(words) == 2
    assert capsys.readouterr().err.startswith("veriloop: ")


def test_nothing_is_checked_without_loading_what_judges(clone, capsys):
    clone.commit({"rtl/counter.v": COUNTER})
    started = time.process_time()
    assert main(["check"]) == 0
    assert "nothing is changed" in capsys.readouterr().out
    assert time.process_time() - started < 1
