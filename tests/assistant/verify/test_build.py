from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.errors import Cancelled
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.build import _alone, is_held
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


def test_a_runtime_that_another_process_builds_is_known(tmp_path):
    (tmp_path / "runtime").mkdir()
    verilator = Verilator(Path("verilator_bin"), tmp_path, "5", tmp_path)
    assert not verilator.being_prepared
    with _alone(tmp_path / "runtime" / "name.lock", CancelToken()):
        assert verilator.being_prepared
        assert not verilator.prepared
    assert not verilator.being_prepared
