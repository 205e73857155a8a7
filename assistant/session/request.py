"""What a conversation asks to be run, and what runs it: the one place where a text becomes work."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from veriloop.assistant.cli.main import ended
from veriloop.assistant.events import CancelToken, finish
from veriloop.assistant.session.asked import asking
from veriloop.assistant.session.files import taken
from veriloop.assistant.session.turn import Emit, Turn, run_line

Purpose = Literal["say", "verify", "apply", "look", "prepare"]
"""`say`: what the user typed; `verify` and `apply`: a choice of hunks; `look`: what a screen shows; `prepare`: what is
built once on a machine."""
PATIENCE_S = 300.0
"""Seconds that a search may take where somebody watches, who can stop it."""
INTERRUPTED = {"exit": 130, "seconds": 0.0, "message": "interrupted", "hint": ""}
"""The end of a request that was interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something to run. It can be handed to another process."""

    purpose: Purpose
    text: str = ""
    """What was said; it is first understood."""
    words: tuple[str, ...] = ()
    """A verb's command line, where nothing has to be understood."""
    context: tuple[str, ...] = ()
    """Files that count besides those that the text names."""
    apply: bool = False
    """Whether a repair that comes out verified is written at once."""
    budget_s: float = 0.0
    """Seconds that a repair may take where the text names none; 0: what the user's configuration says."""
    key: str = ""
    """Of the choice that is verified or applied."""


def perform(request: Request, emit: Emit, *, cwd: Path, cancel: CancelToken) -> int:
    """Runs a request up to its `end` message; returns the exit code."""
    from veriloop.assistant.session.proposed import proposed

    last: dict[str, Any] = {}
    words = list(request.words)

    def tell(kind: str, data: Mapping[str, Any]) -> None:
        if kind == "result":
            last["data"] = data["data"]
        if kind == "end" and request.purpose == "say":
            change = proposed(last.get("data", {}), cwd)
            if change:
                emit("change", change)
            asked = asking(last.get("data", {}), words)
            if asked is not None:
                emit("plan", asked.data())
        emit(kind, data)

    turn = Turn(tell, cwd=cwd, cancel=cancel)
    if request.words:
        return run_line(request.words, turn, tell)
    started = time.monotonic()
    is_open = False

    def understand() -> int:
        nonlocal is_open
        # Imported here because a session shows its first prompt before it understands anything.
        from veriloop.assistant.session.understanding import Understanding

        plan = finish(Understanding(turn, taken(request.context, cwd)[0]).plan(request.text), turn.observe)
        words.extend(plan.words)
        is_open = plan.is_open
        if request.apply and plan.words[:1] == ("repair",) and "--apply" not in words:
            words.append("--apply")
        if request.budget_s and plan.words[:1] == ("repair",) and "--budget" not in words:
            words.extend(["--budget", f"{request.budget_s:g}"])
        tell("plan", {**plan.data(), "words": words})
        return 2 if is_open else 0

    end = ended(request.text.split(), understand)
    if words and not end.message:
        return run_line(words, turn, tell)
    data: dict[str, Any] = {"exit": end.exit, "seconds": round(time.monotonic() - started, 3)}
    if end.message:
        data |= {"message": end.message, "hint": end.hint}
    tell("end", data)
    return end.exit
