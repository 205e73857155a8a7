"""What an operator gives: edits of one file, and a prior of how likely such a slip is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import Node

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

    @property
    def newline(self) -> str:
        """The file's own line end."""
        return "\r\n" if b"\r\n" in self.tree.content else "\n"
