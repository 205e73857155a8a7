"""How much of a budget looking for the place may take, so that most of it is left for the repair."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Allowance:
    """Seconds by some clock.

    Args:
        until: when it is used up.
        clock: counts wall or CPU seconds.
    """

    until: float = math.inf
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(cls, budget_s: float, clock: Callable[[], float]) -> Allowance:
        """A quarter of a budget, from now on."""
        return cls(clock() + _SHARE * budget_s, clock)

    def share(self, part: float) -> Allowance:
        """A part of what is left, for work that more work follows."""
        return Allowance(self.clock() + part * self.left_s, self.clock)

    @property
    def left_s(self) -> float:
        """What is left of it."""
        return max(0.0, self.until - self.clock())
