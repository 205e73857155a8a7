"""A file's text as slang reads it and as it lies on disk."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

_LINE_FEED = re.compile(rb"\n")


class SourceText:
    """A file as slang reads it (UTF-8) and as it lies on disk; knows how the offsets of both relate."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        try:
            self.text = content.decode("utf-8")
            self.exact = True
        except UnicodeDecodeError:
            # Latin-1 maps every byte to a character, so nothing of the file is lost.
            self.text = content.decode("latin-1")
            self.exact = False

    @cached_property
    def _encoded(self) -> bytes:
        return self.text.encode("utf-8")

    def byte(self, offset: int) -> int:
        """The byte of the file at an offset of slang's."""
        if self.exact:
            return min(offset, len(self.content))
        return len(self._encoded[:offset].decode("utf-8", errors="ignore"))

    def position(self, byte: int) -> tuple[int, int]:
        """The 1-based line and the 1-based column, in code points, of a byte of the file."""
        line = bisect_right(self._starts, min(byte, len(self.content)))
        column = self.content[self._starts[line - 1] : byte]
        width = len(column.decode("utf-8", errors="replace")) if self.exact else len(column)
        return line, width + 1

    @cached_property
    def _starts(self) -> list[int]:
        """The first byte of every line."""
        return [0, *(match.end() for match in _LINE_FEED.finditer(self.content))]
