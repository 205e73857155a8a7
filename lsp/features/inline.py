"""Inline completion: what comes next, from lines like the one at hand and from the local model, checked before shown.

What needs no model answers at once. A model that the user chose for it goes first, unless it is still being loaded or
takes too long; the bundled one weighs the lines that need no model with its own, within the same time. The next key
ends what the model is doing; who types what was suggested keeps the rest of the suggestion.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import Cancelled
from veriloop.assistant.events import CancelToken
from veriloop.lsp.server import LOGGER, Server
from veriloop.models.errors import Stopped

if TYPE_CHECKING:
    from veriloop.assistant.complete.filler import Filler
    from veriloop.assistant.complete.hole import Hole
    from veriloop.assistant.complete.suggest import Question, Suggester, Suggestion

_ANSWER_S = 0.28
"""From the request on, how long a suggestion that needs no model is held back for the model's."""
_PATIENCE_S = 5.0
"""How long is waited for a model where there is nothing else to show, or where the user asked."""


@dataclass(frozen=True, slots=True)
class _Place:
    """What a request is about, as the text was when it came."""

    source: Source
    at: int
    hole: Hole | None
    question: Question | None
    known: Suggestion | None
    """What is left of the suggestion that was shown last."""


class Inline:
    """The suggestions of one server."""

    def __init__(self, server: Server) -> None:
        self._session = server.session
        self._model_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._running: dict[str, CancelToken] = {}
        self._shown: tuple[str, Hole, Suggestion] | None = None
        self._warmed = self._loaded = False
        self._by_model = 0

    @cached_property
    def _suggester(self) -> Suggester:
        from veriloop.assistant.complete.suggest import Suggester

        return Suggester(self._session.analysis)

    @cached_property
    def _filler(self) -> Filler:
        from veriloop.assistant.complete.filler import Filler
        from veriloop.models.store import Store, data_home

        return Filler(Store(data_home(os.environ)))

    def status(self) -> dict[str, Any]:
        """Which model suggests, whether it is loaded, and how many of the first suggestions were its own."""
        return {
            "model": self._filler.chosen(),
            "loading": self._warmed and not self._loaded,
            "ready": self._filler.ready,
            "by_model": self._by_model,
            "complaint": self._filler.complaint,
        }

    def warm(self) -> None:
        """Loads the model in the background, once: the first suggestion is not to wait for it."""
        if not self._warmed:
            self._warmed = True
            self._model_thread.submit(self._load)

    def changed(self, uri: str) -> None:
        """A key was pressed: what is being worked out is about a text that is no more."""
        running = self._running.pop(uri, None)
        if running is not None:
            running.cancel()

    def close(self) -> None:
        """Lets the model go."""
        for running in self._running.values():
            running.cancel()
        self._model_thread.shutdown(wait=False, cancel_futures=True)
        if "_filler" in vars(self):
            self._filler.close()

    async def ask(self, params: types.InlineCompletionParams) -> list[types.InlineCompletionItem]:
        """What can be written at a place, the best first; nothing if a key comes meanwhile."""
        started_s = time.monotonic()
        uri = params.text_document.uri
        self.changed(uri)
        token = self._running[uri] = CancelToken()
        self.warm()
        try:
            place = await self._session.run(lambda _: self._placed(params))
            found = (
                [place.known]
                if place.known is not None
                else await self._suggestions(place, params.context, token, started_s)
            )
        except asyncio.CancelledError:
            token.cancel()
            raise
        except Cancelled:
            return []
        finally:
            if self._running.get(uri) is token:
                del self._running[uri]
        if token.cancelled or not found:
            return []
        if place.hole is not None:
            self._shown = (uri, place.hole, found[0])
        self._by_model += found[0].origin == "model"
        here = types.Range(params.position, params.position)
        return [types.InlineCompletionItem(one.text, range=here) for one in found]

    async def _suggestions(
        self, place: _Place, context: types.InlineCompletionContext, token: CancelToken, started_s: float
    ) -> list[Suggestion]:
        late = CancelToken()
        asked = context.trigger_kind is types.InlineCompletionTriggerKind.Invoked
        told: Future[str] = Future()
        best: Suggestion | None = None
        writing = None
        try:
            if place.question is not None and (asked or self._filler.ready):
                # The model writes while the lines are looked for: it is another process.
                writing = self._write(place.question, told, token, late)
            at_once = await self._session.run(lambda _: self._at_once(place, token))
            told.set_result(at_once.text if at_once is not None else "")
            # An instance's own ports are no guess, which only a model that was chosen for it may precede.
            sure = at_once is not None and at_once.origin == "connections" and not self._filler.leads
            if writing is not None and not sure:
                left_s = max(0.0, started_s + _ANSWER_S - time.monotonic())
                wait_s = _PATIENCE_S if asked or at_once is None else left_s
                done, _ = await asyncio.wait({writing}, timeout=wait_s)
                texts = writing.result() if done else ()
                best = await self._session.run(lambda _: self._checked(place, texts, token))
        finally:
            late.cancel()
        found = [one for one in (best, at_once) if one is not None]
        return found[1:] if len(found) == 2 and found[0].text == found[1].text else found

    def _write(self, question: Question, told: Future[str], *tokens: CancelToken) -> asyncio.Future[tuple[str, ...]]:
        return asyncio.get_running_loop().run_in_executor(self._model_thread, self._fill, question, told, tokens)

    # --- in the session's thread ---

    def _placed(self, params: types.InlineCompletionParams) -> _Place:
        source, at = self._session.at(params.text_document, params.position)
        hole = self._suggester.hole(source, at)
        if self._shown is not None and hole is not None:
            uri, before, shown = self._shown
            left = before.left_of(shown.text, hole) if uri == params.text_document.uri else ""
            if left:
                return _Place(source, at, None, None, replace(shown, text=left))
        return _Place(source, at, hole, self._suggester.question(source, at), None)

    def _at_once(self, place: _Place, token: CancelToken) -> Suggestion | None:
        self._same(place, token)
        return self._suggester.at_once(place.source, place.at, token)

    def _checked(self, place: _Place, texts: Sequence[str], token: CancelToken) -> Suggestion | None:
        self._same(place, token)
        return self._suggester.checked(place.source, place.at, texts, token)

    def _same(self, place: _Place, token: CancelToken) -> None:
        """Ends what is about a text that is no more."""
        token.check()
        current = self._session.analysis.workspace.source(place.source.path)
        if current is None or current.serial != place.source.serial:
            raise Cancelled

    # --- in the model's thread ---

    def _load(self) -> None:
        try:
            if not self._filler.warm() and self._filler.complaint:
                LOGGER.info("no model suggests: %s", self._filler.complaint)
        finally:
            self._loaded = True

    def _fill(self, question: Question, told: Future[str], tokens: tuple[CancelToken, ...]) -> tuple[str, ...]:
        try:
            return self._filler.fill(question, told, stop=lambda: any(token.cancelled for token in tokens))
        except Stopped:
            return ()


def register(server: Server) -> None:
    """Registers the feature, and loads the model where the client can show what it suggests."""
    inline = server.inline = Inline(server)
    server.on_end(inline.close)

    async def answer(params: types.InlineCompletionParams) -> list[types.InlineCompletionItem]:
        found: list[types.InlineCompletionItem] = await server.expected(inline.ask(params))
        return found

    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(answer)

    def start(params: types.InitializeParams) -> None:
        if server.supports("text_document", "inline_completion"):
            inline.warm()

    server.on_start(start)
