"""Mutants of a design's own text: the slips that the repair operators undo, made instead."""

from __future__ import annotations

import graphlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.assignments import read_body
from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.elaborate import Elaboration, Elaborator
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.repair.operators import proposals
from veriloop.assistant.verify.stimulus.pins import Pins, same_pins

_SEED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A changed file of a design."""

    path: Path
    text: bytes
    line: int
    what: str
    """The operator, and what it replaces by what."""


def mutants_of(design: Design, files: Sequence[Path], pins: Pins, *, root: Path, count: int) -> list[Mutant]:
    """Up to so many mutants that elaborate with the same pins, spread over the operators and over the text."""
    source = random.Random(_SEED)
    elaborator = Elaborator(design.rooted(root))
    looping = not pins.clocks and not _goes_round(elaborator.elaborate(), pins.module)
    by_operator: dict[str, list[Mutant]] = defaultdict(list)
    for path in files:
        content = (root / path).read_bytes()
        tree = SyntaxTree(content)
        for _, proposal in proposals(tree):
            if len(proposal.replacements) != 1:
                continue
            start, end, text = proposal.replacements[0]
            changed = apply_edits(content, [Edit(path="", start=start, end=end, text=text.encode())])
            old = content[start:end].decode("utf-8", errors="replace").strip()
            what = f"{proposal.operator}: {_short(old)} -> {_short(text)}"
            by_operator[proposal.operator].append(Mutant(path=path, text=changed, line=tree.line(start), what=what))
    for group in by_operator.values():
        source.shuffle(group)
    found: list[Mutant] = []
    seen: set[bytes] = set()
    while len(found) < count and any(by_operator.values()):
        for operator in sorted(by_operator):
            group = by_operator[operator]
            if not group or len(found) >= count:
                continue
            mutant = group.pop()
            if mutant.text not in seen and _usable(mutant, elaborator, pins, root, loops=looping):
                found.append(mutant)
            seen.add(mutant.text)
    return found


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return f"`{flat[:40]}`" if flat else "nothing"


def _usable(mutant: Mutant, elaborator: Elaborator, pins: Pins, root: Path, *, loops: bool) -> bool:
    """Whether it can be played beside the design; with `loops`, what comes to depend on itself cannot."""
    elaboration = elaborator.elaborate({root / mutant.path: mutant.text})
    module = elaboration.modules.get(pins.module)
    if elaboration.errors or module is None:
        return False
    clocks = {clock.name for clock in pins.clocks}
    driven = [port for port in module.ports if port.name not in clocks]
    narrow = all(port.width_bits == 1 for port in module.ports if port.name in clocks)
    if not narrow or not same_pins(driven, (*pins.inputs, *pins.outputs)):
        return False
    return not loops or not _goes_round(elaboration, pins.module)


def _goes_round(elaboration: Elaboration, module: str) -> bool:
    """Whether some signal of a module that nothing clocks depends on itself, by what the module itself assigns."""
    reads = read_body(elaboration, elaboration.bodies[module]).reads
    try:
        graphlib.TopologicalSorter(reads).prepare()
    except graphlib.CycleError:
        return True
    return False
