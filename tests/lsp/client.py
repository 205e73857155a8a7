"""A client of the real server, over stdio, for tests: synchronous, and it remembers what the server tells."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from tests.assistant.design.marked import Marked

ROOT = Path(__file__).resolve().parent.parent.parent
_TIMEOUT_S = 30.0


class Client:
    """One server and its client.

    Args:
        roots: the trees that are opened.
        encoding: what a column counts.
        pull: whether the client asks for diagnostics instead of waiting for them.
        timeout_s: how long an answer may take.
    """

    def __init__(
        self, *roots: Path, encoding: str = "utf-16", pull: bool = False, timeout_s: float = _TIMEOUT_S
    ) -> None:
        self.diagnostics: dict[str, types.PublishDiagnosticsParams] = {}
        self.progress: list[types.ProgressParams] = []
        self.registrations: list[types.Registration] = []
        self.edits: list[types.ApplyWorkspaceEditParams] = []
        self.shown: list[types.ShowDocumentParams] = []
        self.said: list[types.ShowMessageParams] = []
        self._timeout_s = timeout_s
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client = self._do(self._new())
        self.capabilities = self._initialize(roots, encoding, pull).capabilities

    async def _new(self) -> LanguageClient:
        client = LanguageClient("tests", "1")

        heard: dict[str, Callable[[Any], Any]] = {
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: self._on_diagnostics,
            types.CLIENT_REGISTER_CAPABILITY: self._on_register,
            types.WINDOW_WORK_DONE_PROGRESS_CREATE: self._on_other,
            types.PROGRESS: self._on_progress,
            types.WORKSPACE_DIAGNOSTIC_REFRESH: self._on_other,
            types.WORKSPACE_CODE_LENS_REFRESH: self._on_other,
            types.WORKSPACE_APPLY_EDIT: self._on_edit,
            types.WINDOW_SHOW_MESSAGE: self._on_message,
            types.WINDOW_SHOW_DOCUMENT: self._on_document,
            types.WINDOW_LOG_MESSAGE: self._on_other,
        }
        for method, on_message in heard.items():
            client.feature(method)(partial(on_message))
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "dev")}
        words = ["-m", "veriloop.assistant.cli.main", "lsp"]
        await client.start_io(sys.executable, *words, env=environment)
        return client

    def _on_diagnostics(self, params: types.PublishDiagnosticsParams) -> None:
        self.diagnostics[params.uri] = params

    def _on_register(self, params: types.RegistrationParams) -> None:
        self.registrations += params.registrations

    def _on_progress(self, params: types.ProgressParams) -> None:
        self.progress.append(params)

    def _on_edit(self, params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
        self.edits.append(params)
        return types.ApplyWorkspaceEditResult(applied=True)

    def _on_document(self, params: types.ShowDocumentParams) -> types.ShowDocumentResult:
        self.shown.append(params)
        return types.ShowDocumentResult(success=True)

    def _on_message(self, params: types.ShowMessageParams) -> None:
        self.said.append(params)

    def _on_other(self, params: Any) -> None:
        """Heard, and nothing more."""

    def _initialize(self, roots: tuple[Path, ...], encoding: str, pull: bool) -> types.InitializeResult:
        capabilities = types.ClientCapabilities(
            general=types.GeneralClientCapabilities(position_encodings=[types.PositionEncodingKind(encoding)]),
            window=types.WindowClientCapabilities(
                work_done_progress=True, show_document=types.ShowDocumentClientCapabilities(support=True)
            ),
            workspace=types.WorkspaceClientCapabilities(
                did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(dynamic_registration=True)
            ),
            text_document=types.TextDocumentClientCapabilities(
                completion=types.CompletionClientCapabilities(
                    completion_item=types.ClientCompletionItemOptions(snippet_support=True)
                ),
                diagnostic=types.DiagnosticClientCapabilities() if pull else None,
            ),
        )
        folders = [types.WorkspaceFolder(root.as_uri(), root.name) for root in roots]
        params = types.InitializeParams(
            capabilities=capabilities,
            process_id=os.getpid(),
            workspace_folders=folders or None,
        )
        result: types.InitializeResult = self.request(types.INITIALIZE, params)
        self.notify(types.INITIALIZED, types.InitializedParams())
        return result

    def _do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(self._timeout_s)

    def request(self, method: str, params: Any) -> Any:
        """Asks and waits for the answer."""

        async def ask() -> Any:
            return await self._client.protocol.send_request_async(method, params)

        return self._do(ask())

    def ask_soon(self, method: str, params: Any) -> Future[Any]:
        """Asks, and returns what the answer will be in."""

        async def ask() -> Any:
            return await self._client.protocol.send_request_async(method, params)

        return asyncio.run_coroutine_threadsafe(ask(), self._loop)

    @property
    def process_id(self) -> int:
        """The server's process."""
        server = self._client._server
        assert server is not None
        return int(server.pid)

    @property
    def cpu_s(self) -> float:
        """The CPU seconds that the server has used."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def cancel(self, method: str, params: Any, after_s: float = 0.0) -> BaseException | Any:
        """Asks, takes the question back, and returns how it ended."""

        async def ask() -> Any:
            number = f"cancelled-{time.monotonic_ns()}"
            future = self._client.protocol.send_request(method, params, msg_id=number)
            await asyncio.sleep(after_s)
            self._client.cancel_request(types.CancelParams(number))
            return await asyncio.wait_for(asyncio.wrap_future(future), _TIMEOUT_S)

        try:
            return self._do(ask())
        except Exception as error:  # noqa: BLE001 - how it ended is the answer
            return error

    def notify(self, method: str, params: Any) -> None:
        """Tells."""
        self._loop.call_soon_threadsafe(self._client.protocol.notify, method, params)

    def open(self, path: Path, text: str | None = None) -> str:
        """Opens a file; returns its URI."""
        content = path.read_text(encoding="utf-8") if text is None else text
        item = types.TextDocumentItem(path.as_uri(), "systemverilog", 1, content)
        self.notify(types.TEXT_DOCUMENT_DID_OPEN, types.DidOpenTextDocumentParams(item))
        return path.as_uri()

    def change(self, uri: str, version: int, *changes: types.TextDocumentContentChangeEvent) -> None:
        """Changes an open file."""
        document = types.VersionedTextDocumentIdentifier(version, uri)
        params = types.DidChangeTextDocumentParams(document, list(changes))
        self.notify(types.TEXT_DOCUMENT_DID_CHANGE, params)

    def wait(self, happened: Callable[[], Any]) -> Any:
        """Waits until something is true, and returns it."""
        end = time.monotonic() + self._timeout_s
        while not (value := happened()):
            assert time.monotonic() < end, "it did not happen"
            time.sleep(0.01)
        return value

    def close(self) -> None:
        """Says goodbye, and sees that the server ends."""
        self.request(types.SHUTDOWN, None)
        self.notify(types.EXIT, None)
        server = self._client._server
        self.wait(lambda: server is None or server.returncode is not None)
        self._do(self._client.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_TIMEOUT_S)
        self._loop.close()


def position(text: str, at: int) -> types.Position:
    """The position of a byte, in UTF-16 units."""
    before = text.encode()[:at].decode()
    line = before.rsplit("\n", 1)[-1]
    return types.Position(before.count("\n"), len(line.encode("utf-16-le")) // 2)


def span(text: str, start: int, end: int) -> types.Range:
    """The range of some bytes, in UTF-16 units."""
    return types.Range(position(text, start), position(text, end))


def cursor(marked: Marked, root: Path) -> dict[str, Any]:
    """The document and the position of the first cursor."""
    name, at = marked.cursors[0]
    document = types.TextDocumentIdentifier((root / name).as_uri())
    return {"text_document": document, "position": position(marked.files[name], at)}
