"""Lines for a gap, weighed: what the model and the file together say of each, and how much the others are like it.

Suggestions that need no model come in an order, and the order is evidence; a small model's opinion is evidence, too.
What is written is not the likeliest line but the one that is nearest to all of them, each counted by how likely it is
(minimum Bayes risk): who gets it has the least to change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from veriloop.assistant.complete.prompt import Window
from veriloop.assistant.complete.runs import Runs
from veriloop.assistant.complete.similarity import edit_similarity, plain
from veriloop.models.model import Score, Stop, never

MOST = 12
"""Suggestions that are weighed."""
_OPINION, _A_TOKEN = 0.03, 0.5
"""What the logarithm of a probability counts, and what a token is given back: long lines are less likely by nature.
Fitted, as the next one, on gaps in public RTL that no benchmark here holds."""
_A_PLACE, _LAST_PLACE = 0.3, 4
"""What a place further back costs, and from where on no more; the model's own lines stand last."""


class Scoring(Protocol):
    """A model that tells how likely texts are in a gap, token by token; see `LocalModel`."""

    def tokens(self, text: str) -> tuple[int, ...]:
        """A text's tokens by their numbers."""
        ...

    def score_infill(
        self, prefix: str, suffix: str, answers: Sequence[str], *, stop: Stop = never
    ) -> tuple[Score, ...]:
        """How likely each answer, with its end, is to stand between."""
        ...


def weighed(
    model: Scoring, seen: Window, told: Sequence[str], written: Sequence[str] = (), *, stop: Stop = never
) -> list[str]:
    """Lines for a gap, the best first.

    Args:
        model: a model that fills gaps.
        seen: what it reads.
        told: suggestions that need no model, the likeliest first.
        written: what the model wrote.
        stop: polled; true ends it with `Stopped`.

    Raises:
        ModelError: the model cannot be used.
    """
    places = {text: min(place, _LAST_PLACE) for place, text in reversed(list(enumerate(told[:MOST]))) if text.strip()}
    for text in written:
        if text.strip():
            places.setdefault(text, _LAST_PLACE)
    texts = sorted(places, key=lambda text: places[text])
    if len(texts) < 2:
        return texts
    before, after = model.tokens(seen.prefix), model.tokens(seen.suffix)
    runs = Runs(before, after)
    scores = model.score_infill(seen.prefix, seen.suffix, texts, stop=stop)
    worth = [
        _OPINION * (runs.total(before, model.tokens(text), score.logprobs) + _A_TOKEN * len(score.logprobs))
        - _A_PLACE * places[text]
        for text, score in zip(texts, scores, strict=True)
    ]
    shares = [math.exp(one - max(worth)) for one in worth]
    lines = [plain(text) for text in texts]
    nearness = [
        sum(share * edit_similarity(line, other) for share, other in zip(shares, lines, strict=True)) for line in lines
    ]
    return [texts[index] for index in sorted(range(len(texts)), key=lambda index: -nearness[index])]
