"""Messages of a request in words, for front ends that write lines."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from veriloop.assistant.events import Event, Note, Stage, Tried


def event_of(kind: str, data: Mapping[str, Any]) -> Event | None:
    """The event that a message tells; none where it is no event."""
    if kind == "stage":
        return Stage(data["name"])
    if kind == "tried":
        return Tried(data["count"], data["best"], data["operator"])
    return Note(data["text"]) if kind == "note" else None


def result_text(data: Mapping[str, Any]) -> str:
    """A result, without what only the command line can do about it."""
    text = str(data["text"]).rstrip("\n")
    return text.removesuffix("not applied: run it with --apply").rstrip("\n")


def offered(data: Mapping[str, Any]) -> list[str]:
    """What a plan leaves to the user to choose: answers by their names, else numbered command lines."""
    if data.get("labels"):
        return [f"  {label}" for label in data["labels"]]
    return [f"  {number}  {shlex.join(words)}" for number, words in enumerate(data.get("choices", ()), 1)]


def plan_text(data: Mapping[str, Any]) -> str:
    """What a text was taken for."""
    lines = [data["answer"]] if data.get("answer") else []
    lines += offered(data)
    if data.get("words"):
        why = f"  ({data['why']})" if data.get("why") else ""
        lines.append(f"veriloop {shlex.join(data['words'])}{why}")
    return "\n".join(lines)
