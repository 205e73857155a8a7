"""The lines that a change has touched, where they stand now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from veriloop.assistant.design.hunks import FileVersions, Hunk, hunks
from veriloop.assistant.locate.places import Place

Lines = Mapping[str, Sequence[tuple[int, int]]]
"""By file: the first and the last line of each piece, counted from 1."""


def changed_lines(path: str, before: bytes, after: bytes, now: bytes) -> tuple[tuple[int, int], ...]:
    """The lines that became what they are in `after`, where they stand in `now`; around what was only taken away."""
    later = hunks(FileVersions(path=path, before=after, after=now))
    found, shift = [], 0
    for hunk in hunks(FileVersions(path=path, before=before, after=after)):
        first = hunk.line + shift
        shift += len(hunk.new) - len(hunk.old)
        last = first + len(hunk.new) - 1
        if not hunk.new:
            first, last = max(1, first - 1), first
        found.append((_moved(first, later), _moved(last, later)))
    return tuple(found)


def touches(lines: Lines, place: Place) -> bool:
    """Whether a place holds one of some lines."""
    return any(first <= place.last_line and place.first_line <= last for first, last in lines.get(place.path, ()))


def _moved(line: int, later: Sequence[Hunk]) -> int:
    """Where a line stands after a later change; where that replaced it, what stands there instead."""
    shift = 0
    for hunk in later:
        if hunk.line > line:
            break
        if hunk.line + len(hunk.old) > line:
            return hunk.line + shift + min(line - hunk.line, max(0, len(hunk.new) - 1))
        shift += len(hunk.new) - len(hunk.old)
    return line + shift
