"""State machines as the text writes them: a register that a case selects by, and where each state leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.design.syntax import ancestor, children
from veriloop.assistant.explain.facts import ModuleFacts, Write
from veriloop.assistant.explain.guards import is_reset_name, one_line

_FEWEST_STATES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """Where a state leads, and when."""

    source: str
    target: str
    when: str
    """Empty: always."""

    def __str__(self) -> str:
        return f"{self.source} to {self.target}{f' while {self.when}' if self.when else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A state register with its transitions."""

    register: str
    states: tuple[str, ...]
    start: str
    """The state after reset; empty where none is set."""
    transitions: tuple[Transition, ...]
    stays: bool
    """Whether it keeps its state where no transition is taken."""


def machines(facts: ModuleFacts) -> Iterator[Machine]:
    """The state machines of a module."""
    for register in facts.registers:
        following = {register} | {
            value
            for write in facts.written(register)
            if (value := one_line(facts.structure.tree.text(write.assignment.value))) in facts.structure.signals
        }
        found = [
            transition
            for name in sorted(following)
            for write in facts.written(name)
            for transition in _transitions(facts, write, register)
        ]
        states = tuple(dict.fromkeys(name for one in found for name in (one.source, one.target)))
        sources = {one.source for one in found}
        if len(sources) >= _FEWEST_STATES and all(one.target in sources for one in found):
            start = _start(facts, register, states)
            stays = following == {register} or any(_keeps(facts, name, register) for name in following - {register})
            yield Machine(register=register, states=states, start=start, transitions=tuple(found), stays=stays)


def _keeps(facts: ModuleFacts, name: str, register: str) -> bool:
    """Whether the next state is the present one before anything else is said of it."""
    text = facts.structure.tree.text
    return any(not write.guards and one_line(text(write.assignment.value)) == register for write in facts.written(name))


def _transitions(facts: ModuleFacts, write: Write, register: str) -> Iterator[Transition]:
    """What an assignment under a case item of the register says."""
    text = facts.structure.tree.text
    item = ancestor(write.assignment.node, ("case_item",))
    while item is not None:
        selector = next(iter(children(item.parent, ("case_expression",))), None) if item.parent is not None else None
        if selector is not None and one_line(text(selector)) == register:
            break
        item = ancestor(item.parent, ("case_item",)) if item.parent is not None else None
    if item is None:
        return
    labels = [one_line(text(label)) for label in children(item, ("case_item_expression",))]
    own = list(_own_guards(write, register))
    for label in labels:
        for target, extra in _targets(one_line(text(write.assignment.value))):
            when = " and ".join(filter(None, (*own, extra)))
            yield Transition(source=label, target=label if target == register else target, when=when)


def _own_guards(write: Write, register: str) -> Iterator[str]:
    """What has to hold for one transition: not its state, and not that no reset is given."""
    resets = {edge.signal for edge in write.timing.resets} if write.timing is not None else set()
    for guard in write.guards:
        name = guard.split(" ", 1)[0]
        if not guard.startswith(f"{register} is ") and name not in resets and not is_reset_name(name):
            yield guard


def _targets(value: str) -> list[tuple[str, str]]:
    """The states that a value names, each with its condition: of `x ? A : B` both."""
    if "?" not in value:
        return [(value, "")]
    condition, _, rest = value.partition("?")
    yes, colon, no = rest.partition(":")
    if not colon or "?" in rest:
        return [(value, "")]
    condition = condition.strip().strip("()")
    return [(yes.strip(), f"`{condition}` holds"), (no.strip(" )"), f"`{condition}` does not hold")]


def _start(facts: ModuleFacts, register: str, states: tuple[str, ...]) -> str:
    """The state that is set under the first condition alone, or by an initial block."""
    for write in facts.written(register):
        value = one_line(facts.structure.tree.text(write.assignment.value))
        if value in states and (write.resetting is not None or len(write.guards) == 1):
            return value
    return ""
