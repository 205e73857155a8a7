"""Breaking a line into rows: at spaces where that is possible, further rows indented as the first."""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len

_DEEPEST_SHARE = 2
"""An indent deeper than this part of the width is not kept in further rows."""
_MORE = 2


@lru_cache(maxsize=4096)
def pieces(text: str, width: int) -> tuple[tuple[int, int], ...]:
    """The rows of a line as ranges of its characters; at least one."""
    width = max(1, width)
    indent = hanging(text, width)
    found: list[tuple[int, int]] = []
    start, room = 0, width
    while True:
        end = _fitting(text, start, room)
        if end < len(text):
            space = text.rfind(" ", start + 1, end + 1)
            # A break in the indent of the first row would be an empty row.
            if space > start and text[start:space].strip():
                end = space
        end = max(end, start + 1) if text else end
        found.append((start, end))
        start = end
        if start >= len(text):
            return tuple(found)
        while start < len(text) - 1 and text[start] == " ":
            start += 1
        room = max(1, width - indent)


def hanging(text: str, width: int) -> int:
    """How far the further rows of a line are indented."""
    indent = len(text) - len(text.lstrip(" ")) + _MORE
    return indent if indent * _DEEPEST_SHARE <= width else 0


def _fitting(text: str, start: int, room: int) -> int:
    """The end of the longest stretch from `start` on that fits into so many cells."""
    end = min(len(text), start + room)
    if text.isascii():
        return end
    while end > start and cell_len(text[start:end]) > room:
        end -= 1
    return end
