"""What can be written, and what an instance or a call takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsprotocol import types

from veriloop.assistant.design.editing.completion import Completion, Offered, complete, describe_declaration
from veriloop.assistant.design.editing.signature import signature
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session

_KINDS: dict[Offered, types.CompletionItemKind] = {
    "module": types.CompletionItemKind.Module,
    "interface": types.CompletionItemKind.Interface,
    "package": types.CompletionItemKind.Module,
    "class": types.CompletionItemKind.Class,
    "port": types.CompletionItemKind.Property,
    "parameter": types.CompletionItemKind.Constant,
    "type": types.CompletionItemKind.Struct,
    "member": types.CompletionItemKind.Field,
    "enum value": types.CompletionItemKind.EnumMember,
    "function": types.CompletionItemKind.Function,
    "task": types.CompletionItemKind.Function,
    "instance": types.CompletionItemKind.Reference,
    "macro": types.CompletionItemKind.Constant,
    "keyword": types.CompletionItemKind.Keyword,
    "snippet": types.CompletionItemKind.Snippet,
    "file": types.CompletionItemKind.File,
}


def register(server: Server) -> None:
    """Registers the features."""
    options = types.CompletionOptions(trigger_characters=[".", ":", "`", "$"], resolve_provider=True)
    server.answers(types.TEXT_DOCUMENT_COMPLETION, options)(_complete)
    server.answers(types.COMPLETION_ITEM_RESOLVE)(_resolve)
    signature_options = types.SignatureHelpOptions(trigger_characters=["(", ","], retrigger_characters=[","])
    server.answers(types.TEXT_DOCUMENT_SIGNATURE_HELP, signature_options)(_signature)

    def snippets(params: types.InitializeParams) -> None:
        server.session.snippets = server.supports("text_document", "completion", "completion_item", "snippet_support")

    server.on_start(snippets)


def _complete(session: Session, params: types.CompletionParams, cancel: CancelToken) -> types.CompletionList:
    source, at = session.at(params.text_document, params.position)
    found = complete(session.analysis, source, at)
    place = session.positions.range(source, found.start, found.end)
    items = [_item(session, item, place, index) for index, item in enumerate(found.items)]
    return types.CompletionList(is_incomplete=not found.complete, items=[item for item in items if item is not None])


def _item(session: Session, item: Completion, place: types.Range, index: int) -> types.CompletionItem | None:
    text = item.insert
    if item.is_snippet and not session.snippets:
        if item.kind == "snippet":
            return None
        text = item.label
    data: dict[str, Any] | None = None
    if item.symbol is not None:
        data = {"path": str(item.symbol.source.path), "at": item.symbol.declaration.at}
    is_snippet = item.is_snippet and session.snippets
    return types.CompletionItem(
        label=item.label,
        kind=_KINDS.get(item.kind, types.CompletionItemKind.Variable),
        detail=item.detail or None,
        sort_text=f"{index:05}",
        text_edit=types.TextEdit(place, text),
        insert_text_format=types.InsertTextFormat.Snippet if is_snippet else types.InsertTextFormat.PlainText,
        data=data,
    )


def _resolve(session: Session, item: types.CompletionItem, cancel: CancelToken) -> types.CompletionItem:
    data = item.data
    if not isinstance(data, dict) or not isinstance(data.get("path"), str) or not isinstance(data.get("at"), int):
        return item
    path = Path(data["path"])
    if path not in session.analysis.workspace.paths:
        return item
    text, comment = describe_declaration(session.analysis, path, data["at"])
    if text:
        parts = [f"```systemverilog\n{text}\n```", *([comment] if comment else [])]
        item.documentation = types.MarkupContent(types.MarkupKind.Markdown, "\n\n".join(parts))
    return item


def _signature(session: Session, params: types.SignatureHelpParams, cancel: CancelToken) -> types.SignatureHelp | None:
    source, at = session.at(params.text_document, params.position)
    found = signature(session.analysis, source, at)
    if found is None:
        return None
    parameters = [types.ParameterInformation(label=place) for place in found.parameters]
    active = found.active if found.active >= 0 else None
    documentation = types.MarkupContent(types.MarkupKind.PlainText, found.comment) if found.comment else None
    information = types.SignatureInformation(found.label, documentation, parameters, active)
    return types.SignatureHelp([information], active_signature=0, active_parameter=active)
