"""Tables of cells between bars, as plain text and Markdown have them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.generate.text import bare_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A header and rows of as many cells."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(text: str) -> Iterator[Table]:
    """The tables of a text that have a header and a row."""
    waiting: list[tuple[str, ...]] = []
    for line in [*bare_lines(text), ""]:
        cells = _cells(line)
        if cells is None and re.fullmatch(r"[\s|+:=-]+", line) and waiting:
            continue
        if cells is None or (waiting and len(cells) != len(waiting[0])):
            if len(waiting) > 1:
                yield Table(header=waiting[0], rows=tuple(waiting[1:]))
            waiting = []
        if cells is not None:
            waiting.append(cells)


def _cells(line: str) -> tuple[str, ...] | None:
    if "|" not in line or re.fullmatch(r"[\s|+:=-]+", line):
        return None
    # `||` is an operator of prose, and bars at both ends belong to the frame.
    text = line.strip().removeprefix("|").removesuffix("|")
    return tuple(cell.strip() for cell in text.split("|"))
