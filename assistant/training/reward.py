"""What an answer to a repair question is worth: the simulator says, against the design's reference model."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import replace

from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.elsewhere import Elsewhere
from veriloop.assistant.training.check import texts
from veriloop.assistant.training.corpus import Design, design
from veriloop.assistant.training.draft import families
from veriloop.assistant.training.harness import Seen, Text, simulate
from veriloop.assistant.training.row import Row

_ANSWER = re.compile(r"<\|(\d+)\|>(<\|before\|>)?((?:(?!<\|).)*)<\|end\|>", re.S)
PASSED = 1.0
_BETTER = 0.5
"""What a text that fails less often is worth at most."""


def answered(buggy: str, answer: str) -> str | None:
    """The text that an answer makes of the broken one; none where it is no answer, or changes nothing."""
    match = _ANSWER.fullmatch(answer)
    lines = buggy.split("\n")
    if match is None or int(match[1]) >= len(lines):
        return None
    number, text = int(match[1]), match[3]
    if match[2]:
        made = [*lines[:number], *text.split("\n"), *lines[number:]]
    elif text.strip():
        made = [*lines[:number], *text.split("\n"), *lines[number + 1 :]]
    else:
        made = [*lines[:number], *lines[number + 1 :]]
    return "\n".join(made) if made != lines else None


def rewards(asked: Sequence[tuple[Row, Sequence[str]]], *, cancel: CancelToken) -> list[list[float]]:
    """The worth of each answer to each row: 1 where every cycle is right, up to a half where fewer are wrong than were.

    Raises:
        UsageError: the rows come from another version of the generator.
    """
    found = [[0.0] * len(answers) for _, answers in asked]
    jobs, places = [], []
    for index, (row, answers) in enumerate(asked):
        one = design_of(row)
        (right,) = texts([one.rendered])
        made = {text: None for answer in answers if (text := answered(row.buggy, answer)) is not None}
        if made:
            jobs.append((one.trace, [_text(right, text) for text in made]))
            places.append((index, list(made)))
    seen = simulate(jobs, cancel=cancel) if jobs else []
    for (index, made_texts), shown in zip(places, seen, strict=True):
        row, answers = asked[index]
        worth = {text: _worth(row, one) for text, one in zip(made_texts, shown, strict=True)}
        found[index] = [worth.get(answered(row.buggy, answer) or "", 0.0) for answer in answers]
    return found


def judged(
    asked: Sequence[tuple[Row, Sequence[str]]], *, farm: Elsewhere | None, cancel: CancelToken
) -> list[list[float]]:
    """`rewards`, on a farm where there is one: a job a row."""
    if farm is None:
        return rewards(asked, cancel=cancel)
    found: list[list[float]] = [[] for _ in asked]
    with contextlib.closing(farm.map(_one, list(enumerate(asked)), cancel=cancel)) as results:
        for index, worth in results:
            found[index] = worth
    return found


def _one(item: tuple[int, tuple[Row, Sequence[str]]], cancel: CancelToken) -> tuple[int, list[float]]:
    index, asked = item
    (worth,) = rewards([asked], cancel=cancel)
    return index, worth


def design_of(row: Row) -> Design:
    """The design that a row was made of.

    Raises:
        UsageError: the families make another one of the same seed today.
    """
    if "+" not in row.family:
        one = design(families(row.family)[0], row.seed)
        if one.rendered.text == row.rtl:
            return one
    raise UsageError(
        f"the row {row.family} {row.seed} was made by another version of the generator",
        hint="veriloop train data --out with a new directory",
    )


def _text(right: Text, text: str) -> Text:
    return replace(right, text=text)


def _worth(row: Row, shown: Seen) -> float:
    if shown.passed:
        return PASSED
    if not (shown.compiled and shown.ended) or row.failure is None:
        return 0.0
    return _BETTER * max(0.0, 1 - shown.failures / max(1, row.failure.failures))
