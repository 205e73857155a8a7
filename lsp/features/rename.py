"""Rename, and whether it can be done."""

from __future__ import annotations

from collections import defaultdict

from lsprotocol import types

from veriloop.assistant.design.editing.rename import Replacement, renamable, rename
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session


def register(server: Server) -> None:
    """Registers the features."""
    server.answers(types.TEXT_DOCUMENT_PREPARE_RENAME)(_prepare)
    server.answers(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))(_rename)


def _prepare(session: Session, params: types.PrepareRenameParams, cancel: CancelToken) -> types.Range:
    source, at = session.at(params.text_document, params.position)
    place = renamable(session.analysis, source, at)
    return session.positions.range(source, place.start, place.end)


def _rename(session: Session, params: types.RenameParams, cancel: CancelToken) -> types.WorkspaceEdit:
    source, at = session.at(params.text_document, params.position)
    return workspace_edit(session, rename(session.analysis, source, at, params.new_name, cancel))


def workspace_edit(session: Session, replacements: list[Replacement]) -> types.WorkspaceEdit:
    """Replacements as an edit; of an open file for the version that it was worked out for."""
    edits: dict[str, list[types.TextEdit]] = defaultdict(list)
    for one in replacements:
        source = session.analysis.source(one.at.path)
        edit = session.positions.edit(source, one.at.start, one.at.end, one.text)
        edits[session.positions.uri(one.at.path)].append(edit)
    return types.WorkspaceEdit(changes=dict(edits))
