"""When a process runs: which edge clocks it, what resets it at once, or that it follows its inputs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from veriloop.assistant.design.structure import Process, Structure
from veriloop.assistant.design.syntax import first

_EDGE = re.compile(r"\b(posedge|negedge)\s+([A-Za-z_][\w.\[\]]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An edge of a signal."""

    signal: str
    rising: bool

    def __str__(self) -> str:
        return f"{'rising' if self.rising else 'falling'} edge of {self.signal}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a process runs; no clock where it follows its inputs."""

    clock: Edge | None
    resets: tuple[Edge, ...] = ()
    """Edges that act at once: asynchronous resets and sets."""


def timing(structure: Structure, process: Process) -> Timing:
    """The clock and the asynchronous resets of a process.

    Of several edges, those whose signals the outermost condition asks for are resets; the one that is left is the
    clock.
    """
    if process.kind != "clocked" or process.control is None:
        return Timing(clock=None)
    found = [
        Edge(signal=name, rising=kind == "posedge")
        for kind, name in _EDGE.findall(structure.tree.text(process.control))
    ]
    asked = _outermost(structure, process)
    resets = tuple(edge for edge in found if edge.signal in asked) if len(found) > 1 else ()
    clocks = [edge for edge in found if edge not in resets]
    return Timing(clock=clocks[0] if clocks else None, resets=resets)


def _outermost(structure: Structure, process: Process) -> set[str]:
    """The signals of the conditions of the process's first if and of its `else if`s."""
    conditional = first(process.node, ("conditional_statement",))
    found: set[str] = set()
    for child in conditional.children if conditional is not None else ():
        if child.type == "cond_predicate":
            found |= structure.names(child)
    return found
