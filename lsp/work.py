"""What takes longer than an answer may: a workflow beside the requests, with progress that the user can cancel."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from lsprotocol import types

from veriloop.assistant.errors import Cancelled, UsageError, VeriloopError
from veriloop.assistant.events import CancelToken, Event, Note, Stage, Tried
from veriloop.lsp.positions import path_of
from veriloop.lsp.server import Server
from veriloop.models.errors import ModelError

T = TypeVar("T")
Observe = Callable[[Event], None]

_TOKENS = itertools.count(1)


class Work:
    """Runs workflows for one server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def run(self, title: str, work: Callable[[CancelToken, Observe], T]) -> T:
        """Runs a workflow in a thread of its own, shows its events, and stops it when the user says so."""
        token, loop = CancelToken(), asyncio.get_running_loop()
        progress = self._server.work_done_progress
        shown = self._server.supports("window", "work_done_progress")
        name = f"veriloop/work/{next(_TOKENS)}"
        if shown:
            await progress.create_async(name)
            progress.begin(name, types.WorkDoneProgressBegin(title, cancellable=True))
            progress.tokens[name].add_done_callback(lambda _: token.cancel())

        def observe(event: Event) -> None:
            text = _told(event)
            if shown and text:
                loop.call_soon_threadsafe(progress.report, name, types.WorkDoneProgressReport(message=text))

        try:
            return await asyncio.to_thread(work, token, observe)
        except asyncio.CancelledError:
            token.cancel()
            raise
        finally:
            if shown:
                progress.end(name, types.WorkDoneProgressEnd())
                progress.tokens.pop(name, None)

    def say(self, text: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """Shows a line to the user."""
        self._server.window_show_message(types.ShowMessageParams(kind, text))

    def saved(self, uri: str) -> Path:
        """The file of a URI, whose buffer must be on disk: what is judged is what is there.

        Raises:
            UsageError: the buffer has changes that are not saved.
        """
        path = path_of(uri)
        buffer = self._server.session.analysis.workspace.buffers.get(path)
        if buffer is not None and (not path.is_file() or path.read_bytes() != buffer.content):
            raise UsageError(f"{path.name} has changes that are not saved", hint="save it, then ask again")
        return path

    async def show(self, path: Path) -> bool:
        """Asks the client to open a file beside what it has open; whether it can and did."""
        if not self._server.supports("window", "show_document", "support"):
            return False
        params = types.ShowDocumentParams(path.as_uri(), external=False, take_focus=False)
        answer = await self._server.window_show_document_async(params)
        return bool(answer.success)


def command(server: Server, name: str, run: Callable[[str, str], Awaitable[Any]]) -> None:
    """Registers what a client may have executed on a file; an expected error is shown, and is the answer."""

    async def execute(uri: str, about: str) -> Any:
        try:
            return await run(uri, about)
        except Cancelled:
            raise asyncio.CancelledError from None
        except (VeriloopError, ModelError) as error:
            text = f"{error.message}; {error.hint}" if error.hint else error.message
            server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, text))
            raise server.failed(error) from None

    server.command(name)(execute)


def _told(event: Event) -> str:
    if isinstance(event, Stage):
        return event.name
    if isinstance(event, Tried):
        return f"{event.count} candidates, the best fails {100 * event.best:.0f} % of the checks"
    return event.text if isinstance(event, Note) else ""
