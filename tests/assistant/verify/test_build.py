from __future__ import annotations

import pytest

from veriloop.assistant.errors import Cancelled
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.build import _alone, is_held


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
