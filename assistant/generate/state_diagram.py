"""State diagrams in text: arrows between states, as people draw them and as Mermaid and Graphviz write them."""

from __future__ import annotations

import re

from veriloop.assistant.generate.guards import read_guard, read_outputs
from veriloop.assistant.generate.interface import Interface
from veriloop.assistant.generate.state_machine import Arc, Cube, StateMachine
from veriloop.assistant.generate.text import bare_lines
from veriloop.assistant.generate.wording import read_state_outputs

_DRAWN = re.compile(
    r"^\s*[-*]?\s*(\w+)\s*(?:\(([^()]*)\)|\[([^\][]*)\]|/\s*([01]+))?\s*-{1,}\s*(\S.*?\S|\S)\s*-{1,}>\s*(\w+)\s*(?:\([^()]*\))?\s*$"
)
_LABELLED = re.compile(r"^\s*(\w+)\s*-{1,2}>\s*(\w+)\s*(?::\s*(.+?)|\[\s*label\s*=\s*\"([^\"]*)\"\s*\]\s*;?|;?)\s*$")


def read_diagram(text: str, interface: Interface) -> StateMachine | None:
    """The machine whose arrows a specification draws; none if it draws none that can be read."""
    arcs: list[Arc] = []
    moore: dict[str, Cube] = {}
    for line in bare_lines(text):
        if drawn := _DRAWN.match(line):
            source, shown, bracketed, slashed, label, target = drawn.groups()
            outputs = next((part for part in (shown, bracketed, slashed) if part is not None), None)
        elif labelled := _LABELLED.match(line):
            source, target, label, outputs = labelled[1], labelled[2], labelled[3] or labelled[4] or "", None
        else:
            continue
        arc = _arc(source, target, label, interface)
        if arc is None:
            return None
        arcs.append(arc)
        if outputs is not None:
            said = {} if _of_another(outputs, interface) else read_outputs(outputs, interface)
            if said is None or moore.get(source, said) != said:
                return None
            moore[source] = said
    ports = {port.name for port in interface.ports}
    if not arcs or all({arc.source, arc.target} <= ports for arc in arcs):
        # Arrows from port to port are wires.
        return None
    states = tuple(dict.fromkeys([*(arc.source for arc in arcs), *(arc.target for arc in arcs)]))
    if not moore and not any(arc.outputs for arc in arcs):
        moore = dict(read_state_outputs(text, states, interface))
    return StateMachine(states=states, arcs=tuple(arcs), moore=moore)


_STATE_BIT = re.compile(r"(?:next_?\w*|\w+_next|n_?s|[Yy]_?\d+|[A-Z]_?\d+)", re.I)


def _of_another(outputs: str, interface: Interface) -> bool:
    """Whether values are of an output that the module does not have: it gives bits of the next state alone."""
    return bool(re.fullmatch(r"[01]", outputs.strip())) and all(
        _STATE_BIT.fullmatch(one.name) for one in interface.outputs
    )


def _arc(source: str, target: str, label: str, interface: Interface) -> Arc | None:
    outputs: Cube | None = {}
    label = re.sub(r"^\[(.*)\]$", r"\1", label.strip())
    guard_text = label
    if mealy := re.fullmatch(r"(.*\S)\s*\(([^()]*=[^()]*)\)", label) or re.fullmatch(r"(.+?)\s*/\s*(.+)", label):
        guard_text = mealy[1]
        outputs = read_outputs(mealy[2], interface)
    guard = read_guard(guard_text, interface)
    if guard is None or outputs is None:
        return None
    return Arc(source=source, target=target, guard=guard.cube, outputs=outputs, otherwise=guard.otherwise)
