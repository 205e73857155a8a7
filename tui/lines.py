"""Lines of text with their meaning, of which the style sheet makes a look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

Look = Literal[
    "",
    "said",
    "head",
    "dim",
    "good",
    "bad",
    "warn",
    "key",
    "added",
    "removed",
    "added-word",
    "removed-word",
    "place",
    "here",
]
LOOKS: tuple[str, ...] = tuple(name for name in get_args(Look) if name)

_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f\x80-\x9f]")
_TAB = 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text, what it means, and parts that mean something else (from character, to character, look)."""

    text: str
    look: Look = ""
    spans: tuple[tuple[int, int, Look], ...] = ()


def lines(text: str, look: Look = "") -> list[Line]:
    """A text's lines, without anything that a terminal would obey."""
    return [Line(clean(line), look) for line in text.rstrip("\n").split("\n")]


def clean(text: str) -> str:
    """A line without tabs and control characters: what a file or a model holds must not move the cursor."""
    if text.isascii() and text.isprintable():
        return text
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.expandtabs(_TAB).replace("\n", " "))


def report_lines(text: str) -> Iterator[Line]:
    """The text of a verb's result, each line with the meaning that its beginning tells."""
    in_diff = False
    for raw in text.rstrip("\n").split("\n"):
        line = clean(raw)
        if line.startswith("--- "):
            in_diff = True
        elif in_diff and not line.strip():
            in_diff = False
        yield Line(line, _diff_look(line) if in_diff else _report_look(line))


def _diff_look(line: str) -> Look:
    if line.startswith(("--- ", "+++ ")):
        return "dim"
    if line.startswith("@@"):
        return "place"
    return {"+": "added", "-": "removed"}.get(line[:1], "")  # type: ignore[return-value]  # looks, all of them


_LOOKS: tuple[tuple[str, Look], ...] = (
    (r"verified:|nothing to repair|restored |applied|ok\b|  ok\b|trusted", "good"),
    (r"refuted|not found|  FAIL|not verified|FAIL\b", "bad"),
    (r"not checked:|new warnings:|still differs|  stale|  \?", "warn"),
    (r"tree [0-9a-f]{6}|again: ", "dim"),
)
_COMPILED = tuple((re.compile(pattern), look) for pattern, look in _LOOKS)


def _report_look(line: str) -> Look:
    return next((look for pattern, look in _COMPILED if pattern.match(line)), "")


def joined(found: Iterable[Line]) -> str:
    """The lines as plain text, as it is copied."""
    return "\n".join(line.text.rstrip() for line in found)
