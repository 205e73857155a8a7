"""Semantic tokens: whole, by range, and what has changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from lsprotocol import types

from veriloop.assistant.design.editing.coloring import Colored, color
from veriloop.assistant.design.symbols.outline import Kind
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken
from veriloop.lsp.positions import path_of
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session

_TYPES: dict[Kind, str] = {
    "module": "class",
    "interface": "interface",
    "program": "class",
    "package": "namespace",
    "class": "class",
    "checker": "class",
    "primitive": "class",
    "port": "parameter",
    "net": "variable",
    "variable": "variable",
    "parameter": "variable",
    "type": "type",
    "member": "property",
    "enum value": "enumMember",
    "function": "function",
    "task": "method",
    "argument": "parameter",
    "genvar": "variable",
    "instance": "property",
    "block": "namespace",
    "modport": "interface",
    "clocking": "event",
    "property": "function",
    "sequence": "function",
    "let": "function",
    "covergroup": "class",
    "coverpoint": "property",
    "constraint": "property",
    "macro": "macro",
    "macro argument": "parameter",
}
_NAMES = sorted(set(_TYPES.values()))
_MODIFIERS = ["declaration", "readonly"]
_INDEX = {kind: _NAMES.index(name) for kind, name in _TYPES.items()}
LEGEND = types.SemanticTokensLegend(_NAMES, _MODIFIERS)
_COUNT = itertools.count(1)
_KEPT = 50


def register(server: Server) -> None:
    """Registers the features."""
    full = types.SemanticTokensRegistrationOptions(
        legend=LEGEND, full=types.SemanticTokensFullDelta(delta=True), range=True
    )
    server.answers(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, full)(_full)
    server.answers(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL_DELTA, full)(_delta)
    server.answers(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_RANGE, full)(_range)


def _full(session: Session, params: types.SemanticTokensParams, cancel: CancelToken) -> types.SemanticTokens:
    source = session.source(params.text_document.uri)
    data = _encoded(session, source, color(session.analysis, source, cancel=cancel))
    return types.SemanticTokens(data, _remember(session, params.text_document.uri, data))


def _range(session: Session, params: types.SemanticTokensRangeParams, cancel: CancelToken) -> types.SemanticTokens:
    source = session.source(params.text_document.uri)
    start = session.positions.byte(source, params.range.start)
    end = session.positions.byte(source, params.range.end)
    return types.SemanticTokens(_encoded(session, source, color(session.analysis, source, start, end, cancel)))


def _delta(
    session: Session, params: types.SemanticTokensDeltaParams, cancel: CancelToken
) -> types.SemanticTokensDelta | types.SemanticTokens:
    before = session.tokens.get(str(path_of(params.text_document.uri)))
    full = _full(session, types.SemanticTokensParams(params.text_document), cancel)
    if before is None or before[0] != params.previous_result_id:
        return full
    old, new = before[1], list(full.data)
    start = _common(old, new)
    tail = min(_common(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    edits = []
    if start + tail < max(len(old), len(new)):
        inserted = new[start : len(new) - tail]
        edits = [types.SemanticTokensEdit(start, len(old) - tail - start, inserted)]
    return types.SemanticTokensDelta(edits, full.result_id)


def _remember(session: Session, uri: str, data: list[int]) -> str:
    result_id = str(next(_COUNT))
    path = str(path_of(uri))
    session.tokens.pop(path, None)
    session.tokens[path] = (result_id, data)
    while len(session.tokens) > _KEPT:
        del session.tokens[next(iter(session.tokens))]
    return result_id


def _encoded(session: Session, source: Source, found: Iterable[Colored]) -> list[int]:
    """Five numbers a token: lines and columns since the one before, length, type, modifiers."""
    data: list[int] = []
    last_line = last_column = 0
    for token in found:
        line, column = source.lines.position(token.start, session.positions.units)
        length = source.lines.position(token.end, session.positions.units)[1] - column
        ahead = column - last_column if line == last_line else column
        data += (line - last_line, ahead, length, _INDEX[token.kind], token.is_declaration | token.is_constant << 1)
        last_line, last_column = line, column
    return data


def _common(one: list[int], two: list[int]) -> int:
    """How many leading numbers are equal, in whole tokens."""
    count = 0
    for left, right in zip(one, two, strict=False):
        if left != right:
            break
        count += 1
    return count // 5 * 5
