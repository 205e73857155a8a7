"""Where the edit that repairs a design stands among all that are tried: by priors and cone, and by a model's advice.

Nothing is simulated here. A bug comes with what a simulator saw of it, and with the text that is right.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repair.advice import OWN_COST, Advice, advise
from veriloop.assistant.repair.operators import Replacement
from veriloop.assistant.repair.search import State, ranked_proposals
from veriloop.assistant.verify.results import SimResult
from veriloop.models.model import Model

_FILE = "design.sv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bug:
    """A broken text, the right one, and what a simulator saw of the broken one."""

    name: str
    broken: str
    right: str
    result: SimResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where the first edit that makes the right text stands, from 1."""

    name: str
    candidates: int
    prior: int
    model: int


def positions(bugs: Iterable[Bug], model: Model, *, cancel: CancelToken) -> Iterator[Position]:
    """The positions for the bugs that a single edit of the operators repairs; the others are left out.

    Raises:
        ModelError: the model cannot be used.
    """
    for bug in bugs:
        cancel.check()
        ordered = _ordered(bug)
        right = _plain(bug.right)
        wins = [index for index, (_, _, text) in enumerate(ordered) if text == right]
        if not wins:
            continue
        content = bug.broken.encode()
        likeliest = [places for _, places, _ in ordered]
        advice = advise(model, _FILE, content, likeliest, bug.result, stop=lambda: cancel.cancelled)
        yield Position(
            name=bug.name, candidates=len(ordered), prior=wins[0] + 1, model=_advised(content, ordered, advice, right)
        )


def medians(found: Sequence[Position]) -> tuple[float | None, float | None]:
    """Of the positions by the model and by the priors; none where there are none."""
    if not found:
        return None, None
    return (
        statistics.median(one.model for one in found),
        statistics.median(one.prior for one in found),
    )


def _ordered(bug: Bug) -> list[tuple[float, tuple[Replacement, ...], str]]:
    """Priority, replacements and text of every distinct edit, the likeliest first."""
    content = bug.broken.encode()
    root = State(contents={_FILE: content}, operators=(), cost=0.0, result=bug.result, count=0, changes={})
    found: dict[str, tuple[float, tuple[Replacement, ...]]] = {}
    for priority, _, proposal in sorted(ranked_proposals(root, {}), key=lambda one: one[0]):
        found.setdefault(_changed(content, proposal.replacements), (priority, proposal.replacements))
    return [(priority, replacements, text) for text, (priority, replacements) in found.items()]


def _advised(
    content: bytes, ordered: Sequence[tuple[float, tuple[Replacement, ...], str]], advice: Advice, right: str
) -> int:
    scored = [(priority - advice.gain(content, places), text) for priority, places, text in ordered]
    scored += [(OWN_COST - advice.gain(content, edit), _changed(content, edit)) for edit in advice.edits]
    found: dict[str, None] = {}
    for _, text in sorted(scored, key=lambda one: one[0]):
        found.setdefault(text)
    return list(found).index(right) + 1


def _changed(content: bytes, places: Sequence[Replacement]) -> str:
    edits = [Edit(path=_FILE, start=start, end=end, text=text.encode()) for start, end, text in places]
    return _plain(apply_edits(content, edits).decode("utf-8", errors="replace"))


def _plain(text: str) -> str:
    """A text without comments and with single spaces; texts that differ in those are one."""
    code = re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"\s*([^\w\s])\s*", r"\1", " ".join(code.split()))
