"""State diagrams in text: arrows between states, as people draw them and as Mermaid and Graphviz write them."""

from __future__ import annotations

import re

from veriloop.assistant.generate.guards import read_guard, read_outputs
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.state_machine import Arc, Cube, StateMachine
from veriloop.assistant.generate.text import bare_lines

_DRAWN = re.compile(
    r"^\s*[-*]?\s*(\w+)\s*(?:\(([^()]*)\)|\[([^\][]*)\]|/\s*([01]+))?\s*-{1,}\s*(\S.*?\S|\S)\s*-{1,}>\s*(\w+)\s*(?:\([^()]*\))?\s*$"
)
_LABELLED = re.compile(r"^\s*(\w+)\s*-{1,2}>\s*(\w+)\s*(?::\s*(.+?)|\[\s*label\s*=\s*\"([^\"]*)\"\s*\]\s*;?)\s*$")


def read_diagram(text: str, interface: Interface) -> StateMachine | None:
    """The machine whose arrows a specification draws; none if it draws none that can be read."""
    arcs: list[Arc] = []
    moore: dict[str, Cube] = {}
    for line in bare_lines(text):
        if drawn := _DRAWN.match(line):
            source, shown, bracketed, slashed, label, target = drawn.groups()
            outputs = next((part for part in (shown, bracketed, slashed) if part is not None), None)
        elif labelled := _LABELLED.match(line):
            source, target, label, outputs = labelled[1], labelled[2], labelled[3] or labelled[4], None
        else:
            continue
        arc = _arc(source, target, label, interface)
        if arc is None:
            return None
        arcs.append(arc)
        if outputs is not None:
            said = read_outputs(outputs, interface)
            if said is None or moore.get(source, said) != said:
                return None
            moore[source] = said
    if not arcs:
        return None
    states = tuple(dict.fromkeys([*(arc.source for arc in arcs), *(arc.target for arc in arcs)]))
    return StateMachine(states=states, arcs=tuple(arcs), moore=moore)


def _arc(source: str, target: str, label: str, interface: Interface) -> Arc | None:
    outputs: Cube | None = {}
    guard_text = label
    if mealy := re.fullmatch(r"(.*\S)\s*\(([^()]*=[^()]*)\)", label) or re.fullmatch(r"(.+?)\s*/\s*(.+)", label):
        guard_text = mealy[1]
        outputs = read_outputs(mealy[2], interface)
    guard = read_guard(guard_text, interface)
    if guard is None or outputs is None:
        return None
    return Arc(source=source, target=target, guard=guard.cube, outputs=outputs, otherwise=guard.otherwise)
