"""Single lines of RTL in sentences: assignments, instances, declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator

from veriloop.assistant.design.model import Port
from veriloop.assistant.design.structure import Declared
from veriloop.assistant.design.syntax import Node, children, find, first
from veriloop.assistant.explain.facts import ModuleFacts, Write
from veriloop.assistant.explain.guards import one_line

_COUNTS = re.compile(r"(\w+)\s*([+-])\s*(\d*'[bdh])?0*1")
_SHIFTS_UP = re.compile(r"\{\s*(\w+)\s*\[[^\]]+:\s*0\s*\]\s*,\s*([^,{}]+?)\s*\}")
_SHIFTS_DOWN = re.compile(r"\{\s*([^,{}]+?)\s*,\s*(\w+)\s*\[[^\]]+:\s*1\s*\]\s*\}")


def assignment_sentence(facts: ModuleFacts, write: Write) -> str:
    """When a signal gets which value."""
    assignment = write.assignment
    text = facts.structure.tree.text
    target, value = one_line(text(assignment.target)), one_line(text(assignment.value))
    deed = _deed(target, value, clocked=write.timing is not None and write.timing.clock is not None)
    if assignment.kind in ("continuous", "declaration") and assignment.process is None:
        under = f", {', '.join(write.guards)}" if write.guards else ""
        return f"{target} is always `{value}`{under}"
    if assignment.process is not None and assignment.process.kind == "initial":
        return f"before anything else, {target} is set to `{value}`"
    conditions = " and ".join(write.guards)
    if write.resetting is not None:
        return f"as soon as {conditions}, whatever the clock does, {deed}"
    when = write.timing.clock if write.timing is not None else None
    moment = f"at each {when}" if when is not None else "whenever its inputs change"
    return f"{moment}, {f'while {conditions}, ' if conditions else ''}{deed}"


def _deed(target: str, value: str, *, clocked: bool) -> str:
    """What happens to the target, in the field's words where the value has a well-known form."""
    counts = _COUNTS.fullmatch(value)
    if counts is not None and counts[1] == target:
        return f"{target} counts {'up' if counts[2] == '+' else 'down'} by one"
    shifts = _SHIFTS_UP.fullmatch(value)
    if shifts is not None and shifts[1] == target:
        return f"{target} shifts towards its high end, and `{shifts[2]}` comes in at bit 0"
    shifts = _SHIFTS_DOWN.fullmatch(value)
    if shifts is not None and shifts[2] == target:
        return f"{target} shifts towards bit 0, and `{shifts[1]}` comes in at its high end"
    if value == target:
        return f"{target} keeps its value"
    return f"{target} {'becomes' if clocked else 'is'} `{value}`"


def instance_sentences(facts: ModuleFacts, node: Node) -> Iterator[str]:
    """Which module is used under which name, and what it is connected to."""
    text = facts.structure.tree.text
    kind = one_line(text(node.children[0]))
    known = {port.name: port.direction for port in _ports(facts, kind)}
    for instance in find(node, ("hierarchical_instance",)):
        label = first(instance, ("name_of_instance",))
        name = one_line(text(label)) if label is not None else "without a name"
        reads: list[str] = []
        drives: list[str] = []
        for connection in find(instance, ("named_port_connection",)):
            port = next(iter(children(connection, ("simple_identifier",))), None)
            value = next(iter(children(connection, ("expression",))), None)
            if port is None or value is None:
                continue
            said = f"{text(port)} = `{one_line(text(value))}`"
            (drives if known.get(text(port)) == "output" else reads).append(said)
        parts = [f"{name} is an instance of {kind}"]
        if reads:
            parts.append(f"{'it is given' if known else 'connected are'} {', '.join(reads)}")
        if drives:
            parts.append(f"it drives {', '.join(drives)}")
        yield "; ".join(parts)


def _ports(facts: ModuleFacts, module: str) -> tuple[Port, ...]:
    found = facts.elaboration.modules.get(module)
    return found.ports if found is not None else ()


def declaration_sentence(facts: ModuleFacts, declared: Declared) -> str:
    """What a signal is."""
    signal = facts.signals.get(declared.name)
    width = facts.widths.get(declared.name)
    size = "1 bit" if width == 1 else f"{width} bits" if width else f"as wide as `{declared.range_text}` says"
    sign = ", signed" if signal is not None and signal.signed and (width or 0) > 1 else ""
    memory = ", a memory of such words" if declared.is_memory else ""
    kind = {"input": "an input", "output": "an output", "inout": "an inout"}.get(declared.direction, "a signal")
    where = ""
    if declared.name in facts.registers:
        edges = " and ".join(map(str, facts.clocks(declared.name)))
        where = f"; a register, written at each {edges}" if edges else ""
    elif declared.direction != "input" and facts.written(declared.name):
        where = "; combinational"
    return f"{declared.name} is {kind} of {size}{sign}{memory}{where}"
