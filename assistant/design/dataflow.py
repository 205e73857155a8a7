"""What drives a signal and what can reach it: drivers and the cone of influence, over the elaborated hierarchy.

The graph has an edge from each signal that an assignment reads (its value, the conditions and case selectors that it
stands under, its sensitivity) to each signal that it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pyslang import ast

from veriloop.assistant.design.assignments import Body, Names, read_body
from veriloop.assistant.design.elaborate import Elaboration
from veriloop.assistant.design.model import Span


class Dataflow:
    """The assignments of an elaborated design as a graph.

    A signal in a generate block or a named block is called by its own name, as the text calls it; where two have the
    same name, the nearer distance counts.
    """

    def __init__(self, bodies: Mapping[str, Body]) -> None:
        self._bodies = bodies
        """Instance path to body; equal instances share one."""

    @classmethod
    def of(cls, elaboration: Elaboration) -> Dataflow:
        """The dataflow of a design; what does not elaborate is left out."""
        known: dict[tuple[str, tuple[str, ...]], Body] = {}
        bodies: dict[str, Body] = {}
        for path, instance in elaboration.instances.items():
            name = instance.definition.name
            values = tuple(
                str(parameter.value)
                for parameter in instance.body.parameters
                if isinstance(parameter, ast.ParameterSymbol)
            )
            if (name, values) not in known:
                known[name, values] = read_body(elaboration, instance)
            bodies[path] = known[name, values]
        return cls(bodies)

    def cone(self, outputs: Iterable[str], *, module: str) -> Mapping[str, int]:
        """The signals of a module that can reach these signals of it, with the distance in assignments.

        What flows through instances inside the module counts; what flows through the world around it does not.
        """
        return {name: far for (of, name), far in self.cones(outputs, module=module).items() if of == module}

    def cones(self, outputs: Iterable[str], *, module: str) -> Mapping[tuple[str, str], int]:
        """As `cone`, with the signals of the instances below the module as well: `(module, signal)` to distance."""
        start = next((path for path, body in self._bodies.items() if body.module == module), None)
        if start is None:
            return {}
        found: dict[tuple[str, str], int] = {}
        for (path, name), far in self._reach(start, outputs).items():
            key = (self._bodies[path].module, name.rsplit(".", 1)[-1])
            found[key] = min(far, found.get(key, far))
        return dict(sorted(found.items(), key=lambda item: (item[1], item[0])))

    def drivers(self, module: str, signal: str) -> tuple[Span, ...]:
        """Where the assignments and connections stand that write a signal, in the order of the text."""
        found = {
            span
            for body in self._distinct(module)
            for name, spans in body.drivers.items()
            if signal in (name, name.rsplit(".", 1)[-1])
            for span in spans
        }
        return tuple(sorted(found, key=lambda span: (str(span.path), span.start, span.end)))

    def reads(self, module: str, signal: str) -> Names:
        """The signals of the module that decide the value of a signal, one assignment away."""
        return frozenset(
            read.rsplit(".", 1)[-1]
            for body in self._distinct(module)
            for name, reads in body.reads.items()
            if signal in (name, name.rsplit(".", 1)[-1])
            for read in reads
        )

    def _distinct(self, module: str) -> list[Body]:
        return list({id(body): body for body in self._bodies.values() if body.module == module}.values())

    def _reach(self, start: str, outputs: Iterable[str]) -> Mapping[tuple[str, str], int]:
        """Breadth first from the outputs of one instance against the flow, not above that instance."""
        known = {(start, name): 0 for name in self._expand(self._bodies[start], outputs)}
        front = list(known)
        while front:
            ahead: list[tuple[str, str]] = []
            for node in front:
                for before in self._before(node, start):
                    if before not in known:
                        known[before] = known[node] + 1
                        ahead.append(before)
            front = ahead
        return known

    @staticmethod
    def _expand(body: Body, outputs: Iterable[str]) -> list[str]:
        """The full names of signals that are called by their own name."""
        wanted = set(outputs)
        every = body.reads.keys() | body.driven_by.keys() | wanted
        return sorted(name for name in every if name in wanted or name.rsplit(".", 1)[-1] in wanted)

    def _before(self, node: tuple[str, str], start: str) -> Iterator[tuple[str, str]]:
        path, name = node
        body = self._bodies[path]
        for read in body.reads.get(name, ()):
            yield path, read
        for relative, link in body.driven_by.get(name, ()):
            child = f"{path}.{relative}"
            if child in self._bodies:
                yield child, link.port
        if path != start:
            parent, relative = self._parent(path)
            for link in self._bodies[parent].children.get(relative, ()):
                if link.port == name:
                    yield from ((parent, read) for read in link.reads)

    def _parent(self, path: str) -> tuple[str, str]:
        """The instance above one, past the generate blocks between them, and the path from there."""
        parent = path.rpartition(".")[0]
        while parent not in self._bodies:
            parent = parent.rpartition(".")[0]
        return parent, path[len(parent) + 1 :]
