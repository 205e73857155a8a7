"""One command line run for a conversation: its events and results become messages instead of lines on a terminal."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from veriloop.assistant.cli.main import ended, perform
from veriloop.assistant.cli.session import Session
from veriloop.assistant.events import CancelToken, Event

Emit: TypeAlias = Callable[[str, Mapping[str, Any]], None]
"""Takes a message: its kind, as `record.Entry` lists them, and its data."""


class Turn(Session):
    """The session of a verb that runs inside a conversation."""

    def __init__(self, emit: Emit, *, cwd: Path, cancel: CancelToken) -> None:
        super().__init__(cwd=cwd, cancel=cancel)
        self.whole = True
        self._emit = emit

    def observe(self, event: Event) -> None:
        """Tells an event, and how much of the budget is left."""
        data = dataclasses.asdict(event)
        if self.deadline is not None:
            data["left_s"] = round(max(0.0, self.deadline - time.monotonic()), 1)
        self._emit(type(event).__name__.lower(), data)

    def result(self, text: str, data: Mapping[str, Any]) -> None:
        """Tells a result, as text and as data."""
        self._emit("result", {"text": text, "data": dict(data)})

    def ask(self, question: str) -> bool | None:
        """Nobody is asked while a verb runs: the conversation asks before it starts one."""
        return None

    def close(self) -> None:
        """There is no progress line to take away."""


def run_line(words: Sequence[str], turn: Turn, emit: Emit) -> int:
    """Runs a verb's command line to its `end` message; returns the exit code."""
    started = time.monotonic()
    end = ended(words, lambda: perform(words, turn))
    data: dict[str, Any] = {"exit": end.exit, "seconds": round(time.monotonic() - started, 3)}
    if end.message:
        data |= {"message": end.message, "hint": end.hint}
    emit("end", data)
    return end.exit
