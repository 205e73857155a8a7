"""A server of the test's own that speaks as llama-server and vLLM do, and one that does not."""

from __future__ import annotations

import time

import pytest

from veriloop.models.errors import ModelFailed, NoAnswer, NoModel, Stopped
from veriloop.models.model import Message, Sampling
from veriloop.models.server import ServerModel


@pytest.fixture
def model(server):
    return ServerModel(server.url)


def test_what_the_server_says_of_itself(model, server):
    assert (model.info.name, model.info.context_tokens) == ("small", 4096)
    assert ServerModel(server.url, name="large").info.name == "large"
    with pytest.raises(NoModel, match="small, large"):
        _ = ServerModel(server.url, name="none").info


def test_several_answers_as_they_come(model, server):
    pieces: list[tuple[int, str]] = []
    answers = model.complete(
        "module", Sampling(stop=("end",), grammar="root ::= x"), n=2, on_text=lambda *said: pieces.append(said)
    )
    assert [answer.text for answer in answers] == ["assign y = a;"] * 2
    assert [answer.finish for answer in answers] == ["length", "stop"]
    assert pieces == [(0, "assign "), (1, "assign "), (0, "y = a;"), (1, "y = a;")]
    path, body = server.asked[-1]
    assert path == "/v1/completions"
    assert (body["model"], body["n"], body["stop"], body["grammar"]) == ("small", 2, ["end"], "root ::= x")


def test_a_conversation(model, server):
    (answer,) = model.chat([Message(role="user", content="hello")], Sampling())
    assert answer.text == "assign y = a;"
    path, body = server.asked[-1]
    assert path == "/v1/chat/completions"
    assert "prompt" not in body
    assert body["messages"] == [{"role": "user", "content": "hello"}]


def test_filling_in_and_counting(model):
    assert [answer.text for answer in model.infill("assign y = ", ";", Sampling(), n=2)] == ["a & b"] * 2
    assert model.count("assign") == 7


def test_scores_where_the_server_echoes_them(model, server):
    scores = model.score("abc", ["de", "f"])
    assert [score.logprobs for score in scores] == [(-0.5, -0.5), (-0.5,)]
    server.mode = "no echo"
    with pytest.raises(ModelFailed, match="does not tell how likely"):
        model.score("abc", ["de"])
    with pytest.raises(ModelFailed, match="does not tell how likely"):
        model.score_infill("a", "b", ["c"])


@pytest.mark.parametrize(
    ("mode", "said"), [("refuse", "400: context too long"), ("no json", "no JSON")], ids=["refused", "no json"]
)
def test_a_server_that_answers_otherwise(mode, said, model, server):
    server.mode = mode
    with pytest.raises(ModelFailed, match=said):
        model.count("x")


def test_half_an_answer_is_none(model, server):
    server.mode = "break"
    with pytest.raises(NoAnswer, match="broke off"):
        model.complete("x", Sampling())


def test_a_server_that_is_down():
    with pytest.raises(NoAnswer, match=r"127\.0\.0\.1:9"):
        ServerModel("http://127.0.0.1:9/v1").complete("x", Sampling())


def test_a_server_that_says_nothing_is_left_within_a_second(model, server):
    assert model.info
    server.mode = "hang"
    began = time.monotonic()
    with pytest.raises(Stopped):
        model.complete("x", Sampling(), stop=lambda: time.monotonic() - began > 0.2)
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize("address", ["localhost:8080", "file:///tmp/x", "http://"])
def test_what_is_no_address(address):
    with pytest.raises(NoModel, match="no address"):
        ServerModel(address)
