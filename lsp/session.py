"""What one client has open, and the one thread that answers it.

Requests and changes go through the thread in the order in which they arrive, so that an answer is always about the text
that the client had when it asked. Reading the rest of the files takes turns with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from lsprotocol import types

from veriloop.assistant.config import load_config
from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.design.symbols.lines import Units
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import ConfigError, UsageError
from veriloop.assistant.events import CancelToken
from veriloop.lsp.positions import Positions, path_of

T = TypeVar("T")
Work = Callable[[CancelToken], T]

_UNITS: dict[str, Units] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}


class Session:
    """The state of a server."""

    def __init__(self) -> None:
        self.analysis = Analysis()
        self.positions = Positions(self.analysis, "utf-16")
        self.versions: dict[Path, int] = {}
        self.lint: dict[Path, tuple[Diagnostic, ...]] = {}
        """What Verilator said about a file when it was last saved."""
        self.judged: dict[Path, tuple[Diagnostic, ...]] = {}
        """Where a judge says that the cause of a failing test lies, until the file is changed."""
        self.complaints: dict[Path, str] = {}
        """Why a `veriloop.toml` is not used, by tree."""
        self.tokens: dict[str, tuple[str, list[int]]] = {}
        """The semantic tokens that were last sent for a file, and what they were called."""
        self.snippets = False
        """Whether the client understands `$1` in a completion."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="answers")

    def start(self, roots: list[Path], encoding: str) -> None:
        """Opens the trees of a client and agrees on what a column counts."""
        self.positions = Positions(self.analysis, _UNITS.get(encoding, "utf-16"))
        for root in roots:
            self.add_root(root)

    def add_root(self, root: Path) -> None:
        """Opens a tree, or reads what its `veriloop.toml` says anew."""
        settings: DesignSettings | None = None
        self.complaints.pop(root, None)
        try:
            settings = load_config(root).repository.design
            self.analysis.workspace.add_root(root, settings)
        except ConfigError as error:
            self.complaints[root] = error.message
            self.analysis.workspace.add_root(root)
        except UsageError as error:
            self.complaints[root] = error.message

    async def run(self, work: Work[T]) -> T:
        """Does something in the thread, after what was asked before; stops it if the request is cancelled."""
        token = CancelToken()
        future = asyncio.get_running_loop().run_in_executor(self._thread, _unless_cancelled, work, token)
        try:
            return await future
        except asyncio.CancelledError:
            token.cancel()
            raise

    def post(self, work: Callable[[], None]) -> None:
        """Does something in the thread, after what was asked before."""
        self._thread.submit(work)

    def close(self) -> None:
        """Ends the thread once what it is doing is done."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    # --- in the thread ---

    def source(self, uri: str) -> Source:
        """A file.

        Raises:
            UsageError: it cannot be read.
        """
        return self.analysis.source(path_of(uri))

    def at(self, document: types.TextDocumentIdentifier, position: types.Position) -> tuple[Source, int]:
        """A file and the byte at a position."""
        source = self.source(document.uri)
        return source, self.positions.byte(source, position)

    def opened(self, document: types.TextDocumentItem) -> None:
        """A buffer was opened."""
        path = path_of(document.uri)
        self.positions.opened(path, document.uri)
        self.versions[path] = document.version
        self.analysis.workspace.open(path, document.text.encode("utf-8", errors="surrogatepass"))

    def changed(self, params: types.DidChangeTextDocumentParams) -> None:
        """A buffer was changed."""
        path = path_of(params.text_document.uri)
        source = self.analysis.workspace.buffers.get(path)
        if source is None:
            return
        self.versions[path] = params.text_document.version
        self.judged.pop(path, None)
        for change in params.content_changes:
            text = change.text.encode("utf-8", errors="surrogatepass")
            if isinstance(change, types.TextDocumentContentChangePartial):
                start = self.positions.byte(source, change.range.start)
                end = max(start, self.positions.byte(source, change.range.end))
                text = source.content[:start] + text + source.content[end:]
            source = Source(path, text, is_open=True)
        self.analysis.workspace.open(path, source.content)

    def closed(self, uri: str) -> None:
        """A buffer was closed."""
        path = path_of(uri)
        self.versions.pop(path, None)
        self.analysis.workspace.close(path)


def _unless_cancelled(work: Work[T], token: CancelToken) -> T:
    token.check()
    return work(token)
