"""Slips in statements: one too many, one missing, one in the wrong place, a reset or a default that was forgotten."""

from __future__ import annotations

import itertools
from dataclasses import replace

from veriloop.assistant.design.structure import Assignment, Process
from veriloop.assistant.design.syntax import Node, ancestor, children, find, first
from veriloop.assistant.repair.operators.proposal import Proposal, Proposals, Site

_ITEMS = 32
"""A `case` of more items is a table, in which nothing but the value is forgotten."""
_FORGOTTEN = 4.0
_VALUES = 6
_BRANCHING = ("conditional_statement", "case_statement", "loop_statement")


def statements(site: Site) -> Proposals:
    """Deletion, order, move and insertion of statements."""
    for assignment in site.structure.assignments:
        if assignment.process is not None and assignment.process.kind != "initial":
            statement = ancestor(assignment.node, ("statement_or_null",))
            if statement is not None:
                yield from site.replace("statement too many", 4, statement, ";")
    for node in site.nodes:
        if node.type == "seq_block":
            yield from _order(site, node)
    for process in site.structure.processes:
        if process.kind == "initial":
            continue
        yield from _missing_reset(site, process)
        yield from _missing_in_case(site, process)
        yield from _missing_default(site, process)
        yield from _moved(site, process)


def _own(site: Site, process: Process) -> list[Assignment]:
    start = process.node.start_byte
    return [one for one in site.structure.assignments if one.process and one.process.node.start_byte == start]


def _targets(site: Site, process: Process) -> dict[str, Assignment]:
    found: dict[str, Assignment] = {}
    for assignment in _own(site, process):
        found.setdefault(site.text(assignment.target), assignment)
    return {name: assignment for name, assignment in found.items() if name in site.structure.signals}


def _order(site: Site, node: Node) -> Proposals:
    inner = children(node, ("statement_or_null",))
    for one, two in itertools.pairwise(inner):
        changes = [(one, site.text(two)), (two, site.text(one))]
        yield from site.replace_all("statement order", 4, changes, focus=one)


def _missing_reset(site: Site, process: Process) -> Proposals:
    """An assignment that one branch of an `if` of this process lacks, with a value that the target gets elsewhere."""
    targets = _targets(site, process)
    operator = "<=" if process.kind == "clocked" else "="
    for conditional in find(process.node, ("conditional_statement",)):
        bodies = children(conditional, ("statement_or_null",))
        for index, body in enumerate(bodies):
            present = {site.text(one.target) for one in _own(site, process) if _within(one.node, body)}
            for name, assignment in targets.items():
                if name in present:
                    continue
                values = _values(site, process, name)
                for value in values:
                    cost = 3 if index == 0 and value in ("0", "1") else 5
                    yield from _put_into(site, body, f"{name} {operator} {value};", cost, assignment.node)


def _missing_in_case(site: Site, process: Process) -> Proposals:
    """An assignment that one item of a `case` of this process lacks: what a state forgets to do."""
    operator = "<=" if process.kind == "clocked" else "="
    targets = _targets(site, process)
    for case in find(process.node, ("case_statement",)):
        items = children(case, ("case_item",))
        bodies = [body for item in items for body in children(item, ("statement_or_null",))[-1:]]
        for body in bodies if len(bodies) <= _ITEMS else ():
            present = {site.text(one.target) for one in _own(site, process) if _within(one.node, body)}
            for name, assignment in targets.items():
                if name not in present:
                    for value in itertools.islice(_values(site, process, name), _VALUES):
                        statement = f"{name} {operator} {value};"
                        for proposal in _put_into(site, body, statement, _FORGOTTEN, assignment.node):
                            yield replace(proposal, operator="assignment missing in a case")


def _values(site: Site, process: Process, name: str) -> dict[str, None]:
    mine = [site.text(one.value) for one in _own(site, process) if site.text(one.target) == name]
    return dict.fromkeys(["0", "1", *(text for text in mine if len(text) < 40)])


def _put_into(site: Site, body: Node, statement: str, cost: float, focus: Node) -> Proposals:
    """A statement put at the beginning of a body, which becomes a block where it is none."""
    block = first(body, ("seq_block",))
    if block is not None and block.start_byte == body.start_byte:
        inner = children(block, ("statement_or_null",))
        at = inner[0].start_byte if inner else block.children[0].end_byte
        indent = site.newline + site.indent(inner[0]) if inner else " "
        yield from site.insert("assignment missing", cost, at, statement + indent, focus=focus)
    else:
        yield from site.replace(
            "assignment missing", cost, body, f"begin {statement} {site.text(body)} end", focus=focus
        )


def _missing_default(site: Site, process: Process) -> Proposals:
    """An assignment before everything else of a process: the default that keeps a latch away, or a pulse short."""
    block = first(process.node, ("seq_block",))
    inner = children(block, ("statement_or_null",)) if block is not None else []
    if not inner:
        return
    operator = "<=" if process.kind == "clocked" else "="
    for name in _targets(site, process):
        if any(
            _within(one.node, inner[0]) and site.text(one.target) == name and first(inner[0], _BRANCHING) is None
            for one in _own(site, process)
        ):
            continue
        for value in _values(site, process, name):
            text = f"{name} {operator} {value};{site.newline}{site.indent(inner[0])}"
            yield from site.insert("default missing", 4, inner[0].start_byte, text, focus=inner[0])


def _moved(site: Site, process: Process) -> Proposals:
    """A statement of a block moved behind the block's last, or out of the `if` that holds it."""
    for conditional in find(process.node, ("conditional_statement",)):
        for body in children(conditional, ("statement_or_null",)):
            block = first(body, ("seq_block",))
            inner = children(block, ("statement_or_null",)) if block is not None else []
            if block is None or block.start_byte != body.start_byte or len(inner) < 2:
                continue
            for statement in inner:
                if first(statement, _BRANCHING) is not None:
                    continue
                outer = ancestor(conditional, ("statement_or_null",)) or conditional
                moved = f"{site.newline}{site.indent(statement)}{site.text(statement)}"
                replacements = ((statement.start_byte, statement.end_byte, ""), (outer.end_byte, outer.end_byte, moved))
                yield Proposal("statement moved out", 5, replacements, (statement.start_byte, statement.end_byte))


def _within(node: Node, outer: Node) -> bool:
    return outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte
