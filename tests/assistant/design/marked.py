"""Verilog with marks: `§` is a cursor, `⟪name⟫` a declaration, `⟦name⟧` a use. The marks are taken out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

_MARK = re.compile(r"[§⟪⟫⟦⟧]")
_FILE = re.compile(r"^=== (\S+)\n", re.MULTILINE)

Span = tuple[str, int, int]
"""A file's name and the first and the last byte."""


@dataclass
class Marked:
    """Files without their marks, and where these stood."""

    files: dict[str, str] = field(default_factory=dict)
    cursors: list[tuple[str, int]] = field(default_factory=list)
    declarations: list[Span] = field(default_factory=list)
    uses: list[Span] = field(default_factory=list)

    def write(self, root: Path) -> Path:
        """Writes the files below a root."""
        for name, text in self.files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        return root


def read_marks(text: str, name: str = "a.sv") -> Marked:
    """Reads marked text; `=== name` lines divide it into files."""
    parts = _FILE.split(text)
    files = [(name, parts[0])] if parts[0].strip() else []
    files += list(zip(parts[1::2], parts[2::2], strict=True))
    marked = Marked()
    for file, content in files:
        _one(marked, file, content)
    return marked


def _one(marked: Marked, name: str, text: str) -> None:
    clean = b""
    at, start = 0, 0
    for match in _MARK.finditer(text):
        clean += text[at : match.start()].encode()
        at = match.end()
        if match[0] == "§":
            marked.cursors.append((name, len(clean)))
        elif match[0] in "⟪⟦":
            start = len(clean)
        else:
            (marked.declarations if match[0] == "⟫" else marked.uses).append((name, start, len(clean)))
    marked.files[name] = (clean + text[at:].encode()).decode()
