"""Slips in names: another signal of the same width, of another width, another parameter or function, a negation."""

from __future__ import annotations

from collections import defaultdict

from veriloop.assistant.design.structure import Declared
from veriloop.assistant.design.syntax import Node, ancestor, find, first
from veriloop.assistant.repair.operators.proposal import Proposals, Site

_WRITTEN = ("variable_lvalue", "net_lvalue")
_HEADERS = ("event_control", "packed_dimension", "unpacked_dimension")
_REFERENCES = ("hierarchical_identifier", "net_lvalue", "constant_primary")


def identifiers(site: Site) -> Proposals:
    """Every mention of a signal or parameter becomes another one."""
    signals = site.structure.signals
    by_range: dict[str, list[str]] = defaultdict(list)
    for name, declared in signals.items():
        if not declared.is_memory:
            by_range[declared.range_text].append(name)
    yield from _functions(site)
    for node in site.nodes:
        parent = node.parent
        if node.type != "simple_identifier" or parent is None or parent.type not in _REFERENCES:
            continue
        if ancestor(node, _HEADERS) is not None:
            continue
        name = site.text(node)
        if name in site.structure.parameters:
            for other in site.structure.parameters:
                yield from site.replace("parameter", 2, node, other)
            for step in ("- 1", "+ 1"):
                cost = 2 if _is_operand(node) else 4.5
                yield from site.replace("parameter off by one", cost, node, f"({name} {step})")
        elif name in signals and not signals[name].is_memory:
            yield from _signal(site, node, signals[name], by_range)


def _functions(site: Site) -> Proposals:
    """Every call of a function becomes one of another with as many arguments."""
    alike: dict[int, list[str]] = defaultdict(list)
    arguments: dict[str, int] = {}
    for body in (node for node in site.nodes if node.type == "function_body_declaration"):
        name = first(body, ("simple_identifier",))
        if name is not None:
            count = sum(1 for _ in find(body, ("tf_port_item", "tf_port_declaration")))
            arguments[site.text(name)] = count
            alike[count].append(site.text(name))
    for call in (node for node in site.nodes if node.type == "tf_call"):
        called = first(call, ("simple_identifier",))
        count = arguments.get(site.text(called), -1) if called is not None else -1
        if called is not None and count >= 0:
            for other in alike[count]:
                yield from site.replace("function", 2.2, called, other)


def _signal(site: Site, node: Node, declared: Declared, by_range: dict[str, list[str]]) -> Proposals:
    written = ancestor(node, _WRITTEN) is not None and ancestor(node, ("select", "bit_select")) is None
    for range_text, names in by_range.items():
        same = range_text == declared.range_text
        for other in site.nearest(names, node):
            if written:
                if site.structure.signals[other].direction != "input" and site.may_drive(node, other):
                    yield from site.replace("assigned signal", 4 if same else 6, node, other)
            else:
                yield from site.replace("signal", 2.2 if same else 5, node, other)
    if not written:
        for name in site.nearest(list(site.structure.parameters), node):
            yield from site.replace("parameter for signal", 4.5, node, name)
    if not written and not declared.range_text:
        primary = ancestor(node, ("primary",)) or node
        yield from site.replace("negated signal", 2.5, primary, f"(~{site.text(primary)})")
    if not written and declared.range_text and not _selected(node):
        whole = ancestor(node, ("primary",))
        if whole is not None and site.text(whole) == declared.name:
            for reduction in ("|", "&", "~"):
                yield from site.replace("reduction", 5, whole, f"({reduction}{declared.name})")


def _is_operand(node: Node) -> bool:
    """Whether a name stands beside a binary operator; a state's name stands alone."""
    whole = ancestor(node, ("expression", "constant_expression"))
    above = whole.parent if whole is not None else None
    return above is not None and above.type in ("expression", "constant_expression") and len(above.children) == 3


def _selected(node: Node) -> bool:
    parent = node.parent
    after = parent.next_sibling if parent is not None else None
    return after is not None and after.type == "select"
