"""What is suggested at once and without a model: a line like this one, else what followed the last tokens before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.complete.lines import line
from veriloop.assistant.complete.nearest import Examples, Prediction, home, predict
from veriloop.assistant.complete.ngram import go_on

_SURE = -2.0
"""A line that less than this speaks for is worse than an n-gram."""

_FAR_LINES = 200
"""Lines of another file that an n-gram knows."""
_REPEATED = 3
"""Lines of fewer tokens (`end`) may well follow one another."""


def guesses(
    hole: Hole, others: Sequence[Examples] = (), *, repeats: bool = False, sure: float | None = None
) -> Iterator[str]:
    """How the line at a hole may go on, the likeliest first; each once.

    Args:
        hole: the place.
        others: the lines of other files, near ones first.
        repeats: whether the line below may be said again; else it comes last, and assignments that stand there not
            at all.
        sure: where nothing is typed, what has to speak for a line at least; none: anything is better than nothing.
    """
    own = home(hole)
    found = predict(hole, others)
    typed = bool(hole.typed.strip())
    least = _SURE if typed or sure is None else sure
    last: list[str] = []
    said: set[str] = set()
    below = hole.below.lstrip().split("\n", 1)[0].strip()
    for text in _in_order(hole, found, others, least, every=typed or sure is None):
        whole = (hole.typed + text).strip()
        if text in said or not text.strip():
            continue
        said.add(text)
        if repeats:
            yield text
        elif _drives_again(whole, own):
            continue
        elif whole == below and len(line(below).tokens) >= _REPEATED:
            last.append(text)
        else:
            yield text
    yield from last


def _in_order(
    hole: Hole, found: Sequence[Prediction], others: Sequence[Examples], least: float, *, every: bool
) -> Iterator[str]:
    """The likeliest first; an n-gram is made only for who asks that far."""
    yield from (one.text for one in found if one.score >= least)
    if every:
        yield go_on(hole, [examples.lines[-_FAR_LINES:] for examples in others])
        yield from (one.text for one in found if one.score < least)


def _drives_again(whole: str, own: Examples) -> bool:
    """Whether it is a continuous assignment that stands in the file already: nothing is driven twice."""
    return whole.startswith("assign ") and any(one.text == whole for one in own.lines)


def guess(hole: Hole) -> str:
    """What is likeliest to be like the line that is missing, from the file of the hole alone; may be empty.

    The line below is allowed: as a guess at what a line looks like it is a good one.
    """
    return next(guesses(hole, repeats=True), "")
