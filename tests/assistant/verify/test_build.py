from __future__ import annotations

import re
from pathlib import Path

import pytest

from veriloop.assistant.errors import Cancelled, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify import build
from veriloop.assistant.verify.build import Compiler, _alone, is_held
from veriloop.assistant.verify.verilator import Verilator


def test_one_builds_while_others_wait_and_can_be_stopped(tmp_path):
    path = tmp_path / "runtime.lock"
    stopped = CancelToken()
    stopped.cancel()
    assert not is_held(path)
    with _alone(path, CancelToken()):
        assert is_held(path)
        with pytest.raises(Cancelled), _alone(path, stopped):
            raise AssertionError("two at once")
    assert not is_held(path)
    with _alone(path, stopped):
        pass


def compiler_in(directory: Path, *, version: str, knows_coroutines: bool) -> Path:
    directory.mkdir(parents=True)
    program = directory / "g++"
    last = 0 if knows_coroutines else 1
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "g++ {version}" && exit 0\nexit {last}\n')
    program.chmod(0o755)
    return program


def test_a_compiler_that_is_too_old_is_named(tmp_path, monkeypatch):
    old = compiler_in(tmp_path / "bin", version="8.5.0", knows_coroutines=False)
    monkeypatch.setenv("PATH", f"{old.parent}:/bin:/usr/bin")
    monkeypatch.setattr(build, "_TOOLSETS", tmp_path / "rh")
    with pytest.raises(ToolNotFound, match=re.escape(f"{old} cannot compile C++20 coroutines: g++ 8.5.0")) as caught:
        Compiler.find(old, CancelToken())
    assert "gcc-toolset" in caught.value.hint
    with pytest.raises(ToolNotFound, match="no C\\+\\+20 compiler is installed"):
        Compiler.find(tmp_path / "nowhere", CancelToken())


def test_the_newest_toolset_is_taken_where_the_system_compiler_is_too_old(tmp_path, monkeypatch):
    old = compiler_in(tmp_path / "bin", version="8.5.0", knows_coroutines=False)
    for number in ("9", "12", "x"):
        place = tmp_path / "rh" / f"gcc-toolset-{number}" / "root/usr/bin"
        compiler_in(place, version=number, knows_coroutines=number != "9")
    monkeypatch.setattr(build, "_TOOLSETS", tmp_path / "rh")
    (tmp_path / "bin/clang++").symlink_to(old)
    (tmp_path / "bin/c++").symlink_to(old)
    monkeypatch.setenv("PATH", f"{old.parent}:/bin")
    found = Compiler.find(None, CancelToken())
    assert (found.version, found.program.parts[-5]) == ("g++ 12", "gcc-toolset-12")


def test_a_runtime_that_another_process_builds_is_known(tmp_path):
    (tmp_path / "runtime").mkdir()
    verilator = Verilator(Path("verilator_bin"), tmp_path, "5", tmp_path)
    assert not verilator.being_prepared
    with _alone(tmp_path / "runtime" / "name.lock", CancelToken()):
        assert verilator.being_prepared
        assert not verilator.prepared
    assert not verilator.being_prepared
