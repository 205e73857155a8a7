"""One module as the explanation sees it: its syntax, its processes with their timing, and what elaboration knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from veriloop.assistant.design.dataflow import Dataflow
from veriloop.assistant.design.elaborate import Elaboration, Signal
from veriloop.assistant.design.structure import Assignment, Process, Structure
from veriloop.assistant.design.syntax import Node, descend
from veriloop.assistant.explain.guards import guards
from veriloop.assistant.explain.timing import Edge, Timing, timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """An assignment with when it happens."""

    assignment: Assignment
    timing: Timing | None
    """Of its process; none for a continuous assignment."""
    guards: tuple[str, ...]
    resetting: Edge | None
    """The asynchronous reset under which it stands."""


class ModuleFacts:
    """What the text of a module says.

    Args:
        structure: its syntax.
        elaboration: the file's elaboration; what did not elaborate is missing from it.
    """

    def __init__(self, structure: Structure, elaboration: Elaboration) -> None:
        self.structure = structure
        self.elaboration = elaboration

    @property
    def name(self) -> str:
        """The module's name."""
        return self.structure.name

    @cached_property
    def signals(self) -> Mapping[str, Signal]:
        """The elaborated signals by name; empty where the module did not elaborate."""
        return self.elaboration.signals(self.name)

    @cached_property
    def widths(self) -> dict[str, int | None]:
        """Widths in bits: elaborated, else as written in numbers, else none."""
        found = {name: declared.width_bits for name, declared in self.structure.signals.items()}
        return found | {name: signal.width_bits for name, signal in self.signals.items() if signal.width_bits}

    @cached_property
    def flow(self) -> Dataflow:
        """What drives what."""
        return Dataflow.of(self.elaboration)

    @cached_property
    def timings(self) -> Mapping[int, Timing]:
        """The timing of each process, by the byte at which it starts."""
        return {process.node.start_byte: timing(self.structure, process) for process in self.structure.processes}

    def timing_of(self, process: Process) -> Timing:
        """When a process runs."""
        return self.timings[process.node.start_byte]

    @cached_property
    def writes(self) -> tuple[Write, ...]:
        """The assignments with when they happen."""
        return tuple(self._write(assignment) for assignment in self.structure.assignments)

    @cached_property
    def _written(self) -> Mapping[str, list[Write]]:
        found: dict[str, list[Write]] = {}
        for write in self.writes:
            for name in write.assignment.targets:
                found.setdefault(name, []).append(write)
        return found

    def written(self, name: str) -> list[Write]:
        """The assignments to a signal."""
        return self._written.get(name, [])

    @cached_property
    def targets(self) -> Mapping[int, tuple[str, ...]]:
        """What each assignment writes, by the byte at which it starts."""
        return {one.node.start_byte: one.targets for one in self.structure.assignments}

    @property
    def clocked_by(self) -> tuple[Edge, ...]:
        """The edges that clock anything."""
        return tuple(dict.fromkeys(when.clock for when in self.timings.values() if when.clock is not None))

    @cached_property
    def registers(self) -> tuple[str, ...]:
        """The signals that clocked processes write, in the order of the text."""
        names = [
            name
            for write in self.writes
            if write.timing is not None and write.timing.clock is not None
            for name in write.assignment.targets
            if name in self.structure.signals
        ]
        return tuple(dict.fromkeys(names))

    def clocks(self, name: str) -> tuple[Edge, ...]:
        """The edges at which a register is written."""
        edges = [write.timing.clock for write in self.written(name) if write.timing and write.timing.clock]
        return tuple(dict.fromkeys(edges))

    @cached_property
    def instances(self) -> tuple[Node, ...]:
        """The instances of other modules."""
        return tuple(node for node in self.structure.nodes if node.type == "module_instantiation")

    def line(self, node: Node) -> int:
        """The 1-based line at which a node starts."""
        return self.structure.tree.line(node.start_byte)

    def last_line(self, node: Node) -> int:
        """The 1-based line on which a node ends."""
        return self.structure.tree.line(max(node.start_byte, node.end_byte - 1))

    def macros(self, node: Node) -> tuple[str, ...]:
        """Macros that are used in a node."""
        text = self.structure.tree.text
        return tuple(dict.fromkeys(text(inner) for inner in descend(node) if inner.type == "text_macro_usage"))

    def _write(self, assignment: Assignment) -> Write:
        when = self.timing_of(assignment.process) if assignment.process is not None else None
        found = guards(self.structure.tree, assignment.node, self.widths)
        reset = None
        if when is not None and found:
            reset = next((edge for edge in when.resets if _is_reset_guard(found[0], edge)), None)
        return Write(assignment=assignment, timing=when, guards=found, resetting=reset)


def _is_reset_guard(guard: str, edge: Edge) -> bool:
    return guard == f"{edge.signal} is {'1' if edge.rising else '0'}"
