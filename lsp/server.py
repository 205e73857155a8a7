"""The language server: takes requests apart, asks the session, puts answers together. What it knows is in `design/`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.protocol import LanguageServerProtocol, lsp_method

from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import Cancelled, VeriloopError
from veriloop.assistant.events import CancelToken
from veriloop.lsp.positions import path_of
from veriloop.lsp.session import Session
from veriloop.models.errors import ModelError

LOGGER = logging.getLogger(__name__)

_COMMAND_WORDS = 2
"""What every command takes: the URI of a file, and what of it is meant."""
_REQUEST_FAILED = types.LSPErrorCodes.RequestFailed.value

T = TypeVar("T")
Offer = Callable[[Session, Source, int, int], list[types.CodeAction]]
"""From the first and the last byte of what is selected to what can be done with it."""
Answer = Callable[[Session, Any, CancelToken], Any]


class _Unexpected(logging.Filter):
    """Keeps the log for bugs: that a rename is refused is an answer, and its client has it."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], JsonRpcException))


class Publishes(Protocol):
    """What sends diagnostics to clients that do not ask for them."""

    def soon(self, uri: str, after_s: float = ...) -> None:
        """Looks at a file once the keyboard rests."""
        ...

    def saved(self, uri: str) -> None:
        """Lints a file that was saved."""
        ...

    async def judged(self, uris: Sequence[str]) -> None:
        """Shows what was judged."""
        ...

    def closed(self, uri: str) -> None:
        """Takes the diagnostics of a file back."""
        ...


class Verifies(Protocol):
    """What knows how the modules stand."""

    def look(self, path: Path, *, again: bool = True) -> None:
        """Finds out, in the background, how the repository of a file stands."""
        ...

    def lenses(self, session: Session, source: Source) -> list[types.CodeLens]:
        """How each module of a file stands."""
        ...


class Suggests(Protocol):
    """What suggests how a text goes on."""

    def changed(self, uri: str) -> None:
        """Ends what is being worked out for a text that has changed."""
        ...

    def status(self) -> dict[str, Any]:
        """Which model suggests, and how it does."""
        ...


class _Protocol(LanguageServerProtocol):
    """The protocol without pygls' own copy of the documents: the session keeps them, as bytes."""

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> Any:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> Any:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> Any:
        yield self.fm.features[types.TEXT_DOCUMENT_DID_CLOSE], (params,), None

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]  # pygls' own is a generator
        self, params: types.ExecuteCommandParams
    ) -> Any:
        """A command as one task, which ends when it is taken back; pygls' own never answers then."""
        handler = self.fm.commands.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams(f"there is no command {params.command!r}")
        words = list(params.arguments or ())
        if len(words) != _COMMAND_WORDS or not all(isinstance(word, str) for word in words):
            raise JsonRpcInvalidParams(f"{params.command} takes a URI and a text")
        return await handler(*words)


class Server(LanguageServer):
    """One server for one client."""

    def __init__(self, version: str) -> None:
        super().__init__("veriloop", version, protocol_cls=_Protocol)
        logging.getLogger("pygls.protocol.json_rpc").addFilter(_Unexpected())
        self.session = Session()
        self.tasks: set[asyncio.Task[None]] = set()
        self.starts: list[Callable[[types.InitializeParams], None]] = []
        self._ends: list[Callable[[], None]] = []
        self.offers: list[Offer] = []
        """What can be done at a place of a file, each feature's own."""
        self.publisher: Publishes
        self.verification: Verifies
        self.inline: Suggests

    def on_start(self, start: Callable[[types.InitializeParams], None]) -> None:
        """Calls something with what the client can do, before its first request."""
        self.starts.append(start)

    def on_end(self, end: Callable[[], None]) -> None:
        """Calls something when the server ends."""
        self._ends.append(end)

    def answers(self, method: str, options: Any = None) -> Callable[[Answer], Answer]:
        """Registers what answers a request; it runs in the session's thread and can be cancelled."""

        def register(answer: Answer) -> Answer:
            async def handle(params: Any) -> Any:
                return await self.ask(answer, params)

            self.feature(method, options)(handle)
            return answer

        return register

    async def ask(self, answer: Answer, params: Any) -> Any:
        """One answer.

        Raises:
            JsonRpcException: the request cannot be answered, with the reason.
        """
        return await self.expected(self.session.run(lambda token: answer(self.session, params, token)))

    async def expected(self, answer: Awaitable[T]) -> T:
        """An answer whose expected errors are told to the client as such.

        Raises:
            JsonRpcException: the request cannot be answered, with the reason.
        """
        try:
            return await answer
        except VeriloopError as error:
            raise self.failed(error) from None
        except Cancelled:
            raise asyncio.CancelledError from None

    @staticmethod
    def failed(error: VeriloopError | ModelError) -> JsonRpcException:
        """An expected error as the answer to a request."""
        message = f"{error.message}; {error.hint}" if error.hint else error.message
        return JsonRpcException(message, _REQUEST_FAILED)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Starts something that goes on beside the requests."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            LOGGER.error("a background task failed", exc_info=task.exception())

    def report_server_error(self, error: Exception, source: Any) -> None:
        """A request that fails tells its own client so; a box on the screen for each is too much."""
        if not isinstance(error, JsonRpcException) or isinstance(error, JsonRpcInternalError):
            LOGGER.error("%s", error)

    def supports(self, *names: str) -> bool:
        """Whether the client has an ability, by the names of the fields that lead to it."""
        value: Any = self.protocol.client_capabilities
        for name in names:
            value = getattr(value, name, None)
        return bool(value)

    def shutdown(self) -> None:
        """Ends the server and its thread."""
        for end in self._ends:
            end()
        self.session.close()
        super().shutdown()  # type: ignore[no-untyped-call]  # pygls leaves it unannotated


def roots_of(params: types.InitializeParams) -> list[Path]:
    """The trees that a client opens."""
    folders = [folder.uri for folder in params.workspace_folders or []]
    uris = folders or ([params.root_uri] if params.root_uri else [])
    found = [path_of(uri) for uri in uris]
    if not found and params.root_path:
        found = [Path(params.root_path)]
    return [path for path in found if path.is_dir()]
