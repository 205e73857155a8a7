"""A window of a record, as rows of characters: what was seen beside what was expected, around where they part."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from veriloop.assistant.verify.divergence import time_text
from veriloop.assistant.verify.wave import Wave, value_at

_LOW, _HIGH = "_", "\N{OVERLINE}"
_EDGE = "|"


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time on some columns; times in fs."""

    start_fs: int
    step_fs: int
    """What one column stands for."""
    columns: int

    @property
    def end_fs(self) -> int:
        """The time behind the last column."""
        return self.start_fs + self.step_fs * self.columns

    def column(self, at_fs: int) -> int:
        """The column of a time; it may lie outside."""
        return (at_fs - self.start_fs) // self.step_fs

    def at(self, column: int) -> int:
        """The time at which a column begins."""
        return self.start_fs + column * self.step_fs

    def zoomed(self, factor: float, *, around_fs: int) -> Window:
        """The same columns for more or less time, with one time kept at its place."""
        step_fs = max(1, round(self.step_fs * factor))
        start_fs = around_fs - self.column(around_fs) * step_fs
        return Window(max(0, start_fs) // step_fs * step_fs, step_fs, self.columns)

    def moved(self, columns: int) -> Window:
        """Later or earlier."""
        return Window(max(0, self.start_fs + columns * self.step_fs), self.step_fs, self.columns)


def around(wave: Wave, at_fs: int, columns: int, *, changes: int = 12) -> Window:
    """The window in which a time stands at a third, and that shows so many changes of the fastest signal.

    A clock's edges come two or more columns apart.
    """
    fastest = max(wave.changes.values(), key=len, default=[])
    place = bisect.bisect_left(fastest, at_fs, key=lambda change: change[0])
    near = fastest[max(0, place - changes // 3) : place + 2 * changes // 3 + 1]
    span_fs = near[-1][0] - near[0][0] if len(near) > 1 else max(1, wave.end_fs)
    step_fs = _round(max(1, span_fs // max(1, columns)), wave.step_fs)
    start_fs = max(0, at_fs - step_fs * (columns // 3)) // step_fs * step_fs
    return Window(start_fs, step_fs, columns)


def _round(step_fs: int, least_fs: int) -> int:
    """A step that can be read from a ruler: 1, 2 or 5 with zeros behind it, not below the record's own."""
    power = max(1, least_fs)
    while True:
        for factor in (1, 2, 5):
            if factor * power >= step_fs:
                return factor * power
        power *= 10


def drawn(changes: Sequence[tuple[int, str]], window: Window) -> str:
    """A signal in a window: a line of a bit, or the values of a word where there is room for them."""
    width_bits = max((len(value) for _, value in changes), default=1)
    return _line(changes, window) if width_bits == 1 else _word(changes, window)


def differences(
    one: Sequence[tuple[int, str]], two: Sequence[tuple[int, str]], window: Window
) -> list[tuple[int, int]]:
    """The columns, from and to, in which two signals differ."""
    found: list[tuple[int, int]] = []
    for column in range(window.columns):
        low, high = window.at(column), window.at(column + 1)
        edges = [low, *(at for at, _ in (*_within(one, low, high), *_within(two, low, high)))]
        if any(value_at(list(one), at) != value_at(list(two), at) for at in edges):
            if found and found[-1][1] == column:
                found[-1] = (found[-1][0], column + 1)
            else:
                found.append((column, column + 1))
    return found


def ruler(window: Window, *, every: int = 20) -> str:
    """Times above the columns."""
    text = ""
    for column in range(0, window.columns, every):
        label = f"{_EDGE}{time_text(window.at(column))}"
        text = text[:column].ljust(column) + label[: every - 1]
    return text[: window.columns].ljust(window.columns)


def short(bits: str) -> str:
    """A value without its width: hexadecimal where every bit is known."""
    if not bits or set(bits) - set("01"):
        return bits
    return bits if len(bits) == 1 else f"{int(bits, 2):x}"


def ordered(wave: Wave, distances: Mapping[str, int], parting: Sequence[str]) -> list[str]:
    """Signals as they are shown: those that part first, then by how near they are in the cone, then by name."""
    first = {name: place for place, name in enumerate(parting)}
    far = len(wave.changes)
    return sorted(
        wave.changes, key=lambda name: (first.get(name, far), distances.get(name, far), name.count("."), name)
    )


def _within(changes: Sequence[tuple[int, str]], low: int, high: int) -> Sequence[tuple[int, str]]:
    start = bisect.bisect_right(changes, low, key=lambda change: change[0])
    end = bisect.bisect_left(changes, high, key=lambda change: change[0])
    return changes[start:end]


def _line(changes: Sequence[tuple[int, str]], window: Window) -> str:
    found = []
    for column in range(window.columns):
        low, high = window.at(column), window.at(column + 1)
        start = bisect.bisect_left(changes, low, key=lambda change: change[0])
        end = bisect.bisect_left(changes, high, key=lambda change: change[0])
        value = changes[start - 1][1] if start else ""
        # The first value is no edge.
        if end > max(start, 1):
            found.append(_EDGE)
        elif end > start:
            found.append({"0": _LOW, "1": _HIGH}.get(changes[start][1], changes[start][1].lower()[:1]))
        else:
            found.append({"0": _LOW, "1": _HIGH, "": " "}.get(value, value.lower()[:1]))
    return "".join(found)


def _word(changes: Sequence[tuple[int, str]], window: Window) -> str:
    cells = [" "] * window.columns
    for start, end, value in _stretches(changes, window):
        if 0 <= start < window.columns:
            cells[start] = _EDGE
        text = short(value)
        room = max(0, min(end, window.columns) - max(start + 1, 0))
        shown = text if len(text) <= room else text[: max(0, room - 1)] + "~" * (room > 0)
        for place, letter in enumerate(shown, max(start + 1, 0)):
            cells[place] = letter
    return "".join(cells)


def _stretches(changes: Sequence[tuple[int, str]], window: Window) -> Iterator[tuple[int, int, str]]:
    """From column, to column, value: those that reach into the window."""
    first = max(0, bisect.bisect_right(changes, window.start_fs, key=lambda change: change[0]) - 1)
    for place in range(first, len(changes)):
        at_fs, value = changes[place]
        if at_fs >= window.end_fs:
            return
        until_fs = changes[place + 1][0] if place + 1 < len(changes) else window.end_fs
        start = window.column(at_fs) if at_fs >= window.start_fs else -1
        yield start, min(window.columns, window.column(until_fs)), value
