"""*Explain*: what the selected lines do, in sentences, shown as a document of its own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import ConfigError, UsageError
from veriloop.assistant.events import CancelToken, finish
from veriloop.lsp.server import Server
from veriloop.lsp.session import Session
from veriloop.lsp.work import Observe, Work, command

if TYPE_CHECKING:
    # Read when something is explained, not at the start.
    from veriloop.assistant.explain.workflow import Explanation

EXPLAIN = "veriloop.explain"
_LONGEST = 1500
"""Characters that a client gets which cannot open a document."""


class Explaining:
    """Explains for one server."""

    def __init__(self, server: Server) -> None:
        self._session = server.session
        self._work = Work(server)

    def actions(self, session: Session, source: Source, at: int, end: int) -> list[types.CodeAction]:
        """Explain what is selected; with nothing selected, the line."""
        first, last = source.lines.line(at) + 1, source.lines.line(max(at, end - (end > at))) + 1
        if not source.text(source.lines.start(first - 1), source.lines.start(last)).strip():
            return []
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        arguments: list[Any] = [session.positions.uri(source.path), f"{first}-{last}"]
        told = types.Command(f"Explain {lines}", EXPLAIN, arguments=arguments)
        return [types.CodeAction(told.title, kind=types.CodeActionKind.Empty, command=told)]

    async def explain(self, uri: str, lines: str) -> dict[str, Any]:
        """Explains lines (`12-20`, from 1; empty: the file) of a file as its buffer has it, and shows it."""
        first, dash, last = lines.partition("-")
        if lines and not (first.isdigit() and (last.isdigit() or not dash)):
            raise UsageError(f"{lines!r} are no lines", hint="12-20")
        span = (int(first), int(last or first)) if lines else None

        def work(token: CancelToken, observe: Observe) -> Explanation:
            from veriloop.assistant.explain.workflow import explain

            session = self._session
            source = session.source(uri)
            # An analysis of its own: the session's belongs to the thread that answers.
            project = session.analysis.workspace.project_of(source.path)
            analysis = Analysis({project.root: project.settings} if project is not None else None)
            for path, buffer in list(session.analysis.workspace.buffers.items()):
                analysis.workspace.open(path, buffer.content)
            return finish(explain(analysis, analysis.source(source.path), lines=span, cancel=token), observe)

        found = await self._work.run("Explaining", work)
        text = markdown(found)
        page = _page(found.path, lines)
        try:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{page}: {error.strerror}", hint="export VERILOOP_CACHE=DIR") from error
        if not await self._work.show(page):
            self._work.say(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…\n{page}")
        return {"text": text, "path": str(page)}


def markdown(found: Explanation) -> str:
    """An explanation as Markdown."""
    parts = [f"# {found.path.name}, lines {found.first_line} to {found.last_line}\n"]
    for one in found.remarks:
        span = f"{one.first_line}-{one.last_line}" if one.last_line > one.first_line else f"{one.first_line}"
        parts.append(f"`{span}: {one.code}`\n\n" + "".join(f"- {says}\n" for says in one.says))
    if found.unsure:
        parts.append("## Unsure\n\n" + "".join(f"- {line}\n" for line in found.unsure))
    return "\n".join(parts)


def _page(path: Path, lines: str) -> Path:
    from veriloop.assistant.repository.private import cache_home

    digest = hashlib.sha256(f"{path}\0{lines}".encode()).hexdigest()[:12]
    return cache_home() / "explained" / f"{path.stem}-{digest}.md"


def register(server: Server) -> None:
    """Registers the command and its action."""
    explaining = Explaining(server)
    server.offers.append(explaining.actions)
    command(server, EXPLAIN, explaining.explain)
