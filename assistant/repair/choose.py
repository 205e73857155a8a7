"""Telling plausible repairs apart: all of them pass the testbench, few of them mean the same."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repair.screen import Contents
from veriloop.assistant.repair.search import State
from veriloop.assistant.verify.differential import compare
from veriloop.assistant.verify.toolchain import Toolchain

_COMPARED = 8
"""Rivals that are put side by side; the costliest beyond them are left out."""
_PER_TOKEN = 0.02
_STILLED = 2.0
_SPEC_BONUS = 0.5
_SPEC_MOST = 2.0
_TOKEN = re.compile(r"\d+'[sS]?[bodhBODH][0-9a-fA-F_]+|\b\w+\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The rivals in the order in which the gate is asked about them."""

    ranked: tuple[State, ...]
    groups: int = 1
    """How many kinds of behaviour the rivals have on the further stimuli; 0 where they could not be compared."""
    cycles: int = 0
    differences: tuple[str, ...] = ()
    """What still differs between the first and the others, a line each."""


def choose(
    rivals: Sequence[State],
    original: Contents,
    design: Design,
    *,
    spec: str,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
) -> Choice:
    """Ranks rivals: the behaviour that most of the likely ones share, then the likelier and smaller edit in it.

    Args:
        rivals: candidates that pass the testbench.
        original: the files without any edit.
        design: how the files are read.
        spec: text of a specification; an edit that brings in what it names is likelier.
        root: a private copy of the tree.
        scratch: an existing directory.
        toolchain: runs the further stimuli.
        cancel: stops it.
    """
    costs = {id(state): _cost(state, original, spec) for state in rivals}
    ranked = sorted(rivals, key=lambda state: costs[id(state)])
    compared, rest = ranked[:_COMPARED], ranked[_COMPARED:]
    changed = {path for state in compared for path in state.contents if state.contents[path] != original[path]}
    versions = [*(state.contents for state in compared), original]
    variants = [{path: version[path] for path in sorted(changed)} for version in versions]
    found = compare(variants, design, root=root, scratch=scratch, toolchain=toolchain, cancel=cancel)
    if found is None:
        return Choice(ranked=tuple(ranked), groups=0)
    groups = found.groups(len(compared))
    for index, state in enumerate(compared):
        # One that stills outputs may pass because the test sees nothing any more.
        costs[id(state)] += _STILLED * bool(found.stilled(index, against=len(compared)))
    weights: dict[int, float] = defaultdict(float)
    for state, group in zip(compared, groups, strict=True):
        weights[group] += math.exp(-costs[id(state)])
    order = sorted(range(len(compared)), key=lambda index: (-weights[groups[index]], costs[id(compared[index])]))
    first = order[0]
    return Choice(
        ranked=(*(compared[index] for index in order), *rest),
        groups=len(set(groups)),
        cycles=found.cycles,
        differences=tuple(
            f"{', then '.join(compared[index].operators)}: from cycle {cycle} on"
            for index in order[1:]
            if (cycle := found.differs.get((min(first, index), max(first, index)))) is not None
        ),
    )


def _cost(state: State, original: Contents, spec: str) -> float:
    """The edit's prior, less what the specification says for it; a larger edit is a little costlier."""
    before = "".join(original[path].decode(errors="replace") for path in original)
    after = "".join(state.contents[path].decode(errors="replace") for path in original)
    new = Counter(_TOKEN.findall(after)) - Counter(_TOKEN.findall(before))
    gone = Counter(_TOKEN.findall(before)) - Counter(_TOKEN.findall(after))
    size = _PER_TOKEN * (new.total() + gone.total())
    return state.cost + size - min(_SPEC_MOST, _SPEC_BONUS * _support(spec, new, gone))


def _support(spec: str, new: Counter[str], gone: Counter[str]) -> int:
    """How many more of the words that come in than of those that go does the specification name."""
    if not spec:
        return 0
    named = set(_TOKEN.findall(spec))
    telling = {word for word in named if not word.isdigit() or int(word) > 1}
    return sum(word in telling for word in new) - sum(word in telling for word in gone)
