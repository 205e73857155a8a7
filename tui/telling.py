"""What happens, as lines of the conversation."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from veriloop.assistant.session.record import Entry
from veriloop.assistant.session.telling import offered, result_text
from veriloop.tui.lines import Line, Look, clean, lines, report_lines


def entry_lines(entry: Entry) -> Iterator[Line]:
    """An entry of the record, as it is shown when it comes and when the session is resumed."""
    data = entry.data
    match entry.kind:
        case "session":
            yield from _opened(entry)
        case "said":
            yield Line("")
            yield from _said(str(data.get("text", "")))
        case "plan":
            yield from _plan(data)
        case "stage":
            yield Line(clean(f"  \N{MIDDLE DOT} {data.get('name', '')}"), "dim")
        case "note":
            yield from lines(f"    {data.get('text', '')}")
        case "answer":
            yield from lines(str(data.get("text", "")))
        case "result":
            yield from report_lines(result_text(data))
        case "end":
            yield from _end(data)
        case "choice":
            yield Line(_choice(data), "dim")
        case "verdict":
            yield Line(clean(f"hunks {_numbers(data['hunks'])}: {data['line']}"), _standing_look(str(data["standing"])))
        case "applied":
            yield Line(clean(f"applied to the work tree: {', '.join(data['paths'])}"), "good")
        case "undone":
            yield Line(clean(f"taken back: {', '.join(data['paths'])}"), "good")
        case _:
            return


def _opened(entry: Entry) -> Iterator[Line]:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.at))
    if entry.number > 1:
        yield Line("")
        yield Line(f"resumed {when}", "dim")


def _said(text: str) -> Iterator[Line]:
    for number, line in enumerate(lines(text)):
        yield Line(("> " if not number else "  ") + line.text, "said")


def _plan(data: Mapping[str, Any]) -> Iterator[Line]:
    if data.get("answer"):
        yield from lines(str(data["answer"]))
    choices = offered(data)
    for line in choices:
        yield Line(clean(line), "key")
    if choices:
        yield Line("Type one of them." if data.get("labels") else "Type its number, or say it otherwise.", "dim")
    if data.get("words"):
        yield Line(clean(f"  veriloop {shlex.join(data['words'])}"), "key")
        if data.get("why"):
            yield Line(clean(f"  because {data['why']}"), "dim")


def _end(data: Mapping[str, Any]) -> Iterator[Line]:
    if data.get("message"):
        yield Line(clean(str(data["message"])), "warn" if data["exit"] == 130 else "bad")
    if data.get("hint"):
        yield Line(clean(f"  try: {data['hint']}"), "key")


def _choice(data: Mapping[str, Any]) -> str:
    what = "edited" if "text" in data else "accepted" if data["accepted"] else "rejected"
    return f"{what}: hunk {_numbers(data['hunks'])}"


def _numbers(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers)) or "none"


def _standing_look(standing: str) -> Look:
    return {"verified": "good", "refuted": "bad"}.get(standing, "warn")  # type: ignore[return-value]  # looks, all
