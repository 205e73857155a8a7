"""What a module consists of, read from its syntax alone, so that a half-written file has it too.

Widths and the cone of influence are taken from the text: good enough to rank and to propose, never to judge.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from veriloop.assistant.design.syntax import Node, SyntaxTree, ancestor, children, descend, find, first, previous

ProcessKind = Literal["clocked", "combinational", "initial", "latch"]
AssignmentKind = Literal["blocking", "nonblocking", "continuous", "declaration"]

_ASSIGNMENTS = ("blocking_assignment", "nonblocking_assignment", "net_assignment", "net_decl_assignment")
_DECLARATIONS = (
    "ansi_port_declaration",
    "net_declaration",
    "data_declaration",
    "input_declaration",
    "output_declaration",
    "inout_declaration",
)
_DIRECTIONS: tuple[Literal["input", "output", "inout"], ...] = ("input", "output", "inout")
_NAMING = (
    "ansi_port_declaration",
    "net_decl_assignment",
    "variable_decl_assignment",
    "list_of_port_identifiers",
    "list_of_variable_port_identifiers",
    "list_of_variable_identifiers",
)
_RANGE = re.compile(r"\[\s*(\d+)\s*:\s*(\d+)\s*\]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """A declared signal."""

    name: str
    range_text: str
    """The packed range as written, without spaces; empty for one bit."""
    direction: Literal["input", "output", "inout", ""]
    is_memory: bool
    is_variable: bool
    node: Node = field(compare=False)

    @property
    def width_bits(self) -> int | None:
        """The width, where the range is written in numbers."""
        if not self.range_text:
            return 1
        match = _RANGE.fullmatch(self.range_text)
        return abs(int(match[1]) - int(match[2])) + 1 if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """An `always` or `initial` construct."""

    node: Node
    kind: ProcessKind
    control: Node | None
    """Its event control, e.g. `@(posedge clk)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One assignment; `reads` holds the signals of its right side, its indices and the conditions above it."""

    node: Node
    kind: AssignmentKind
    target: Node
    operator: Node
    value: Node
    targets: tuple[str, ...]
    reads: frozenset[str]
    process: Process | None


class Structure:
    """One module of a syntax tree."""

    def __init__(self, tree: SyntaxTree, module: Node) -> None:
        self.tree = tree
        self.module = module
        self.nodes = tuple(descend(module))

    @cached_property
    def name(self) -> str:
        """The module's name."""
        header = first(self.module, ("module_ansi_header", "module_nonansi_header"))
        name = next((child for child in (header or self.module).children if child.type == "simple_identifier"), None)
        return self.tree.text(name) if name is not None else ""

    @cached_property
    def signals(self) -> Mapping[str, Declared]:
        """The declared signals; a port declared twice, as Verilog-1995 does, is merged."""
        found: dict[str, Declared] = {}
        for node in self.nodes:
            if node.type not in _DECLARATIONS:
                continue
            for declared in self._declared(node):
                known = found.get(declared.name)
                found[declared.name] = _merged(known, declared) if known else declared
        return found

    @cached_property
    def parameters(self) -> Mapping[str, str]:
        """Parameters and local parameters with their values as written."""
        return {
            self.tree.text(node.children[0]): self.tree.text(node.children[-1])
            for node in self.nodes
            if node.type == "param_assignment" and len(node.children) >= 3
        }

    @cached_property
    def processes(self) -> tuple[Process, ...]:
        """The processes in the order of the text."""
        return tuple(
            self._process(node) for node in self.nodes if node.type in ("always_construct", "initial_construct")
        )

    @cached_property
    def assignments(self) -> tuple[Assignment, ...]:
        """The assignments in the order of the text; those of loop headers are left out."""
        processes = {process.node.start_byte: process for process in self.processes}
        found = [self._assignment(node, processes) for node in self.nodes if node.type in _ASSIGNMENTS]
        return tuple(assignment for assignment in found if assignment is not None)

    @cached_property
    def dependencies(self) -> Mapping[str, frozenset[str]]:
        """For each assigned signal, the signals that decide its value; an instance ties its connections together."""
        found: dict[str, set[str]] = defaultdict(set)
        for assignment in self.assignments:
            for name in assignment.targets:
                found[name] |= assignment.reads
        for node in self.nodes:
            if node.type == "module_instantiation":
                tied = self.names(node)
                for name in tied:
                    found[name] |= tied - {name}
        return {name: frozenset(reads) for name, reads in found.items()}

    @cached_property
    def calls(self) -> Mapping[str, frozenset[str]]:
        """For each assigned signal, and each function by its name, the module's functions that it calls."""
        functions = {
            self.tree.text(name)
            for node in self.nodes
            if node.type == "function_body_declaration" and (name := first(node, ("simple_identifier",))) is not None
        }
        found: dict[str, set[str]] = defaultdict(set)
        for assignment in self.assignments if functions else ():
            for call in find(assignment.node, ("tf_call",)):
                called = first(call, ("simple_identifier",))
                if called is not None and self.tree.text(called) in functions:
                    for target in assignment.targets:
                        found[target].add(self.tree.text(called))
        return {name: frozenset(called) for name, called in found.items()}

    def cone(self, outputs: Iterable[str]) -> Mapping[str, int]:
        """The cone of influence: signals, and functions, to their distance from the outputs, in assignments."""
        distance = {name: 0 for name in outputs if name in self.signals}
        decides = {name: reads | self.calls.get(name, frozenset()) for name, reads in self.dependencies.items()}
        front = list(distance)
        steps = 0
        while front:
            steps += 1
            reached = (read for name in front for read in decides.get(name, ()) if read not in distance)
            front = list(dict.fromkeys(reached))
            distance |= dict.fromkeys(front, steps)
        return distance

    def with_functions(self, distances: Mapping[str, int]) -> Mapping[str, int]:
        """Distances of signals with those of the functions that they call, one more each."""
        found = dict(distances)
        front = [name for name in self.calls if name in found]
        while front:
            reached = {called: found[name] + 1 for name in front for called in self.calls[name] if called not in found}
            found.update(reached)
            front = [name for name in reached if name in self.calls]
        return found

    def names(self, node: Node) -> set[str]:
        """The declared signals that a node mentions."""
        return {text for inner in find(node, ("simple_identifier",)) if (text := self.tree.text(inner)) in self.signals}

    def conditions_above(self, node: Node, top: Node | None) -> set[str]:
        """The signals of the conditions and case selectors that stand above a statement, and of its sensitivity."""
        found: set[str] = set()
        current = node.parent
        while current is not None and top is not None and current.start_byte >= top.start_byte:
            if current.type == "conditional_statement":
                for child in children(current, ("cond_predicate",)):
                    if child.start_byte < node.start_byte:
                        found |= self.names(child)
            elif current.type == "case_statement":
                for child in children(current, ("case_expression",)):
                    found |= self.names(child)
            elif current.type == "case_item":
                for child in children(current, ("case_item_expression",)):
                    found |= self.names(child)
            current = current.parent
        return found

    def _declared(self, node: Node) -> Iterable[Declared]:
        text = self.tree.text(node)
        packed = first(node, ("packed_dimension",))
        range_text = _SPACE.sub("", self.tree.text(packed)) if packed is not None else ""
        if first(node, ("integer_atom_type",)) is not None:
            range_text = "[31:0]"
        direction: Literal["input", "output", "inout", ""] = ""
        for word in _DIRECTIONS:
            if text.lstrip().startswith(word):
                direction = word
        if node.type == "ansi_port_declaration" and not direction:
            inherited = self._inherited(node)
            if inherited is not None:
                direction = inherited.direction
                range_text = range_text or inherited.range_text
        is_variable = bool(re.search(r"\b(reg|logic|integer|int|bit)\b", text))
        for inner in find(node, ("simple_identifier",)):
            parent = inner.parent
            if parent is None or parent.type not in _NAMING:
                continue
            yield Declared(
                name=self.tree.text(inner),
                range_text=range_text,
                direction=direction,
                is_memory=any(child.type == "unpacked_dimension" for child in parent.children),
                is_variable=is_variable,
                node=node,
            )
            if node.type == "ansi_port_declaration":
                break

    def _inherited(self, node: Node) -> Declared | None:
        """`input a, b`: a port without a direction takes that of the port before it."""
        before = previous(node)
        if before is None or before.type != "ansi_port_declaration":
            return None
        return next(iter(self._declared(before)), None)

    def _process(self, node: Node) -> Process:
        control = first(node, ("event_control",))
        if control is not None and ancestor(control, ("delay_or_event_control",)) is not None:
            control = None
        keyword = self.tree.text(node.children[0]) if node.children else ""
        kind: ProcessKind = "combinational"
        if node.type == "initial_construct":
            kind = "initial"
        elif keyword == "always_latch":
            kind = "latch"
        elif keyword == "always_ff" or (control is not None and "edge" in self.tree.text(control)):
            kind = "clocked"
        return Process(node=node, kind=kind, control=control)

    def _assignment(self, node: Node, processes: Mapping[int, Process]) -> Assignment | None:
        inner = node.children[0] if node.children and node.children[0].type == "operator_assignment" else node
        parts = inner.children
        if len(parts) < 3:
            return None
        operator = next((part for part in parts[1:] if self.tree.text(part) in ("=", "<=") or _is_operator(part)), None)
        if operator is None:
            return None
        target, value = parts[0], parts[-1]
        construct = ancestor(node, ("always_construct", "initial_construct"))
        indices = {name for select in find(target, ("select", "bit_select")) for name in self.names(select)}
        written = [self.tree.text(name) for name in find(target, ("simple_identifier",))]
        targets = tuple(dict.fromkeys(name for name in written if name not in indices)) or tuple(written)
        kinds: dict[str, AssignmentKind] = {
            "blocking_assignment": "blocking",
            "nonblocking_assignment": "nonblocking",
            "net_assignment": "continuous",
            "net_decl_assignment": "declaration",
        }
        return Assignment(
            node=node,
            kind=kinds[node.type],
            target=target,
            operator=operator,
            value=value,
            targets=targets,
            reads=frozenset(self.names(value) | indices | self.conditions_above(node, construct)),
            process=processes.get(construct.start_byte) if construct is not None else None,
        )


def _is_operator(node: Node) -> bool:
    return node.type == "assignment_operator"


def _merged(known: Declared, new: Declared) -> Declared:
    return Declared(
        name=known.name,
        range_text=known.range_text or new.range_text,
        direction=known.direction or new.direction,
        is_memory=known.is_memory or new.is_memory,
        is_variable=known.is_variable or new.is_variable,
        node=known.node,
    )
