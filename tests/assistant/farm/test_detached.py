from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.detached import detach, find, follow, known


def wait_for_end(one, seconds: float = 60):
    deadline = time.monotonic() + seconds
    while one.exit_code is None and time.monotonic() < deadline:
        time.sleep(0.05)
    return one.exit_code


def test_a_command_goes_on_and_is_looked_in_on(tmp_path):
    code = (
        "import sys; print('result'); print('step 1', file=sys.stderr); print('step 2', file=sys.stderr); sys.exit(3)"
    )
    one = detach(tmp_path, [sys.executable, "-c", code], cwd=tmp_path)
    assert list(follow(one, CancelToken())) == ["step 1", "step 2"]
    again = find(tmp_path, one.name)
    assert (again.output, again.exit_code, again.argv, again.cwd) == (b"result\n", 3, one.argv, str(tmp_path))
    assert [each.name for each in known(tmp_path)] == [one.name]


def test_a_command_that_was_killed_has_an_end_too(tmp_path):
    one = detach(tmp_path, [sys.executable, "-c", "import time; time.sleep(60)"], cwd=tmp_path)
    assert one.exit_code is None
    os.killpg(one.pid, signal.SIGKILL)
    os.waitpid(one.pid, 0)
    assert wait_for_end(one) == 137


def test_looking_in_ends_with_the_token_and_the_command_goes_on(tmp_path):
    one = detach(tmp_path, [sys.executable, "-c", "import time; time.sleep(30)"], cwd=tmp_path)
    cancel = CancelToken()
    cancel.cancel()
    assert list(follow(one, cancel)) == []
    assert one.exit_code is None
    os.killpg(one.pid, signal.SIGKILL)
    os.waitpid(one.pid, 0)


@pytest.mark.parametrize("name", ["../../etc", "00000000", ""])
def test_what_is_not_there_is_named(tmp_path, name):
    with pytest.raises(UsageError, match="no such job"):
        find(tmp_path, name)
