"""What a language model sees of a place: as much as fits, the nearest lines first, and what the place is about.

The window begins at the same line while somebody types on, so that a model that keeps what it has read reads little
more than what is new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from veriloop.assistant.complete.hole import Hole

Count = Callable[[str], int]
"""How many tokens a text has."""

_BELOW_SHARE = 0.3
_RELATED_SHARE = 0.4
_SPARE_TOKENS = 8
_GRID = 16
"""A window begins at a line whose number is a multiple of this."""
_CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Window:
    """What stands before and after a gap."""

    prefix: str
    suffix: str


def window(hole: Hole, *, tokens: int, count: Count, related: str = "") -> Window:
    """The text around a hole that is no longer than so many tokens.

    Args:
        hole: the place.
        tokens: how many may be used.
        count: how many tokens a text has.
        related: what else is of use, from other files; it goes first, and is cut off where it is too long.
    """
    room = tokens - _SPARE_TOKENS - count(hole.typed)
    kept = _longest(related.splitlines(keepends=True), int(room * _RELATED_SHARE), count)
    room -= count(kept)
    below = f"{hole.rest}\n{hole.below}".splitlines(keepends=True)
    suffix = _longest(below, int(room * _BELOW_SHARE), count)
    above = hole.above.splitlines(keepends=True)
    return Window(kept + _end(above, room - count(suffix), count) + hole.typed, suffix)


def first_line(text: str) -> str:
    """What is written up to the end of the line."""
    return text.split("\n", 1)[0].rstrip()


def _longest(rows: Sequence[str], room: int, count: Count) -> str:
    """As many of the first lines as fit."""
    size, last = 0, 0
    while last < len(rows) and size <= room * _CHARACTERS_A_TOKEN:
        size += len(rows[last])
        last += 1
    while last and count("".join(rows[:last])) > room:
        last = last * 3 // 4
    return "".join(rows[:last])


def _end(rows: Sequence[str], room: int, count: Count) -> str:
    """As many of the last lines as fit, from a line of the grid on; one that is too long alone is left out."""
    size, first = 0, len(rows)
    while first and size <= room * _CHARACTERS_A_TOKEN:
        first -= 1
        size += len(rows[first])
    first = -(-first // _GRID) * _GRID
    while first < len(rows) and count("".join(rows[first:])) > room:
        first += _GRID if len(rows) - first > _GRID else 1
    return "".join(rows[first:])
