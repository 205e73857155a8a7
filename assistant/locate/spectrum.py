"""Coverage spectra a window of time: which statements are carried out before checks that fail, and which before those
that pass.

Source: Ochiai (Abreu, Zoeteweij, van Gemund, PRDC 2006); windows between a testbench's checks as its runs (Tarsel, Wu
et al., ASE 2022, cuts runs of hardware at cycles).
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence

from veriloop.assistant.locate.checks import Check


def suspicion(times: Mapping[str, Sequence[int]], checks: Sequence[Check]) -> Mapping[str, float]:
    """For each statement, from 0 (as usual before failing checks as before others) to 1 (before these alone).

    Args:
        times: when each was carried out, by its counter.
        checks: in their order.

    Returns:
        Nothing where no check passed or none failed.
    """
    failing = sum(one.failed for one in checks)
    if not failing or failing == len(checks):
        return {}
    always = failing / math.sqrt(failing * len(checks))
    found = {}
    for name, own in times.items():
        met = [
            _any(own, before, one.at_fs)
            for before, one in zip([-1, *(one.at_fs for one in checks)], checks, strict=False)
        ]
        bad = sum(hit for hit, one in zip(met, checks, strict=True) if one.failed)
        ochiai = bad / math.sqrt(failing * sum(met)) if bad else 0.0
        found[name] = max(0.0, (ochiai - always) / (1 - always))
    return found


def _any(times: Sequence[int], from_fs: int, before_fs: int) -> bool:
    # What is carried out at the time of a check may already be for the next one.
    return bisect.bisect_left(times, before_fs) > bisect.bisect_left(times, from_fs)
