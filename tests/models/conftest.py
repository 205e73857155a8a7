"""Servers of the tests' own that speak as llama-server and vLLM do, and some that do not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, model: str = "small") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.model = model
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.mode = ""
        self.hold = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.answer({"data": [{"id": self.server.model, "max_model_len": 4096}, {"id": "large"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.path, body))
        mode = self.server.mode
        if mode == "refuse":
            self.answer({"error": {"message": "context too long"}}, 400)
        elif mode == "no json":
            self.answer(None)
        elif mode == "loading":
            self.answer({"error": {"message": "loading the model"}}, 503)
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
def serve() -> Iterator[Callable[..., Server]]:
    """Starts servers, each with the name of the model that it says it has."""
    started = []

    def start(model: str = "small") -> Server:
        made = Server(model)
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        started.append((made, thread))
        return made

    yield start
    for made, thread in started:
        made.hold.set()
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve()
