"""What each name of a file is, for colours that know more than the grammar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.symbols.outline import Kind
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.events import CancelToken


@dataclass(frozen=True, slots=True)
class Colored:
    """A name, what it is, and what is special about it; bytes of the file."""

    start: int
    end: int
    kind: Kind
    is_declaration: bool
    is_constant: bool


def color(
    analysis: Analysis, source: Source, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
) -> Iterator[Colored]:
    """The names of a range of bytes in the order of the text; what is declared nowhere is left out."""
    last = len(source.content) if end is None else end
    found = sorted((at, name) for _, name, at in source.words.all() if start <= at < last)
    for index, (at, name) in enumerate(found):
        if cancel is not None and index % 256 == 0:
            cancel.check()
        symbol = analysis.lookup.at(source, at)
        if symbol is None:
            continue
        one = symbol.declaration
        is_declaration = symbol.source.path == source.path and any(each.at == at for each in symbol.declarations)
        constant = one.kind in ("parameter", "enum value", "genvar")
        yield Colored(at, at + len(name.encode()), one.kind, is_declaration, constant)
