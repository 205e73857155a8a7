"""What can be folded, and what a selection grows to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.syntax import descend

FoldKind: TypeAlias = Literal["region", "comment", "imports"]

_FOLDED = frozenset(
    """module_declaration interface_declaration package_declaration class_declaration program_declaration
    function_declaration task_declaration generate_block generate_region seq_block par_block case_statement
    case_generate_construct list_of_port_declarations parameter_port_list list_of_port_connections
    list_of_parameter_value_assignments data_type covergroup_declaration property_declaration sequence_declaration
    clocking_declaration constraint_block specify_block checker_declaration udp_declaration concatenation
    assignment_pattern""".split()  # noqa: SIM905 - a list of thirty words reads as a text
)
_DIRECTIVE = re.compile(rb"`(ifdef|ifndef|elsif|else|endif)\b")


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines that fold into the first of them; 0-based."""

    first: int
    last: int
    kind: FoldKind = "region"


def folds(source: Source) -> list[Fold]:
    """What can be folded in a file: blocks, lists, comments, `ifdef` branches."""
    found: dict[tuple[int, int], Fold] = {}
    for fold in (*_blocks(source), *_comments(source), *_branches(source)):
        if fold.last > fold.first:
            found.setdefault((fold.first, fold.last), fold)
    return sorted(found.values(), key=lambda fold: (fold.first, -fold.last))


def selections(source: Source, at: int) -> list[tuple[int, int]]:
    """The ranges of bytes around a place, the smallest first; each holds the one before it."""
    node = source.tree.root.descendant_for_byte_range(at, at)
    found: list[tuple[int, int]] = []
    while node is not None:
        place = (node.start_byte, node.end_byte)
        if not found or found[-1] != place:
            found.append(place)
        node = node.parent
    return found


def _blocks(source: Source) -> Iterator[Fold]:
    for node in descend(source.tree.root):
        if node.type in _FOLDED and node.end_point[0] > node.start_point[0]:
            yield Fold(node.start_point[0], node.end_point[0])


def _comments(source: Source) -> Iterator[Fold]:
    first = None
    lines = source.lines
    for number in range(len(lines) + 1):
        text = lines.text(number).lstrip() if number < len(lines) else b""
        if text.startswith(b"//"):
            first = number if first is None else first
        elif first is not None:
            yield Fold(first, number - 1, "comment")
            first = None
    for match in re.finditer(rb"/\*.*?\*/", source.content, re.DOTALL):
        yield Fold(lines.line(match.start()), lines.line(match.end()), "comment")


def _branches(source: Source) -> Iterator[Fold]:
    open_at: list[int] = []
    for match in _DIRECTIVE.finditer(source.content):
        line = source.lines.line(match.start())
        if match[1] in (b"else", b"elsif", b"endif") and open_at:
            yield Fold(open_at.pop(), line - 1)
        if match[1] != b"endif":
            open_at.append(line)
