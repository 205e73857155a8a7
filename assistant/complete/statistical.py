"""What is suggested at once and without a model: a line like this one, else what followed the last tokens before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.complete.lines import line
from veriloop.assistant.complete.nearest import Examples, predict
from veriloop.assistant.complete.ngram import go_on

_SURE = -2.0
"""A line that less than this speaks for is worse than an n-gram."""

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
    own = Examples(f"{hole.above}\n{hole.below}")
    found = predict(hole, own, others)
    if sure is not None and not hole.typed.strip():
        texts = [one.text for one in found if one.score >= sure]
    else:
        texts = [one.text for one in found if one.score >= _SURE]
        texts.append(go_on(hole, [examples.lines for examples in others]))
        texts += [one.text for one in found if one.score < _SURE]
    ordered = list(dict.fromkeys(filter(str.strip, texts)))
    if not repeats:
        below = hole.below.lstrip().split("\n", 1)[0].strip()
        ordered.sort(key=lambda text: (hole.typed + text).strip() == below and len(line(below).tokens) >= _REPEATED)
        ordered = [text for text in ordered if not _drives_again((hole.typed + text).strip(), own)]
    yield from ordered


def _drives_again(whole: str, own: Examples) -> bool:
    """Whether it is a continuous assignment that stands in the file already: nothing is driven twice."""
    return whole.startswith("assign ") and any(one.text == whole for one in own.lines)


def guess(hole: Hole) -> str:
    """What is likeliest to be like the line that is missing, from the file of the hole alone; may be empty.

    The line below is allowed: as a guess at what a line looks like it is a good one.
    """
    return next(guesses(hole, repeats=True), "")
