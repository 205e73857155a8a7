"""Backwards from the first check that fails: the statements that made the values that it saw, as they were carried out.

Where a signal is assigned in several places, only what was carried out last before its value was used is followed; of a
clocked process, what it reads is what was there before the edge.

Source: dynamic slicing (Korel, Laski, IPL 29(3), 1988).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from veriloop.assistant.design.structure import Assignment, Structure
from veriloop.assistant.design.syntax import Node, SyntaxTree, ancestor, children, find, first
from veriloop.assistant.locate.checks import Check
from veriloop.assistant.verify.execution import Execution

_MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Link:
    """A statement of the slice.

    Attributes:
        steps: how many assignments lie between it and what failed.
        signal: what it made.
        scope: in which instance.
        at_fs: when it was carried out; of what is assigned continuously, when its value was used.
    """

    steps: int
    signal: str
    scope: str
    at_fs: int


@dataclass(frozen=True, slots=True)
class _Instance:
    module: str
    name: str
    ports: tuple[tuple[str, frozenset[str]], ...]
    """Each port with the signals that are connected to it; by its place in the list where it has no name."""


@dataclass
class _Module:
    path: str
    structure: Structure
    counters: Mapping[int, str]
    """Of each counted statement, by where it begins."""

    @cached_property
    def assigned(self) -> Mapping[str, list[Assignment]]:
        found: dict[str, list[Assignment]] = {}
        for one in self.structure.assignments:
            for name in one.targets:
                found.setdefault(name, []).append(one)
        return found

    @cached_property
    def instances(self) -> tuple[_Instance, ...]:
        return tuple(_instances(self.structure))

    def reads(self, assignment: Assignment) -> set[str]:
        """What an assignment reads, in a task also what stands above it, and the functions that it calls."""
        task = ancestor(assignment.node, ("task_declaration",))
        above = self.structure.conditions_above(assignment.node, task) if task is not None else set()
        called = (first(call, ("simple_identifier",)) for call in find(assignment.node, ("tf_call",)))
        return {*assignment.reads, *above, *(self.structure.tree.text(name) for name in called if name is not None)}

    def counter(self, assignment: Assignment) -> str:
        statement = ancestor(assignment.node, ("statement",))
        return self.counters.get(statement.start_byte, "") if statement is not None else ""


def slice_of(execution: Execution, check: Check) -> dict[tuple[str, int], Link]:
    """Follows what a check saw back through a run.

    Returns:
        By file and by where a statement begins: how it comes in, the nearest way.
    """
    modules = _modules(execution)
    scopes = _scopes(execution.toplevel, modules)
    links: dict[tuple[str, int], Link] = {}
    # A testbench may look at what an edge has just made, or at what was there before it goes on with other inputs.
    for earlier_fs in (0, 1):
        _follow(execution, check, modules, scopes, earlier_fs, links)
    return links


def _follow(
    execution: Execution,
    check: Check,
    modules: Mapping[str, _Module],
    scopes: Mapping[str, str],
    earlier_fs: int,
    links: dict[tuple[str, int], Link],
) -> None:
    waiting = deque((check.scope, name, check.at_fs, 0) for name in sorted(check.reads))
    seen: set[tuple[str, str]] = set()
    while waiting and len(seen) < _MOST_STEPS:
        scope, signal, at_fs, steps = waiting.popleft()
        module = modules.get(scopes.get(scope, ""))
        if module is None or (scope, signal) in seen:
            continue
        seen.add((scope, signal))
        for assignment, made_fs, read_fs in _made(execution, module, scope, signal, at_fs):
            key = (module.path, assignment.node.start_byte)
            links.setdefault(key, Link(steps, signal, scope, made_fs))
            waiting.extend((scope, name, read_fs, steps + 1) for name in sorted(module.reads(assignment)))
        seen_fs = at_fs - earlier_fs if scope == execution.toplevel else at_fs
        waiting.extend((*place, seen_fs, steps) for place in _through_ports(modules, scopes, scope, signal))


def _made(
    execution: Execution, module: _Module, scope: str, signal: str, at_fs: int
) -> Iterator[tuple[Assignment, int, int]]:
    """The assignments that made a value, when, and when what they read was there."""
    carried: list[tuple[int, Assignment]] = []
    for one in module.assigned.get(signal, ()):
        counter = module.counter(one)
        if not counter:
            yield one, at_fs, at_fs
        elif (last := execution.last(scope, counter, at_fs)) is not None:
            carried.append((last, one))
    latest = max((at for at, _ in carried), default=-1)
    whole = [one for at, one in carried if at == latest and not _is_part(one)]
    for at, one in carried:
        # A part of a vector stays as it was made; of those that make the whole, the last counts.
        if _is_part(one) or (whole and one is whole[-1]):
            clocked = one.process is not None and one.process.kind == "clocked"
            yield one, at, at - 1 if clocked else at


def _is_part(assignment: Assignment) -> bool:
    return first(assignment.target, ("select", "bit_select", "concatenation")) is not None


def _through_ports(
    modules: Mapping[str, _Module], scopes: Mapping[str, str], scope: str, signal: str
) -> Iterator[tuple[str, str]]:
    """The signals at the other ends of ports: in what is instantiated here, and where this is instantiated."""
    module = modules[scopes[scope]]
    for instance in module.instances:
        inner = modules.get(instance.module)
        for port, names in instance.ports if inner is not None else ():
            if inner is not None and signal in names:
                name = _port(inner, port)
                if name and inner.structure.signals[name].direction != "input":
                    yield f"{scope}.{instance.name}", name
    declared = module.structure.signals.get(signal)
    above, _, name = scope.rpartition(".")
    if declared is None or declared.direction != "input" or above not in scopes:
        return
    outer = modules[scopes[above]]
    for instance in outer.instances:
        if instance.name == name:
            for port, names in instance.ports:
                if _port(module, port) == signal:
                    yield from ((above, one) for one in sorted(names))


def _port(module: _Module, port: str) -> str:
    """A port's name, where it is given by its place."""
    ports = [name for name, one in module.structure.signals.items() if one.direction]
    if port.isdigit():
        return ports[int(port)] if int(port) < len(ports) else ""
    return port if port in ports else ""


def _modules(execution: Execution) -> dict[str, _Module]:
    found: dict[str, _Module] = {}
    for path, content in execution.contents.items():
        tree = SyntaxTree(content)
        counters = {one.start: one.name for one in execution.probes.get(path, ()) if not one.prints}
        for node in tree.modules:
            structure = Structure(tree, node)
            found.setdefault(structure.name, _Module(path, structure, counters))
    return found


def _scopes(toplevel: str, modules: Mapping[str, _Module]) -> dict[str, str]:
    """The module of each instance, by its path; what generate blocks hold is left out."""
    found: dict[str, str] = {}
    waiting = [(toplevel, toplevel)]
    while waiting and len(found) < _MOST_STEPS:
        scope, name = waiting.pop()
        if name in modules:
            found[scope] = name
            waiting += [(f"{scope}.{one.name}", one.module) for one in modules[name].instances if one.module != name]
    return found


def _instances(structure: Structure) -> Iterator[_Instance]:
    tree = structure.tree
    for node in structure.nodes:
        if node.type != "module_instantiation":
            continue
        module = first(node, ("simple_identifier",))
        for one in children(node, ("hierarchical_instance",)):
            name = first(one, ("simple_identifier",))
            if name is not None and module is not None:
                yield _Instance(tree.text(module), tree.text(name), tuple(_connections(structure, one)))


def _connections(structure: Structure, instance: Node) -> Iterator[tuple[str, frozenset[str]]]:
    for place, one in enumerate(find(instance, ("named_port_connection", "ordered_port_connection"))):
        expression = first(one, ("expression",))
        names = frozenset(structure.names(expression)) if expression is not None else frozenset()
        named = one.type == "named_port_connection"
        port = first(one, ("simple_identifier",)) if named else None
        yield structure.tree.text(port) if port is not None else str(place), names
