"""Fetching a model file over HTTP: goes on where it broke off, and believes nothing but the digest and the size."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from veriloop.models.errors import BadModel, ModelError, ModelFailed, NoModel, Stopped
from veriloop.models.model import Stop, never
from veriloop.models.store import OnBytes

_TIMEOUT_S = 30.0
_TRIES = 4
"""How often a transfer that breaks off is taken up again without having brought anything."""


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str = "",
    room_for: Callable[[int], None] = lambda size: None,
    on_bytes: OnBytes | None = None,
    stop: Stop = never,
) -> str:
    """Fetches a file to `target`, through `target` with `.part` behind it, and returns its SHA-256.

    A part that is there is gone on with if the server still has the same file (its ETag or date, RFC 9110, 13.1.5).

    Raises:
        NoModel: the server does not have it.
        BadModel: what came is not what the digest names.
        ModelFailed: the server cannot be reached, or breaks off again and again.
        ModelError: the disk is full.
        Stopped: `stop` became true; the part stays.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise NoModel(f"{url} is no address of http or https", hint="veriloop models add FILE.gguf")
    part = target.with_name(f"{target.name}.part")
    tries = 0
    while True:
        before = part.stat().st_size if part.is_file() else 0
        try:
            if _transfer(url, part, room_for, on_bytes, stop):
                break
        except httpx.HTTPError as error:
            fault = str(error) or type(error).__name__
        except OSError as error:
            raise ModelError(f"{part} cannot be written: {error.strerror}", hint="df -h") from error
        else:
            fault = "the transfer ended before the file did"
        tries = 0 if part.is_file() and part.stat().st_size > before else tries + 1
        if tries >= _TRIES:
            raise ModelFailed(f"{urlsplit(url).netloc}: {fault}", hint="the same command goes on where it broke off")
    found = _digest(part)
    if sha256 and found != sha256.lower():
        part.unlink()
        raise BadModel(f"what {urlsplit(url).netloc} sent has the digest {found[:12]}..., not {sha256[:12]}...")
    part.replace(target)
    _facts(part).unlink(missing_ok=True)
    return found


def _transfer(url: str, part: Path, room_for: Callable[[int], None], on_bytes: OnBytes | None, stop: Stop) -> bool:
    """One request; whether the file is whole now."""
    have = part.stat().st_size if part.is_file() else 0
    mark = _mark(part) if have else ""
    headers = {"Range": f"bytes={have}-", "If-Range": mark} if have and mark else {}
    with (
        httpx.Client(follow_redirects=True, timeout=_TIMEOUT_S) as client,
        client.stream("GET", url, headers={**headers, "Accept-Encoding": "identity"}) as answer,
    ):
        if answer.status_code == 416:
            part.unlink()
            return False
        if answer.status_code in {401, 403, 404, 410}:
            raise NoModel(f"{urlsplit(url).netloc} answers {answer.status_code} for {urlsplit(url).path}")
        answer.raise_for_status()
        going_on = answer.status_code == 206
        start = have if going_on else 0
        rest = int(answer.headers.get("Content-Length", 0))
        total = start + rest if rest else 0
        room_for(rest)
        _note(part, answer.headers.get("ETag") or answer.headers.get("Last-Modified") or "")
        done = start
        with part.open("ab" if going_on else "wb") as stream:
            for block in answer.iter_raw():
                if stop():
                    raise Stopped
                stream.write(block)
                done += len(block)
                if on_bytes is not None:
                    on_bytes(done, total)
        return not total or done == total


def _facts(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _note(part: Path, mark: str) -> None:
    _facts(part).write_text(json.dumps({"mark": mark}))


def _mark(part: Path) -> str:
    """What the server called the version of the file that the part is of; a weak ETag says too little."""
    try:
        mark = str(json.loads(_facts(part).read_text())["mark"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return "" if mark.startswith("W/") else mark


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
