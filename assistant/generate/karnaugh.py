"""Karnaugh maps in text, with their rows and columns in any order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.generate.interface import Bit, Interface
from veriloop.assistant.generate.text import bare_lines
from veriloop.assistant.generate.truth_table import TruthTable

_ROW = re.compile(r"^\s*\|?\s*([01]+)\s*[|:]?\s+?(.*\S)\s*$")
_LABELS = re.compile(r"^(.*?)((?:[\s|]*\b[01]+\b)+)[\s|]*$")
_CELL = {"0": "0", "1": "1", "d": "-", "x": "-", "-": "-", "*": "-", "dc": "-"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A map as it is drawn: what stands over the columns and before the rows, and the cells."""

    row_names: str
    column_names: str
    column_labels: tuple[str, ...]
    row_labels: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    """Rows of `0`, `1` and `-`."""


def read_karnaugh(text: str, interface: Interface) -> TruthTable | None:
    """The function of the map in a specification; none if there is no map, or it is not about these ports."""
    tables = [table for grid in grids(text) if (table := _table(grid, interface)) is not None]
    outputs = {bit for table in tables for bit in table.outputs}
    return tables[0] if len(tables) == 1 and outputs else None


def grids(text: str) -> list[Grid]:
    """All maps in a text."""
    lines = list(_plain(bare_lines(text)))
    found: list[Grid] = []
    for number, line in enumerate(lines):
        labels = _LABELS.match(line)
        if labels is None:
            continue
        columns = tuple(re.findall(r"[01]+", labels[2]))
        rows = _rows(lines[number + 1 :], len(columns))
        if not rows or not _distinct(columns) or not _distinct([label for label, _ in rows]):
            continue
        before = labels[1].strip(" |")
        above = lines[number - 1].strip(" |") if number else ""
        row_names, column_names = _names(before, above)
        found.append(
            Grid(
                row_names=row_names,
                column_names=column_names,
                column_labels=columns,
                row_labels=tuple(label for label, _ in rows),
                cells=tuple(cells for _, cells in rows),
            )
        )
    return found


_LABEL = re.compile(r"(\w+)\s*=\s*([01]+)\b")


def _plain(lines: list[str]) -> Iterator[str]:
    """The lines with labels such as `ab=01` as most people draw them: the names in the corner, the bits alone."""
    inside = False
    for number, line in enumerate(lines):
        labels = _LABEL.findall(line)
        if len(labels) > 1 and len({name for name, _ in labels}) == 1 and not _LABEL.sub("", line).strip(" |"):
            rows = (_LABEL.match(below.strip(" |")) for below in lines[number + 1 :])
            first = next((row[1] for row in rows if row is not None), "")
            inside = bool(first)
            yield f"{first}\\{labels[0][0]}  " + "  ".join(bits for _, bits in labels)
            continue
        row = _LABEL.match(line.strip(" |")) if inside else None
        inside = inside and (row is not None or not line.strip(" |+-=:"))
        yield line if row is None else f"{row[2]} {line.strip(' |')[row.end() :]}"


def _rows(lines: list[str], width: int) -> list[tuple[str, tuple[str, ...]]]:
    found: list[tuple[str, tuple[str, ...]]] = []
    for line in lines:
        if re.fullmatch(r"[\s|+=:-]*", line):
            if found and not line.strip():
                break
            continue
        match = _ROW.match(line)
        values = [_CELL.get(cell.lower()) for cell in re.findall(r"[^\s|]+", match[2])] if match else []
        if match is None or len(values) != width or None in values:
            break
        found.append((match[1], tuple(value for value in values if value is not None)))
    return found


def _distinct(labels: tuple[str, ...] | list[str]) -> bool:
    """Whether labels are all the words of their width."""
    width = len(labels[0])
    return len(set(labels)) == len(labels) == 1 << width and all(len(label) == width for label in labels)


def _names(before: str, above: str) -> tuple[str, str]:
    """The names of the rows' and of the columns' variables."""
    for text in (before, above):
        parts = re.split(r"\s*[\\/]\s*", text)
        if len(parts) == 2 and all(parts):
            # As `cd\ab`: rows first.
            return parts[0], parts[1]
    return before, above


def _table(grid: Grid, interface: Interface) -> TruthTable | None:
    rows, columns = interface.word(grid.row_names), interface.word(grid.column_names)
    width_of_rows, width_of_columns = len(grid.row_labels[0]), len(grid.column_labels[0])
    if rows is None or len(rows) != width_of_rows or not rows:
        return None
    single = [port for port in interface.outputs if port.width_bits == 1]
    if columns is not None and len(columns) == width_of_columns and len(single) == 1 == len(interface.outputs):
        inputs = (*rows, *columns)
        if len(set(inputs)) != len(inputs) or not _are_inputs(inputs, interface):
            return None
        cells = {
            int(row + column, 2): value
            for row, values in zip(grid.row_labels, grid.cells, strict=True)
            for column, value in zip(grid.column_labels, values, strict=True)
        }
        return TruthTable(inputs=inputs, outputs=(Bit(single[0].name),), rows=cells)
    if columns is None and len(interface.outputs) == 1 and _are_inputs(rows, interface):
        return _per_column(grid, rows, interface)
    return None


def _per_column(grid: Grid, rows: tuple[Bit, ...], interface: Interface) -> TruthTable | None:
    """The columns are what a multiplexer selects by: each is a function of the rows on a bit of the output."""
    output = interface.outputs[0]
    if output.width_bits != len(grid.column_labels):
        return None
    order = sorted(range(len(grid.column_labels)), key=lambda place: -int(grid.column_labels[place], 2))
    return TruthTable(
        inputs=rows,
        outputs=interface.bits(output),
        rows={
            int(label, 2): "".join(values[place] for place in order)
            for label, values in zip(grid.row_labels, grid.cells, strict=True)
        },
    )


def _are_inputs(bits: tuple[Bit, ...], interface: Interface) -> bool:
    names = {port.name for port in interface.inputs}
    return all(bit.port in names for bit in bits)
