"""The files that a file includes."""

from __future__ import annotations

from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.symbols.source import Source


def links(analysis: Analysis, source: Source) -> list[tuple[Place, Place | None]]:
    """Each included name and its file; none for one that is in no tree."""
    found: list[tuple[Place, Place | None]] = []
    for name, start, end in source.outline.includes:
        header = analysis.workspace.include(name, source)
        found.append((Place(source.path, start, end), Place(header.path, 0, 0) if header is not None else None))
    return found
