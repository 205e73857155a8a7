"""Candidate edits as answers to one prompt, and the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from veriloop.assistant.repair.operators import Replacement
from veriloop.assistant.repair.prompt import LINES, insertion_answer, line_answer


@dataclass(frozen=True, slots=True)
class Window:
    """The lines of a module that a prompt shows; `first` is the number of the first of them, from 0."""

    first: int
    lines: tuple[str, ...]


def answer(before: Sequence[str], after: Sequence[str], window: Window) -> str | None:
    """The answer that makes one text from another.

    Args:
        before: the lines of the broken text.
        after: the lines of the repaired one.
        window: what the prompt shows of the broken text.

    Returns:
        None where nothing changes, or a line that the window does not show.
    """
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    number = start - window.first
    if (not old and not new) or not 0 <= number < len(window.lines):
        return None
    if not old:
        return insertion_answer(number, "\n".join(new))
    # Of an edit in several places the first line that changes is what the model is asked about.
    return line_answer(number, new[0] if len(old) == len(new) and new else "\n".join(new))


def kept_answer(said: str, window: Window) -> str:
    """The answer that leaves the line of another answer as it is: what the other is held against."""
    number = int(said[2 : said.index("|>")])
    return line_answer(number, window.lines[number])


def window_of(lines: Sequence[str], first: int, last: int, *, characters: int) -> Window:
    """The part of a module around some lines that is no longer than so many characters and `LINES` lines."""
    chosen = range(first, min(last + 1, len(lines)))
    size = sum(len(lines[number]) + 1 for number in chosen)
    low, high = chosen.start, chosen.stop
    while high - low < LINES:
        grown = False
        for number in (low - 1, high):
            if 0 <= number < len(lines) and size + len(lines[number]) + 1 <= characters and high - low < LINES:
                size += len(lines[number]) + 1
                low, high = min(low, number), max(high, number + 1)
                grown = True
        if not grown:
            break
    return Window(low, tuple(lines[low : min(high, low + LINES)]))


def changed(content: bytes, line: int, text: str) -> tuple[Replacement, ...] | None:
    """The replacement of a file's bytes that makes a line read otherwise; none where that changes nothing.

    Args:
        content: the broken text.
        line: its number, from 0.
        text: what it has to read; empty takes the line away.
    """
    starts = [0, *(at + 1 for at, byte in enumerate(content) if byte == ord("\n"))]
    start = starts[line]
    end = starts[line + 1] - 1 if line + 1 < len(starts) else len(content)
    if not text.strip():
        return ((start, min(end + 1, len(content)), ""),)
    old = content[start:end].decode("utf-8", errors="replace")
    return ((start, end, text),) if text.split() != old.split() else None
