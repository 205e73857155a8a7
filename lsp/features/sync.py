"""What is open, what has changed on disk, which trees there are; and reading the rest of them in the background."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from lsprotocol import types

from veriloop.assistant import startup
from veriloop.assistant.errors import Cancelled
from veriloop.lsp.positions import path_of
from veriloop.lsp.server import LOGGER, Server, roots_of

_SLICE_S = 0.015
_AFTER_OPENING_S = 0.15
"""The first question about a file that was just opened goes before its diagnostics."""
_WATCHED = ("**/*.{v,sv,vh,svh}", "**/*.{f,core,vlt}", "**/veriloop.toml")
_SETTINGS = frozenset({".f", ".core", ".toml", ".vlt"})
_INDEX_TOKEN = "veriloop/index"


def register(server: Server) -> None:
    """Registers the notifications."""
    session = server.session

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        for start in server.starts:
            start(params)
        encoding = str(server.workspace.position_encoding or "utf-16")
        encoding = encoding.rsplit(".", 1)[-1].lower().replace("utf8", "utf-8").replace("utf16", "utf-16")
        encoding = encoding.replace("utf32", "utf-32")
        roots = roots_of(params)
        session.post(lambda: session.start(roots, encoding))

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        server.spawn(_index(server))
        server.spawn(_watch(server))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        session.versions[path_of(params.text_document.uri)] = params.text_document.version
        session.post(lambda: session.opened(params.text_document))
        server.publisher.soon(params.text_document.uri, _AFTER_OPENING_S)
        server.spawn(_look(server, path_of(params.text_document.uri)))

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.inline.changed(params.text_document.uri)
        session.post(lambda: session.changed(params))
        server.publisher.soon(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        session.versions.pop(path_of(params.text_document.uri), None)
        server.inline.changed(params.text_document.uri)
        session.post(lambda: session.closed(params.text_document.uri))
        server.publisher.closed(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE, types.SaveOptions(include_text=False))
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.publisher.saved(params.text_document.uri)
        server.verification.look(path_of(params.text_document.uri))

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(params: types.DidChangeWatchedFilesParams) -> None:
        paths = [path_of(change.uri) for change in params.changes]
        session.post(lambda: _changed_on_disk(server, paths))
        for uri in _open_uris(server):
            server.publisher.soon(uri)
        server.spawn(_index(server))

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(params: types.DidChangeConfigurationParams) -> None:
        session.post(lambda: _read_settings(server))
        for uri in _open_uris(server):
            server.publisher.soon(uri)
        server.spawn(_index(server))

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        removed = [path_of(folder.uri) for folder in params.event.removed]
        added = [path_of(folder.uri) for folder in params.event.added]
        session.post(lambda: _folders(server, removed, added))
        server.spawn(_index(server))


async def _look(server: Server, path: Path) -> None:
    # Once the thread comes to this, the trees are open.
    await server.session.run(lambda token: None)
    server.verification.look(path, again=False)


def _changed_on_disk(server: Server, paths: list[Path]) -> None:
    session = server.session
    if any(path.suffix in _SETTINGS for path in paths):
        _read_settings(server)
    for path in paths:
        if path.suffix not in _SETTINGS:
            session.analysis.workspace.changed_on_disk(path)


def _folders(server: Server, removed: list[Path], added: list[Path]) -> None:
    for path in removed:
        server.session.analysis.workspace.remove_root(path)
    for path in added:
        server.session.add_root(path)


def _read_settings(server: Server) -> None:
    for project in list(server.session.analysis.workspace.projects):
        server.session.add_root(project.root)


def _open_uris(server: Server) -> list[str]:
    return [server.session.positions.uri(path) for path in server.session.versions]


async def _index(server: Server) -> None:
    """Reads the trees, in turns with the requests, and says how far it is."""
    session = server.session
    workspace = session.analysis.workspace
    shown = False
    try:
        while not await session.run(lambda token: workspace.index(_SLICE_S)):
            done, every = workspace.progress
            if not shown and server.supports("window", "work_done_progress"):
                shown = True
                with contextlib.suppress(Exception):
                    await server.work_done_progress.create_async(_INDEX_TOKEN)
                begin = types.WorkDoneProgressBegin("Reading Verilog", cancellable=False, percentage=0)
                server.work_done_progress.begin(_INDEX_TOKEN, begin)
            if shown:
                report = types.WorkDoneProgressReport(
                    message=f"{done} of {every}", percentage=100 * done // max(every, 1)
                )
                server.work_done_progress.report(_INDEX_TOKEN, report)
    except (Cancelled, RuntimeError):
        # The server is being shut down.
        return
    finally:
        startup.done()
        if shown:
            server.work_done_progress.end(_INDEX_TOKEN, types.WorkDoneProgressEnd())
            server.work_done_progress.tokens.pop(_INDEX_TOKEN, None)
    LOGGER.info("%d files are in the index", workspace.progress[0])


async def _watch(server: Server) -> None:
    """Asks to be told of files that change on disk."""
    if not server.supports("workspace", "did_change_watched_files", "dynamic_registration"):
        return
    watchers: list[Any] = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
    registration = types.Registration("veriloop-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)
    await server.client_register_capability_async(types.RegistrationParams([registration]))
