"""The screens by name; each is loaded when it is first shown."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from textual.screen import Screen

from veriloop.tui.jobs import Job


@runtime_checkable
class Listening(Protocol):
    """A screen that is told what jobs say, whether it is seen or not."""

    def heard(self, job: Job, kind: str) -> None:
        """A job has said something of a kind."""
        ...


def _later(module: str, name: str) -> Callable[[], Screen[None]]:
    def make() -> Screen[None]:
        found: Screen[None] = getattr(importlib.import_module(f"veriloop.tui.screens.{module}"), name)()
        return found

    return make


MODES: dict[str, Callable[[], Screen[None]]] = {
    "session": _later("session", "SessionScreen"),
    "change": _later("change", "ChangeScreen"),
    "evidence": _later("evidence", "EvidenceScreen"),
    "waves": _later("waves", "WavesScreen"),
    "project": _later("project", "ProjectScreen"),
    "jobs": _later("jobs", "JobsScreen"),
    "models": _later("models", "ModelsScreen"),
    "history": _later("history", "HistoryScreen"),
}
"""What `App.MODES` takes."""
