"""The numbers that a text names: what a comparison waits for is seldom met by chance, and stands in the text."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NUMBER = re.compile(
    r"(?<![\w'.])(?:(\d+)\s*)?'\s*[sS]?([bBoOdDhH])\s*([0-9a-fA-F_]+)|(?<![\w'.\[])(\d[\d_]*)(?![\w'.])"
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", re.S)
_BASES = {"b": 2, "o": 8, "d": 10, "h": 16}
_MOST_BITS = 256


def constants(texts: Iterable[bytes]) -> tuple[int, ...]:
    """The distinct numbers of some Verilog, smallest first; those with unknown bits are left out."""
    found: set[int] = set()
    for content in texts:
        text = _COMMENT.sub(" ", content.decode("utf-8", errors="replace"))
        for match in _NUMBER.finditer(text):
            value = _value(match)
            if value is not None and value.bit_length() <= _MOST_BITS:
                found.add(value)
    return tuple(sorted(found))


def _value(match: re.Match[str]) -> int | None:
    _, base, digits, plain = match.groups()
    try:
        return int(plain or digits, 10 if plain else _BASES[base.lower()])
    except ValueError:
        return None
