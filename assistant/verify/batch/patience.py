"""After how long a run hangs, by what the unchanged design takes."""

from __future__ import annotations

from veriloop.assistant.verify.results import SimResult

_SHORTEST_S = 1.0
_LONGER = 20
"""How many times as long as the failing unchanged design's a run may take: a testbench may stop at a failure."""
_SHORTEST_WHOLE_S = 0.3
_LONGER_THAN_WHOLE = 4
"""The same where the unchanged design passes, and so has run to the end."""
_SHORTEST_STEP_S = 0.25
_STEP = 5
"""How many times as long as the failing unchanged design's whole run a single time step may take."""
_SHORTEST_STEP_OF_WHOLE_S = 0.05
_STEP_OF_WHOLE = 1
"""The same where it passes."""


def hangs_after_s(unchanged: SimResult, cpu_s: float) -> float:
    """CPU seconds after which a run hangs: many times what the unchanged design takes, which is `cpu_s`."""
    if unchanged.passed:
        return max(_SHORTEST_WHOLE_S, _LONGER_THAN_WHOLE * cpu_s)
    return max(_SHORTEST_S, _LONGER * cpu_s)


def stalls_after_s(unchanged: SimResult, cpu_s: float) -> float:
    """CPU seconds after which a run hangs in which no time step ends."""
    if unchanged.passed:
        return max(_SHORTEST_STEP_OF_WHOLE_S, _STEP_OF_WHOLE * cpu_s)
    return max(_SHORTEST_STEP_S, _STEP * cpu_s)
