from __future__ import annotations

import threading
import time

import pytest

from veriloop.assistant.errors import Cancelled
from veriloop.assistant.events import CancelToken, Event, Note, Run, Stage, Tried, finish


def inner() -> Run[int]:
    yield Note("inside")
    return 20


def workflow() -> Run[int]:
    yield Stage("baseline")
    result = yield from inner()
    yield Tried(1, 0.5, "literal")
    return result + 1


def test_finish_shows_each_event_in_order_and_returns_the_result():
    seen: list[Event] = []
    assert finish(workflow(), seen.append) == 21
    assert seen == [Stage("baseline"), Note("inside"), Tried(1, 0.5, "literal")]


def test_finish_needs_no_observer():
    assert finish(workflow()) == 21


def test_finish_passes_errors_on():
    def failing() -> Run[None]:
        yield Stage("one")
        raise KeyError("x")

    with pytest.raises(KeyError):
        finish(failing())


def test_an_unset_token_lets_work_go_on():
    token = CancelToken()
    token.check()
    assert not token.cancelled
    assert not token.wait(0.01)


def test_a_set_token_raises_and_stays_set():
    token = CancelToken()
    token.cancel()
    token.cancel()
    assert token.cancelled
    for _ in range(2):
        with pytest.raises(Cancelled):
            token.check()


def test_wait_ends_as_soon_as_another_thread_cancels():
    token = CancelToken()
    timer = threading.Timer(0.1, token.cancel)
    timer.start()
    started = time.monotonic()
    assert token.wait(20)
    assert time.monotonic() - started < 5
    timer.join()
