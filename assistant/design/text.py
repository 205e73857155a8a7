"""A file's text as slang reads it and as it lies on disk."""

from __future__ import annotations

from functools import cached_property


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
        before = self.content[:byte]
        start = before.rfind(b"\n") + 1
        column = before[start:]
        width = len(column.decode("utf-8", errors="replace")) if self.exact else len(column)
        return before.count(b"\n") + 1, width + 1
