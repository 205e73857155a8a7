"""What an operator gives: edits of one file, and a prior of how likely such a slip is."""

from __future__ import annotations

import heapq
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import Node, ancestor

_NEAREST = 48
"""Names that a place is offered. A slip takes a name that its writer had in view; in a module of hundreds of signals
all pairs of place and name would be millions of candidates that nobody can try."""

_DRIVERS = ("always_construct", "net_assignment")

Replacement: TypeAlias = tuple[int, int, str]
"""First byte, byte after the last, new text."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Replacements in one file.

    `cost` is the prior: the smaller, the likelier the slip; 1 for the commonest. `focus` is the byte range that ranks
    the proposal by the failing outputs' cone.
    """

    operator: str
    cost: float
    replacements: tuple[Replacement, ...]
    focus: tuple[int, int]


Proposals: TypeAlias = Iterator[Proposal]


class Site:
    """A module that operators work on, with the shorthands that they share."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.tree = structure.tree
        self.nodes = structure.nodes
        self._mentions: dict[str, list[int]] = defaultdict(list)
        for node in self.nodes:
            if node.type == "simple_identifier":
                self._mentions[self.text(node)].append(node.start_byte)

    def nearest(self, names: Sequence[str], node: Node) -> Sequence[str]:
        """Those of the names that are mentioned nearest to a node, in their order; all where they are few."""
        if len(names) <= _NEAREST:
            return names
        kept = set(heapq.nsmallest(_NEAREST, names, key=lambda name: self._distance(name, node.start_byte)))
        return [name for name in names if name in kept]

    def _distance(self, name: str, byte: int) -> int:
        """Bytes to the nearest mention of a name."""
        places = self._mentions.get(name, [])
        after = bisect(places, byte)
        return min(
            (abs(place - byte) for place in places[max(0, after - 1) : after + 1]), default=len(self.tree.content)
        )

    def may_drive(self, target: Node, name: str) -> bool:
        """Whether an assignment's target may become another signal: one that nothing else drives.

        A signal with two drivers is no repair of anything. Bits may have drivers of their own.
        """
        after = target.parent.next_sibling if target.parent is not None else None
        if after is not None and after.type == "select":
            return True
        driver = ancestor(target, _DRIVERS)
        return driver is None or self._drivers.get(name, frozenset()) <= {driver.start_byte}

    @cached_property
    def _drivers(self) -> Mapping[str, Set[int]]:
        """Where the processes and continuous assignments start that assign a signal; initial values do not count."""
        found: dict[str, set[int]] = defaultdict(set)
        for assignment in self.structure.assignments:
            process = assignment.process
            if assignment.kind != "declaration" and (process is None or process.kind != "initial"):
                driver = ancestor(assignment.node, _DRIVERS) or assignment.node
                for name in assignment.targets:
                    found[name].add(driver.start_byte)
        return found

    def text(self, node: Node) -> str:
        """The node's text."""
        return self.tree.text(node)

    def replace(self, operator: str, cost: float, node: Node, text: str, *, focus: Node | None = None) -> Proposals:
        """One replacement of a node, or nothing where it changes nothing."""
        if text != self.text(node):
            at = focus or node
            yield Proposal(operator, cost, ((node.start_byte, node.end_byte, text),), (at.start_byte, at.end_byte))

    def replace_all(self, operator: str, cost: float, changes: list[tuple[Node, str]], *, focus: Node) -> Proposals:
        """Several replacements at once, or nothing where they change nothing."""
        real = [(node, text) for node, text in changes if text != self.text(node)]
        if real:
            yield Proposal(
                operator,
                cost,
                tuple((node.start_byte, node.end_byte, text) for node, text in real),
                (focus.start_byte, focus.end_byte),
            )

    def insert(self, operator: str, cost: float, at: int, text: str, *, focus: Node) -> Proposals:
        """Text put in at a byte."""
        yield Proposal(operator, cost, ((at, at, text),), (focus.start_byte, focus.end_byte))

    def indent(self, node: Node) -> str:
        """The white space that the node's line starts with."""
        line = self.tree.content.rfind(b"\n", 0, node.start_byte) + 1
        head = self.tree.content[line : node.start_byte].decode("utf-8", errors="replace")
        return head[: len(head) - len(head.lstrip())]

    @cached_property
    def newline(self) -> str:
        """The file's own line end."""
        return "\r\n" if b"\r\n" in self.tree.content else "\n"
