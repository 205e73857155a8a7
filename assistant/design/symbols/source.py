"""One file as it is read: on disk, or in an editor's buffer; what is worked out of it is kept."""

from __future__ import annotations

import itertools
from functools import cached_property
from pathlib import Path

from veriloop.assistant.design.symbols.lines import Lines
from veriloop.assistant.design.symbols.outline import Outline, read_outline
from veriloop.assistant.design.symbols.words import Words, read_words
from veriloop.assistant.design.syntax import SyntaxTree

_SERIALS = itertools.count()


class Source:
    """One content of one file; a value.

    Args:
        path: where it lies, absolute.
        content: its bytes.
        is_open: whether it stands in a buffer: then its syntax tree is kept.
    """

    def __init__(self, path: Path, content: bytes, *, is_open: bool = False) -> None:
        self.path = path
        self.content = content
        self.is_open = is_open
        self.serial = next(_SERIALS)
        """Tells one content from every other that was ever read."""

    @cached_property
    def words(self) -> Words:
        """Its identifiers."""
        return read_words(self.content)

    @cached_property
    def outline(self) -> Outline:
        """Its scopes and declarations."""
        return read_outline(self.tree if self.is_open else SyntaxTree(self.content))

    @cached_property
    def tree(self) -> SyntaxTree:
        """Its syntax tree."""
        return SyntaxTree(self.content)

    @cached_property
    def lines(self) -> Lines:
        """Its lines."""
        return Lines(self.content)

    @cached_property
    def instance_types(self) -> frozenset[int]:
        """Where the names of instantiated modules stand."""
        return frozenset(instance.type_at for instance in self.outline.instances)

    def text(self, start: int, end: int) -> str:
        """A part of it; bytes that are no UTF-8 are replaced."""
        return self.content[start:end].decode("utf-8", errors="replace")
