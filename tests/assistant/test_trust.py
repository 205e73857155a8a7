"""Commands of a repository run only once they are trusted."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from veriloop.assistant.cli.main import main
from veriloop.assistant.config import Config, load_config
from veriloop.assistant.errors import ConfigError, NotVerified
from veriloop.assistant.trust import commands, distrust, is_trusted, require_trust, trust

COMMAND = '[[testbench]]\nkind = "command"\nname = "{name}"\ncommand = "{command}"\n'


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def config(root: Path, *named: str) -> Config:
    root.mkdir(exist_ok=True)
    text = "".join(COMMAND.format(name=f"t{i}", command=command) for i, command in enumerate(named))
    (root / "veriloop.toml").write_text(text)
    return load_config(root)


def test_trust_is_for_these_commands_in_this_place(tmp_path: Path, environment: dict[str, str]) -> None:
    here = tmp_path / "here"
    first = config(here, "make test", "make more")
    assert commands(first) == ("make test", "make more")
    with pytest.raises(NotVerified) as raised:
        require_trust(here, first)
    assert (raised.value.hint, raised.value.exit_code) == ("veriloop trust", 3)
    trust(here, first)
    require_trust(here, first)
    assert not is_trusted(here, config(here, "make test"))
    assert not is_trusted(here, config(here, "make test make more"))
    assert not is_trusted(tmp_path / "there", config(tmp_path / "there", "make test", "make more"))
    assert is_trusted(here, config(here, "make test", "make more"))
    assert is_trusted(here, config(here))


def test_trust_is_taken_back(tmp_path: Path, environment: dict[str, str]) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for root in (here, there):
        trust(root, config(root, "make"))
    assert distrust(here)
    assert not distrust(here)
    assert not is_trusted(here, load_config(here))
    assert is_trusted(there, load_config(there))


def test_trusting_anew_forgets_what_was_there(tmp_path: Path, environment: dict[str, str]) -> None:
    trust(tmp_path / "a", config(tmp_path / "a", "old"))
    trust(tmp_path / "a", config(tmp_path / "a", "new"))
    assert not is_trusted(tmp_path / "a", config(tmp_path / "a", "old"))
    record = tmp_path / "state" / "veriloop" / "trusted.json"
    assert [entry["commands"] for entry in json.loads(record.read_text()).values()] == [["new"]]
    assert [path.name for path in record.parent.iterdir()] == ["trusted.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"x": 1}', "\0"])
def test_a_damaged_record_trusts_nothing(tmp_path: Path, environment: dict[str, str], content: str) -> None:
    record = tmp_path / "state" / "veriloop" / "trusted.json"
    record.parent.mkdir(parents=True)
    record.write_text(content)
    with pytest.raises(ConfigError, match="is damaged"):
        is_trusted(tmp_path / "a", config(tmp_path / "a", "make"))


def test_the_verb(
    tmp_path: Path,
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    root = tmp_path / "a"
    config(root, "make")
    verb = ["-C", str(root), "--json", "trust"]

    def check(options: list[str], code: int, trusted: bool) -> None:
        assert main([*verb, *options]) == code
        if code == 0:
            assert json.loads(capsys.readouterr().out)["trusted"] is trusted
        assert is_trusted(root, load_config(root)) is trusted

    monkeypatch.setattr("sys.stdin", io.StringIO("yes\n"))
    check(["--list"], 0, trusted=False)
    check([], 3, trusted=False)  # nobody is there to be asked
    capsys.readouterr()
    check(["--yes"], 0, trusted=True)
    check([], 0, trusted=True)
    check(["--revoke"], 0, trusted=False)
