"""Typed edits over the syntax tree: each operator undoes one kind of slip that bug studies name."""

from __future__ import annotations

import itertools
from collections import defaultdict

from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.repair.operators.branches import branches
from veriloop.assistant.repair.operators.conditions import conditions
from veriloop.assistant.repair.operators.declarations import declarations
from veriloop.assistant.repair.operators.drivers import drivers
from veriloop.assistant.repair.operators.expressions import expressions
from veriloop.assistant.repair.operators.identifiers import identifiers
from veriloop.assistant.repair.operators.literals import literals
from veriloop.assistant.repair.operators.processes import processes
from veriloop.assistant.repair.operators.proposal import Proposal, Replacement, Site
from veriloop.assistant.repair.operators.selects import selects
from veriloop.assistant.repair.operators.statements import statements

__all__ = ["Proposal", "Replacement", "proposals"]

_OPERATORS = (
    literals,
    expressions,
    identifiers,
    selects,
    conditions,
    branches,
    statements,
    processes,
    declarations,
    drivers,
)
_EVERYWHERE_COST = 0.5
_PAIRED_COST = 1.0
_FORM_COST = -0.5
"""Several numbers of one odd form are a hint by themselves."""
_FORMS = ("radix", "leading 1", "leading 0")


def proposals(tree: SyntaxTree) -> list[tuple[Structure, Proposal]]:
    """All single edits of a file, and the same edit made in several places at once, each with its module."""
    found: list[tuple[Structure, Proposal]] = []
    for module in tree.modules:
        structure = Structure(tree, module)
        site = Site(structure)
        singles = [proposal for operator in _OPERATORS for proposal in operator(site)]
        found += [(structure, proposal) for proposal in (*singles, *_everywhere(structure, singles))]
    return found


def _everywhere(structure: Structure, singles: list[Proposal]) -> list[Proposal]:
    """The same slip made throughout: equal replacements, one flip of all processes, one radix of all numbers."""
    tree = structure.tree
    equal: dict[tuple[str, str, str, int], list[Proposal]] = defaultdict(list)
    alike: dict[tuple[str, str], list[Proposal]] = defaultdict(list)
    regions: dict[int, tuple[int, ...]] = {}
    for proposal in singles:
        start, end, text = proposal.replacements[0]
        # The same text put in at several places is no slip that was made throughout; replacing is.
        if len(proposal.replacements) == 1 and start < end:
            old = tree.content[start:end].decode(errors="replace")
            if start not in regions:
                regions[start] = _regions(structure, start)
            for region in regions[start]:
                equal[proposal.operator, old, text, region].append(proposal)
        if (shared := _together(tree, proposal)) is not None:
            alike[proposal.operator, shared].append(proposal)
    joined = [_joined(group, _EVERYWHERE_COST) for group in equal.values() if len(group) > 1]
    joined += [
        _joined(group, _FORM_COST if len(group) > 2 and group[0].operator in _FORMS else _PAIRED_COST)
        for group in alike.values()
        if len(group) > 1
    ]
    for group in alike.values():
        # Two processes of three: any pair of one kind of flip.
        if len(group) > 2 and "to" in group[0].operator.split():
            joined += [_joined([one, two], _PAIRED_COST) for i, one in enumerate(group) for two in group[i + 1 :]]
    return [proposal for proposal in joined if proposal is not None]


def _regions(structure: Structure, byte: int) -> tuple[int, ...]:
    """Where equal slips count as one: in all behaviour of the module, and in the process around."""
    process = next((one.node for one in structure.processes if one.node.start_byte <= byte < one.node.end_byte), None)
    if process is not None:
        return (-1, process.start_byte)
    inside = any(one.node.start_byte <= byte < one.node.end_byte for one in structure.assignments)
    return (-1,) if inside else (-2,)


def _together(tree: SyntaxTree, proposal: Proposal) -> str | None:
    """What proposals of one operator must share to be one slip made throughout; none where that is no slip."""
    if proposal.operator == "radix":
        text = proposal.replacements[0][2]
        return text[text.index("'") + 1]
    if proposal.operator == "combinational to clocked":
        return proposal.replacements[-1][2]
    return "" if proposal.operator in _THROUGHOUT else None


_THROUGHOUT = ("leading 1", "leading 0", "clocked to combinational", "all non-blocking", "all blocking")


def _joined(group: list[Proposal], extra: float) -> Proposal | None:
    replacements = sorted({change for proposal in group for change in proposal.replacements})
    for one, two in itertools.pairwise(replacements):
        if two[0] < one[1] or (two[0] == one[0] and two[1] == one[1]):
            return None
    focus = (min(proposal.focus[0] for proposal in group), max(proposal.focus[1] for proposal in group))
    cost = min(proposal.cost for proposal in group) + extra
    return Proposal(f"{group[0].operator} everywhere", cost, tuple(replacements), focus)
