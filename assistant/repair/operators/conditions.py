"""Slips in conditions: negated, always true, a guard that is missing."""

from __future__ import annotations

from veriloop.assistant.design.structure import Assignment
from veriloop.assistant.design.syntax import Node
from veriloop.assistant.repair.operators.proposal import Proposals, Site

_BESIDE = 3.0
_CHOICES = 8
"""Values of elsewhere, the nearest ones, that a condition may choose instead; a state machine's target has dozens."""

_ELSEWHERE = 48
"""Values of elsewhere, the nearest ones, that a target is given; in a table it has hundreds."""


def conditions(site: Site) -> Proposals:
    """Conditions of `if`, and values that a missing condition should choose."""
    single_bits = [
        name for name, declared in site.structure.signals.items() if not declared.range_text and not declared.is_memory
    ]
    for node in site.nodes:
        if node.type == "cond_predicate":
            yield from _predicate(site, node, single_bits)
    values = _values(site)
    for assignment in site.structure.assignments:
        yield from _overwrite(site, assignment, single_bits, values)


def _predicate(site: Site, node: Node, single_bits: list[str]) -> Proposals:
    text = site.text(node)
    parent = node.parent
    if parent is not None and parent.type == "conditional_expression":
        return
    operand = text if text.isidentifier() else f"({text})"
    yield from site.replace("condition negated", 1.5, node, f"!{operand}")
    yield from site.replace("condition constant", 4, node, "1'b1")
    yield from site.replace("condition constant", 4, node, "1'b0")
    beside = _beside(site, node)
    for name in site.nearest(single_bits, node):
        near = _BESIDE if name in beside else 0.0
        for cost, guard in ((5, f"{operand} && {name}"), (5.2, f"{operand} && !{name}"), (5.5, f"{operand} || {name}")):
            yield from site.replace("condition guard", cost - near, node, guard)
        yield from site.replace("condition", 4.5, node, name)
        yield from site.replace("condition", 5, node, f"!{name}")


def _beside(site: Site, node: Node) -> set[str]:
    """The signals of the other conditions of the same `if` chain: what one branch asks, another may have forgotten."""
    chain = node.parent
    others = [child for child in chain.children if child.type == "cond_predicate" and child != node] if chain else []
    return {name for other in others for name in site.structure.names(other)} - site.structure.names(node)


def _values(site: Site) -> dict[str, dict[str, int]]:
    """What a target is assigned anywhere in the module, and at which byte first."""
    found: dict[str, dict[str, int]] = {}
    for assignment in site.structure.assignments:
        mine = found.setdefault(site.text(assignment.target), {})
        mine.setdefault(site.text(assignment.value), assignment.value.start_byte)
    return found


def _overwrite(
    site: Site, assignment: Assignment, single_bits: list[str], values: dict[str, dict[str, int]]
) -> Proposals:
    """The right side: another value that the target gets elsewhere, its negation, a constant, or a choice."""
    target, value, node = site.text(assignment.target), site.text(assignment.value), assignment.value
    procedural = assignment.process is not None
    others = sorted(values.get(target, {}).items(), key=lambda one: abs(one[1] - node.start_byte))
    for other, _ in others[:_ELSEWHERE]:
        yield from site.replace("value of elsewhere", 2.6, node, other)
    yield from site.replace("value negated", 3, node, f"~({value})")
    if procedural:
        for constant in ("0", "1"):
            yield from site.replace("value constant", 3.5, node, constant)
        yield from site.replace("value held", 3.5, node, target)
    declared = site.structure.signals.get(target)
    if declared is not None:
        alike = [
            name
            for name, other in site.structure.signals.items()
            if other.range_text == declared.range_text and not other.is_memory
        ]
        for name in site.nearest(alike, node):
            yield from site.replace("value", 4.5, node, name)
    if value in site.structure.parameters:
        for name in site.structure.parameters:
            yield from site.replace("next state", 2, node, name)
    choices = dict.fromkeys([*(other for other, _ in others[: _CHOICES + 1]), *([target] if procedural else [])])
    reads = site.structure.dependencies.get(assignment.targets[0], frozenset()) if assignment.targets else frozenset()
    for name in site.nearest(single_bits, node):
        near = site.structure.signals[name].direction == "input" or name in reads
        for choice in choices:
            if choice != value and name not in assignment.targets:
                cost = 5 if near else 5.8
                yield from site.replace("value by condition", cost, node, f"{name} ? {choice} : {value}")
                yield from site.replace("value by condition", cost + 0.2, node, f"{name} ? {value} : {choice}")
