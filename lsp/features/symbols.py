"""The names of a file and of all files."""

from __future__ import annotations

from lsprotocol import types

from veriloop.assistant.design.editing.names import Name, document_names, workspace_names
from veriloop.assistant.design.symbols.outline import Kind
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session

_CHUNK = 200
KINDS: dict[Kind, types.SymbolKind] = {
    "module": types.SymbolKind.Module,
    "interface": types.SymbolKind.Interface,
    "program": types.SymbolKind.Module,
    "package": types.SymbolKind.Package,
    "class": types.SymbolKind.Class,
    "checker": types.SymbolKind.Module,
    "primitive": types.SymbolKind.Module,
    "port": types.SymbolKind.Property,
    "net": types.SymbolKind.Variable,
    "variable": types.SymbolKind.Variable,
    "parameter": types.SymbolKind.Constant,
    "type": types.SymbolKind.Struct,
    "member": types.SymbolKind.Field,
    "enum value": types.SymbolKind.EnumMember,
    "function": types.SymbolKind.Function,
    "task": types.SymbolKind.Function,
    "argument": types.SymbolKind.Variable,
    "genvar": types.SymbolKind.Variable,
    "instance": types.SymbolKind.Object,
    "block": types.SymbolKind.Namespace,
    "modport": types.SymbolKind.Interface,
    "clocking": types.SymbolKind.Event,
    "property": types.SymbolKind.Boolean,
    "sequence": types.SymbolKind.Boolean,
    "let": types.SymbolKind.Function,
    "covergroup": types.SymbolKind.Class,
    "coverpoint": types.SymbolKind.Field,
    "constraint": types.SymbolKind.Boolean,
    "macro": types.SymbolKind.Constant,
    "macro argument": types.SymbolKind.Variable,
}


def register(server: Server) -> None:
    """Registers the features."""
    server.answers(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)(_document)

    async def workspace(params: types.WorkspaceSymbolParams) -> list[types.WorkspaceSymbol]:
        found: list[types.WorkspaceSymbol] = await server.ask(_workspace, params)
        if params.partial_result_token is None:
            return found
        for index in range(0, len(found), _CHUNK):
            server.progress(types.ProgressParams(params.partial_result_token, found[index : index + _CHUNK]))
        return []

    server.feature(types.WORKSPACE_SYMBOL)(workspace)


def _document(session: Session, params: types.DocumentSymbolParams, cancel: CancelToken) -> list[types.DocumentSymbol]:
    source = session.source(params.text_document.uri)
    return [_symbol(session, source, name) for name in document_names(source)]


def _symbol(session: Session, source: Source, name: Name) -> types.DocumentSymbol:
    # The protocol wants the name inside of the whole.
    start, end = min(name.whole.start, name.at.start), max(name.whole.end, name.at.end)
    return types.DocumentSymbol(
        name=name.name,
        kind=KINDS[name.kind],
        range=session.positions.range(source, start, end),
        selection_range=session.positions.range(source, name.at.start, name.at.end),
        detail=name.detail or None,
        children=[_symbol(session, source, inner) for inner in name.inner],
    )


def _workspace(
    session: Session, params: types.WorkspaceSymbolParams, cancel: CancelToken
) -> list[types.WorkspaceSymbol]:
    return [
        types.WorkspaceSymbol(
            location=session.positions.location(found.at),
            name=found.name,
            kind=KINDS[found.kind],
            container_name=found.inside or None,
        )
        for found in workspace_names(session.analysis, params.query, cancel)
    ]
