"""One model on several servers: each call goes to the one with the least to do, and to another where it breaks off.

Answers of different models must not be mixed, so all servers have to name the same model.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from veriloop.models.errors import ModelFailed, NoAnswer, NoModel
from veriloop.models.model import Completion, Message, Model, ModelInfo, OnText, Sampling, Score, Stop, never

_REST_S = 30.0
"""How long a server that has not answered is left alone."""

Answer = TypeVar("Answer")


class Served(Model, Protocol):
    """A model behind one address."""

    @property
    def address(self) -> str:
        """Where it is."""
        ...


class PooledModel:
    """A `Model` on several servers; may be called by several threads at once.

    Args:
        servers: at least one.
        clock: seconds, of any start.
    """

    def __init__(self, servers: Sequence[Served], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._servers = tuple(servers)
        self._clock = clock
        self._lock = threading.Lock()
        self._busy = dict.fromkeys(range(len(self._servers)), 0)
        self._rests_until = dict.fromkeys(range(len(self._servers)), float("-inf"))
        self._faults: dict[int, str] = {}
        self._known: dict[int, ModelInfo] = {}

    @property
    def info(self) -> ModelInfo:
        """What all servers say of the model; the context is the smallest one.

        Raises:
            NoModel: they have different models.
            NoAnswer: none answers.
        """
        for number, server in enumerate(self._servers):
            if number not in self._known and self._clock() >= self._rests_until[number]:
                self._ask_for_model(number, server)
        if not self._known:
            raise self._nobody()
        names = {info.name for info in self._known.values()}
        if len(names) > 1:
            said = ", ".join(f"{self._servers[i].address} has {info.name}" for i, info in sorted(self._known.items()))
            raise NoModel(f"the servers have different models: {said}", hint="name only servers of one model")
        return min(self._known.values(), key=lambda info: info.context_tokens)

    @property
    def faults(self) -> dict[str, str]:
        """By address, why a server was last left out."""
        return {self._servers[number].address: said for number, said in sorted(self._faults.items())}

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        return self._anywhere(lambda server: server.count(text))

    def complete(
        self, prompt: str, sampling: Sampling, *, n: int = 1, on_text: OnText | None = None, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """Goes on where the prompt ends."""
        told = _Told(on_text)
        return self._anywhere(
            lambda server: server.complete(prompt, sampling, n=n, on_text=told.afresh(), stop=stop),
        )

    def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        n: int = 1,
        on_text: OnText | None = None,
        stop: Stop = never,
    ) -> tuple[Completion, ...]:
        """The next turn of a conversation."""
        told = _Told(on_text)
        return self._anywhere(
            lambda server: server.chat(messages, sampling, n=n, on_text=told.afresh(), stop=stop),
        )

    def infill(
        self, prefix: str, suffix: str, sampling: Sampling, *, n: int = 1, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """What stands between."""
        return self._anywhere(lambda server: server.infill(prefix, suffix, sampling, n=n, stop=stop))

    def score(self, prompt: str, continuations: Sequence[str], *, stop: Stop = never) -> tuple[Score, ...]:
        """How likely continuations are."""
        return self._anywhere(lambda server: server.score(prompt, continuations, stop=stop))

    def score_infill(
        self, prefix: str, suffix: str, answers: Sequence[str], *, stop: Stop = never
    ) -> tuple[Score, ...]:
        """How likely answers are to stand between."""
        return self._anywhere(lambda server: server.score_infill(prefix, suffix, answers, stop=stop))

    def close(self) -> None:
        """Closes every server's model."""
        for server in self._servers:
            server.close()

    def _anywhere(self, call: Callable[[Served], Answer]) -> Answer:
        """Calls the server with the least to do, then, where it gives no answer, each other one.

        What a server refuses, another one of the same model would refuse, too, so that is the caller's to hear.

        Raises:
            NoAnswer: none gives an answer.
        """
        tried: set[int] = set()
        while (number := self._take(tried)) is not None:
            tried.add(number)
            server = self._servers[number]
            try:
                # One that was not there at first may have another model by now.
                if number not in self._known and self._ask_for_model(number, server):
                    self._require_same(number)
                if number in self._known:
                    return call(server)
            except NoAnswer as error:
                self._set_aside(number, error)
            finally:
                with self._lock:
                    self._busy[number] -= 1
        raise self._nobody()

    def _take(self, tried: set[int]) -> int | None:
        """The next server to ask; those that rest come last."""
        if not self._known:
            # So that servers of different models are refused before any of them has answered.
            _ = self.info
        now = self._clock()
        with self._lock:
            left = [number for number in self._busy if number not in tried]
            if not left:
                return None
            chosen = min(left, key=lambda number: (now < self._rests_until[number], self._busy[number], number))
            self._busy[chosen] += 1
            return chosen

    def _ask_for_model(self, number: int, server: Served) -> bool:
        try:
            info = server.info
        except ModelFailed as error:
            self._set_aside(number, error)
            return False
        with self._lock:
            self._known[number] = info
        return True

    def _require_same(self, number: int) -> None:
        info = self._known[number]
        others = {one.name for other, one in self._known.items() if other != number}
        if others - {info.name}:
            with self._lock:
                del self._known[number]
            self._set_aside(number, NoAnswer(f"it has another model, {info.name}"))

    def _set_aside(self, number: int, error: ModelFailed) -> None:
        with self._lock:
            self._faults[number] = error.message
            self._rests_until[number] = self._clock() + _REST_S

    def _nobody(self) -> NoAnswer:
        return NoAnswer(
            f"none of {len(self._servers)} servers answers: {'; '.join(self._faults.values())}",
            hint="are the servers running?",
        )


class _Told:
    """Text that is shown as it comes; where a second server begins anew, only what goes beyond is shown."""

    def __init__(self, on_text: OnText | None) -> None:
        self._on_text = on_text
        self._shown: dict[int, int] = {}

    def afresh(self) -> OnText | None:
        """For one more server."""
        shower = self._on_text
        if shower is None:
            return None
        seen: dict[int, int] = {}

        def show(number: int, text: str) -> None:
            before = seen.get(number, 0)
            seen[number] = before + len(text)
            new = text[max(0, self._shown.get(number, 0) - before) :]
            if new:
                self._shown[number] = seen[number]
                shower(number, new)

        return show
