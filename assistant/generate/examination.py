"""Cross-examination: every answer to a specification against every other, on inputs that try to tell them apart.

RTL and reference models in Python are written independently of each other, so what both kinds say alike is worth more
than what one kind says twice. Answers that never differed form a group. Inputs are sought until they stop telling
anything apart: runs that make an answer do something new are kept and varied. Method: ChipMATE's agreement between RTL
and reference models and CorrectBench's matrix, over groups of behaviour instead of pair by pair.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.generate.answers import Rtl
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.reference import Inputs
from veriloop.assistant.generate.reference_model.run import Answered, play
from veriloop.assistant.generate.reference_model.text import ReferenceModel
from veriloop.assistant.generate.stimuli import Stimuli
from veriloop.assistant.generate.traces import Word, traces
from veriloop.assistant.verify.toolchain import Toolchain

_SETTLING_STEPS = 2
"""Cycles in reset before a comparison counts."""
_QUIET_ROUNDS = 2
_MOST_ROUNDS = 8
_RUNS_A_ROUND = 2

Answer = Rtl | ReferenceModel


@dataclass(frozen=True, slots=True)
class Played:
    """One run: its inputs, and what each answer said; none for an answer that failed."""

    steps: tuple[Inputs, ...]
    words: tuple[tuple[Word, ...] | None, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Answers that never differed, by their numbers."""

    members: tuple[int, ...]
    size: int
    """How many answers that is, equal texts counted as often as they came."""
    rtl: int
    """How many of them are RTL; the others are reference models."""

    @property
    def both_kinds(self) -> bool:
        """Whether RTL and reference models say the same."""
        return 0 < self.rtl < self.size


@dataclass(frozen=True, slots=True)
class Examination:
    """What came of it.

    Attributes:
        answers: what was examined.
        counts: how often each came.
        faults: why an answer dropped out, by its number.
        groups: the most believed first.
        runs: all runs; each starts from reset.
    """

    answers: tuple[Answer, ...]
    counts: tuple[int, ...]
    faults: dict[int, str]
    groups: tuple[Group, ...]
    runs: tuple[Played, ...]

    @property
    def cycles(self) -> int:
        """How many cycles were compared."""
        return sum(len(run.steps) for run in self.runs)

    @property
    def total(self) -> int:
        """How many answers did not drop out."""
        return sum(group.size for group in self.groups)

    def agreement(self, one: int, other: int) -> float:
        """The share of the cycles in which two answers say the same."""
        same = total = 0
        for run in self.runs:
            first, second = run.words[one], run.words[other]
            if first is None or second is None:
                return 0.0
            total += len(first)
            same += sum(map(alike, first, second))
        return same / total if total else 0.0

    def divergence(self, one: int, other: int) -> tuple[Played, int] | None:
        """The run and the cycle in which two answers first differ; the run in which that is earliest."""
        found: tuple[int, Played] | None = None
        for run in self.runs:
            first, second = run.words[one], run.words[other]
            if first is None or second is None:
                continue
            at = _first_difference(first, second)
            if at is not None and (found is None or at < found[0]):
                found = (at, run)
        return (found[1], found[0]) if found is not None else None


def alike(one: Word, other: Word) -> bool:
    """Whether two words agree; an output that a reference model does not name agrees with everything."""
    return all(a == b or not a or not b for a, b in zip(one, other, strict=True))


def examine(
    answers: Sequence[Answer],
    counts: Sequence[int],
    interface: Interface,
    text: str,
    *,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    seed: int = 1,
) -> Run[Examination]:
    """Compares all answers on the same inputs until nothing new is seen.

    Args:
        answers: RTL and reference models, each text once.
        counts: how often each came.
        interface: the ports.
        text: the specification, whose numbers are among the inputs.
        scratch: an existing directory.
        toolchain: the simulators.
        cancel: stops it.
        seed: of the inputs.
    """
    stimuli, source = Stimuli(interface, text), Random(seed)
    runs: list[Played] = []
    faults: dict[int, str] = {}
    seen: set[tuple[int, int]] = set()
    kept: list[tuple[Inputs, ...]] = []
    apart, quiet = 0, 0
    for number in range(_MOST_ROUNDS):
        cancel.check()
        for steps in _proposed(stimuli, kept, source, number):
            played = _play(answers, interface, steps, faults, scratch, toolchain, cancel)
            runs.append(played)
            news = _news(played, seen)
            if news:
                kept.append(tuple(steps))
        groups = _groups(answers, counts, runs, faults, stimuli)
        quiet = quiet + 1 if len(groups) == apart and not news else 0
        settled = len(groups) == apart
        apart = len(groups)
        yield Note(f"cross-examination: {apart} behaviours after {sum(len(run.steps) for run in runs)} cycles")
        if quiet >= _QUIET_ROUNDS or (settled and number >= 3) or (interface.clock is None and number >= 2):
            break
    return Examination(tuple(answers), tuple(counts), faults, groups, tuple(runs))


def _proposed(
    stimuli: Stimuli, kept: Sequence[tuple[Inputs, ...]], source: Random, number: int
) -> Iterator[Sequence[Inputs]]:
    yield stimuli.batch(source.getrandbits(30))
    if number and kept:
        for _ in range(_RUNS_A_ROUND - 1):
            yield stimuli.mutated(source.choice(kept), source)


def _play(
    answers: Sequence[Answer],
    interface: Interface,
    steps: Sequence[Inputs],
    faults: dict[int, str],
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Played:
    words: list[tuple[Word, ...] | None] = [None] * len(answers)
    numbers = [number for number, one in enumerate(answers) if isinstance(one, Rtl) and number not in faults]
    texts = [one.examined for number in numbers if isinstance(one := answers[number], Rtl)]
    found = traces(texts, interface, steps, scratch=scratch, toolchain=toolchain, cancel=cancel)
    for number, trace in zip(numbers, found, strict=True):
        if trace.fault:
            faults[number] = trace.fault
        else:
            words[number] = trace.words
    for number, answer in enumerate(answers):
        if not isinstance(answer, ReferenceModel) or number in faults:
            continue
        said = play(answer, steps, interface, cancel=cancel)
        if isinstance(said, Answered):
            words[number] = tuple(_word(row, interface) for row in said.outputs)
        else:
            faults[number] = said.why
    return Played(tuple(steps), tuple(words))


def _word(row: Inputs, interface: Interface) -> Word:
    return tuple(f"{row[port.name]:0{port.width_bits}b}" if port.name in row else "" for port in interface.outputs)


def _news(played: Played, seen: set[tuple[int, int]]) -> bool:
    """Whether an answer went from one output to another as none of its runs before did."""
    before = len(seen)
    for number, words in enumerate(played.words):
        for old, new in zip(words or (), (words or ())[1:], strict=False):
            seen.add((number, hash((old, new))))
    # A wide output makes something new of everything; what counts is that it is more than a little.
    return len(seen) > 1.02 * before


def _groups(
    answers: Sequence[Answer],
    counts: Sequence[int],
    runs: Sequence[Played],
    faults: dict[int, str],
    stimuli: Stimuli,
) -> tuple[Group, ...]:
    """The answers by what they said; one with gaps joins the largest group that it fits."""
    skip = _SETTLING_STEPS if stimuli.reset else 0
    said: dict[tuple[tuple[Word, ...], ...], list[int]] = {}
    gaps: list[int] = []
    for number in range(len(answers)):
        if number in faults:
            continue
        whole = tuple((words or ())[skip:] for words in (run.words[number] for run in runs))
        if any("" in word for words in whole for word in words):
            gaps.append(number)
        else:
            said.setdefault(whole, []).append(number)
    groups = list(said.values())
    for number in gaps:
        mine = [(run.words[number] or ())[skip:] for run in runs]
        fitting = [
            members
            for whole, members in said.items()
            if all(alike(a, b) for one, two in zip(mine, whole, strict=True) for a, b in zip(one, two, strict=True))
        ]
        if fitting:
            max(fitting, key=lambda members: sum(counts[one] for one in members)).append(number)
        else:
            groups.append([number])
    return tuple(sorted((_group(members, answers, counts) for members in groups), key=_belief, reverse=True))


def _group(members: Sequence[int], answers: Sequence[Answer], counts: Sequence[int]) -> Group:
    rtl = sum(counts[number] for number in members if isinstance(answers[number], Rtl))
    return Group(tuple(members), sum(counts[number] for number in members), rtl)


def _belief(group: Group) -> tuple[int, int]:
    """The larger group, what both kinds of answers say counting double; then the one that came first."""
    return group.size + 2 * min(group.rtl, group.size - group.rtl), -group.members[0]


def _first_difference(one: Sequence[Word], other: Sequence[Word]) -> int | None:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=True)) if not alike(a, b)), None)
