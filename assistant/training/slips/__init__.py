"""What people do wrong when they write RTL, as slips of text: independent of the operators that repair them.

A slip sees lines and words, never a syntax tree: it is made as a hand makes it, by looking at the wrong name,
forgetting a line, copying one and not changing it. Whether it compiles and whether a test sees it, the simulator says.

The kinds are those that studies of RTL bugs name: Sudakrishnan et al., "Understanding bug fix patterns in Verilog"
(MSR 2008), Ma et al., "Debugging in the brave new world of reconfigurable hardware" (ASPLOS 2022). The weights are
ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from veriloop.assistant.training.slips.conditions import condition_added, condition_part, else_lost, priority
from veriloop.assistant.training.slips.lines import (
    blocking,
    copied,
    edge,
    left_out,
    no_default,
    no_reset,
    reset_value,
    swapped_lines,
)
from veriloop.assistant.training.slips.source import WORD, Edit, Edits, Source, normal
from veriloop.assistant.training.slips.words import (
    bit_index,
    negation,
    off_by_one,
    operator,
    signedness,
    stale,
    swapped,
    width,
    wrong_constant,
    wrong_name,
    wrong_target,
)

Maker = Callable[[Source, Random], Iterator[Edits]]
_KINDS: dict[str, tuple[int, Maker]] = {
    "wrong name": (17, wrong_name),
    "wrong target": (2, wrong_target),
    "negation": (8, negation),
    "off by one": (13, off_by_one),
    "wrong constant": (6, wrong_constant),
    "operator": (9, operator),
    "swapped": (5, swapped),
    "swapped lines": (3, swapped_lines),
    "copied line": (5, copied),
    "width": (4, width),
    "bit index": (5, bit_index),
    "missing reset": (4, no_reset),
    "reset value": (3, reset_value),
    "missing line": (6, left_out),
    "missing default": (3, no_default),
    "condition lost": (7, condition_part),
    "condition added": (2, condition_added),
    "edge": (1, edge),
    "blocking": (3, blocking),
    "stale value": (4, stale),
    "priority": (2, priority),
    "else lost": (2, else_lost),
    "signedness": (2, signedness),
}
"""How often each kind is drawn, and what makes it."""
KINDS: Sequence[str] = tuple(_KINDS)


@dataclass(frozen=True, slots=True)
class Slip:
    """One thing done wrong."""

    kind: str
    edits: tuple[Edit, ...]

    def apply(self, text: str) -> str:
        """The broken text."""
        lines = text.split("\n")
        for edit in sorted(self.edits, key=lambda one: -one.line):
            lines[edit.line - 1 : edit.line - 1 + len(edit.right)] = edit.wrong
        return "\n".join(lines)


def draw(text: str, random: Random, *, count: int, two_places: float = 0.12) -> list[Slip]:
    """Different slips in a text, at most as many as asked for.

    Args:
        text: a right text.
        random: decides.
        count: how many.
        two_places: how often two slips are made at once.
    """
    source = Source(text)
    found: dict[str, Slip] = {}
    for _ in range(4 * count):
        if len(found) == count:
            break
        slip = _one(source, random)
        if slip is not None and random.random() < two_places:
            slip = _joined(slip, _one(source, random))
        if slip is not None and not any(_feeds_itself(line) for edit in slip.edits for line in edit.wrong):
            broken = slip.apply(text)
            if normal(broken) != source.normal:
                found.setdefault(normal(broken), slip)
    return list(found.values())


def _one(source: Source, random: Random) -> Slip | None:
    (kind,) = random.choices(tuple(_KINDS), tuple(weight for weight, _ in _KINDS.values()))
    edits = list(_KINDS[kind][1](source, random))
    return Slip(kind, random.choice(edits)) if edits else None


def _joined(first: Slip, second: Slip | None) -> Slip:
    if second is None:
        return first
    taken = {line for edit in first.edits for line in range(edit.line, edit.line + len(edit.right) + 1)}
    if any(line in taken for edit in second.edits for line in range(edit.line, edit.line + len(edit.right) + 1)):
        return first
    return Slip(f"{first.kind}+{second.kind}", (*first.edits, *second.edits))


def _feeds_itself(line: str) -> bool:
    """Whether a continuous assignment reads what it drives: hardly anybody writes that, and no simulation ends."""
    match = re.match(r"\s*(?:assign|wire)\b[^=]*?(\w+)(?:\[[^\]]*\])?\s*=(?!=)(.*)", line)
    return match is not None and match[1] in WORD.findall(match[2])
