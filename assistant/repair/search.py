"""Best-first search over edits, from single ones to joint ones.

Every state is the original with some edits; its proposals wait in one queue with those of all other states. A state
that fails fewer checks than the one it came from is expanded in turn, and the fewer it fails, the sooner: so two or
three slips are found one after another, and a worse state is never carried forward.
"""

from __future__ import annotations

import heapq
import itertools
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.events import Run, Tried
from veriloop.assistant.repair.operators import Proposal, proposals
from veriloop.assistant.repair.rank import Failing, Ranker
from veriloop.assistant.repair.screen import Contents, Screen
from veriloop.assistant.verify.results import Outcome, SimResult

_CHILD_OFFSET = 1.5
_REMAINING_WEIGHT = 3.0
_REPEATED_WEIGHT = 1.0
_DEEPEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The original with edits made: what the search has reached."""

    contents: Contents
    """The editable files, changed or not."""
    operators: tuple[str, ...]
    cost: float
    """The sum of the proposals' priors: small for few and likely slips."""
    result: SimResult
    count: int
    """How many candidates had been judged when it was found."""


@dataclass(slots=True)
class Found:
    """What a search came to."""

    plausible: list[State] = field(default_factory=list)
    tried: int = 0
    refused: int = 0
    """Candidates that did not elaborate, which no tool ran."""
    best: SimResult | None = None
    best_state: State | None = None
    exhausted: bool = False
    seconds_to_first: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a search stops."""

    deadline: float
    """`time.monotonic()` at which the whole search ends."""
    look_on: int = 40
    """Candidates that are judged after the first plausible one, to find its rivals."""
    look_on_priority: float = 1.0
    """How much less likely than the first plausible one a rival may be."""
    look_on_s: float = 5.0
    """Seconds that looking on may take."""


def search(
    screen: Screen,
    original: Contents,
    baseline: SimResult,
    limits: Limits,
    *,
    distances: Mapping[str, Mapping[str, int]] | None = None,
    confirm_near: bool = False,
) -> Run[Found]:
    """Searches until rivals of the first plausible repair have been looked for, or time runs out.

    Args:
        screen: judges candidates.
        original: the editable files.
        baseline: how the original fails.
        limits: when to stop.
        distances: a module's signals by their distance from the failing outputs, where elaboration gave them.
        confirm_near: let Verilator judge each new best candidate that the screen refuses, because the screen's
            engine may never match this oracle.
    """
    started = time.monotonic()
    found = Found(best=baseline)
    queue = _Queue(distances or {})
    root = State(contents=original, operators=(), cost=0.0, result=baseline, count=0)
    queue.expand(root, offset=0.0)
    repeats: Counter[tuple[object, ...]] = Counter()
    limit = _Limit(limits)
    while not limit.reached(found) and (batch := queue.take(screen, found, limit.priority)):
        for (priority, state, proposal, contents), result in zip(
            batch, screen.judge([entry[3] for entry in batch]), strict=True
        ):
            found.tried += 1
            new = State(
                contents={**state.contents, **contents},
                operators=(*state.operators, proposal.operator),
                cost=state.cost + proposal.cost,
                result=result,
                count=found.tried,
            )
            better = found.best is None or result.score < found.best.score
            if result.passed or (confirm_near and better and screen.confirm(new.contents)):
                found.plausible.append(new)
                limit.first(priority, found)
                found.seconds_to_first = found.seconds_to_first or time.monotonic() - started
            elif result.score < state.result.score and len(new.operators) < _DEEPEST:
                mark = _mark(result)
                repeats[mark] += 1
                remaining = result.score / max(baseline.score, 1e-9)
                offset = _CHILD_OFFSET * len(new.operators) + _REMAINING_WEIGHT * remaining
                queue.expand(new, offset=offset + _REPEATED_WEIGHT * (repeats[mark] - 1))
            if better:
                found.best, found.best_state = result, new
        best = 0.0 if found.plausible else (found.best.score if found.best else 1.0)
        yield Tried(found.tried, best, batch[-1][2].operator)
    found.exhausted = queue.empty
    return found


def _mark(result: SimResult) -> tuple[object, ...]:
    """Equal for runs that failed in the same way."""
    return (result.failures, result.checks, result.failing, result.mismatches)


_Entry = tuple[float, State, Proposal, Contents]


class _Queue:
    """Proposals of all states, the likeliest first; a state's own are made when it is expanded."""

    def __init__(self, distances: Mapping[str, Mapping[str, int]]) -> None:
        self._heap: list[tuple[float, int, State, str, Proposal]] = []
        self._order = itertools.count()
        self._distances = distances
        self._waiting: list[tuple[float, int, State]] = []

    @property
    def empty(self) -> bool:
        return not self._heap and not self._waiting

    def expand(self, state: State, *, offset: float) -> None:
        heapq.heappush(self._waiting, (offset, next(self._order), state))

    def take(self, screen: Screen, found: Found, highest: float) -> list[_Entry]:
        """The next candidates, at most as many as are judged at once; none when nothing is left."""
        batch: list[_Entry] = []
        while len(batch) < screen.jobs and (entry := self._pop(highest)) is not None:
            priority, state, path, proposal = entry
            edits = [
                Edit(path=path, start=start, end=end, text=text.encode())
                for start, end, text in proposal.replacements
            ]
            contents = {path: apply_edits(state.contents[path], edits)}
            whole = {**state.contents, **contents}
            if not screen.is_new(whole):
                continue
            if not screen.elaborates(whole):
                found.refused += 1
                continue
            batch.append((priority, state, proposal, whole))
        return batch

    def _pop(self, highest: float) -> tuple[float, State, str, Proposal] | None:
        # A state's proposals cost at least 1 beyond its offset, so it need not be expanded before that.
        while self._waiting and (not self._heap or self._waiting[0][0] + 1 <= self._heap[0][0]):
            offset, _, state = heapq.heappop(self._waiting)
            for priority, path, proposal in _proposals(state, self._distances):
                heapq.heappush(self._heap, (offset + priority, next(self._order), state, path, proposal))
        if not self._heap or self._heap[0][0] > highest:
            return None
        priority, _, state, path, proposal = heapq.heappop(self._heap)
        return priority, state, path, proposal


def _proposals(
    state: State, distances: Mapping[str, Mapping[str, int]]
) -> Iterator[tuple[float, str, Proposal]]:
    result = state.result
    hangs = result.outcome is Outcome.TIMEOUT
    failing = Failing(frozenset(result.failing), frozenset(result.passing), hangs)
    for path, content in state.contents.items():
        rankers: dict[int, Ranker] = {}
        for structure, proposal in proposals(SyntaxTree(content)):
            ranker = rankers.get(id(structure))
            if ranker is None:
                ranker = rankers[id(structure)] = _ranker(structure, failing, distances)
            yield ranker.priority(proposal), path, proposal


def _ranker(structure: Structure, failing: Failing, distances: Mapping[str, Mapping[str, int]]) -> Ranker:
    return Ranker(structure, failing, distances.get(structure.name))


class _Limit:
    """Time, and after the first plausible candidate the limits on looking on."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._deadline = limits.deadline
        self._until: int | None = None
        self.priority = float("inf")

    def first(self, priority: float, found: Found) -> None:
        if self._until is None:
            self._until = found.tried + self._limits.look_on
            self.priority = priority + self._limits.look_on_priority
            self._deadline = min(self._deadline, time.monotonic() + self._limits.look_on_s)

    def reached(self, found: Found) -> bool:
        if time.monotonic() >= self._deadline:
            return True
        return self._until is not None and found.tried >= self._until
