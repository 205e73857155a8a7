"""Which engine will judge a batch for less, by what both have cost on this design so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Engine = Literal["icarus", "verilator"]

_ICARUS_BUILD_S = 0.03
_VERILATOR_BUILD_S = 0.7
_FASTER = 7.0
"""How many times faster Verilator's code runs at `-O0` than Icarus, before it is measured."""
OPTIMIZED_BUILD = 1.6
"""How many times as long a build at `-O1` takes, and the next, how many times faster its code runs."""
OPTIMIZED_RUN = 4.0
_SHARED_BUILD = 2.0
"""How many times as long the build of a batch takes as that of one candidate."""
_CLEARLY = 0.8
"""How much less the other engine must promise before the search leaves the one that it uses."""


@dataclass(slots=True)
class Spent:
    """What an engine has cost so far on one design, in CPU seconds; optimized code, what it would cost without."""

    builds: int = 0
    build_s: float = 0.0
    runs: int = 0
    run_s: float = 0.0
    alone_s: float = 0.0
    """One run of the unchanged design; 0 where it is not known."""

    @property
    def mean_run_s(self) -> float:
        """What a candidate's run takes: many fail early, where the testbench stops then."""
        return self.run_s / self.runs if self.runs else self.alone_s


@dataclass(frozen=True, slots=True)
class Choice:
    """How to judge a batch."""

    engine: Engine
    optimize: int = 0
    """The C++ compiler's level, for Verilator."""
    cpu_s: float = 0.0
    """What it is expected to cost."""


def choose(count: int, spent: Mapping[Engine, Spent], usual: Engine, allowed: frozenset[Engine]) -> Choice:
    """The cheapest way to judge so many candidates; the usual engine, unless another is clearly cheaper."""
    ways = [way for engine in ("icarus", "verilator") if engine in allowed for way in _ways(engine, count, spent)]
    best = min(ways, key=lambda way: way.cpu_s)
    mine = min((way for way in ways if way.engine == usual), key=lambda way: way.cpu_s, default=best)
    return best if best.cpu_s < _CLEARLY * mine.cpu_s else mine


def choose_alone(
    spent: Mapping[Engine, Spent], usual: Engine, allowed: frozenset[Engine], *, tried: bool = False
) -> Choice:
    """The same for a candidate that no batch holds; the usual engine until Verilator has built a batch.

    One that was `tried` and did not fail soon is taken to run as long as the unchanged design.
    """
    if not spent["verilator"].builds:
        return Choice(usual)
    built = {
        engine: replace(one, build_s=one.build_s / _SHARED_BUILD, runs=0 if tried and one.alone_s else one.runs)
        for engine, one in spent.items()
    }
    return choose(1, built, usual, allowed)


def _ways(engine: Engine, count: int, spent: Mapping[Engine, Spent]) -> list[Choice]:
    mine = spent[engine]
    if engine == "icarus":
        run_s = mine.mean_run_s or _FASTER * spent["verilator"].mean_run_s
        build_s = mine.build_s / mine.builds if mine.builds else _ICARUS_BUILD_S
        return [Choice("icarus", 0, build_s + count * run_s)]
    run_s = mine.mean_run_s or spent["icarus"].mean_run_s / _FASTER
    build_s = mine.build_s / mine.builds if mine.builds else _VERILATOR_BUILD_S
    # Where the unchanged design has not run under Verilator yet, it has to be built as well.
    first_s = 0.0 if mine.alone_s else build_s
    plain = first_s + build_s + count * run_s
    optimized = first_s + OPTIMIZED_BUILD * build_s + count * run_s / OPTIMIZED_RUN
    return [Choice("verilator", 0, plain), Choice("verilator", 1, optimized)]
