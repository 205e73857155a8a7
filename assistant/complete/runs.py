"""What followed which runs of tokens in the text around a gap: the memory that a small model lacks.

A model knows how RTL goes on, and little of the names of this file; the file's own runs of tokens know nothing else.
So each token's probability is what the file has counted, smoothed by what the model says: a Dirichlet prior, order by
order, the longest run last (a cache over a language model; Kuhn and De Mori, 1990).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

_PRIOR = {1: 10.0, 2: 1.5, 3: 1.0, 4: 0.7, 5: 0.5}
"""What the shorter run's opinion counts, by the length of a run, for each root of what has followed it."""
_LEAST = 1e-9


class Runs:
    """The runs of tokens in some texts."""

    def __init__(self, *texts: Sequence[int]) -> None:
        self._after: dict[tuple[int, ...], Counter[int]] = defaultdict(Counter)
        for text in texts:
            for index, token in enumerate(text):
                for order in _PRIOR:
                    if order <= index:
                        self._after[tuple(text[index - order : index])][token] += 1

    def total(self, before: Sequence[int], tokens: Sequence[int], logprobs: Sequence[float]) -> float:
        """The logarithm of the probability of tokens, by the texts and by a model.

        Args:
            before: what stands before them.
            tokens: the tokens.
            logprobs: what the model says of each; what is over, as of the end, counts as it is.
        """
        read = list(before[-max(_PRIOR) :])
        total = sum(logprobs[len(tokens) :])
        for token, logprob in zip(tokens, logprobs, strict=False):
            total += math.log(max(_LEAST, self._probability(read, token, math.exp(logprob))))
            read.append(token)
        return total

    def _probability(self, read: Sequence[int], token: int, by_model: float) -> float:
        found = by_model
        for order, prior in _PRIOR.items():
            followers = self._after.get(tuple(read[-order:]))
            if followers:
                weight = prior * math.sqrt(len(followers))
                found = (followers[token] + weight * found) / (followers.total() + weight)
        return found
