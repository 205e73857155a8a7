"""Fetching from a server of the test's own, which breaks off, lies and comes back."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from veriloop.models.catalogue import address, catalogue
from veriloop.models.errors import BadModel, ModelError, ModelFailed, NoModel, Stopped
from veriloop.models.pull import fetch

CONTENT = b"GGUF" + bytes(range(251)) * 8000


class Server(ThreadingHTTPServer):
    """Serves one content; `break_after` bytes of an answer come, so many times, before it is cut off."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.etag = '"one"'
        self.break_after = 0
        self.breaks = 0
        self.claimed: int | None = None
        self.ranges = True
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/model.gguf"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range", "")
        server.asked.append(asked)
        if self.path != "/model.gguf":
            self.send_error(404)
            return
        start = 0
        if asked and server.ranges and self.headers.get("If-Range") == server.etag:
            start = int(asked.removeprefix("bytes=").rstrip("-"))
        body = server.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("ETag", server.etag)
        self.send_header("Content-Length", str(len(body) if server.claimed is None else server.claimed))
        self.end_headers()
        if server.breaks:
            server.breaks -= 1
            body = body[: server.break_after]
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def pulled(server, tmp_path) -> Callable[..., bytes]:
    def pull(**options: Any) -> bytes:
        target = tmp_path / "model.gguf"
        digest = fetch(server.url, target, **options)
        content: bytes = target.read_bytes()
        assert digest == hashlib.sha256(content).hexdigest()
        assert [path.name for path in tmp_path.iterdir()] == ["model.gguf"], "nothing is left beside it"
        return content

    return pull


def test_a_file_comes_whole(server, pulled):
    steps: list[tuple[int, int]] = []
    rooms: list[int] = []
    digest = hashlib.sha256(CONTENT).hexdigest()
    options = {"on_bytes": lambda done, total: steps.append((done, total)), "room_for": rooms.append}
    assert pulled(sha256=digest.upper(), **options) == CONTENT
    assert steps[-1] == (len(CONTENT), len(CONTENT))
    assert rooms == [len(CONTENT)]


def test_a_transfer_that_breaks_off_goes_on_where_it_was(server, pulled):
    server.break_after, server.breaks = 700_000, 2
    assert pulled() == CONTENT
    assert server.asked == ["", "bytes=700000-", "bytes=1400000-"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(server, tmp_path):
    server.break_after, server.breaks = 700_000, 99
    target = tmp_path / "model.gguf"
    stopped = iter([False, False, False])
    with pytest.raises(Stopped):
        fetch(server.url, target, stop=lambda: next(stopped, True))
    server.breaks, server.content, server.etag = 0, CONTENT[::-1], '"two"'
    fetch(server.url, target)
    assert target.read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges(server, pulled):
    server.ranges, server.break_after, server.breaks = False, 700_000, 1
    assert pulled() == CONTENT


def test_a_wrong_digest(server, tmp_path):
    with pytest.raises(BadModel, match="digest"):
        fetch(server.url, tmp_path / "model.gguf", sha256="0" * 64)
    assert not (tmp_path / "model.gguf").exists()
    assert not (tmp_path / "model.gguf.part").exists()


def test_a_server_that_lies_about_the_size(server, tmp_path):
    server.claimed = len(CONTENT) + 1000
    with pytest.raises(ModelFailed, match="127"):
        fetch(server.url, tmp_path / "model.gguf")
    assert not (tmp_path / "model.gguf").exists()


def test_a_server_that_never_brings_anything(server, tmp_path):
    server.break_after, server.breaks = 0, 99
    with pytest.raises(ModelFailed):
        fetch(server.url, tmp_path / "model.gguf")
    assert len(server.asked) == 4


def test_no_room(server, tmp_path):
    def room_for(size: int) -> None:
        raise ModelError(f"{size} do not fit")

    with pytest.raises(ModelError, match=str(len(CONTENT))):
        fetch(server.url, tmp_path / "model.gguf", room_for=room_for)


@pytest.mark.parametrize("name", ["other.gguf", ""])
def test_a_file_that_is_not_there(name, server, tmp_path):
    with pytest.raises(NoModel, match="404"):
        fetch(server.url.replace("model.gguf", name), tmp_path / "model.gguf")


def test_a_server_that_is_down(tmp_path):
    with pytest.raises(ModelFailed, match=r"127\.0\.0\.1:9"):
        fetch("http://127.0.0.1:9/model.gguf", tmp_path / "model.gguf")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "model.gguf"])
def test_no_other_protocol(url, tmp_path):
    with pytest.raises(NoModel):
        fetch(url, tmp_path / "model.gguf")


def test_names_stand_for_files_of_the_users_own_source():
    assert address("http://a/b.gguf", "") == "http://a/b.gguf"
    assert address("small", "http://mirror/models") == "http://mirror/models/small.gguf"
    with pytest.raises(NoModel, match="catalogue"):
        address("unheard-of", "")
    with pytest.raises(NoModel, match="not where to fetch it"):
        address(catalogue()[0].name, "")
