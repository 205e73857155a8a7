"""Stimulus that reaches everything in a design that can be reached, as far as a budget of cycles goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.constants import constants
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.testbench.drawing import Input, Phase
from veriloop.assistant.testbench.inputs import drawn_inputs
from veriloop.assistant.testbench.rounds import (
    LONG,
    LONGEST,
    RESET_CYCLES,
    SHORT,
    Directed,
    Part,
    Stimulus,
    all_rows,
    part_rows,
)
from veriloop.assistant.verify.formal.harness import frames_to_rows, resets_first
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.formal.reach import reach
from veriloop.assistant.verify.stimulus.coverage import Counts, Kind, Point, Share, shares
from veriloop.assistant.verify.stimulus.pins import Pins, Row
from veriloop.assistant.verify.stimulus.player import Job, Player, build_player
from veriloop.assistant.verify.toolchain import Toolchain

BUDGET_CYCLES = 20_000

_COUNTED: tuple[Kind, ...] = ("line", "branch", "toggle")
_PROOF_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Stimulus, and what it covers when it is played from power-up, from all zeros.

    Attributes:
        pins: what is driven.
        inputs: what is drawn for each input.
        parts: the stimulus.
        rows: its cycles, as they were driven.
        counts: how often each point was met.
        unreachable: points that no inputs meet: proved.
        beyond: points that no stimulus of `BUDGET_CYCLES` meets, since the design has no inputs but a clock and a
            reset that brings all of it to one state, and a run without a further reset does not get there.
        rounds: how many were needed.
        proofs: whether a prover was there.
    """

    pins: Pins
    inputs: tuple[Input, ...]
    parts: tuple[Part, ...]
    rows: tuple[Row, ...]
    counts: Counts
    unreachable: frozenset[Point] = frozenset()
    beyond: frozenset[Point] = frozenset()
    rounds: int = 0
    proofs: bool = False

    @property
    def shares(self) -> dict[Kind, Share]:
        """What was met of what can be."""
        return shares(self.counts, self.unreachable | self.beyond)

    @property
    def missed(self) -> tuple[Point, ...]:
        """Lines, branches and toggles that were neither met nor proved unreachable, in the order of the text."""
        found = [
            point
            for point, count in self.counts.items()
            if not count and point.kind in _COUNTED and point not in self.unreachable | self.beyond
        ]
        return tuple(sorted(found, key=lambda point: (point.path, point.line, point.column, point.what)))


def reach_all(
    design: Design,
    pins: Pins,
    *,
    root: Path,
    directory: Path,
    toolchain: Toolchain,
    prover: Prover | None,
    cancel: CancelToken,
    resets_all: bool = False,
    budget_cycles: int = BUDGET_CYCLES,
) -> Run[Reached | tuple[Diagnostic, ...]]:
    """Looks for stimulus in rounds, then asks the prover about what is left, then looks further.

    Args:
        design: with the driven module as its toplevel.
        pins: of that module.
        root: where relative paths start.
        directory: an empty directory that outlives the result's use.
        toolchain: Verilator builds and runs the design.
        prover: none: nothing is proved unreachable.
        cancel: stops it.
        resets_all: see `Clocking`.
        budget_cycles: how long the stimulus may become.

    Returns:
        What Verilator says instead where it does not take the design.
    """
    yield Stage("stimulus")
    built = directory / "player"
    built.mkdir()
    player = build_player(
        toolchain.verilator, design.rooted(root), pins, built, cwd=root, coverage=True, optimize=0, cancel=cancel
    )
    if not isinstance(player, Player):
        return player
    texts = [(root / path).read_bytes() for path in design.sources if (root / path).is_file()]
    inputs = drawn_inputs(pins, constants(texts))
    wanted = frozenset(
        number for number, points in enumerate(player.points) if any(point.kind in _COUNTED for point in points)
    )
    autonomous = resets_all and not pins.data and len(pins.clocks) == 1
    stimulus = Stimulus(player, inputs, cancel, wanted, budget_cycles)
    stimulus.seek(SHORT)
    yield _progress(stimulus)
    beyond = _beyond(stimulus, pins) if stimulus.missing and autonomous else frozenset()
    stimulus.wanted -= _numbers(player, beyond)
    unreachable: frozenset[Point] = frozenset()
    if stimulus.missing and prover is not None:
        yield Stage("proofs")
        unreachable = _ask(stimulus, design, pins, root, directory, prover, cancel)
        stimulus.wanted -= _numbers(player, unreachable)
    for lengths in (LONG, LONGEST):
        if stimulus.missing:
            yield Stage("stimulus")
            stimulus.seek(lengths)
            yield _progress(stimulus)
    rows = all_rows(stimulus.parts, inputs, pins)
    played = player.play([Job(rows=rows, record=True)], cancel=cancel)[0]
    return Reached(
        pins=pins,
        inputs=inputs,
        parts=tuple(stimulus.parts),
        rows=played.rows,
        counts=player.coverage(played.counts),
        unreachable=unreachable,
        beyond=beyond,
        rounds=stimulus.rounds,
        proofs=prover is not None,
    )


def _beyond(stimulus: Stimulus, pins: Pins) -> frozenset[Point]:
    """What a run of all cycles that the budget allows does not meet, with as much of that run taken in as is needed.

    Every stimulus consists of beginnings of that run, each ended by a reset. What a reset changes is what is not in
    its reset state when it comes: that has changed back before, or is still so at the end, where the last reset comes.
    """
    longest = Phase(0, stimulus.budget_cycles, RESET_CYCLES, idle=True)
    reset = part_rows(Phase(0, 1, RESET_CYCLES, idle=True), stimulus.inputs, pins)
    rows = part_rows(longest, stimulus.inputs, pins)
    counts = stimulus.player.play([Job(rows=[*rows, *reset])], cancel=stimulus.cancel)[0].counts
    new = frozenset(counts) & stimulus.missing
    low, high = 0, stimulus.budget_cycles - stimulus.cycles - 3 * RESET_CYCLES
    while new and high - low > max(8, high // 50):
        middle = (low + high) // 2
        tried = [*rows[: RESET_CYCLES + middle], *reset]
        met = stimulus.player.play([Job(rows=tried)], cancel=stimulus.cancel)[0].counts
        low, high = (low, middle) if new <= frozenset(met) else (middle, high)
    if new:
        stimulus.offer(Phase(0, high, RESET_CYCLES, idle=True))
        stimulus.offer(Phase(0, 1, RESET_CYCLES, idle=True))
    never = stimulus.missing - frozenset(counts)
    points = {point for number in never for point in stimulus.player.points[number] if point.kind in _COUNTED}
    shared = {point for number in frozenset(counts) for point in stimulus.player.points[number]}
    return frozenset(points - shared)


def _progress(stimulus: Stimulus) -> Note:
    met = len(stimulus.wanted) - len(stimulus.missing)
    return Note(f"{met} of {len(stimulus.wanted)} points met in {stimulus.cycles} cycles, {stimulus.rounds} rounds")


def _numbers(player: Player, points: frozenset[Point]) -> frozenset[int]:
    """The counters all of whose points are among these."""
    return frozenset(
        number
        for number, own in enumerate(player.points)
        if own and all(point in points or point.kind not in _COUNTED for point in own)
    )


def _ask(
    stimulus: Stimulus,
    design: Design,
    pins: Pins,
    root: Path,
    directory: Path,
    prover: Prover,
    cancel: CancelToken,
) -> frozenset[Point]:
    """Proves points unreachable; where the prover finds the way to one instead, that is offered as stimulus."""
    counts = stimulus.player.coverage(stimulus.counts)
    missing = [point for point, count in counts.items() if not count and point.kind in _COUNTED]
    scratch = directory / "proofs"
    scratch.mkdir()
    try:
        found = reach(missing, design, prover, cwd=root, scratch=scratch, pins=pins, timeout_s=_PROOF_S, cancel=cancel)
    except ToolFailed:
        # A prover that breaks leaves the points as they are: not met, and not proved unreachable.
        return frozenset()
    for point, way in found.ways.items():
        rows = frames_to_rows(way.frames, pins, stepwise=way.stepwise)
        after = _reset_rows(pins) if pins.resets and not resets_first(pins) else ()
        stimulus.offer(Directed((*after, *rows), note=str(point), after=RESET_CYCLES if pins.resets else 0))
    return found.unreachable


def _reset_rows(pins: Pins) -> Sequence[Row]:
    active = {reset.name: reset.active for reset in pins.resets}
    return [Row(tuple(active.get(port.name, 0) for port in pins.inputs), pins.all_clocks)] * RESET_CYCLES


def with_parts(reached: Reached, parts: Sequence[Part]) -> Reached:
    """The same with further parts at its end; its coverage stays what it was counted to be."""
    rows = (*reached.rows, *all_rows(parts, reached.inputs, reached.pins))
    return replace(reached, parts=(*reached.parts, *parts), rows=rows)
