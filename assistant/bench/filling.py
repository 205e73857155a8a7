"""How well lines are completed: a line of a file, or the rest of it, is taken out and has to be written again.

Nothing but the file itself is at hand, above and below the gap. What is written is compared with what stood there,
white space aside: exactly, and by edit similarity (one less the Levenshtein distance over the longer length, 0..1).
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.complete.lines import BLOCK_COMMENT, line
from veriloop.assistant.complete.prompt import Window, first_line, window
from veriloop.assistant.complete.similarity import edit_similarity, plain
from veriloop.assistant.complete.statistical import guess, guesses
from veriloop.assistant.complete.weighed import MOST, weighed
from veriloop.assistant.design.project import SOURCE_SUFFIXES
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.models.local import LocalModel
from veriloop.models.model import Sampling

_MOST_BYTES = 40_000
_FEWEST_TOKENS = 3
_WHOLE = 0.5
"""How many of the gaps are whole lines; the others are the rest of one."""
_MAX_TOKENS = 64

Fill = Callable[[Hole], str]
"""Writes what is missing at a place, up to the end of the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A place of a file, and what stood there up to the end of the line."""

    path: Path
    line: int
    """From 1."""
    hole: Hole
    wanted: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """How well gaps were filled; shares are 0..1."""

    gaps: int
    edit_similarity: float
    exact: float


def gaps(data: Path, *, count: int = 400, seed: int = 1) -> list[Gap]:
    """Gaps in the RTL below a directory, drawn at random; every file of it, testbenches and broken copies left out.

    Raises:
        UsageError: there is no RTL.
    """
    source = random.Random(seed)
    files = list(_files(data))
    if not files:
        raise UsageError(f"no RTL in {data}", hint="--data DIR")
    found: list[Gap] = []
    each = -(-count // len(files))
    for path, text in files:
        rows = text.split("\n")
        inside = {row for match in BLOCK_COMMENT.finditer(text) for row in _rows(text, match.start(), match.end())}
        able = [
            number
            for number, row in enumerate(rows)
            if number not in inside and len(line(row.strip()).tokens) >= _FEWEST_TOKENS
        ]
        found += [_gap(path, text, number, source) for number in source.sample(able, min(each, len(able)))]
    source.shuffle(found)
    return found[:count]


def _rows(text: str, start: int, end: int) -> range:
    """The numbers of the lines that a part of a text touches, from 0."""
    return range(text.count("\n", 0, start), text.count("\n", 0, end) + 1)


def _files(data: Path) -> Iterator[tuple[Path, str]]:
    seen: set[str] = set()
    for path in sorted(data.rglob("*")):
        relative = path.relative_to(data)
        if path.suffix not in SOURCE_SUFFIXES or is_test_path(relative) or "buggy" in path.stem:
            continue
        if not path.is_file() or path.stat().st_size > _MOST_BYTES:
            continue
        text = path.read_text(encoding="utf-8", errors="replace").replace("\r\n", "\n")
        if text not in seen:
            seen.add(text)
            yield path, text


def _gap(path: Path, text: str, number: int, source: random.Random) -> Gap:
    rows = text.split("\n")
    start = sum(len(row) + 1 for row in rows[:number])
    row = rows[number]
    indent = len(row) - len(row.lstrip())
    tokens = line(row.strip()).tokens
    keep = 0 if source.random() < _WHOLE else source.randrange(1, len(tokens))
    column = indent + sum(len(token.space) + len(token.text) for token in tokens[:keep])
    if keep:
        column += len(tokens[keep].space)
    end = indent + sum(len(token.space) + len(token.text) for token in tokens)
    hole = Hole.at(text[: start + column] + text[start + len(row) :], start + column)
    return Gap(path=path, line=number + 1, hole=hole, wanted=row[column:end])


def fill_by_statistics(hole: Hole) -> str:
    """What is suggested without a model: a line like this one with the names of the place, else an n-gram."""
    return guess(hole)


def fill_by_model(model: LocalModel) -> Fill:
    """What an editor shows where there is a model: of its line and the suggestions without it the best, weighed."""

    def fill(hole: Hole) -> str:
        seen, written = _written(model, hole)
        told = list(itertools.islice(guesses(hole, repeats=True), MOST))
        return next(iter(weighed(model, seen, told, [written])), "")

    return fill


def fill_by_model_alone(model: LocalModel) -> Fill:
    """The likeliest line by a model that fills gaps."""
    return lambda hole: _written(model, hole)[1]


def _written(model: LocalModel, hole: Hole) -> tuple[Window, str]:
    seen = window(hole, tokens=model.info.context_tokens - _MAX_TOKENS, count=model.count)
    sampling = Sampling(max_tokens=_MAX_TOKENS, stop=("\n",))
    return seen, first_line(model.infill(seen.prefix, seen.suffix, sampling)[0].text)


def measured(found: Sequence[Gap], fill: Fill, *, cancel: CancelToken | None = None) -> Filled:
    """Fills gaps and compares.

    Raises:
        ModelError: the model cannot be used.
    """
    similar, exact = 0.0, 0
    for gap in found:
        if cancel is not None:
            cancel.check()
        written, wanted = plain(fill(gap.hole)), plain(gap.wanted)
        similar += edit_similarity(written, wanted)
        exact += written == wanted
    count = max(1, len(found))
    return Filled(gaps=len(found), edit_similarity=round(similar / count, 4), exact=round(exact / count, 4))
