"""Where a specification says two things about one port, as questions, and the ports as they were decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from veriloop.assistant.generate.interface import Interface, PortDeclaration, header_ports, listed_ports
from veriloop.assistant.generate.questions import Decided, Question


@dataclass(frozen=True, slots=True)
class PortConflict:
    """Two declarations of one port, in the order of the question's options."""

    question: Question
    ports: tuple[PortDeclaration, PortDeclaration]


def port_conflicts(text: str, *, header: str | None = None) -> tuple[PortConflict, ...]:
    """Ports that are listed twice in different ways, or have another width in the header beside the list."""
    return tuple({one.question: one for one in _conflicts(text, header)}.values())


def _conflicts(text: str, header: str | None) -> Iterator[PortConflict]:
    known: dict[str, PortDeclaration] = {}
    for port in listed_ports(text):
        other = known.setdefault(port.name, port)
        if _differ(other, port):
            yield _conflict(other, port, "", "")
    for port in header_ports(text, header) if known or header is not None else ():
        other = known.get(port.name, port)
        if _differ(other, port):
            yield _conflict(other, port, ", as listed,", ", as in the header")


def _differ(one: PortDeclaration, other: PortDeclaration) -> bool:
    return (one.direction, one.width_bits) != (other.direction, other.width_bits)


def _conflict(one: PortDeclaration, other: PortDeclaration, first: str, second: str) -> PortConflict:
    options = (_said(one), _said(other))
    question = Question(f"is {one.name} {options[0]}{first} or {options[1]}{second}?", options)
    return PortConflict(question, (one, other))


def _said(port: PortDeclaration) -> str:
    article = "an input" if port.direction == "input" else "an output"
    return f"{article} of {port.width_bits} bit{'s' if port.width_bits > 1 else ''}"


def decided_ports(
    interface: Interface | None, text: str, *, header: str | None, decided: Decided
) -> tuple[Interface | None, tuple[Question, ...]]:
    """The interface with what was decided about its ports, and what is still open."""
    still: list[Question] = []
    for conflict in port_conflicts(text, header=header):
        answer = decided.to(conflict.question)
        if answer is None:
            still.append(conflict.question)
        elif interface is not None:
            chosen = conflict.ports[conflict.question.options.index(answer)]
            ports = {port.name: chosen if port.name == chosen.name else port for port in interface.ports}
            interface = replace(interface, ports=tuple(ports.values()))
    return interface, tuple(still)
