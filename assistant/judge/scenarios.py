"""What answers say where design and test part: scenario by scenario, when no whole behaviour finds a majority.

The test is recorded with every answer in the design's place. A scenario is one output at one sampled time. Where most
answers give one value there, that is held against the design's value and, where the test holds a model of its own,
against the model's. Answers that are wrong somewhere else still count here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.judge.trials import Trials
from veriloop.assistant.judge.verdict import Side
from veriloop.assistant.judge.watching import Watched
from veriloop.assistant.verify.wave import value_at

_MOST_TIMES = 300
_FEWEST = 4
"""Answers that have to be there."""
_MAJORITY = 0.55
_CLEAR = 4.0
"""How many times as many scenarios must speak for one side as for the other."""
_LEAST = 3
_NOISE = 0.25
"""Where the answers' majority departs so often from what design and test agree on, it is not to be trusted."""

Value = Mapping[str, list[tuple[int, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenarios:
    """How many scenarios there were, by what the majority of the answers said.

    Attributes:
        answers: how many answers could be recorded.
        for_test: design and test part, and the majority is with the test.
        for_design: they part, and the majority is with the design.
        for_neither: they part, and the majority says something else.
        against_both: they agree, and the majority says something else.
        agreed: all say the same.
    """

    answers: int = 0
    for_test: int = 0
    for_design: int = 0
    for_neither: int = 0
    against_both: int = 0
    agreed: int = 0

    def __str__(self) -> str:
        parted = self.for_test + self.for_design + self.for_neither
        return (
            f"where design and test part, most of {self.answers} answers are with the test in {self.for_test} of "
            f"{parted} scenarios and with the design in {self.for_design}; where they agree, most answers say "
            f"something else in {self.against_both} of {self.agreed + self.against_both}"
        )

    @property
    def trusted(self) -> bool:
        """Whether the answers know the matter: they are mostly with what nobody disputes."""
        return self.answers >= _FEWEST and self.against_both <= _NOISE * (self.agreed + self.against_both)

    @property
    def side(self) -> Side:
        """Who is wrong by them; `UNKNOWN` where they do not tell."""
        if not self.trusted:
            return Side.UNKNOWN
        test, design = self.for_test, self.for_design
        if test >= max(_LEAST, _CLEAR * design):
            return Side.RTL
        return Side.TESTBENCH if design >= max(_LEAST, _CLEAR * test) else Side.UNKNOWN


def scenarios(answers: Counter[bytes], subject: Subject, trials: Trials, watched: Watched) -> Scenarios:
    """Records the test with every answer and counts; nothing where the test holds no model of what it expects."""
    interface = subject.interface
    if interface is None or not watched.model:
        return Scenarios()
    outputs = [port.name for port in interface.outputs if port.name in watched.model and port.name in watched.ports]
    times = list(_times(subject, watched))
    seen: list[tuple[int, Watched]] = []
    for text, count in answers.items():
        one = trials.watched(text)
        if one is not None:
            seen.append((count, one))
    total = sum(count for count, _ in seen)
    if total < _FEWEST:
        return Scenarios(answers=total)
    counts: Counter[str] = Counter()
    for at in times:
        for name in outputs:
            counts[_said(seen, total, name, at, watched)] += 1
    return Scenarios(
        answers=total,
        for_test=counts["test"],
        for_design=counts["design"],
        for_neither=counts["neither"],
        against_both=counts["against"],
        agreed=counts["agreed"],
    )


def _said(seen: Sequence[tuple[int, Watched]], total: int, name: str, at: int, watched: Watched) -> str:
    wanted, got = value_at(watched.model[name], at), value_at(watched.ports[name], at)
    votes: Counter[str] = Counter()
    for count, one in seen:
        votes[value_at(one.ports.get(name, []), at)] += count
    value, most = votes.most_common(1)[0]
    if most < _MAJORITY * total or not value or set(value) - {"0", "1"} or not wanted:
        return ""
    test, design = _fits(wanted, value), value == got
    if _fits(wanted, got):
        return "agreed" if test else "against"
    return "test" if test else "design" if design else "neither"


def _fits(wanted: str, value: str) -> bool:
    """Whether a value is what a model gives; what that leaves unknown fits everything."""
    wide = max(len(wanted), len(value))
    pairs = zip(wanted.rjust(wide, "0"), value.rjust(wide, "0"), strict=True)
    return all(a == b or a in "xzXZ" for a, b in pairs)


def _times(subject: Subject, watched: Watched) -> Iterator[int]:
    """Just before each rise of the clock, else before each change of an input."""
    interface = subject.interface
    assert interface is not None
    if interface.clock is not None and interface.clock.name in watched.ports:
        changes = watched.ports[interface.clock.name]
        found = [at for at, value in changes if value == "1"]
    else:
        inputs = [port.name for port in interface.inputs if port.name in watched.ports]
        found = sorted({at for name in inputs for at, _ in watched.ports[name]})
    step = max(1, len(found) // _MOST_TIMES)
    yield from (at - 1 for at in found[::step] if at > 0)
