"""Inline completion, measured: the rest of a line is taken out of a file, and what comes next is asked for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from veriloop.assistant.bench.editing.sample import Asked, files, texts
from veriloop.assistant.bench.editing.server import MeasuredServer
from veriloop.assistant.complete.similarity import edit_similarity
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.events import CancelToken

_LOADED_S = 60.0
_AUTOMATIC = 2


@dataclass(slots=True)
class InlineMeasured:
    """What came of asking for what comes next."""

    seconds: list[float] = field(default_factory=list)
    """Until the first suggestion, of the places that got one."""
    cpu_s: list[float] = field(default_factory=list)
    """CPU seconds of the server and the model for the same places; unlike the others they do not grow with the load."""
    asked: int = 0
    breaking: int = 0
    """Suggestions with which the text has more syntax errors than without them."""
    exact: int = 0
    """First suggestions that are what stood there."""
    similarity: float = 0.0
    """Of the first suggestions to what stood there, summed up; 0..1 each."""
    model: str = ""
    """Which model suggested too; empty: none."""
    by_model: int = 0
    """First suggestions that the model wrote."""

    @property
    def answered(self) -> float:
        """The share of the places that got a suggestion."""
        return len(self.seconds) / max(1, self.asked)


def measure_inline(
    server: MeasuredServer, root: Path, asked: Sequence[Asked], count: int, cancel: CancelToken
) -> InlineMeasured:
    """Takes the rest of a line out at `count` places and asks, as an editor does after a key; the model is loaded.

    Raises:
        ToolFailed: the server does not answer.
    """
    found = InlineMeasured()
    chosen = [one for one in asked[: 4 * count] if one.name][:count]
    contents = texts(root, files(chosen))
    for path in files(chosen):
        document = {"uri": (root / path).as_uri(), "languageId": "systemverilog", "version": 1, "text": contents[path]}
        server.notify("textDocument/didOpen", {"textDocument": document})
    versions = dict.fromkeys(contents, 1)
    if chosen:
        _ask(server, root, chosen[0].at)
        found.model = _loaded(server)
    before = _status(server).get("by_model", 0)
    for one in chosen:
        cancel.check()
        _at(server, root, one, contents[one.at[0]], versions, found)
    found.by_model = _status(server).get("by_model", 0) - before
    for path in files(chosen):
        server.notify("textDocument/didClose", {"textDocument": {"uri": (root / path).as_uri()}})
    return found


def _at(
    server: MeasuredServer, root: Path, one: Asked, text: str, versions: dict[Path, int], found: InlineMeasured
) -> None:
    path, line, column = one.at
    rows = text.split("\n")
    row = rows[line].encode("utf-16-le")
    kept, taken = (part.decode("utf-16-le") for part in (row[: 2 * column], row[2 * column :]))
    if not taken.strip():
        return
    end = {"line": line, "character": len(row) // 2}
    start = {"line": line, "character": column}
    _change(server, root, path, versions, start, end, "")
    before = server.whole_cpu_s
    took, items = _ask(server, root, one.at)
    spent = server.whole_cpu_s - before
    _change(server, root, path, versions, start, start, taken)
    found.asked += 1
    if not items:
        return
    found.seconds.append(took)
    found.cpu_s.append(spent)
    above, below = "\n".join([*rows[:line], kept]), "\n".join(["", *rows[line + 1 :]])
    gaps = SyntaxTree((above + below).encode()).gap_count
    for item in items:
        found.breaking += SyntaxTree((above + item["insertText"] + below).encode()).gap_count > gaps
    first = items[0]["insertText"].split("\n")[0].strip()
    wanted = taken.partition("//")[0].strip()
    found.exact += first == wanted
    found.similarity += edit_similarity(first, wanted)


def _ask(server: MeasuredServer, root: Path, at: tuple[Path, int, int]) -> tuple[float, list[Any]]:
    params = {
        "textDocument": {"uri": (root / at[0]).as_uri()},
        "position": {"line": at[1], "character": at[2]},
        "context": {"triggerKind": _AUTOMATIC},
    }
    took, result = server.request("textDocument/inlineCompletion", params)
    return took, result["items"] if isinstance(result, dict) else result or []


def _change(
    server: MeasuredServer, root: Path, path: Path, versions: dict[Path, int], start: Any, end: Any, text: str
) -> None:
    versions[path] += 1
    document = {"uri": (root / path).as_uri(), "version": versions[path]}
    changes = [{"range": {"start": start, "end": end}, "text": text}]
    server.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})


def _loaded(server: MeasuredServer) -> str:
    """Waits until the model is there; its name, empty where there is none."""
    end = time.monotonic() + _LOADED_S
    while True:
        status = _status(server)
        if status.get("ready") or not status.get("loading") or time.monotonic() > end:
            return str(status.get("model", "")) if status.get("ready") else ""
        time.sleep(0.1)


def _status(server: MeasuredServer) -> dict[str, Any]:
    status = server.request("veriloop/status", {})[1] or {}
    inline: dict[str, Any] = status.get("inline") or {}
    return inline
