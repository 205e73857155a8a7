"""The models of this machine: pulled from a server of the test's own, with progress, and chosen."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.tui.conftest import Scripted
from tests.tui.test_app import play, say, talk, text_of, until
from veriloop.assistant.events import CancelToken
from veriloop.assistant.session.request import perform
from veriloop.tui.app import VeriloopApp

pytestmark = pytest.mark.needs("llama.cpp")


class Server(ThreadingHTTPServer):
    """Sends half of a file, and the rest once it may."""

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.rest = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        content = self.server.content
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        self.wfile.flush()
        self.server.rest.wait(60)
        self.wfile.write(content[len(content) // 2 :])

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def server(model_file):
    made = Server(model_file.read_bytes())
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.rest.set()
    made.shutdown()
    thread.join()
    made.server_close()


class Real(Scripted):
    """Performs what is about models, and the rest by the script."""

    def __init__(self, script, cwd) -> None:
        super().__init__(script)
        self._cwd = cwd
        self._token = CancelToken()

    def run(self, request, on_message) -> None:
        if "models" in (request.words[:1] or (request.text[1:7],)):
            self._token = CancelToken()
            perform(request, on_message, cwd=self._cwd, cancel=self._token)
        else:
            super().run(request, on_message)

    def interrupt(self) -> None:
        super().interrupt()
        self._token.cancel()


@pytest.fixture
def app(opened, script, root, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return VeriloopApp(opened, performer=lambda: Real(script, root))


def test_a_model_is_pulled_with_progress_and_used(app, server):
    async def flow(pilot):
        await pilot.press("f7")
        await until(pilot, lambda: "it comes with Veriloop" in text_of(app, "#about"))
        await pilot.press("p")
        await until(pilot, lambda: app.current_mode == "session")
        url = f"http://127.0.0.1:{server.server_address[1]}/tiny.gguf"
        app.session.write(f"/models pull {url}")
        await pilot.press("enter", "f7")
        await until(pilot, lambda: " MB  " in text_of(app, "#about").partition("\n")[0])
        assert f"/models pull {url}: tiny: " in text_of(app, "#about")
        server.rest.set()
        await until(pilot, lambda: "tiny " in text_of(app, "#rows"))
        while not text_of(app, "#about").startswith("tiny"):
            await pilot.press("j")
            await pilot.pause()
        assert f"source: {url}" in text_of(app, "#about")
        await pilot.press("u")
        await until(pilot, lambda: "tiny: you chose it" in text_of(app, "#about"))
        assert next(one for one in text_of(app, "#rows").splitlines() if "tiny" in one).endswith("used for all")

    play(app, flow, (160, 48))


def test_a_pull_is_stopped_and_nothing_of_it_is_installed(app, server):
    async def flow(pilot):
        app.session.write(f"/models pull http://127.0.0.1:{server.server_address[1]}/tiny.gguf")
        await pilot.press("enter")
        await until(pilot, lambda: app.jobs.front is not None and "MB" in app.jobs.front.note)
        await pilot.press("escape")
        server.rest.set()
        await until(pilot, lambda: app.jobs.front is None)
        assert "Nothing on disk was changed" in talk(app)
        await pilot.press("f7")
        await until(pilot, lambda: "it comes with Veriloop" in text_of(app, "#about"))
        assert "tiny" not in text_of(app, "#rows")
        await say(pilot, "s")

    play(app, flow)
