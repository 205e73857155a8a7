"""Folding, selections, formatting, inlay hints."""

from __future__ import annotations

from lsprotocol import types

from veriloop.assistant.design.editing.folding import folds, selections
from veriloop.assistant.design.editing.hints import hints
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session


def register(server: Server) -> None:
    """Registers the features."""
    server.answers(types.TEXT_DOCUMENT_FOLDING_RANGE)(_fold)
    server.answers(types.TEXT_DOCUMENT_SELECTION_RANGE)(_select)
    server.answers(types.TEXT_DOCUMENT_FORMATTING)(_format)
    server.answers(types.TEXT_DOCUMENT_RANGE_FORMATTING)(_format_range)
    server.answers(types.TEXT_DOCUMENT_INLAY_HINT)(_hints)


def _fold(session: Session, params: types.FoldingRangeParams, cancel: CancelToken) -> list[types.FoldingRange]:
    source = session.source(params.text_document.uri)
    return [types.FoldingRange(fold.first, fold.last, kind=types.FoldingRangeKind(fold.kind)) for fold in folds(source)]


def _select(session: Session, params: types.SelectionRangeParams, cancel: CancelToken) -> list[types.SelectionRange]:
    source = session.source(params.text_document.uri)
    return [_selection(session, source, position) for position in params.positions]


def _selection(session: Session, source: Source, position: types.Position) -> types.SelectionRange:
    found: types.SelectionRange | None = None
    for start, end in reversed(selections(source, session.positions.byte(source, position))):
        found = types.SelectionRange(session.positions.range(source, start, end), found)
    return found or types.SelectionRange(types.Range(position, position))


def _format(session: Session, params: types.DocumentFormattingParams, cancel: CancelToken) -> list[types.TextEdit]:
    source = session.source(params.text_document.uri)
    return _replaced(session, source, _formatted(source, cancel))


def _format_range(
    session: Session, params: types.DocumentRangeFormattingParams, cancel: CancelToken
) -> list[types.TextEdit]:
    source = session.source(params.text_document.uri)
    last = params.range.end.line + (params.range.end.character > 0)
    lines = (params.range.start.line + 1, max(last, params.range.start.line + 1))
    return _replaced(session, source, _formatted(source, cancel, lines=lines))


def _formatted(source: Source, cancel: CancelToken, *, lines: tuple[int, int] | None = None) -> bytes:
    from veriloop.assistant.design.editing.formatting import formatted

    return formatted(source, cancel, lines=lines)


def _replaced(session: Session, source: Source, text: bytes) -> list[types.TextEdit]:
    """The lines that differ, so that the cursor and the folds of the others stay."""
    if text == source.content:
        return []
    before, after = source.content.splitlines(keepends=True), text.splitlines(keepends=True)
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    start = len(b"".join(before[:head]))
    end = len(b"".join(before[: len(before) - tail]))
    new = b"".join(after[head : len(after) - tail]).decode("utf-8", errors="replace")
    return [session.positions.edit(source, start, end, new)]


def _hints(session: Session, params: types.InlayHintParams, cancel: CancelToken) -> list[types.InlayHint]:
    source = session.source(params.text_document.uri)
    start = session.positions.byte(source, params.range.start)
    end = session.positions.byte(source, params.range.end)
    return [
        types.InlayHint(
            session.positions.position(source, hint.at),
            hint.text,
            kind=types.InlayHintKind.Parameter if hint.is_parameter else types.InlayHintKind.Type,
            padding_right=hint.is_parameter,
        )
        for hint in hints(session.analysis, source, start, end)
        if start <= hint.at <= end
    ]
