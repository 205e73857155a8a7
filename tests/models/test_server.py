"""A server of the test's own that speaks as llama-server and vLLM do, and one that does not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from veriloop.models.errors import ModelFailed, NoModel, Stopped
from veriloop.models.model import Message, Sampling
from veriloop.models.server import ServerModel


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.mode = ""
        self.hold = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.answer({"data": [{"id": "small", "max_model_len": 4096}, {"id": "large"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        mode = self.server.mode
        if mode == "refuse":
            self.answer({"error": {"message": "context too long"}}, 400)
        elif mode == "no json":
            self.answer(None)
        elif mode == "hang":
            self.server.hold.wait(10)
        elif self.path == "/infill":
            self.answer({"content": "a & b", "tokens_predicted": 3, "stop_type": "eos"})
        elif body.get("echo"):
            self.answer({"choices": [{"logprobs": logprobs(body["prompt"]) if mode != "no echo" else None}]})
        elif body.get("stream"):
            self.stream(body, mode)
        else:
            self.answer({"choices": [{"text": "x"}], "usage": {"prompt_tokens": 7}})

    def stream(self, body: dict[str, Any], mode: str) -> None:
        self.send_response(200)
        self.end_headers()
        key = "delta" if "messages" in body else "text"
        for piece in ("assign ", "y = a;"):
            for number in range(body["n"]):
                text: Any = f"{piece}" if key == "text" else {"content": piece}
                self.say({"choices": [{"index": number, key: text}]})
            if mode == "break":
                return
            time.sleep(0.01)
        self.say({"choices": [{"index": 0, "finish_reason": "length"}]})
        self.wfile.write(b"data: [DONE]\n\n")

    def say(self, data: Any) -> None:
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())
        self.wfile.flush()

    def answer(self, data: Any, code: int = 200) -> None:
        body = b"<html>" if data is None else json.dumps(data).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


def logprobs(text: str) -> dict[str, Any]:
    """A token a character."""
    return {"text_offset": list(range(len(text))), "token_logprobs": [None, *[-0.5] * (len(text) - 1)]}


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.hold.set()
    made.shutdown()
    thread.join()
    made.server_close()


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


@pytest.mark.parametrize(
    ("mode", "said"), [("refuse", "400: context too long"), ("no json", "no JSON")], ids=["refused", "no json"]
)
def test_a_server_that_answers_otherwise(mode, said, model, server):
    server.mode = mode
    with pytest.raises(ModelFailed, match=said):
        model.count("x")


def test_a_server_that_is_down():
    with pytest.raises(ModelFailed, match=r"127\.0\.0\.1:9"):
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
