"""What a name is, as Markdown."""

from __future__ import annotations

import re

from lsprotocol import types

from veriloop.assistant.design.editing.hover import Hover, hover
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session

_DEPENDS = re.compile(r"\[[^\]]*[A-Za-z_`]")
"""A range that may be another one in another instance."""


def register(server: Server) -> None:
    """Registers the feature."""
    server.answers(types.TEXT_DOCUMENT_HOVER)(_hover)


def _hover(session: Session, params: types.HoverParams, cancel: CancelToken) -> types.Hover | None:
    source, at = session.at(params.text_document, params.position)
    found = hover(session.analysis, source, at)
    if found is None:
        return None
    content = types.MarkupContent(types.MarkupKind.Markdown, markdown(found))
    return types.Hover(content, session.positions.range(source, found.start, found.end))


def markdown(found: Hover) -> str:
    """A hover as Markdown: the declaration, what elaboration makes of it, the comment."""
    parts = [f"```systemverilog\n{found.text}\n```"]
    facts = [f"*{found.kind}*" + (f" of {found.inside}" if found.inside else "")]
    resolved = found.resolved
    if resolved is not None and resolved.type:
        width = f", {resolved.width_bits} bit{'s' if resolved.width_bits != 1 else ''}" if resolved.width_bits else ""
        facts.append(f"`{resolved.type}`{width}")
    if resolved is not None and resolved.value:
        facts.append(f"value `{resolved.value}`")
    if resolved is not None and resolved.instance and (resolved.value or _DEPENDS.search(found.text)):
        facts.append(f"in `{resolved.instance}`")
    parts.append(" · ".join(facts))
    if found.comment:
        parts.append(found.comment)
    return "\n\n".join(parts)
