"""Diagnostics: slang's as you type, Verilator's when a file is saved; each finding once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types

from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.design.project import Project
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.words import word_at
from veriloop.assistant.errors import Cancelled, VeriloopError
from veriloop.assistant.events import CancelToken
from veriloop.lsp.positions import path_of
from veriloop.lsp.server import LOGGER, Server
from veriloop.lsp.session import Session

_AFTER_KEY_S = 0.025
"""How long the keyboard has to rest: shorter than between two keys of a fast typist, so that each word is looked at."""
_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}


def register(server: Server) -> None:
    """Registers the features."""
    options = types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False, identifier="veriloop")
    server.answers(types.TEXT_DOCUMENT_DIAGNOSTIC, options)(_pull)
    server.publisher = Publisher(server)


class Publisher:
    """Sends diagnostics to clients that do not ask for them."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._waiting: dict[str, asyncio.TimerHandle] = {}
        self._due: list[str] = []
        self._busy = False
        self._lints: dict[str, CancelToken] = {}

    def soon(self, uri: str, after_s: float = _AFTER_KEY_S) -> None:
        """Looks at a file once the keyboard rests."""
        if self._server.supports("text_document", "diagnostic"):
            return
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        loop = asyncio.get_running_loop()
        self._waiting[uri] = loop.call_later(after_s, self._come, uri)

    def saved(self, uri: str) -> None:
        """Lints a file that was saved, beside the requests; an earlier lint of it is stopped."""
        before = self._lints.pop(uri, None)
        if before is not None:
            before.cancel()
        token = self._lints[uri] = CancelToken()
        self._server.spawn(self._lint(uri, token))

    async def judged(self, uris: Sequence[str]) -> None:
        """Shows what was judged: asks for the diagnostics to be asked for again, or sends those of these files."""
        if self._server.supports("text_document", "diagnostic"):
            await self._server.workspace_diagnostic_refresh_async(None)
            return
        for uri in uris:
            await self._publish(uri)

    def closed(self, uri: str) -> None:
        """Takes the diagnostics of a file back."""
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        lint_token = self._lints.pop(uri, None)
        if lint_token is not None:
            lint_token.cancel()
        self._server.session.lint.pop(path_of(uri), None)
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))

    def _come(self, uri: str) -> None:
        """The time has come for a file; it goes before those that wait for longer: it is where the user is."""
        self._waiting.pop(uri, None)
        if uri in self._due:
            self._due.remove(uri)
        self._due.append(uri)
        self._begin()

    def _begin(self) -> None:
        if self._due and not self._busy:
            self._busy = True
            self._server.spawn(self._work())

    async def _work(self) -> None:
        """One file at a time, so that no request waits for all of them."""
        try:
            while self._due:
                await self._publish(self._due.pop())
        finally:
            self._busy = False
            # What one file fails with is its own.
            self._begin()

    async def _publish(self, uri: str) -> None:
        session = self._server.session
        path = path_of(uri)
        if path not in session.versions:
            return
        found, version = await session.run(lambda token: (encoded(session, uri), session.versions.get(path)))
        if path in session.versions:
            self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found, version))

    async def _lint(self, uri: str, token: CancelToken) -> None:
        session = self._server.session
        path = path_of(uri)
        project = session.analysis.workspace.project_of(path)
        try:
            found = await asyncio.to_thread(_linted, path, project, token)
        except Cancelled:
            return
        except VeriloopError as error:
            LOGGER.info("no lint: %s", error.message)
            return
        if path not in session.versions or self._lints.get(uri) is not token:
            return
        session.lint[path] = found
        if self._server.supports("text_document", "diagnostic"):
            await self._server.workspace_diagnostic_refresh_async(None)
        else:
            await self._publish(uri)


def _pull(
    session: Session, params: types.DocumentDiagnosticParams, cancel: CancelToken
) -> types.RelatedFullDocumentDiagnosticReport:
    return types.RelatedFullDocumentDiagnosticReport(items=encoded(session, params.text_document.uri))


def encoded(session: Session, uri: str) -> list[types.Diagnostic]:
    """What is wrong with a file: what slang says now, what Verilator said of it when it was saved, what was judged."""
    source = session.source(uri)
    found = session.analysis.live.diagnostics(source)
    if session.lint.get(source.path):
        from veriloop.assistant.verify.lint import without_repeats

        found = tuple(without_repeats(found, session.lint[source.path]))
    root = _complaint(session, source.path)
    judged = session.judged.get(source.path, ())
    return [*root, *(_diagnostic(session, source, one) for one in (*found, *judged))]


def _linted(path: Path, project: Project | None, token: CancelToken) -> tuple[Diagnostic, ...]:
    # Read at the first lint, not at the start.
    from veriloop.assistant.verify.lint import lint

    return lint(path, project, token)


def _complaint(session: Session, path: Path) -> list[types.Diagnostic]:
    """A `veriloop.toml` that is not used is said where it matters: its names may be missing here."""
    project = session.analysis.workspace.project_of(path)
    text = session.complaints.get(project.root) if project is not None else None
    if not text:
        return []
    start = types.Position(0, 0)
    return [types.Diagnostic(types.Range(start, start), text, types.DiagnosticSeverity.Warning, source="veriloop")]


def _diagnostic(session: Session, source: Source, one: Diagnostic) -> types.Diagnostic:
    at = source.lines.at(max(0, one.line - 1), max(0, one.column - 1), "utf-32")
    word = word_at(source.content, at)
    end = word[1] + len(word[0].encode()) if word is not None and word[1] <= at else at + 1
    return types.Diagnostic(
        range=session.positions.range(source, at, min(max(end, at), len(source.content))),
        message=one.message,
        severity=_SEVERITIES[one.severity],
        code=one.code or None,
        source=one.tool,
    )
