"""A change as lines: hunk by hunk, side by side or one under the other, with what is known of each hunk."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import set_cell_size

from veriloop.assistant.design.hunks import FileVersions, Hunk, lines
from veriloop.assistant.session.change import Choice
from veriloop.assistant.session.decision import Decision
from veriloop.assistant.session.own import role
from veriloop.tui.lines import Line, Look, clean

CONTEXT = 3
WHOLE = 1_000_000
"""Lines of context that show a file as a whole."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Lines, and the first line of each hunk among them."""

    lines: list[Line]
    places: list[int]


def shown(decision: Decision, current: int, *, width: int, split: bool, context: int = CONTEXT) -> Shown:
    """A change as it is shown.

    Args:
        decision: the change and the choice.
        current: the hunk that keys act on.
        width: columns.
        split: old and new side by side.
        context: lines around a hunk.
    """
    found: list[Line] = []
    places: list[int] = []
    change = decision.change
    texts = {file.path: lines(file.before or b"") for file in change.files}
    for place, hunk in enumerate(change.hunks):
        choice = decision.choices[place]
        if place and change.hunks[place - 1].path != hunk.path:
            found.append(Line(""))
        places.append(len(found))
        found.append(_head(decision, place, current=place == current))
        before, after = _around(change.hunks, place, texts[hunk.path], context)
        new = hunk.new if choice.text is None else choice.text
        rows = [*_context(before), *_changed(hunk.line, hunk.old, new, choice), *_context(after)]
        found += _side_by_side(rows, width) if split else _under(rows)
    return Shown(found, places)


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a file, or a pair of them; numbers are those of the old file, 0 for none."""

    number: int
    old: str | None
    new: str | None
    look: Look = ""
    """Of both, where they are the same line."""


def _head(decision: Decision, place: int, *, current: bool) -> Line:
    hunk, choice = decision.change.hunks[place], decision.choices[place]
    state = "rejected" if not choice.accepted else "accepted" if choice.text is None else "accepted, edited"
    count = len(decision.change.hunks)
    text = f"{'>' if current else ' '} hunk {place + 1} of {count}  {hunk.path}:{hunk.line}  [{state}]"
    start = text.index("[")
    text += role(decision, place).replace(", ", "  ", 1)
    group = decision.links.group(place)
    if group is not None:
        others = ", ".join(str(one + 1) for one in sorted(decision.links.groups[group]) if one != place)
        text += f"  passes only together with {others}"
    look: Look = "here" if current else "head"
    state_look: Look = "good" if choice.accepted else "bad"
    return Line(clean(text), look, ((start, start + len(state) + 2, state_look),))


def _around(
    hunks: Sequence[Hunk], place: int, text: Sequence[bytes], context: int
) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes]]]:
    """The lines before and after a hunk, up to its neighbours; those between two hunks stand with the first."""
    hunk = hunks[place]
    start, end = hunk.line - 1, hunk.line - 1 + len(hunk.old)
    low, high = max(0, start - context), min(len(text), end + context)
    if place and hunks[place - 1].path == hunk.path:
        earlier = hunks[place - 1]
        low = max(low, min(start, earlier.line - 1 + len(earlier.old) + context))
    if place + 1 < len(hunks) and hunks[place + 1].path == hunk.path:
        high = min(high, hunks[place + 1].line - 1)
    return (
        [(number + 1, text[number]) for number in range(low, start)],
        [(number + 1, text[number]) for number in range(end, high)],
    )


def _context(found: Sequence[tuple[int, bytes]]) -> Iterator[_Row]:
    for number, line in found:
        yield _Row(number, _text(line), _text(line))


def _changed(first: int, old: Sequence[bytes], new: Sequence[bytes], choice: Choice) -> Iterator[_Row]:
    for offset, (one, two) in enumerate(itertools.zip_longest(old, new)):
        number = first + offset if one is not None else 0
        before = None if one is None else _text(one)
        after = None if two is None else _text(two)
        yield _Row(number, before, after, "" if choice.accepted else "dim")


def _under(rows: Sequence[_Row]) -> Iterator[Line]:
    """One under the other: what goes, then what comes."""
    for is_same, group in itertools.groupby(rows, key=lambda row: row.old == row.new):
        found = list(group)
        if is_same:
            yield from (Line(f"{row.number:>6}   {row.old}", "dim") for row in found)
            continue
        for row in found:
            if row.old is not None:
                yield _marked(f"{row.number:>6} - ", row.old, row.new, "removed", row.look)
        for row in found:
            if row.new is not None:
                yield _marked("       + ", row.new, row.old, "added", row.look)


def _marked(head: str, text: str, other: str | None, look: Look, state: Look) -> Line:
    """A changed line, with the part in which it differs from its counterpart."""
    if state == "dim" and look == "added":
        return Line(head.replace("+", "\N{MULTIPLICATION SIGN}") + text, "dim")
    if state == "dim":
        return Line(head.replace("-", " ") + text)
    low, high = _difference(text, other)
    word: Look = "added-word" if look == "added" else "removed-word"
    spans = ((len(head) + low, len(head) + high, word),) if other is not None and low < high else ()
    return Line(head + text, look, spans)


def _side_by_side(rows: Sequence[_Row], width: int) -> Iterator[Line]:
    half = max(10, (width - 3) // 2)
    for row in rows:
        old = f"{row.number:>5}  {row.old}" if row.old is not None else ""
        new = row.new if row.new is not None else ""
        left, right = set_cell_size(old, half), set_cell_size(new, half)
        text = f"{left} \N{BOX DRAWINGS LIGHT VERTICAL} {right}"
        if row.old == row.new:
            yield Line(text, "dim")
            continue
        middle = len(left) + 3
        spans: list[tuple[int, int, Look]] = []
        if row.look != "dim":
            spans = [(0, len(left), "removed")] if row.old is not None else []
            spans += [(middle, middle + len(right), "added")] if row.new is not None else []
        else:
            spans = [(middle, middle + len(right), "dim")]
        yield Line(text, "", tuple(spans))


def _difference(text: str, other: str | None) -> tuple[int, int]:
    if other is None:
        return 0, len(text)
    low = 0
    while low < min(len(text), len(other)) and text[low] == other[low]:
        low += 1
    tail = 0
    while tail < min(len(text), len(other)) - low and text[-1 - tail] == other[-1 - tail]:
        tail += 1
    return low, len(text) - tail


def _text(line: bytes) -> str:
    return clean(line.decode("utf-8", errors="replace").rstrip("\r\n"))


def files_of(files: Sequence[FileVersions]) -> str:
    """The names of the files, for a title."""
    return ", ".join(file.path for file in files)
