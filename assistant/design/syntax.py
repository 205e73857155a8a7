"""Error-tolerant structure and byte ranges, from tree-sitter. Parsing never fails: broken RTL is a tree with gaps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache, cached_property
from typing import TypeAlias

import tree_sitter
import tree_sitter_systemverilog

Node: TypeAlias = tree_sitter.Node


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_systemverilog.language()))


class SyntaxTree:
    """The syntax of one file; a value."""

    def __init__(self, content: bytes, before: tree_sitter.Tree | None = None) -> None:
        self.content = content
        self._tree = _parser().parse(content) if before is None else _parser().parse(content, before)
        self.root: Node = self._tree.root_node

    def with_insertion(self, at: int, text: bytes) -> SyntaxTree:
        """The syntax with a text put in at a byte; what is left of this tree is used again, which takes no time.

        Where the text is broken, its gaps may lie elsewhere than in a tree that was read from nothing.
        """
        content = self.content[:at] + text + self.content[at:]
        start, end = self._point(self.content, at), self._point(content, at + len(text))
        edited = self._tree.copy()
        edited.edit(at, at, at + len(text), start, start, end)
        return SyntaxTree(content, edited)

    @staticmethod
    def _point(content: bytes, at: int) -> tree_sitter.Point:
        return tree_sitter.Point(content.count(b"\n", 0, at), at - content.rfind(b"\n", 0, at) - 1)

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, parents first, in the order of the text."""
        return tuple(descend(self.root))

    @property
    def modules(self) -> tuple[Node, ...]:
        """The module declarations of the file."""
        return tuple(node for node in self.nodes if node.type == "module_declaration")

    @cached_property
    def gaps(self) -> tuple[Node, ...]:
        """Where the text does not follow the grammar: error nodes and tokens that are missing."""
        return tuple(node for node in self.nodes if node.is_error or node.is_missing)

    @property
    def gap_count(self) -> int:
        """How many gaps there are; only what holds one is looked into."""
        count, waiting = 0, [self.root]
        while waiting:
            node = waiting.pop()
            count += node.is_error or node.is_missing
            if node.has_error:
                waiting.extend(node.children)
        return count

    def text(self, node: Node) -> str:
        """The node's text; bytes that are no UTF-8 are replaced."""
        return self.content[node.start_byte : node.end_byte].decode("utf-8", errors="replace")

    def line(self, byte: int) -> int:
        """The 1-based line of a byte."""
        return self.content.count(b"\n", 0, byte) + 1


def descend(node: Node) -> Iterator[Node]:
    """The node and everything below it, parents first, in the order of the text."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(current.children))


def find(node: Node, types: Collection[str]) -> Iterator[Node]:
    """The nodes of these types at and below a node."""
    return (inner for inner in descend(node) if inner.type in types)


def first(node: Node, types: Collection[str]) -> Node | None:
    """The first node of these types at or below a node."""
    return next(find(node, types), None)


def children(node: Node, types: Collection[str]) -> list[Node]:
    """The direct children of these types."""
    return [child for child in node.children if child.type in types]


def previous(node: Node) -> Node | None:
    """The named node before it among its siblings; comments are none."""
    before = node.prev_named_sibling
    while before is not None and before.is_extra:
        before = before.prev_named_sibling
    return before


def ancestor(node: Node, types: Collection[str]) -> Node | None:
    """The nearest node above of these types; the node itself counts."""
    current: Node | None = node
    while current is not None and current.type not in types:
        current = current.parent
    return current
