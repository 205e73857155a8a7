"""How sure a side is, from what was counted.

The truth is what the specification means: what the test expects, what the design does, or a third behaviour. Answers
that stand together speak for a behaviour more than in proportion to their number, because mistakes scatter; what people
wrote into a test or a design has a weight of its own, and so has the doubt that nobody is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from veriloop.assistant.judge.ballot import Ballot
from veriloop.assistant.judge.verdict import Side

DECIDED = 0.7
"""From which share on a side is named."""
_POWER = 2.0
_OWN = 1.0
"""The weight, in answers, of what a person wrote."""
_DOUBT = 0.12
"""Of all answers: how many scattered ones weigh as much as a group."""
_THIRD = 0.6
"""Such a share of all answers has to agree on a third behaviour: where a task is hard, answers share their mistakes."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A side with its share."""

    side: Side
    confidence: float
    shares: Mapping[str, float]


def weigh(ballot: Ballot) -> Weighed:
    """The side for which the answers speak; `UNKNOWN` where they do not speak clearly."""
    weights = {
        Side.RTL: (ballot.passing + _OWN) ** _POWER,
        Side.TESTBENCH: (ballot.same + _OWN) ** _POWER,
        Side.BOTH: float(ballot.other) ** _POWER,
        Side.UNKNOWN: (_DOUBT * ballot.total + _OWN) ** _POWER,
    }
    total = sum(weights.values())
    shares = {side.value: round(weight / total, 3) for side, weight in weights.items()}
    side = max(weights, key=lambda one: weights[one])
    share = weights[side] / total
    alone = side is Side.BOTH and ballot.other < _THIRD * ballot.total
    if side is Side.UNKNOWN or share < DECIDED or alone:
        return Weighed(Side.UNKNOWN, round(share, 3), shares)
    return Weighed(side, round(share, 3), shares)
