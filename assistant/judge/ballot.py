"""Independent answers to a specification as witnesses: which side each of them takes, scenario by scenario.

A test is run on every answer. One that passes takes the test's side; one of which the test says the very same as of the
design takes the design's. Method: CorrectBench's matrix of answers and scenarios (Qiu et al., 2024), with whole
behaviours in the place of its fixed shares: what counts is how many answers stand together, not how many fail.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from veriloop.assistant.errors import ToolError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.generate.answers import Rtl, read_rtl
from veriloop.assistant.generate.examination import alike
from veriloop.assistant.generate.interface import Interface, interface_of
from veriloop.assistant.generate.stimuli import Stimuli
from veriloop.assistant.generate.traces import Trace, traces
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.judge.trials import Trials, counts, signature
from veriloop.assistant.judge.watching import first_failure
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.toolchain import Toolchain

_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Ballot:
    """How many answers stand where.

    Attributes:
        total: answers on which the test ran.
        passing: those that it passes.
        same: those that do in it what the design does.
        other: the largest group of those that do neither and do all the same.
        later: those that the test has nothing against where it first fails on the design.
        best: the text that stands for the largest group.
    """

    total: int = 0
    passing: int = 0
    same: int = 0
    other: int = 0
    later: int = 0
    best: bytes = b""

    def __str__(self) -> str:
        return (
            f"of {self.total} independent answers the test passes {self.passing}, {self.same} do what the design does, "
            f"and {self.other} agree on something else"
        )


def usable(answers: Sequence[bytes], interface: Interface) -> Counter[bytes]:
    """The answers that elaborate as they are with these ports, each text with how often it came.

    One that does not is mended where a module is wanted; as a witness it is none.
    """
    found: Counter[bytes] = Counter()
    read: dict[bytes, bytes | None] = {}
    for answer in answers:
        if answer not in read:
            made = read_rtl(answer, interface) if interface_of(answer, interface.toplevel) is not None else None
            read[answer] = made.text if isinstance(made, Rtl) else None
        text = read[answer]
        if text is not None:
            found[text] += 1
    return found


def poll(
    answers: Counter[bytes], subject: Subject, trials: Trials, red: SimResult, toolchain: Toolchain, cancel: CancelToken
) -> Ballot:
    """Runs the test on every answer.

    Args:
        answers: as `usable` gives them.
        subject: the design.
        trials: runs the test.
        red: what the test says of the design.
        toolchain: the simulators.
        cancel: stops it.
    """
    runs: dict[bytes, SimResult] = {}
    for text in answers:
        cancel.check()
        run = trials.of(text)
        if run.outcome is not Outcome.COMPILE_ERROR:
            runs[text] = run
    behaviour = _behaviours([*runs], subject, toolchain, cancel) if not counts(red) else {}
    own = signature(red), behaviour.get(subject.content)
    groups: Counter[Hashable] = Counter()
    stands: dict[Hashable, bytes] = {}
    for text, run in runs.items():
        key: Hashable = "passing" if run.passed else (signature(run), behaviour.get(text))
        key = "same" if key == own else key
        groups[key] += answers[text]
        stands.setdefault(key, text)
    others = [(size, key) for key, size in groups.items() if key not in ("passing", "same")]
    first = first_failure(red)
    later = sum(
        answers[text]
        for text, run in runs.items()
        if run.passed or (first is not None and (at := first_failure(run)) is not None and at > first)
    )
    largest = max(groups, key=lambda key: groups[key], default=None)
    return Ballot(
        total=groups.total(),
        passing=groups["passing"],
        same=groups["same"],
        other=max((size for size, _ in others), default=0),
        later=later,
        best=stands[largest] if largest is not None else b"",
    )


def _behaviours(
    texts: Sequence[bytes], subject: Subject, toolchain: Toolchain, cancel: CancelToken
) -> dict[bytes, Hashable]:
    """What each text answers to inputs of our own, for tests that say no more than that something is wrong."""
    interface = subject.interface
    if interface is None:
        return {}
    steps = Stimuli(interface, subject.dispute.specification).batch(_SEED)
    every = [subject.content, *texts]
    try:
        scratch = subject.dispute.scratch
        found = traces(every, interface, steps, scratch=scratch, toolchain=toolchain, cancel=cancel)
    except ToolError:
        return {}
    groups: list[Trace] = []
    numbers: dict[bytes, Hashable] = {}
    for text, trace in zip(every, found, strict=True):
        place = next((at for at, one in enumerate(groups) if _same(one, trace)), None)
        if place is None:
            place = len(groups)
            groups.append(trace)
        numbers[text] = place
    return numbers


def _same(one: Trace, other: Trace) -> bool:
    if one.fault or other.fault:
        return False
    return all(alike(a, b) for a, b in zip(one.words, other.words, strict=True))
