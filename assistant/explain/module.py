"""A module in sentences: ports, clocks, resets, registers, state machines, what each output depends on."""

from __future__ import annotations

from collections.abc import Iterator

from veriloop.assistant.explain.blocks import listed
from veriloop.assistant.explain.facts import ModuleFacts
from veriloop.assistant.explain.guards import is_reset_name, one_line
from veriloop.assistant.explain.machines import machines

_MOST_REGISTERS = 30


def module_sentences(facts: ModuleFacts) -> Iterator[str]:
    """What a module is and does."""
    yield _ports(facts)
    if facts.structure.parameters:
        yield "parameters: " + ", ".join(_parameters(facts))
    yield from _clocks(facts)
    yield from _registers(facts)
    for machine in machines(facts):
        start = f", and starts in {machine.start}" if machine.start else ""
        yield f"{machine.register} is the state of a machine with the states {listed(list(machine.states))}{start}"
        stays = "; in all other cases it stays" if machine.stays else ""
        yield f"it goes from {'; '.join(map(str, machine.transitions))}{stays}"
    yield from _outputs(facts)
    text = facts.structure.tree.text
    kinds = [one_line(text(node.children[0])) for node in facts.instances]
    if kinds:
        yield f"it is built of {len(kinds)} instance{'s' if len(kinds) > 1 else ''}: {listed(kinds)}"


def _ports(facts: ModuleFacts) -> str:
    parts = []
    for direction in ("input", "output", "inout"):
        names = [
            name if facts.widths.get(name) == 1 else f"{name} ({facts.widths.get(name) or declared.range_text})"
            for name, declared in facts.structure.signals.items()
            if declared.direction == direction
        ]
        if names:
            parts.append(f"{direction}s {', '.join(names)}")
    return (
        f"module {facts.name}: {'; '.join(parts)}"
        if parts
        else f"module {facts.name} has no ports: a testbench, or a top"
    )


def _parameters(facts: ModuleFacts) -> Iterator[str]:
    module = facts.elaboration.modules.get(facts.name)
    resolved = dict(module.parameters) if module is not None else {}
    for name, written in facts.structure.parameters.items():
        value = resolved.get(name, "")
        known = f" (here {value})" if value and value != one_line(written) else ""
        yield f"{name} = {one_line(written)}{known}"


def _clocks(facts: ModuleFacts) -> Iterator[str]:
    edges = facts.clocked_by
    if not edges:
        if any(process.kind != "initial" for process in facts.structure.processes) or facts.writes:
            yield "nothing in it is clocked"
        return
    yield f"clocked by the {' and the '.join(map(str, edges))}"
    resets = dict.fromkeys(edge for when in facts.timings.values() for edge in when.resets)
    for reset in resets:
        level = "1" if reset.rising else "0"
        yield f"{reset.signal} resets asynchronously, as soon as it is {level}"


def _registers(facts: ModuleFacts) -> Iterator[str]:
    for name in facts.registers[:_MOST_REGISTERS]:
        width = facts.widths.get(name)
        size = f"{width} bit{'s' if width != 1 else ''}" if width else "of unknown width"
        memory = facts.structure.signals[name].is_memory
        reset = _reset_value(facts, name)
        yield f"{'memory' if memory else 'register'} {name}, {size}{f', reset to {reset}' if reset else ''}"
    left = len(facts.registers) - _MOST_REGISTERS
    if left > 0:
        yield f"and {left} further registers"


def _reset_value(facts: ModuleFacts, name: str) -> str:
    """The value under an asynchronous reset, or under a first condition that is named as a reset."""
    for write in facts.written(name):
        first = write.guards[0] if write.guards else ""
        synchronous = len(write.guards) == 1 and is_reset_name(first.split(" ", 1)[0])
        if write.resetting is not None or synchronous:
            kind = "" if write.resetting is not None else f" at the clock's edge while {first}"
            return f"`{one_line(facts.structure.tree.text(write.assignment.value))}`{kind}"
    return ""


def _outputs(facts: ModuleFacts) -> Iterator[str]:
    """For each output the inputs that reach it, at once or through registers."""
    if facts.name not in facts.elaboration.modules:
        return
    directions = {name: declared.direction for name, declared in facts.structure.signals.items()}
    clocks = {edge.signal for edge in facts.clocked_by}
    for name, direction in directions.items():
        if direction != "output":
            continue
        cone = facts.flow.cone([name], module=facts.name)
        inputs = [one for one, way in directions.items() if way == "input" and one in cone and one not in clocks]
        at_once = _at_once(facts, name)
        direct = [one for one in inputs if one in at_once]
        late = [one for one in inputs if one not in at_once]
        parts = []
        if direct:
            parts.append(f"at once on {listed(direct)}")
        if late:
            parts.append(f"through registers on {listed(late)}")
        yield f"output {name} depends {' and '.join(parts)}" if parts else f"output {name} depends on no input"


def _at_once(facts: ModuleFacts, name: str) -> set[str]:
    """The signals that reach one without passing a register."""
    registers = set(facts.registers)
    found: set[str] = set()
    front = [name]
    while front:
        current = front.pop()
        if current in found or current in registers:
            continue
        found.add(current)
        front += facts.structure.dependencies.get(current, ())
    return found - {name}
