"""Code actions and code lenses that need no simulator, and what is asked by name: macros, drivers, cones, status."""

from __future__ import annotations

import resource
from typing import Any

from lsprotocol import types

from veriloop.assistant.design.editing.definition import instances_of
from veriloop.assistant.design.editing.expand import expand
from veriloop.assistant.design.editing.rename import Replacement
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken
from veriloop.lsp.features.rename import workspace_edit
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session


def register(server: Server) -> None:
    """Registers the features."""
    kinds = [types.CodeActionKind.Source, types.CodeActionKind.RefactorInline, types.CodeActionKind.QuickFix]

    def actions(session: Session, params: types.CodeActionParams, cancel: CancelToken) -> list[types.CodeAction]:
        source, at = session.at(params.text_document, params.range.start)
        end = max(at, session.positions.byte(source, params.range.end))
        found = [action for offer in server.offers for action in offer(session, source, at, end)]
        found += _actions(session, source, at)
        wanted = params.context.only
        if wanted is None:
            return found
        return [one for one in found if any(_within(_name(one.kind), _name(kind)) for kind in wanted)]

    def lenses(session: Session, params: types.CodeLensParams, cancel: CancelToken) -> list[types.CodeLens]:
        source = session.source(params.text_document.uri)
        return [*server.verification.lenses(session, source), *_lenses(session, source, cancel)]

    server.answers(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions(code_action_kinds=kinds))(actions)
    server.answers(types.TEXT_DOCUMENT_CODE_LENS)(lenses)
    server.answers("veriloop/expandMacro")(_expand)
    server.answers("veriloop/drivers")(_drivers)
    server.answers("veriloop/cone")(_cone)

    def status(session: Session, params: Any, cancel: CancelToken) -> dict[str, Any]:
        return {**_status(session), "inline": server.inline.status()}

    server.answers("veriloop/status")(status)


def _actions(session: Session, source: Source, at: int) -> list[types.CodeAction]:
    from veriloop.assistant.design.editing.autos import expand_autos, has_autos

    found: list[types.CodeAction] = []
    if has_autos(source):
        replacements = expand_autos(session.analysis, source)
        if replacements:
            edit = workspace_edit(session, replacements)
            found.append(types.CodeAction("Expand AUTOs", kind="source.expandAutos", edit=edit))
    expansion = expand(session.analysis, source, at)
    if expansion is not None:
        edit = workspace_edit(session, [Replacement(expansion.at, expansion.text)])
        title = f"Replace `{expansion.name} by what it stands for"
        found.append(types.CodeAction(title, kind=types.CodeActionKind.RefactorInline, edit=edit))
    return found


def _name(kind: types.CodeActionKind | str | None) -> str:
    return kind.value if isinstance(kind, types.CodeActionKind) else kind or ""


def _within(kind: str, wanted: str) -> bool:
    return kind == wanted or kind.startswith(f"{wanted}.")


def _lenses(session: Session, source: Source, cancel: CancelToken) -> list[types.CodeLens]:
    uri = session.positions.uri(source.path)
    found = []
    for one in source.outline.declarations:
        if one.kind not in DESIGN_UNITS:
            continue
        cancel.check()
        symbol = session.analysis.lookup.at(source, one.at)
        if symbol is None:
            continue
        instances = instances_of(session.analysis, symbol)
        place = session.positions.range(source, one.at, one.at + len(one.name.encode()))
        locations = [session.positions.location(where) for where, _ in instances]
        title = f"{len(instances)} instance{'' if len(instances) == 1 else 's'}" if instances else "not instantiated"
        arguments: list[Any] = [uri, place.start, locations]
        found.append(types.CodeLens(place, types.Command(title, "veriloop.showReferences", arguments=arguments)))
    return found


def _expand(session: Session, params: Any, cancel: CancelToken) -> dict[str, Any] | None:
    source, at = session.at(params.textDocument, _position(params))
    found = expand(session.analysis, source, at)
    return {"name": found.name, "expansion": found.text} if found is not None else None


def _drivers(session: Session, params: Any, cancel: CancelToken) -> list[types.Location]:
    from veriloop.assistant.design.editing.cones import drivers

    source, at = session.at(params.textDocument, _position(params))
    return [session.positions.location(place) for place in drivers(session.analysis, source, at)]


def _cone(session: Session, params: Any, cancel: CancelToken) -> list[dict[str, Any]]:
    from veriloop.assistant.design.editing.cones import cone

    source, at = session.at(params.textDocument, _position(params))
    side = "loads" if getattr(params, "side", "drivers") == "loads" else "drivers"
    return [
        {"name": one.name, "distance": one.distance, "location": session.positions.location(one.at)}
        for one in cone(session.analysis, source, at, "loads" if side == "loads" else "drivers")
    ]


def _status(session: Session) -> dict[str, Any]:
    done, every = session.analysis.workspace.progress
    return {
        "files": every,
        "indexed": done,
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "roots": [str(project.root) for project in session.analysis.workspace.projects],
        "complaints": {str(root): text for root, text in session.complaints.items()},
    }


def _position(params: Any) -> types.Position:
    return types.Position(int(params.position.line), int(params.position.character))
