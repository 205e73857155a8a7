"""Best-first search over edits, from single ones to joint ones.

Every state is the original with some edits; its proposals wait in one queue with those of all other states. A state
that fails fewer checks than the one it came from is expanded in turn, and the fewer it fails, the sooner: so two or
three slips are found one after another, and a worse state is never carried forward.
"""

from __future__ import annotations

import heapq
import itertools
import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from veriloop.assistant.design.edits import Edit, apply_edits, unified_diff
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.events import Note, Run, Tried
from veriloop.assistant.repair.advice import OWN_COST, WEIGHED, Advice, Adviser, Edits
from veriloop.assistant.repair.habits import MOST_GAIN, Habits
from veriloop.assistant.repair.operators import Proposal, Replacement, proposals
from veriloop.assistant.repair.rank import Failing, Ranker
from veriloop.assistant.repair.screen import Contents, Screen
from veriloop.assistant.verify.results import Outcome, SimResult

_CHILD_OFFSET = 1.5
_REMAINING_WEIGHT = 3.0
_REPEATED_WEIGHT = 1.0
_JOINED_TURN = 4
"""Every so many candidates one that joins two partial improvements: many designs have partial improvements aplenty."""
_HOPELESS = 0.9
"""Two partial improvements that together would leave this share of the failures are not joined."""
_SPREAD = 0.35
_FEW_PLACES = 40
_DEEPEST = 5
_NEARLY_FACTOR = 4
_WEAK_MOST = 12
"""So many that only one engine passes, and the testbench is taken to follow that engine."""
_NAMED = 3
"""So many outputs are named in a line."""
_FIRST_BATCH = 8
_LARGEST_BATCH = 64
_WEIGHED_AT_ONCE = 4 * WEIGHED
"""How many of the first are brought into their order before a model is asked about them."""
_MOST_WAITING = 30_000
"""Proposals of one state that are kept: no search comes further, and a large file has half a million."""


Changes = Mapping[str, tuple[Replacement, ...]]
"""Replacements by file, in the bytes of the state that they start from."""


Focus = Mapping[str, Sequence[tuple[int, int, float]]]
"""By file, ranges of bytes with how much later their edits are tried, 0 for the most suspected."""


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
    changes: Changes | None = None
    """The replacements in bytes of the original; none where they were made one upon another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A state with changes to make, which nothing has judged yet."""

    parent: State
    changes: Changes
    operators: tuple[str, ...]
    cost: float
    priority: float
    habits: Habits | None = None
    """What its priority still has to be weighed by: until then it is the smallest that it can come to."""

    @property
    def contents(self) -> Contents:
        """The files with the changes made."""
        made = {
            path: apply_edits(
                self.parent.contents[path],
                [Edit(path=path, start=start, end=end, text=text.encode()) for start, end, text in replacements],
            )
            for path, replacements in self.changes.items()
        }
        return {**self.parent.contents, **made}


@dataclass(slots=True)
class Found:
    """What a search came to."""

    plausible: list[State] = field(default_factory=list)
    nearly: list[State] = field(default_factory=list)
    """Those that Verilator passes although the screen's engine does not."""
    weak: list[State] = field(default_factory=list)
    """Those that the screen's engine passes although Verilator does not."""
    silent: list[State] = field(default_factory=list)
    """Those that pass and still outputs that moved before."""
    tried: int = 0
    refused: int = 0
    """Candidates that did not elaborate, which no tool ran."""
    best: SimResult | None = None
    best_state: State | None = None
    refuted: list[bytes] = field(default_factory=list)
    dropped: int = 0
    """Those that passed and would not do."""
    exhausted: bool = False
    advised: bool = False
    """Whether a model's advice was followed."""
    saw: str = ""
    prompt: str = ""
    """What that model was shown, in words and word for word."""
    seconds_to_first: float | None = None

    @property
    def passing(self) -> list[State]:
        """Those that pass, by the strongest evidence that there is."""
        return self.plausible or self.nearly or self.weak or self.silent

    @property
    def passed(self) -> int:
        """How many have passed, those that would not do among them."""
        return self.dropped + sum(map(len, (self.plausible, self.nearly, self.weak, self.silent)))

    def drop(self, states: Sequence[State]) -> None:
        """Forgets some that pass and will not do, so that others are looked for."""
        gone = {id(state) for state in states}
        self.dropped += len(gone)
        for kind in (self.plausible, self.nearly, self.weak, self.silent):
            kind[:] = [state for state in kind if id(state) not in gone]
        self.best = self.best_state = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """When a search stops."""

    deadline: float
    """What `clock` says when the whole search ends."""
    look_on: int = 40
    """Candidates that are judged after the first plausible one, to find its rivals."""
    look_on_priority: float = 1.0
    """How much less likely than the first plausible one a rival may be."""
    look_on_s: float = 5.0
    """Seconds that looking on may take, once `look_on_least` rivals were judged."""
    look_on_least: int = 12
    """A slow test is no reason to take the first change that it lets through, which may be one that silences it."""
    clock: Callable[[], float] = time.monotonic


def search(
    screen: Screen,
    original: Contents,
    baseline: SimResult,
    limits: Limits,
    *,
    starts: Sequence[State] = (),
    distances: Mapping[str, Mapping[str, int]] | None = None,
    confirm_near: bool = False,
    confirm_passed: bool = False,
    focus: Focus | None = None,
    adviser: Adviser | None = None,
    settle: Callable[[Found], Run[Sequence[State]]] | None = None,
    stilled: Callable[[Contents, SimResult], tuple[str, ...]] = lambda contents, result: (),
) -> Run[Found]:
    """Searches until rivals of the first plausible repair have been looked for, or time runs out.

    Args:
        screen: judges candidates.
        original: the editable files.
        baseline: how the original fails.
        limits: when to stop.
        starts: states to begin with beside the original, not judged yet.
        distances: a module's signals by their distance from the failing outputs, where elaboration gave them.
        focus: how suspected places are, beside what the failing run says.
        confirm_near: let Verilator judge each new best candidate that the screen refuses, because the screen's
            engine may never match this oracle.
        confirm_passed: let Verilator judge what the screen passes, and look on for a while where it does not agree.
        adviser: a model that is asked once the likeliest candidates have failed.
        settle: asked about those that pass: says which of them will not do, or none where one will. The search then
            goes on to others.
        stilled: names the outputs that a change which passes stills, so that the test may have seen nothing.
    """
    started = time.monotonic()
    found = Found(best=baseline)
    queue = _Queue(distances or {}, focus or {})
    root = State(contents=original, operators=(), cost=0.0, result=baseline, count=0, changes={})
    queue.expand(root, offset=0.0)
    for state in starts:
        queue.begin(state)
    repeats: Counter[tuple[object, ...]] = Counter()
    size = _FIRST_BATCH
    while True:
        limit = _Limit(limits)
        while not limit.reached(found) and (batch := queue.take(screen, found, limit.priority, _most(screen, size))):
            if adviser is not None and not found.plausible and found.tried >= adviser.patience:
                _advised(adviser, queue, root, found, time.monotonic() - started)
            improved = False
            best_before = found.best_state
            for (candidate, contents), result in zip(batch, screen.judge([one[1] for one in batch]), strict=True):
                found.tried += 1
                state = _reached(candidate, contents, result, found.tried)
                better = found.best is None or result.score < found.best.score
                still = stilled(contents, result) if result.passed else ()
                if still:
                    found.silent.append(state)
                    yield Note(_hidden(state, still))
                elif result.passed:
                    strong = not confirm_passed or len(found.weak) >= _WEAK_MOST or screen.confirm(contents)
                    (found.plausible if strong else found.weak).append(state)
                elif confirm_near and better and screen.confirm(contents):
                    found.nearly.append(state)
                elif result.score < candidate.parent.result.score and len(state.operators) < _DEEPEST:
                    repeats[_mark(result)] += 1
                    remaining = result.score / max(baseline.score, 1e-9)
                    offset = _CHILD_OFFSET * len(state.operators) + _REMAINING_WEIGHT * remaining
                    queue.expand(state, offset=offset + _REPEATED_WEIGHT * (repeats[_mark(result)] - 1))
                    queue.combine(root, state)
                    improved = True
                elif result.outcome is not Outcome.TIMEOUT:
                    found.refuted.append(screen.mark(contents))
                limit.passed(candidate.priority, found)
                if better and not still:
                    found.best, found.best_state = result, state
            if found.plausible and found.seconds_to_first is None:
                found.seconds_to_first = time.monotonic() - started
            size = _FIRST_BATCH if improved else min(2 * size, _LARGEST_BATCH)
            best = 0.0 if found.plausible else (found.best.score if found.best else 1.0)
            change = _shown(original, found.best_state) if found.best_state is not best_before else ""
            yield Tried(found.tried, best, batch[-1][0].operators[-1], change)
        found.exhausted = queue.empty
        if settle is None or not found.passing:
            return found
        refused = yield from settle(found)
        if not refused or limits.clock() >= limits.deadline:
            return found
        found.drop(refused)


def _hidden(state: State, stilled: Sequence[str]) -> str:
    what = ", ".join(stilled[:_NAMED]) + (" ..." if len(stilled) > _NAMED else "")
    return f"a change passes ({state.operators[-1]}), but with it {what} never moves: searching on"


def _advised(adviser: Adviser, queue: _Queue, root: State, found: Found, seconds: float) -> None:
    """Asks for advice on the file that is likeliest at fault, and follows it once it is there."""
    if not adviser.asked and seconds >= adviser.patience_s and (likeliest := queue.likeliest(root)) is not None:
        path, candidates = likeliest
        adviser.ask(path, root.contents[path], candidates, root.result)
    if (advice := adviser.take()) is not None:
        queue.follow(advice, root)
        found.advised, found.saw, found.prompt = True, adviser.saw, adviser.prompt


def _shown(original: Contents, state: State | None) -> str:
    """A state as a diff against the original."""
    contents = state.contents if state is not None else {}
    return "".join(unified_diff(path, original[path], new) for path, new in contents.items() if new != original[path])


def _most(screen: Screen, size: int) -> int:
    """How many candidates to judge next: in batches few after an improvement, which orders the rest anew."""
    return max(screen.jobs, size) if screen.batches else screen.jobs


def _reached(candidate: Candidate, contents: Contents, result: SimResult, count: int) -> State:
    return State(
        contents=contents,
        operators=candidate.operators,
        cost=candidate.cost,
        result=result,
        count=count,
        changes=candidate.changes if not candidate.parent.operators else None,
    )


def _mark(result: SimResult) -> tuple[object, ...]:
    """Equal for runs that failed in the same way."""
    return (result.failures, result.checks, result.failing, result.mismatches)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """Files of a state whose proposals are not made yet."""

    state: State
    paths: tuple[str, ...]
    offset: float
    usual: bool = False
    """Whether what the design usually writes counts."""


class _Queue:
    """Proposals of all states, the likeliest first; a state's own are made when it is expanded."""

    def __init__(self, distances: Mapping[str, Mapping[str, int]], focus: Focus) -> None:
        self._focus = focus
        self._heap: list[tuple[float, int, Candidate]] = []
        self._waiting: list[tuple[float, int, _Waiting]] = []
        self._order = itertools.count()
        self._distances = distances
        self._partial: list[State] = []
        self._joined: list[tuple[float, int, Candidate]] = []
        self._turn = 0

    @property
    def empty(self) -> bool:
        return not self._heap and not self._waiting and not self._joined

    def expand(self, state: State, *, offset: float) -> None:
        """Lets a state's proposals in, each `offset` later than if they were the original's.

        Where places are suspected, the proposals of each file are made when its most suspected place has its turn.
        """
        if not self._focus:
            heapq.heappush(self._waiting, (offset, next(self._order), _Waiting(state, tuple(state.contents), offset)))
            return
        usual = not state.operators
        for path in state.contents:
            soonest = offset + min((later for _, _, later in self._focus.get(path, ())), default=0.0)
            # What is usual may bring one of them forward further: making all files' proposals at once costs more than
            # trying such a one a little late.
            heapq.heappush(self._waiting, (soonest, next(self._order), _Waiting(state, (path,), offset, usual)))

    def begin(self, state: State) -> None:
        """Lets in a state that nothing has judged, before everything that costs more."""
        self._push(Candidate(parent=state, changes={}, operators=state.operators, cost=state.cost, priority=state.cost))

    def combine(self, root: State, state: State) -> None:
        """Joins a partial improvement with those found before: two slips, each found by itself."""
        if state.changes is None:
            return
        base = max(root.result.score, 1e-9)
        for other in self._partial:
            changes = _union(other.changes or {}, state.changes)
            expected = (other.result.score + state.result.score) / base - 1
            if changes is not None and expected < _HOPELESS:
                candidate = Candidate(
                    parent=root,
                    changes=changes,
                    operators=(*other.operators, *state.operators),
                    cost=other.cost + state.cost,
                    priority=_CHILD_OFFSET + _REMAINING_WEIGHT * max(0.0, expected),
                )
                # Among equals the likelier slips first.
                heapq.heappush(self._joined, (expected + candidate.cost / 100, next(self._order), candidate))
        self._partial.append(state)

    def likeliest(self, root: State) -> tuple[str, list[Edits]] | None:
        """The file of the likeliest edit of the original that waits, and its likeliest edits; none where none waits."""
        self._weigh(_WEIGHED_AT_ONCE)
        waiting = [entry for entry in self._heap if entry[2].parent is root and entry[2].changes]
        if not waiting:
            return None
        path = next(iter(min(waiting)[2].changes))
        own = [entry for entry in waiting if path in entry[2].changes]
        return path, [tuple(entry[2].changes[path]) for entry in heapq.nsmallest(WEIGHED, own)]

    def follow(self, advice: Advice, root: State) -> None:
        """Orders the original's edits anew, by how much the lines that they change are suspected; lets new ones in."""
        content = root.contents[advice.path]

        def sooner(candidate: Candidate) -> float:
            places = candidate.changes.get(advice.path, ()) if candidate.parent is root else ()
            return advice.gain(content, places)

        moved = [
            (priority - gain, number, replace(candidate, priority=priority - gain))
            for priority, number, candidate in self._heap
            for gain in (sooner(candidate),)
        ]
        heapq.heapify(moved)
        self._heap = moved
        for edit in advice.edits:
            candidate = Candidate(
                parent=root,
                changes={advice.path: edit},
                operators=("model",),
                cost=OWN_COST,
                priority=OWN_COST,
            )
            self._push(replace(candidate, priority=OWN_COST - sooner(candidate)))

    def take(self, screen: Screen, found: Found, highest: float, most: int) -> list[tuple[Candidate, Contents]]:
        """The next candidates, at most so many; none when nothing is left."""
        batch: list[tuple[Candidate, Contents]] = []
        while len(batch) < most and (candidate := self._pop(highest)) is not None:
            contents = candidate.contents
            if not screen.is_new(contents):
                continue
            if not screen.elaborates(contents):
                found.refused += 1
                continue
            batch.append((candidate, contents))
        return batch

    def _push(self, candidate: Candidate) -> None:
        heapq.heappush(self._heap, (candidate.priority, next(self._order), candidate))

    def _pop(self, highest: float) -> Candidate | None:
        self._turn += 1
        if self._joined and self._turn % _JOINED_TURN == 0:
            return heapq.heappop(self._joined)[2]
        # A state's proposals cost at least 1 beyond its offset, so it need not be expanded before that.
        self._weigh(1)
        while self._waiting and (not self._heap or self._waiting[0][0] + 1 <= self._heap[0][0]):
            self._make(heapq.heappop(self._waiting)[2])
            self._weigh(1)
        if not self._heap or self._heap[0][0] > highest:
            return None
        return heapq.heappop(self._heap)[2]

    def _weigh(self, most: int) -> None:
        """Gives the first of those that wait their own priorities, so that these are the first indeed."""
        known: list[tuple[float, int, Candidate]] = []
        while self._heap and len(known) < most:
            priority, number, candidate = heapq.heappop(self._heap)
            if candidate.habits is None:
                known.append((priority, number, candidate))
                continue
            ((_, replacements),) = candidate.changes.items()
            priority += MOST_GAIN - candidate.habits.gain(replacements)
            heapq.heappush(self._heap, (priority, number, replace(candidate, priority=priority, habits=None)))
        for entry in known:
            heapq.heappush(self._heap, entry)

    def _make(self, waiting: _Waiting) -> None:
        """Makes a state's proposals for some files; of very many, those that could have their turn."""
        state = waiting.state
        files = tuple(state.contents.values())
        habits = {path: Habits(state.contents[path], files) for path in waiting.paths if waiting.usual}
        most_gain = MOST_GAIN if waiting.usual else 0.0
        held_back = {path: _HeldBack(self._focus.get(path, ())) for path in waiting.paths}
        found: Iterable[tuple[float, str, Proposal]] = (
            (usual + held_back[path].by(proposal.focus[0]) - most_gain, path, proposal)
            for usual, path, proposal in ranked_proposals(state, self._distances, waiting.paths)
        )
        for priority, path, proposal in heapq.nsmallest(_MOST_WAITING, found, key=lambda one: one[0]):
            self._push(
                Candidate(
                    parent=state,
                    changes={path: proposal.replacements},
                    operators=(*state.operators, proposal.operator),
                    cost=state.cost + proposal.cost,
                    priority=waiting.offset + priority,
                    habits=habits.get(path),
                )
            )


def _union(one: Changes, two: Changes) -> Changes | None:
    """Both changes at once; none where they touch the same bytes."""
    union = {path: tuple(sorted({*one.get(path, ()), *two.get(path, ())})) for path in {**one, **two}}
    for path, replacements in union.items():
        if len(replacements) < len(one.get(path, ())) + len(two.get(path, ())):
            return None
        for before, after in itertools.pairwise(replacements):
            if after[0] < before[1] or after[0] == before[0]:
                return None
    return union


def ranked_proposals(
    state: State, distances: Mapping[str, Mapping[str, int]], paths: Collection[str] | None = None
) -> Iterator[tuple[float, str, Proposal]]:
    """All proposals of a state with their priorities; of some of its files, where they are named.

    An operator that fits at hundreds of places is no likelier to be the slip than one that fits at ten: its share is
    spread over its places, so that in a large file the rare operators have their turn too.
    """
    result = state.result
    failing = Failing(frozenset(result.failing), frozenset(result.passing), result.outcome is Outcome.TIMEOUT)
    contents = [(path, content) for path, content in state.contents.items() if paths is None or path in paths]
    found = [(path, *pair) for path, content in contents for pair in proposals(SyntaxTree(content))]
    places = Counter(proposal.operator for _, _, proposal in found)
    rankers: dict[int, Ranker] = {}
    for path, structure, proposal in found:
        if id(structure) not in rankers:
            rankers[id(structure)] = _ranker(structure, failing, distances)
        spread = _SPREAD * math.log(max(1.0, places[proposal.operator] / _FEW_PLACES))
        yield rankers[id(structure)].priority(proposal) + spread, path, proposal


class _HeldBack:
    """How much later an edit is tried because of the place that it stands in, the smallest around it."""

    def __init__(self, places: Sequence[tuple[int, int, float]]) -> None:
        self._places = places
        self._known: dict[int, float] = {}

    def by(self, at: int) -> float:
        """For an edit at a byte."""
        if at not in self._known:
            around = [(end - start, later) for start, end, later in self._places if start <= at < end]
            self._known[at] = min(around)[1] if around else 0.0
        return self._known[at]


def _ranker(structure: Structure, failing: Failing, distances: Mapping[str, Mapping[str, int]]) -> Ranker:
    return Ranker(structure, failing, distances.get(structure.name))


class _Limit:
    """Time, and after the first plausible candidate the limits on looking on."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._looked_on = limits.deadline
        self._least = 0
        self._until: int | None = None
        self._after_plausible = False
        self.priority = float("inf")

    def passed(self, priority: float, found: Found) -> None:
        """Notes that a candidate was judged; the first that passes sets how far the search looks on."""
        if found.plausible and not self._after_plausible:
            self._after_plausible = True
            self._until = found.tried + self._limits.look_on
            self.priority = priority + self._limits.look_on_priority
            self._least = found.tried + self._limits.look_on_least
            self._looked_on = self._limits.clock() + self._limits.look_on_s
        elif (found.nearly or found.weak) and self._until is None:
            # One that both engines pass may yet come, so this looks on longer.
            self._until = found.tried + _NEARLY_FACTOR * self._limits.look_on
            self._looked_on = self._limits.clock() + _NEARLY_FACTOR * self._limits.look_on_s

    def reached(self, found: Found) -> bool:
        now = self._limits.clock()
        if now >= self._limits.deadline or (now >= self._looked_on and found.tried >= self._least):
            return True
        return self._until is not None and found.tried >= self._until
