from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from veriloop.assistant.cli.main import main


@pytest.fixture
def path_of(tmp_path, monkeypatch):
    """Makes a PATH that holds only the named programs."""

    def only(*names: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        for name in names:
            program = shutil.which(name)
            assert program is not None
            (folder / name).symlink_to(program)
        monkeypatch.setenv("PATH", str(folder))

    return only


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No settings but a test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("VERILOOP_CACHE", raising=False)
    monkeypatch.chdir(tmp_path)


def doctor(capsys) -> tuple[int, dict[str, dict[str, object]]]:
    exit_code = main(["doctor", "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["ready"] is (exit_code == 0)
    return exit_code, {finding["name"]: finding for finding in answer["findings"]}


@pytest.mark.needs("verilator", "c++", "git")
def test_a_machine_with_everything(capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "ready"
    assert any(line.startswith("ok       verilator    5.") for line in lines)
    assert all(line.startswith(("ok ", "optional ")) for line in lines[:-1])


@pytest.mark.needs("verilator", "git")
def test_no_compiler(capsys, path_of):
    path_of("git")
    assert main(["doctor"]) == 3
    output = capsys.readouterr().out
    (line,) = [line for line in output.splitlines() if line.startswith("missing")]
    assert "c++" in line
    assert "apt-get install g++" in line
    assert "dnf install gcc-c++" in line
    assert output.endswith("not ready: c++ missing\n")


@pytest.mark.needs("verilator", "git")
def test_a_compiler_that_builds_nothing(capsys, path_of, tmp_path):
    path_of("git", "sh")
    broken = tmp_path / "bin" / "g++"
    broken.write_text('#!/bin/sh\ncase "$*" in *--version*|*-fsyntax-only*) echo "g++ 12"; exit 0;; esac\nexit 1\n')
    broken.chmod(0o755)
    exit_code, findings = doctor(capsys)
    assert exit_code == 3
    assert findings["c++"]["ok"] is False
    assert "builds no working program" in str(findings["c++"]["detail"])


@pytest.mark.needs("verilator", "c++", "git")
def test_optional_tools_do_not_stop_it(capsys, path_of):
    path_of("git", "g++", "as", "ld")
    exit_code, findings = doctor(capsys)
    assert exit_code == 0
    assert findings["iverilog"]["ok"] is False
    assert "apt-get install iverilog" in str(findings["iverilog"]["remedy"])
    assert findings["mold"]["needed"] is False


@pytest.mark.needs("verilator", "c++")
def test_no_git(capsys, path_of):
    path_of("g++", "as", "ld")
    exit_code, findings = doctor(capsys)
    assert exit_code == 3
    assert findings["git"]["ok"] is False


@pytest.mark.needs("verilator", "c++", "git")
def test_a_cache_that_cannot_be_written(capsys, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    exit_code, findings = doctor(capsys)
    assert exit_code == 3
    assert findings["cache"]["ok"] is False
    assert "VERILOOP_CACHE" in str(findings["cache"]["remedy"])


@pytest.mark.needs("verilator", "c++", "git")
def test_prebuilt_runtimes_are_counted(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    archive = Path(tmp_path, "veriloop", "runtime", "0123", "libruntime.a")
    archive.parent.mkdir(parents=True)
    archive.write_text("")
    assert doctor(capsys)[1]["runtime"]["detail"] == "1 built"


@pytest.mark.needs("verilator", "c++", "git")
def test_programs_that_the_user_configures(capsys, tmp_path):
    (tmp_path / "config" / "veriloop").mkdir(parents=True)
    settings = '[tools]\nverilator = "/none/verilator"\niverilog = "/none/iverilog"\n'
    (tmp_path / "config" / "veriloop" / "config.toml").write_text(settings)
    exit_code, findings = doctor(capsys)
    assert exit_code == 3
    assert "/none/verilator is not there" in str(findings["verilator"]["detail"])
    assert findings["iverilog"]["ok"] is False
