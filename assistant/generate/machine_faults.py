"""Why what was read is no state machine, as questions, and the machine with the answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from veriloop.assistant.generate.questions import Decided, Question
from veriloop.assistant.generate.state_machine import Arc, Cube, StateMachine

_MOST_GUARD_BITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A state that is left in two ways at once, or in none, at some inputs."""

    question: Question
    state: str = ""
    values: Cube = field(default_factory=dict)


def faults(machine: StateMachine) -> tuple[Fault, ...]:
    """All that keeps a machine from being one."""
    if not machine.states or len(machine.guard_bits) > _MOST_GUARD_BITS:
        return (Fault(question=Question("too many inputs decide on a transition")),)
    found = [
        Fault(question=Question(f"state {arc.target} has no transitions"))
        for arc in machine.arcs
        if not machine.leaving(arc.target)
    ]
    for state in filter(machine.leaving, machine.states):
        found += _of_state(machine, state)
    return tuple({fault.question: fault for fault in found}.values())


def _of_state(machine: StateMachine, state: str) -> Iterator[Fault]:
    mealy = any(arc.outputs for arc in machine.arcs)
    for values in machine.inputs():
        taken = [arc for arc in machine.leaving(state) if not arc.otherwise and arc.taken(values)]
        said = ", ".join(f"{bit}={value}" for bit, value in values.items()) or "any input"
        targets = tuple(sorted({arc.target for arc in taken}))
        if len({(arc.target, *sorted(map(str, arc.outputs.items()))) for arc in taken}) > 1:
            text = f"state {state} goes to {' and '.join(targets)} on {said}"
            yield Fault(question=_which(text, targets if len(targets) > 1 else ()), state=state, values=values)
        elif not taken and not any(arc.otherwise for arc in machine.leaving(state)):
            # A transition that is not there has no outputs, which nobody may make up.
            options = () if mealy else machine.states
            yield Fault(question=_which(f"state {state} goes nowhere on {said}", options), state=state, values=values)


def _which(text: str, options: tuple[str, ...]) -> Question:
    return Question(f"{text}: to which state?" if options else text, options)


def settled(machine: StateMachine, decided: Decided) -> StateMachine:
    """The machine with every answer that was given to its faults; those without one stay."""
    for fault in faults(machine):
        target = decided.to(fault.question)
        if target is not None:
            machine = replace(machine, arcs=tuple(_with(machine, fault, target)))
    return machine


def _with(machine: StateMachine, fault: Fault, target: str) -> Iterator[Arc]:
    """The transitions where one state goes to `target` at the values of a fault."""
    own = [arc for arc in machine.leaving(fault.state) if arc.otherwise or not arc.taken(fault.values)]
    taken = [arc for arc in machine.leaving(fault.state) if not arc.otherwise and arc.taken(fault.values)]
    yield from (arc for arc in machine.arcs if arc.source != fault.state)
    yield from (arc for arc in own if not arc.otherwise)
    for arc in taken:
        yield from [arc] if arc.target == target else _without(arc, fault.values)
    if all(arc.target != target for arc in taken):
        yield Arc(source=fault.state, target=target, guard=fault.values)
    yield from (arc for arc in own if arc.otherwise)


def _without(arc: Arc, values: Cube) -> Iterator[Arc]:
    """What is left of a transition that is not taken at some values: one piece a bit that it does not name."""
    guard = dict(arc.guard)
    for bit, value in values.items():
        if bit not in guard:
            yield replace(arc, guard={**guard, bit: "1" if value == "0" else "0"})
            guard[bit] = value
