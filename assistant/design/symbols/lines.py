"""Bytes of a text and its lines and columns, in the units that different readers count columns in."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from typing import Literal, TypeAlias

Units: TypeAlias = Literal["utf-8", "utf-16", "utf-32"]
"""What a column counts: bytes of UTF-8, code units of UTF-16, code points (LSP 3.17, position encodings)."""


_LINE_END = re.compile(rb"\r\n|\n|\r")


class Lines:
    """The lines of a text; lines and columns are 0-based, as in the language server protocol."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        starts = array("I", (0,))
        if content.count(b"\r") == content.count(b"\r\n"):
            at = content.find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = content.find(b"\n", at + 1)
        else:
            # A carriage return alone ends a line, too (LSP 3.17, text documents).
            starts.extend(match.end() for match in _LINE_END.finditer(content))
        self._starts = starts
        self._ascii = content.isascii()

    def __len__(self) -> int:
        return len(self._starts)

    def start(self, line: int) -> int:
        """The first byte of a line; the end of the text for a line after the last."""
        return self._starts[line] if line < len(self._starts) else len(self._content)

    def line(self, at: int) -> int:
        """The line of a byte."""
        return bisect_right(self._starts, at) - 1

    def text(self, line: int) -> bytes:
        """A line without its end."""
        return self._content[self.start(line) : self.start(line + 1)].rstrip(b"\r\n")

    def position(self, at: int, units: Units = "utf-32") -> tuple[int, int]:
        """The line and the column of a byte."""
        line = self.line(at)
        start = self._starts[line]
        if self._ascii or units == "utf-8":
            return line, at - start
        return line, _length(self._content[start:at].decode("utf-8", errors="replace"), units)

    def at(self, line: int, column: int, units: Units = "utf-32") -> int:
        """The byte at a line and a column; what lies beyond the end of the line is its end."""
        if line >= len(self._starts):
            return len(self._content)
        text = self.text(line)
        start = self._starts[line]
        if self._ascii or units == "utf-8":
            return start + min(max(column, 0), len(text))
        count = 0
        for index, character in enumerate(decoded := text.decode("utf-8", errors="replace")):
            if count >= column:
                return start + len(decoded[:index].encode())
            count += _length(character, units)
        return start + len(text)


def _length(text: str, units: Units) -> int:
    return len(text.encode("utf-16-le")) // 2 if units == "utf-16" else len(text)
