"""What a recorded run that fails says of places: how suspicious their statements are, how they lead to the failure."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from veriloop.assistant.locate.checks import checks_of, first_failure
from veriloop.assistant.locate.places import Place
from veriloop.assistant.locate.slicing import Link, slice_of
from veriloop.assistant.locate.spectrum import suspicion
from veriloop.assistant.verify.divergence import time_text, value_text
from veriloop.assistant.verify.execution import Execution
from veriloop.assistant.verify.wave import value_at

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """By file, and by where a statement begins.

    Attributes:
        suspicions: from 0 to 1, by coverage spectra; empty where the run cannot tell.
        links: how statements lead to the first failed check.
        idle: whether the statement was not carried out before that check.
        values: what a link's signal held, where that was recorded.
    """

    suspicions: Mapping[str, Sequence[tuple[int, float]]] = field(default_factory=dict)
    links: Mapping[str, Sequence[tuple[int, Link]]] = field(default_factory=dict)
    idle: Mapping[str, Sequence[tuple[int, bool]]] = field(default_factory=dict)
    values: Mapping[Link, str] = field(default_factory=dict)

    def suspicion(self, place: Place) -> float:
        """That of its most suspicious statement."""
        return max((value for _, value in _inside(self.suspicions, place)), default=0.0)

    def link(self, place: Place) -> Link | None:
        """Its nearest link to what failed."""
        links = (one for _, one in _inside(self.links, place))
        return min(links, key=lambda one: (one.steps, -one.at_fs), default=None)

    def is_idle(self, place: Place) -> bool:
        """Whether it holds statements and none of them was carried out before what failed."""
        statements = [idle for _, idle in _inside(self.idle, place)]
        return bool(statements) and all(statements)

    def told(self, link: Link) -> str:
        """A link in words."""
        value = self.values.get(link, "")
        steps = f"{link.steps} step{'s' if link.steps != 1 else ''} before what" if link.steps else "what"
        made = f"made {link.signal}{f' = {value}' if value else ''} at {time_text(link.at_fs)}"
        return f"{made}, {steps} the first failed check saw"


def _inside(found: Mapping[str, Sequence[tuple[int, T]]], place: Place) -> Sequence[tuple[int, T]]:
    own = found.get(place.path, ())
    start = bisect.bisect_left(own, place.start, key=lambda one: one[0])
    end = bisect.bisect_left(own, place.end, key=lambda one: one[0])
    return own[start:end]


def runs_of(execution: Execution | None) -> Runs:
    """What a run says; nothing where it was not recorded, or no check of it failed."""
    if execution is None:
        return Runs()
    checks = checks_of(execution)
    failure = first_failure(checks)
    if failure is None:
        return Runs()
    times = execution.in_any_scope()
    suspicions = suspicion(times, checks)
    counted = {path: [one for one in own if not one.prints] for path, own in execution.probes.items()}
    links: dict[str, list[tuple[int, Link]]] = {}
    for (path, start), link in slice_of(execution, failure).items():
        links.setdefault(path, []).append((start, link))
    return Runs(
        suspicions={
            path: sorted((one.start, suspicions.get(one.name, 0.0)) for one in own) for path, own in counted.items()
        },
        links={path: sorted(own, key=lambda one: one[0]) for path, own in links.items()},
        idle={
            path: sorted((one.start, not _before(times.get(one.name, ()), failure.at_fs)) for one in own)
            for path, own in counted.items()
        },
        values=dict(_values(execution, [link for own in links.values() for _, link in own])),
    )


def _before(times: Sequence[int], at_fs: int) -> bool:
    return bool(times) and times[0] <= at_fs


def _values(execution: Execution, links: Sequence[Link]) -> list[tuple[Link, str]]:
    found = []
    for link in links:
        changes = execution.wave.changes.get(f"{link.scope}.{link.signal}")
        if changes is not None and (bits := value_at(changes, link.at_fs)):
            found.append((link, value_text(bits)))
    return found
