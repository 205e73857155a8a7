"""Slips in the shape of decisions: branches swapped, `else if` for `if`, case items wrong, missing or doubled."""

from __future__ import annotations

import itertools
import re

from veriloop.assistant.design.syntax import Node, children, find, previous
from veriloop.assistant.repair.operators.literals import Number
from veriloop.assistant.repair.operators.proposal import Proposal, Proposals, Site

_SUFFIX = re.compile(r"\d+$")

_ITEMS = 32
"""Items of a `case` that one is mixed up with: the next ones; in a table there are hundreds."""


def branches(site: Site) -> Proposals:
    """`if` chains and `case` statements."""
    for node in site.nodes:
        if node.type == "conditional_statement":
            yield from _conditional(site, node)
        elif node.type == "case_statement":
            yield from _case(site, node)


def _conditional(site: Site, node: Node) -> Proposals:
    bodies = children(node, ("statement_or_null",))
    for one, two in itertools.pairwise(bodies):
        changes = [(one, site.text(two)), (two, site.text(one))]
        yield from site.replace_all("branches swapped", 3, changes, focus=node)
    predicates = children(node, ("cond_predicate",))
    for one, two in itertools.pairwise(predicates):
        changes = [(one, site.text(two)), (two, site.text(one))]
        yield from site.replace_all("conditions swapped", 3.5, changes, focus=node)
    parts = [part for part in node.children if not part.is_extra]
    for index, part in enumerate(parts):
        if part.type != "else":
            continue
        following = parts[index + 1] if index + 1 < len(parts) else None
        if following is not None and following.type == "if":
            yield from site.replace("else if that is if", 2.5, part, "", focus=node)
        else:
            end = parts[-1].end_byte
            yield Proposal("else too many", 4, ((part.start_byte, end, ""),), (part.start_byte, end))
    yield from _joined(site, node)


def _joined(site: Site, node: Node) -> Proposals:
    """An `if` right after another in a block becomes its `else if`."""
    statement = node.parent
    while statement is not None and statement.type != "statement_or_null":
        statement = statement.parent
    before = previous(statement) if statement is not None else None
    if statement is None or before is None or before.type != "statement_or_null":
        return
    if any(inner.type == "conditional_statement" for inner in find(before, ("conditional_statement",))):
        yield from site.insert("if that is else if", 3.5, statement.start_byte, "else ", focus=node)


def _case(site: Site, node: Node) -> Proposals:
    items = children(node, ("case_item",))
    bodies = [children(item, ("statement_or_null",))[-1:] for item in items]
    for index, one in enumerate(bodies):
        for two in bodies[index + 1 : index + 1 + _ITEMS]:
            if one and two:
                texts = site.text(one[0]), site.text(two[0])
                changes = [(one[0], texts[1]), (two[0], texts[0])]
                yield from site.replace_all("case items swapped", 3, changes, focus=items[index])
                yield from site.replace("case item copied", 4, one[0], texts[1])
                yield from site.replace("case item copied", 4, two[0], texts[0])
    yield from _renumbered(site, node, items)
    yield from _missing_item(site, node, items)
    yield from _default(site, node, items)


def _labels(item: Node) -> list[Node]:
    return children(item, ("case_item_expression",))


def _renumbered(site: Site, node: Node, items: list[Node]) -> Proposals:
    """Labels that are doubled or out of order, numbered through."""
    numbered = [
        (label, number)
        for item in items
        for label in _labels(item)
        if (number := Number.read(site.text(label))) is not None
    ]
    if len(numbered) < 2:
        return
    for start in {0, numbered[0][1].value}:
        changes = [(label, number.write(start + index)) for index, (label, number) in enumerate(numbered)]
        yield from site.replace_all("case labels numbered", 3, changes, focus=node)
    values = [number.value for _, number in numbered]
    width = numbered[0][1].width_bits or max(values).bit_length()
    free = [value for value in range(1 << min(width, 5)) if value not in values]
    doubled = [(label, number) for label, number in numbered if values.count(number.value) > 1]
    if doubled and len(free) >= len(doubled) - 1:
        rest = doubled[1:]
        changes = [(label, number.write(value)) for (label, number), value in zip(rest, free, strict=False)]
        yield from site.replace_all("case labels undoubled", 2.5, changes, focus=node)


def _missing_item(site: Site, node: Node, items: list[Node]) -> Proposals:
    """An item for a parameter that has none, made after its sibling's image (`GNT2` and `gnt_2` give 3)."""
    named = {site.text(label): item for item in items for label in _labels(item)}
    parameters = site.structure.parameters
    if not items or not any(name in parameters for name in named):
        return
    for name in parameters:
        if name in named:
            continue
        for label, item in named.items():
            if label not in parameters:
                continue
            text = _image(site, item, label, name)
            indent = site.newline + site.indent(item)
            yield from site.insert("case item missing", 4, items[0].start_byte, text + indent, focus=node)


def _image(site: Site, item: Node, label: str, name: str) -> str:
    """The item's text with the label and every name of its number turned into the other's."""
    old, new = _SUFFIX.search(label), _SUFFIX.search(name)
    known = {*site.structure.signals, *site.structure.parameters}

    def turned(match: re.Match[str]) -> str:
        word = match[0]
        if word == label:
            return name
        if old and new and word.endswith(old[0]) and (other := word[: -len(old[0])] + new[0]) in known:
            return other
        return word

    return re.sub(r"\b[A-Za-z_]\w*\b", turned, site.text(item))


def _default(site: Site, node: Node, items: list[Node]) -> Proposals:
    """A `default` that is missing, with a body of one of the other items, or one that is too many."""
    default = next((item for item in items if not _labels(item)), None)
    end = children(node, ("endcase",))
    if default is not None:
        yield from site.replace("default too many", 5, default, "", focus=node)
        return
    if not end:
        return
    texts = dict.fromkeys(site.text(body) for item in items for body in children(item, ("statement_or_null",))[-1:])
    for text in texts:
        added = f"default : {text}{site.newline}{site.indent(node)}"
        yield from site.insert("default missing", 4, end[-1].start_byte, added, focus=node)
