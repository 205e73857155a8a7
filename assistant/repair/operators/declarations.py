"""Slips in declarations: widths of signals and ports, values of parameters, connections of instances."""

from __future__ import annotations

import itertools
import re

from veriloop.assistant.design.syntax import Node, children, find, first
from veriloop.assistant.repair.operators.literals import Number, swapped_digits
from veriloop.assistant.repair.operators.proposal import Proposals, Site

_RANGE = re.compile(r"\[\s*(\d+)\s*:\s*(\d+)\s*\]")
_PARAMETERS_AROUND = 8
_SUM = re.compile(r"\[\s*(\w+)\s*-\s*1\s*:\s*0\s*\]")


def declarations(site: Site) -> Proposals:
    """Ranges, parameters and instances."""
    ranges = dict.fromkeys(one.range_text for one in site.structure.signals.values() if one.range_text)
    done: set[int] = set()
    for declared in site.structure.signals.values():
        node = declared.node
        if node.start_byte in done:
            continue
        done.add(node.start_byte)
        packed = first(node, ("packed_dimension",))
        if packed is not None:
            yield from _range(site, packed, ranges)
        elif first(node, ("integer_atom_type",)) is None:
            yield from _missing_range(site, node, ranges)
    parameters = [node for node in site.nodes if node.type == "param_assignment"]
    numbers = [Number.read(site.text(node.children[-1])) for node in parameters]
    for at, node in enumerate(parameters):
        around = numbers[max(0, at - _PARAMETERS_AROUND) : at + _PARAMETERS_AROUND + 1]
        yield from _parameter(site, node, [number.value for number in around if number is not None])
    for node in site.nodes:
        if node.type == "unpacked_dimension":
            yield from _range(site, node, {})
        elif node.type == "module_instantiation":
            yield from _instance(site, node)


def _range(site: Site, node: Node, others: dict[str, None]) -> Proposals:
    text = re.sub(r"\s", "", site.text(node))
    for other in others:
        yield from site.replace("declared range", 4, node, other)
    if match := _RANGE.fullmatch(text):
        high, low = int(match[1]), int(match[2])
        for up, down in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)):
            if low + down >= 0 and high + up >= 0:
                yield from site.replace("declared range", 3.5, node, f"[{high + up}:{low + down}]")
        for width in (2 * (high - low + 1), (high - low + 1) // 2):
            if width > 0:
                yield from site.replace("declared range", 4.5, node, f"[{low + width - 1}:{low}]")
    elif match := _SUM.fullmatch(text):
        for wrong in (f"[{match[1]}:0]", f"[{match[1]}-2:0]", f"[{match[1]}:1]"):
            yield from site.replace("declared range", 3.5, node, wrong)


def _missing_range(site: Site, node: Node, ranges: dict[str, None]) -> Proposals:
    """A range on a declaration of one bit, after its type or its direction."""
    names = [name for name in find(node, ("simple_identifier",)) if site.text(name) in site.structure.signals]
    if not names:
        return
    for range_text in ranges:
        yield from site.insert("declared range", 4, names[0].start_byte, f"{range_text} ", focus=node)


def _parameter(site: Site, node: Node, values: list[int]) -> Proposals:
    """A parameter's number: its neighbours, digits that were swapped, a flipped bit, what parameters near it are."""
    value = node.children[-1]
    number = Number.read(site.text(value))
    if number is None:
        return
    width = number.width_bits
    options = {number.value + 1: 2.5, number.value - 1: 2.5, number.value * 2: 3.5, number.value // 2: 3.5}
    if width is not None:
        options |= {number.value ^ (1 << bit): 3 for bit in range(min(width, 8))}
        if width <= 4:
            options |= {other: 4 for other in range(1 << width) if other not in options}
    options |= dict.fromkeys(swapped_digits(number) - options.keys(), 3)
    for other, cost in options.items():
        if other >= 0 and (width is None or other < 1 << width):
            yield from site.replace("parameter value", cost, value, number.write(other))
    for other in dict.fromkeys((0, 1, *values)):
        if other not in options and (width is None or other < 1 << width):
            yield from site.replace("another parameter's value", 4, value, number.write(other))


def _instance(site: Site, node: Node) -> Proposals:
    """Named connections: two of them swapped, another signal, one that is open."""
    connections = [
        (one, inner) for one in find(node, ("named_port_connection",)) if (inner := _connected(one)) is not None
    ]
    for index, (one, inner) in enumerate(connections):
        for _, other in connections[index + 1 :]:
            changes = [(inner, site.text(other)), (other, site.text(inner))]
            yield from site.replace_all("connections swapped", 3, changes, focus=one)
        for name in site.structure.signals:
            yield from site.replace("connection", 4, inner, name)
    for one in find(node, ("named_port_connection",)):
        if _connected(one) is None:
            closing = children(one, (")",))
            for name in site.structure.signals:
                if closing:
                    yield from site.insert("connection open", 3, closing[-1].start_byte, name, focus=one)
    ordered = list(find(node, ("ordered_port_connection",)))
    for one, two in itertools.pairwise(ordered):
        changes = [(one, site.text(two)), (two, site.text(one))]
        yield from site.replace_all("connections swapped", 3, changes, focus=one)
    for assignment in find(node, ("named_parameter_assignment",)):
        yield from _parameter_of_instance(site, assignment)


def _connected(node: Node) -> Node | None:
    return next((child for child in node.children if child.type == "expression"), None)


def _parameter_of_instance(site: Site, node: Node) -> Proposals:
    for literal in find(node, ("primary_literal",)):
        number = Number.read(site.text(literal))
        if number is not None:
            for value in (number.value + 1, number.value - 1, number.value * 2, number.value // 2):
                if value >= 0:
                    yield from site.replace("parameter of instance", 3, literal, number.write(value))
