"""From rows of training data to texts: segments that a model learns to say, and segments that it only reads."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from veriloop.assistant.complete.lines import line
from veriloop.assistant.repair.prompt import (
    END,
    LINES,
    Seen,
    fim_prompt,
    insertion_answer,
    line_answer,
    repair_prompt,
    spec_prompt,
)
from veriloop.assistant.training.row import Failure, Row

_LITTLE_SEEN = 0.3
"""How often a repair's prompt leaves out part of what the simulator saw: other testbenches say less."""
_NO_CYCLE = 0.5
"""How often it does not say when that was."""
_IN_PART = 0.2
"""How often it shows a part of a module only, as one that a context has no room for is shown."""
_FEWEST_LINES = 12
_FIM_A_ROW = 5
_FEWEST_TOKENS = 3
_REST, _SEVERAL = 0.45, 0.1
"""How many gaps are the rest of a line, and how many are some lines; the others are a whole line."""


@dataclass(frozen=True, slots=True)
class Text:
    """A prompt and its answer."""

    prompt: str
    answer: str


def texts(row: Row, source: random.Random) -> Iterator[Text]:
    """The texts that a row gives: a repair, or gaps to fill and a module from its specification."""
    if row.task == "repair":
        found = repair_text(row, source)
        if found is not None:
            yield found
        return
    if row.spec.module:
        yield Text(spec_prompt(row.spec.module), row.rtl + END)
    for _ in range(_FIM_A_ROW):
        yield fim_text(row.rtl, source)


def repair_text(row: Row, source: random.Random | None = None) -> Text | None:
    """The repair of a row with one edit, as a question and its answer; none where the row has no such edit."""
    lines = row.buggy.splitlines()
    if len(lines) > LINES or not row.edits:
        return None
    if any(len(edit.buggy) > 1 or edit.line > len(lines) for edit in row.edits):
        return None
    # Several slips are answered one after the other; the first is what ranking asks for.
    edit = row.edits[0]
    # Of a fix that was mined nobody knows what a simulator saw.
    seen = seen_of(row.failure) if row.failure is not None else Seen()
    first, last = 0, len(lines)
    if source is not None:
        seen = _said(seen, source)
        if len(lines) > _FEWEST_LINES and source.random() < _IN_PART:
            size = source.randrange(_FEWEST_LINES, len(lines))
            first = source.randrange(max(0, edit.line - size), min(edit.line - 1, len(lines) - size) + 1)
            last = first + size
    make = line_answer if edit.buggy else insertion_answer
    return Text(repair_prompt(lines[first:last], seen), make(edit.line - 1 - first, "\n".join(edit.fixed)))


def _said(seen: Seen, source: random.Random) -> Seen:
    """What some testbench says of what was seen."""
    if source.random() < _LITTLE_SEEN:
        return Seen(failing=seen.failing if source.random() < 0.7 else ())
    return replace(seen, cycle="") if source.random() < _NO_CYCLE else seen


def seen_of(failure: Failure) -> Seen:
    """What a row's simulator saw, in the words of a prompt."""
    return Seen(
        signal=failure.signal,
        cycle=str(failure.cycle),
        expected=str(failure.expected),
        got=failure.seen,
        failing=failure.failing,
        passing=failure.passing,
    )


def fim_text(rtl: str, source: random.Random) -> Text:
    """A gap in a text, as an editor asks for it: a line or the rest of one, now and then some lines.

    A gap begins where a token begins, ends with the line's last token, and the comment that ends the line is left out:
    who writes a line has not written a remark behind it yet.
    """
    rows = rtl.split("\n")
    able = [number for number, row in enumerate(rows) if len(line(row.strip()).tokens) >= _FEWEST_TOKENS]
    number = source.choice(able or [number for number, row in enumerate(rows) if row.strip()])
    row = rows[number]
    tokens = line(row.strip()).tokens
    indent = len(row) - len(row.lstrip())
    size = [len(token.space) + len(token.text) for token in tokens]
    kind = source.random()
    first = sum(len(row) + 1 for row in rows[:number])
    below = first + len(row)
    start, end = first + indent, first + (indent + sum(size) if size else len(row.rstrip()))
    if kind < _REST and len(tokens) > 1:
        keep = source.randrange(1, len(tokens))
        start += sum(size[:keep]) + len(tokens[keep].space)
    elif kind >= 1 - _SEVERAL:
        last = min(len(rows), number + source.randint(2, 5))
        end = below = sum(len(row) + 1 for row in rows[:last]) - 1
    return Text(fim_prompt(rtl[:start], rtl[below:]), rtl[start:end] + END)
