"""Definition, declaration, type definition, implementation, references, highlights, links."""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from veriloop.assistant.design.editing import definition, links, uses
from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session

_CHUNK = 200

_QUESTIONS: dict[str, Callable[[Analysis, Source, int], list[Place]]] = {
    types.TEXT_DOCUMENT_DEFINITION: definition.definition,
    types.TEXT_DOCUMENT_DECLARATION: definition.declaration,
    types.TEXT_DOCUMENT_TYPE_DEFINITION: definition.type_definition,
    types.TEXT_DOCUMENT_IMPLEMENTATION: definition.implementation,
}


def register(server: Server) -> None:
    """Registers the features."""
    for method, question in _QUESTIONS.items():
        server.answers(method)(_locations(question))
    server.answers(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)(_highlight)
    server.answers(types.TEXT_DOCUMENT_DOCUMENT_LINK)(_links)

    async def references(params: types.ReferenceParams) -> list[types.Location]:
        found: list[types.Location] = await server.ask(_references, params)
        if params.partial_result_token is None:
            return found
        for index in range(0, len(found), _CHUNK):
            server.progress(types.ProgressParams(params.partial_result_token, found[index : index + _CHUNK]))
        return []

    server.feature(types.TEXT_DOCUMENT_REFERENCES)(references)


def _locations(
    question: Callable[[Analysis, Source, int], list[Place]],
) -> Callable[[Session, types.TextDocumentPositionParams, CancelToken], list[types.Location]]:
    def answer(session: Session, params: types.TextDocumentPositionParams, cancel: CancelToken) -> list[types.Location]:
        source, at = session.at(params.text_document, params.position)
        return [session.positions.location(place) for place in question(session.analysis, source, at)]

    return answer


def _references(session: Session, params: types.ReferenceParams, cancel: CancelToken) -> list[types.Location]:
    source, at = session.at(params.text_document, params.position)
    wanted = params.context.include_declaration
    found = uses.find_references(session.analysis, source, at, declarations=wanted, cancel=cancel)
    return [session.positions.location(place) for place in found]


def _highlight(
    session: Session, params: types.DocumentHighlightParams, cancel: CancelToken
) -> list[types.DocumentHighlight]:
    source, at = session.at(params.text_document, params.position)
    return [
        types.DocumentHighlight(
            session.positions.range(source, place.start, place.end),
            types.DocumentHighlightKind.Write if written else types.DocumentHighlightKind.Read,
        )
        for place, written in uses.highlight(session.analysis, source, at)
    ]


def _links(session: Session, params: types.DocumentLinkParams, cancel: CancelToken) -> list[types.DocumentLink]:
    source = session.source(params.text_document.uri)
    return [
        types.DocumentLink(
            session.positions.range(source, place.start, place.end), target=session.positions.uri(target.path)
        )
        for place, target in links.links(session.analysis, source)
        if target is not None
    ]
