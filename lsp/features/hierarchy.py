"""Call hierarchy as the hierarchy of instances."""

from __future__ import annotations

from lsprotocol import types

from veriloop.assistant.design.editing.hierarchy import Link, Unit, above, below, unit_at
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session


def register(server: Server) -> None:
    """Registers the features."""
    server.answers(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)(_prepare)
    server.answers(types.CALL_HIERARCHY_INCOMING_CALLS)(_incoming)
    server.answers(types.CALL_HIERARCHY_OUTGOING_CALLS)(_outgoing)


def _prepare(
    session: Session, params: types.CallHierarchyPrepareParams, cancel: CancelToken
) -> list[types.CallHierarchyItem]:
    source, at = session.at(params.text_document, params.position)
    unit = unit_at(session.analysis, source, at)
    return [_item(session, unit)] if unit is not None else []


def _incoming(
    session: Session, params: types.CallHierarchyIncomingCallsParams, cancel: CancelToken
) -> list[types.CallHierarchyIncomingCall]:
    source = session.source(params.item.uri)
    at = session.positions.byte(source, params.item.selection_range.start)
    return [
        types.CallHierarchyIncomingCall(_item(session, link.unit), _ranges(session, link))
        for link in above(session.analysis, source, at)
    ]


def _outgoing(
    session: Session, params: types.CallHierarchyOutgoingCallsParams, cancel: CancelToken
) -> list[types.CallHierarchyOutgoingCall]:
    source = session.source(params.item.uri)
    at = session.positions.byte(source, params.item.selection_range.start)
    return [
        types.CallHierarchyOutgoingCall(_item(session, link.unit, ", ".join(link.names)), _ranges(session, link))
        for link in below(session.analysis, source, at)
    ]


def _ranges(session: Session, link: Link) -> list[types.Range]:
    return [session.positions.location(place).range for place in link.instances]


def _item(session: Session, unit: Unit, names: str = "") -> types.CallHierarchyItem:
    source = session.analysis.source(unit.whole.path)
    return types.CallHierarchyItem(
        name=unit.name,
        kind=types.SymbolKind.Interface if unit.kind == "interface" else types.SymbolKind.Module,
        uri=session.positions.uri(unit.whole.path),
        range=session.positions.range(source, unit.whole.start, unit.whole.end),
        selection_range=session.positions.range(source, unit.at.start, unit.at.end),
        detail=names or unit.kind,
    )
