"""Which of several independent answers to believe, and how sure that is.

The largest group of answers that behave alike is believed the more, the larger it is and where reference models say the
same; an answer that follows from the specification's own data is believed before all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.generate.answers import Rtl, read_reference, read_rtl
from veriloop.assistant.generate.divergence import Divergence, divergence, question
from veriloop.assistant.generate.examination import Answer, Examination, Group, examine
from veriloop.assistant.generate.examples import contradicted, example_rows
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.questions import Decided, Question
from veriloop.assistant.generate.reference_model.text import ReferenceModel, Refused
from veriloop.assistant.generate.synthesis import Synthesis
from veriloop.assistant.verify.toolchain import Toolchain

_SYNTHESISED = 0.97
_PRIOR = 0.8
"""The doubt, in answers, that stands against every group: an answer that is alone is believed half."""
_OPEN = 0.85
"""Nobody is surer than that while the specification's data leaves a question open."""
_RIVAL = 0.5
"""A second group of this share of the first is a question to a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The answer that is believed.

    Attributes:
        text: the module.
        confidence: how sure it is that the text is right, from 0 to 1.
        agreeing: answers in its group, as they came.
        examined: answers that could be compared.
        refused: answers that cannot be used, even after typed fixes.
        how: what decided.
        notes: what was changed in the answer.
        reference: a reference model that behaves alike; empty where there is none.
        questions: what the specification does not decide, as far as the answers show it.
        divergence: where the second group parts from the chosen one.
        examination: all that was compared; none where nothing had to be.
    """

    text: bytes
    confidence: float
    agreeing: int
    examined: int
    refused: int
    how: str
    notes: tuple[str, ...] = ()
    reference: str = ""
    questions: tuple[Question, ...] = ()
    divergence: Divergence | None = None
    examination: Examination | None = None


def select(
    answers: Sequence[bytes],
    interface: Interface,
    *,
    specification: str = "",
    references: Sequence[str] = (),
    synthesis: Synthesis | None = None,
    variants: Sequence[Synthesis] = (),
    decided: Decided | None = None,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Run[Selection | None]:
    """Chooses among answers without a test; none where no answer can be used.

    Args:
        answers: modules that were written independently of each other.
        interface: the ports that they must have.
        specification: its numbers are among the inputs that are tried.
        references: reference models in Python, as independent.
        synthesis: what follows from the specification's data, where something does.
        variants: what the data comes to with each answer to what it leaves open; each counts as all answers together.
        decided: answers to questions about where the answers part.
        scratch: an existing directory.
        toolchain: Icarus where it is installed (four-state), else Verilator.
        cancel: stops it.

    Raises:
        UsageError: what was decided does not fit its question.
    """
    usable: Counter[Answer] = Counter()
    notes: dict[Answer, tuple[str, ...]] = {}
    read: dict[bytes, Rtl | Refused] = {}
    for number, answer in enumerate(answers, 1):
        cancel.check()
        if answer not in read:
            read[answer] = read_rtl(answer, interface)
        made = read[answer]
        if isinstance(made, Refused):
            yield Note(f"answer {number} {made.why}")
            continue
        same = next((one for one in usable if isinstance(one, Rtl) and one.text == made.text), made)
        usable[same] += 1
        notes.setdefault(same, made.notes)
    refused = len(answers) - usable.total()
    if synthesis is not None:
        return _synthesised(synthesis, usable.total(), refused)
    weight = max(1, len(answers))
    for one in variants:
        made = read_rtl(one.rtl.encode(), interface)
        if isinstance(made, Rtl):
            usable[made] += weight
            notes.setdefault(made, one.assumed)
    if not usable:
        return None
    against = yield from _against_examples(usable, interface, specification, scratch, toolchain, cancel)
    for number, text in enumerate(references, 1):
        model = read_reference(text)
        if isinstance(model, Refused):
            yield Note(f"reference model {number} {model.why}")
        else:
            usable[model] += 1
    texts = list(usable)
    examined = yield from examine(
        texts,
        [usable[one] for one in texts],
        interface,
        specification,
        scratch=scratch,
        toolchain=toolchain,
        cancel=cancel,
    )
    for number, why in examined.faults.items():
        kind = "answer" if isinstance(texts[number], Rtl) else "reference model"
        yield Note(f"{kind} {number + 1} drops out: it {why}")
    chosen = _chosen(examined, interface, specification, refused, notes, decided or Decided())
    if chosen is not None and against:
        how = f"{chosen.how}; {against} more contradict an example of the specification"
        chosen = replace(chosen, how=how, refused=chosen.refused + against)
    if chosen is not None and variants:
        how = f"{chosen.how}, where what the data comes to counts {weight} times; it leaves a question open"
        chosen = replace(chosen, how=how, confidence=min(chosen.confidence, _OPEN))
    return chosen


def _against_examples(
    usable: Counter[Answer],
    interface: Interface,
    specification: str,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Run[int]:
    """Takes away the answers that show something else than the specification's examples; how many that were.

    Where that would be all of them, none is: the example is more likely misread than everybody wrong.
    """
    rows = example_rows(specification, interface)
    if not any(row.expected for row in rows):
        return 0
    answers = [one for one in usable if isinstance(one, Rtl)]
    texts = [one.examined for one in answers]
    failed = contradicted(texts, rows, interface, scratch=scratch, toolchain=toolchain, cancel=cancel)
    if len(failed) == len(answers):
        yield Note("no answer shows what the specification's example shows, so it is left out")
        return 0
    gone = sum(usable.pop(answers[place]) for place in sorted(failed))
    if gone:
        yield Note(f"{gone} answers contradict the specification's example")
    return gone


def _synthesised(synthesis: Synthesis, usable: int, refused: int) -> Selection:
    return Selection(
        text=synthesis.rtl.encode(),
        confidence=_SYNTHESISED,
        agreeing=0,
        examined=usable,
        refused=refused,
        how=f"follows from the specification's {synthesis.kind}",
        notes=synthesis.assumed,
    )


def _chosen(
    examined: Examination,
    interface: Interface,
    specification: str,
    refused: int,
    notes: dict[Answer, tuple[str, ...]],
    decided: Decided,
) -> Selection | None:
    """The answer that stands for the most believed group that has RTL, of those that do as was decided."""
    groups = list(examined.groups)
    while True:
        best = next((group for group in groups if group.rtl), None)
        if best is None:
            return None
        number = representative(examined, best, notes)
        rival = next((group for group in groups if group is not best), None)
        parted = divergence(examined, number, rival.members[0], interface, specification) if rival is not None else None
        asked = question(parted, interface) if parted is not None else None
        answer = decided.to(asked) if asked is not None else None
        if answer is None or parted is None:
            break
        groups = [group for group in groups if parted.said(group.members[0], interface) == answer]
    chosen = examined.answers[number]
    assert isinstance(chosen, Rtl)
    disputed = rival is not None and rival.size >= _RIVAL * best.size
    total = sum(group.size for group in groups)
    kinds = "independent answers, RTL and reference models," if best.both_kinds else "independent answers"
    others = examined.total - total
    apart = f"; {others} more do otherwise than you have decided" if others else ""
    return Selection(
        text=chosen.text,
        confidence=round(best.size / (total + _PRIOR), 3),
        agreeing=best.size,
        examined=total,
        refused=refused + sum(examined.counts[one] for one in examined.faults),
        how=f"{best.size} of {total} {kinds} agree on {examined.cycles} cycles{apart}",
        notes=notes.get(chosen, ()),
        reference=_reference(examined, best),
        questions=(asked,) if asked is not None and disputed else (),
        divergence=parted,
        examination=examined,
    )


def representative(examined: Examination, group: Group, notes: dict[Answer, tuple[str, ...]]) -> int:
    """Of those that behave the same, the one that was changed least, that most answers are, then the shortest."""
    rtl = [number for number in group.members if isinstance(examined.answers[number], Rtl)]

    def order(number: int) -> tuple[int, int, int]:
        one = examined.answers[number]
        assert isinstance(one, Rtl)
        return len(notes.get(one, ())), -examined.counts[number], len(one.text)

    return min(rtl, key=order)


def _reference(examined: Examination, group: Group) -> str:
    models = [one for number in group.members if isinstance(one := examined.answers[number], ReferenceModel)]
    return min((model.source for model in models), key=len, default="")
