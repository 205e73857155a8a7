"""Rounds of stimulus that each go after what is not covered yet.

A round draws phases at random, plays them, and keeps the one that covers most that was new, for as long as it covers
it. It knows what is covered and nothing else of the rounds before it. It starts phases in three ways: from reset, from
where the stimulus has come to, and from the state from which the least covered points were met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from veriloop.assistant.events import CancelToken
from veriloop.assistant.testbench.drawing import Input, Phase, phase_rows
from veriloop.assistant.verify.stimulus.pins import Pins, Row
from veriloop.assistant.verify.stimulus.player import Job, Player

_CANDIDATES = 12
SHORT = (32, 64, 128, 256)
LONG = (512, 1024, 2048)
LONGEST = (4096, 8192)
_IDLE_ROUNDS = 3
"""Rounds without anything new, in each range of lengths, after which there is a plateau."""
RESET_CYCLES = 3


@dataclass(frozen=True, slots=True)
class Directed:
    """Cycles that were worked out instead of drawn; `after` of them are reset; `note` says what they are for."""

    rows: tuple[Row, ...]
    note: str = ""
    after: int = 0


Part = Phase | Directed


def part_rows(part: Part, inputs: tuple[Input, ...], pins: Pins) -> tuple[Row, ...]:
    """The cycles of a part."""
    if isinstance(part, Directed):
        return part.rows
    return tuple(Row(*row) for row in phase_rows(part, inputs, len(pins.clocks)))


def all_rows(parts: Sequence[Part], inputs: tuple[Input, ...], pins: Pins) -> list[Row]:
    """The cycles of all parts, one after the other."""
    return [row for part in parts for row in part_rows(part, inputs, pins)]


@dataclass(slots=True)
class Stimulus:
    """What has been chosen so far, and what it covers.

    Attributes:
        player: the design, built with coverage.
        inputs: what is drawn.
        cancel: stops it.
        wanted: the counters that are to be met.
        budget_cycles: how long the stimulus may become.
        parts: what was chosen.
        counts: how often each counter was met.
        cycles: how long it is.
        rounds: how many rounds there were.
    """

    player: Player
    inputs: tuple[Input, ...]
    cancel: CancelToken
    wanted: frozenset[int]
    budget_cycles: int
    parts: list[Part] = field(default_factory=list)
    counts: dict[int, int] = field(default_factory=dict)
    cycles: int = 0
    rounds: int = 0
    _chain: list[Row] = field(default_factory=list)
    """The rows since the last reset."""
    _chain_parts: list[Part] = field(default_factory=list)
    _starts: list[tuple[tuple[Row, ...], tuple[Part, ...], frozenset[int]]] = field(default_factory=list)
    """Rows and parts from a reset on that met something new, and what they met."""
    _seed: int = 0

    @property
    def missing(self) -> frozenset[int]:
        """The counters that were not met."""
        return self.wanted - self.counts.keys()

    def seek(self, lengths: Sequence[int]) -> None:
        """Rounds until everything is covered, nothing new comes, or the cycles are used up."""
        idle = 0
        while self.missing and idle < _IDLE_ROUNDS and self.cycles < self.budget_cycles:
            self.cancel.check()
            idle = 0 if self._round(lengths) else idle + 1

    def offer(self, part: Part) -> bool:
        """Takes a part in if it covers something new, and if there is room for it."""
        rows = part_rows(part, self.inputs, self.player.pins)
        # A reset from where it is now may be what is new.
        before = self._chain
        counts = self.player.play([Job(rows=[*before, *rows])], cancel=self.cancel)[0].counts
        if not frozenset(counts) & self.missing or self.cycles + len(rows) > self.budget_cycles:
            return False
        self._take(part, rows, counts)
        return True

    def _take(self, part: Part, rows: Sequence[Row], counts: Mapping[int, int]) -> None:
        new = frozenset(counts) & self.missing
        if part.after:
            self._chain, self._chain_parts = [], []
        self._chain += rows
        self._chain_parts.append(part)
        if new:
            self._starts.append((tuple(self._chain), tuple(self._chain_parts), frozenset(counts)))
        for number, count in counts.items():
            self.counts[number] = self.counts.get(number, 0) + count
        self.parts.append(part)
        self.cycles += len(rows)

    def _round(self, lengths: Sequence[int]) -> bool:
        self.rounds += 1
        candidates = list(self._candidates(lengths))
        jobs = [Job(rows=[*before, *rows]) for _, before, rows in candidates]
        played = self.player.play(jobs, cancel=self.cancel)
        gains = [len(frozenset(one.counts) & self.missing) for one in played]
        best = max(range(len(candidates)), key=lambda index: (gains[index], -len(candidates[index][2])))
        parts, before, rows = candidates[best]
        if not gains[best] or self.cycles + len(rows) > self.budget_cycles:
            return False
        part, counts = self._shortened(parts[-1], before, rows, frozenset(played[best].counts) & self.missing)
        for earlier in parts[:-1]:
            # The way to the state, once more.
            self._take(earlier, part_rows(earlier, self.inputs, self.player.pins), {})
        self._take(part, part_rows(part, self.inputs, self.player.pins), counts)
        return True

    def _shortened(
        self, part: Part, before: Sequence[Row], rows: Sequence[Row], new: frozenset[int]
    ) -> tuple[Part, Mapping[int, int]]:
        """The shortest of its beginnings, by halving, that covers the same."""
        assert isinstance(part, Phase)
        lengths = [part.cycles]
        while lengths[-1] >= 8:
            lengths.append(lengths[-1] // 2)
        phases = [Phase(part.seed, cycles, part.after) for cycles in lengths]
        own = len(part_rows(part, self.inputs, self.player.pins))
        prefix = [*before, *rows[: len(rows) - own]]
        jobs = [Job(rows=[*prefix, *part_rows(phase, self.inputs, self.player.pins)]) for phase in phases]
        played = self.player.play(jobs, cancel=self.cancel)
        enough = [index for index, one in enumerate(played) if new <= frozenset(one.counts)]
        return phases[enough[-1]], played[enough[-1]].counts

    def _candidates(self, lengths: Sequence[int]) -> Iterator[tuple[tuple[Part, ...], list[Row], list[Row]]]:
        """The parts to add, what is played before them without being added, and the rows that are added."""
        pins, inputs = self.player.pins, self.inputs
        after = RESET_CYCLES if pins.resets or not self.parts else 0
        worst = self._worst()
        for index in range(_CANDIDATES):
            self._seed += 1
            cycles = lengths[index % len(lengths)]
            way = index // len(lengths) % 3
            if way == 0 or not self.parts:
                phase = Phase(self._seed, cycles, after)
                yield (phase,), [] if after else list(self._chain), list(part_rows(phase, inputs, pins))
                continue
            phase = Phase(self._seed, cycles)
            own = part_rows(phase, inputs, pins)
            if way == 2 and pins.resets and worst is not None and worst[0] != tuple(self._chain):
                yield (*worst[1], phase), [], [*worst[0], *own]
            else:
                yield (phase,), list(self._chain), list(own)

    def _worst(self) -> tuple[tuple[Row, ...], tuple[Part, ...]] | None:
        """The way to where the least covered points were met."""

        def rarity(start: tuple[tuple[Row, ...], tuple[Part, ...], frozenset[int]]) -> tuple[list[int], int]:
            return sorted(self.counts[number] for number in start[2] & self.wanted)[:3], len(start[0])

        if not self._starts:
            return None
        rows, parts, _ = min(self._starts, key=rarity)
        return rows, parts
