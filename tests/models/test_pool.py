"""One model on several servers, of which some are down, busy, loading, break off, or have another model."""

from __future__ import annotations

import threading
import time

import pytest

from veriloop.models.errors import ModelFailed, NoAnswer, NoModel
from veriloop.models.model import Sampling
from veriloop.models.named import opened
from veriloop.models.pool import PooledModel
from veriloop.models.server import ServerModel
from veriloop.models.store import Store

DOWN = "http://127.0.0.1:9/v1"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def pool(*addresses, clock=None):
    return PooledModel([ServerModel(address) for address in addresses], clock=clock or Clock())


def test_several_addresses_name_one_model(serve, tmp_path):
    one, two = serve(), serve()
    with opened(f"{one.url}, {two.url}", Store(tmp_path), cwd=tmp_path) as model:
        assert model.info.name == "small"
        assert [answer.text for answer in model.complete("x", Sampling(), n=2)] == ["assign y = a;"] * 2


@pytest.mark.parametrize("mode", ["break", "loading"])
def test_where_a_server_breaks_off_another_one_answers(mode, serve):
    one, two = serve(), serve()
    model = pool(one.url, two.url)
    assert model.info
    one.mode = mode
    shown = []
    (answer,) = model.complete("x", Sampling(), on_text=lambda number, text: shown.append(text))
    assert answer.text == "".join(shown) == "assign y = a;"
    assert len(one.asked) == len(two.asked) == 1
    assert list(model.faults) == [one.url]


def test_what_has_failed_rests_and_is_asked_again(serve):
    one, two, clock = serve(), serve(), Clock()
    model = pool(one.url, two.url, clock=clock)
    assert model.info
    one.mode = "loading"
    for _ in range(3):
        model.count("x")
    assert len(one.asked) == 1
    clock.now, one.mode = 31.0, ""
    model.count("x")
    assert len(one.asked) == 2


def test_the_one_with_the_least_to_do_is_asked(serve):
    one, two = serve(), serve()
    model = pool(one.url, two.url)
    assert model.info
    one.mode = "hang"
    answered = []
    waiting = threading.Thread(target=lambda: answered.append(model.count("x")))
    waiting.start()
    while not one.asked:
        time.sleep(0.01)
    for _ in range(3):
        model.count("x")
    assert (len(one.asked), len(two.asked)) == (1, 3)
    # It breaks off without a word, so the other one answers.
    one.hold.set()
    waiting.join()
    assert answered == [7]


def test_one_that_is_down_is_left_out(serve):
    server = serve()
    model = pool(DOWN, server.url)
    assert model.info.context_tokens == 4096
    assert model.count("x") == 7
    assert list(model.faults) == [DOWN]


def test_what_a_server_refuses_is_not_asked_elsewhere(serve):
    one, two = serve(), serve()
    one.mode = two.mode = "refuse"
    with pytest.raises(ModelFailed, match="context too long"):
        pool(one.url, two.url).count("x")
    assert len(one.asked) + len(two.asked) == 1


def test_servers_of_different_models_are_refused(serve):
    one, two = serve("small"), serve("other")
    with pytest.raises(NoModel, match="different models"):
        pool(one.url, two.url).count("x")
    assert not one.asked
    assert not two.asked


def test_one_that_comes_back_with_another_model_is_left_out(serve):
    one, clock = serve("small"), Clock()
    late = serve("other")
    address = late.url
    late.model = "small"
    model = PooledModel([ServerModel(DOWN), Late(address), ServerModel(one.url)], clock=clock)
    assert model.info.name == "small"
    late.model = "other"
    clock.now = 31.0
    assert [model.count("x") for _ in range(3)] == [7] * 3
    assert not late.asked
    assert "another model" in model.faults[address]


class Late(ServerModel):
    """One that is not there when it is first asked."""

    first = True

    @property
    def info(self):
        if self.first:
            self.first = False
            raise NoAnswer("not there yet")
        return super().info


def test_where_none_answers_each_is_named():
    with pytest.raises(NoAnswer, match=r"none of 2 servers .*127\.0\.0\.1:9:.*; .*127\.0\.0\.1:10:"):
        pool(DOWN, "http://127.0.0.1:10/v1").count("x")
