"""The language model that fills gaps, held ready: loaded once, asked briefly, and let go where it cannot be used."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from veriloop.assistant.complete.prompt import first_line, window
from veriloop.assistant.complete.statistical import guesses
from veriloop.assistant.complete.suggest import Question
from veriloop.assistant.complete.weighed import MOST, weighed
from veriloop.models.errors import ModelError, Stopped
from veriloop.models.model import Sampling, Stop, never
from veriloop.models.store import Store

if TYPE_CHECKING:
    from veriloop.models.local import LocalModel

_CONTEXT_TOKENS = 1024
_SEEN_TOKENS = 400
"""What is read for a suggestion: more is better and slower."""
_ANSWER_TOKENS = 48
_MOST_LINES = 4
_POLL_S = 0.01
_AGAIN_S = 60.0
"""How long a model that failed is left alone."""


class Filler:
    """The model that was chosen for completing. Safe to call from several threads; one call waits for another."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._path: Path | None = None
        self._model: LocalModel | None = None
        self._failed = 0.0
        self.complaint = ""
        """Why there is no model to ask, once one was tried."""

    def chosen(self) -> str:
        """The name of the model that would be asked; empty where there is none."""
        choice = self._store.choose("complete")
        return choice.model.name if choice is not None else ""

    @property
    def leads(self) -> bool:
        """Whether the model's suggestions go before those that need no model: of a model that the user chose for it.

        The bundled one is small; what it writes is weighed with the others.
        """
        choice = self._store.choose("complete")
        return choice is not None and choice.by_user

    @property
    def ready(self) -> bool:
        """Whether the model is loaded, so that it answers soon."""
        return self._model is not None and getattr(self._model, "process_id", None) is not None

    def warm(self) -> bool:
        """Loads the model; whether there is one that can be asked."""
        with self._lock:
            model = self._open()
            if model is None:
                return False
            try:
                return model.info.has_fim
            except ModelError as error:
                self._give_up(error)
                return False

    def fill(self, question: Question, told: Future[str], *, stop: Stop = never) -> tuple[str, ...]:
        """What the model would write; nothing where there is no model, or it fails.

        Args:
            question: the place.
            told: what would be suggested without a model, or nothing; it may become known while the model writes. A
                model that does not lead weighs it, and further lines like it, with what it would write, and the best
                comes first.
            stop: polled.

        Raises:
            Stopped: `stop` became true.
        """
        with self._lock:
            model = self._open()
            if model is None or stop():
                return ()
            try:
                seen = window(question.hole, tokens=_SEEN_TOKENS, count=model.count, related=question.related)
                answers = model.infill(
                    seen.prefix, seen.suffix, Sampling(max_tokens=_ANSWER_TOKENS, stop=("\n\n",)), stop=stop
                )
                written = tuple("\n".join(answer.text.split("\n")[:_MOST_LINES]) for answer in answers)
                if self.leads or not (line := _when_known(told, stop)):
                    return written
                near = itertools.islice(guesses(question.hole), MOST - 1)
                return tuple(weighed(model, seen, [line, *near], list(map(first_line, written)), stop=stop))
            except ModelError as error:
                self._give_up(error)
                return ()

    def close(self) -> None:
        """Lets the model go."""
        with self._lock:
            self._let_go()

    def _open(self) -> LocalModel | None:
        choice = self._store.choose("complete")
        path = choice.model.path if choice is not None else None
        if path != self._path:
            self._let_go()
            self._path, self._failed = path, 0.0
        if path is None or (self._failed and time.monotonic() - self._failed < _AGAIN_S):
            return None
        if self._model is None:
            # An editor's server starts without it.
            from veriloop.models.local import LocalModel

            self._model = LocalModel(path, context_tokens=_CONTEXT_TOKENS)
        return self._model

    def _give_up(self, error: ModelError) -> None:
        self._failed = time.monotonic()
        self.complaint = f"{error.message}; {error.hint}" if error.hint else error.message
        self._let_go()

    def _let_go(self) -> None:
        if self._model is not None:
            self._model.close()
            self._model = None


def _when_known(told: Future[str], stop: Stop) -> str:
    while True:
        try:
            return told.result(timeout=_POLL_S)
        except TimeoutError:
            if stop():
                raise Stopped from None
