"""Turns of correction in which the best is never lost: each starts from it, and only what is better replaces it.

An answer is shown the first cycles in which it differs from what others say. A correction joins the examination; it is
taken only if no fewer independent answers agree with it than with the best so far. Whatever a turn brings, the next one
starts from the best, not from the newest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.generate.answers import Rtl
from veriloop.assistant.generate.candidates import corrections
from veriloop.assistant.generate.divergence import window
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.prompts import correction_messages
from veriloop.assistant.generate.questions import Decided
from veriloop.assistant.generate.selection import Selection, select
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.models.errors import ModelError
from veriloop.models.model import Model

_ENOUGH = 0.9


def refine(
    best: Selection,
    model: Model,
    specification: str,
    interface: Interface,
    *,
    answers: Sequence[bytes],
    references: Sequence[str],
    decided: Decided,
    turns: int,
    count: int,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Run[Selection]:
    """The best of some turns; the one that was given where none is better.

    Args:
        best: what was chosen so far.
        model: asked for corrections; one that holds conversations.
        specification: the whole text.
        interface: the ports.
        answers: the modules that were chosen from, which stay in the examination.
        references: the reference models, too.
        decided: answers to questions.
        turns: at most so many.
        count: corrections a turn.
        scratch: an existing directory.
        toolchain: the simulators.
        cancel: stops it.
    """
    known, corrected = list(answers), set[bytes]()
    for turn in range(1, turns + 1):
        cancel.check()
        if best.confidence >= _ENOUGH or best.divergence is None:
            return best
        yield Stage(f"refinement {turn}")
        shown = window(best.divergence, interface, ("yours", "others"))
        asked = correction_messages(specification, interface, best.text.decode("utf-8", errors="replace"), shown)
        try:
            new = corrections(model, asked, count=count, seed=1000 * turn, cancel=cancel)
        except ModelError as error:
            yield Note(f"no corrections: {error.message}")
            return best
        fresh = [text for text in new if text not in known]
        if not fresh:
            yield Note(f"turn {turn}: no new answer; the best stays")
            return best
        found = yield from select(
            [*known, *fresh],
            interface,
            specification=specification,
            references=references,
            decided=decided,
            scratch=scratch,
            toolchain=toolchain,
            cancel=cancel,
        )
        corrected |= set(fresh)
        if found is None or _support(found, corrected) <= _support(best, corrected):
            yield Note(f"turn {turn}: not better; the next turn starts from the best")
            continue
        yield Note(f"turn {turn}: more answers agree than before")
        known += fresh
        best = found
    return best


def _support(one: Selection, corrected: Collection[bytes]) -> tuple[int, int]:
    """How many reference models, and how many answers in all, agree with the chosen text.

    What was said on being shown a difference is not independent, so corrections do not count.
    """
    examined = one.examination
    if examined is None:
        return 0, 0
    for group in examined.groups:
        members = [(examined.answers[number], examined.counts[number]) for number in group.members]
        if not any(isinstance(answer, Rtl) and answer.text == one.text for answer, _ in members):
            continue
        own = sum(count for answer, count in members if not isinstance(answer, Rtl) or answer.answer not in corrected)
        return group.size - group.rtl, own
    return 0, 0
