"""The places that a report can mean: processes, assignments, instances, functions, parameters, the rest of a module."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree, find

_ABOVE_BYTES = 400
_HEADER_BYTES = 4000
_COMMENTS = re.compile(rb"//[^\n]*|/\*.*?\*/", re.S)
_PARAMETERS = ("parameter_declaration", "local_parameter_declaration")
_KINDS = {
    "always_construct": "process",
    "continuous_assign": "assignment",
    "module_instantiation": "instance",
    "function_declaration": "function",
    "task_declaration": "task",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A piece of RTL: bytes `start` to `end` of a file, lines from 1, both ends included."""

    path: str
    module: str
    kind: str
    start: int
    end: int
    first_line: int
    last_line: int
    targets: tuple[str, ...]
    """The signals that it drives."""
    names: frozenset[str]
    """The signals that it mentions."""
    text: str

    def __str__(self) -> str:
        what = f" of {', '.join(self.targets[:3])}" if self.targets else ""
        return f"{self.path}:{self.first_line}-{self.last_line} ({self.kind}{what} in {self.module})"


def places_of(contents: Mapping[str, bytes]) -> Iterator[Place]:
    """Every place of some files, in the order of their text."""
    for path, content in contents.items():
        tree = SyntaxTree(content)
        for module in tree.modules:
            yield from _module(path, content, Structure(tree, module))


def _module(path: str, content: bytes, structure: Structure) -> Iterator[Place]:
    assignments = [(one.node.start_byte, one.node.end_byte, one) for one in structure.assignments]
    taken: list[tuple[int, int]] = []
    for node in structure.nodes:
        kind = _KINDS.get(node.type)
        if kind is None or any(start <= node.start_byte and node.end_byte <= end for start, end in taken):
            continue
        taken.append((node.start_byte, node.end_byte))
        inside = [one for start, end, one in assignments if node.start_byte <= start and end <= node.end_byte]
        targets = tuple(dict.fromkeys(name for one in inside for name in one.targets))
        names = frozenset(structure.names(node))
        yield _place(path, content, structure.name, kind, (node.start_byte, node.end_byte), targets, names)
    for start, end, named in _parameters(content, structure):
        yield _place(path, content, structure.name, "parameters", (start, end), (), frozenset(named))
    whole = (structure.module.start_byte, structure.module.end_byte)
    yield _place(path, content, structure.name, "module", whole, (), frozenset(structure.signals))


def _parameters(content: bytes, structure: Structure) -> list[tuple[int, int, list[str]]]:
    """The parameters of a module, those together that nothing but comments and white space part."""
    found: list[tuple[int, int, list[str]]] = []
    for node in structure.nodes:
        if node.type not in _PARAMETERS:
            continue
        names = [structure.tree.text(one.children[0]) for one in find(node, ("param_assignment",)) if one.children]
        between = content[found[-1][1] : node.start_byte] if found else b"x"
        if found and not _COMMENTS.sub(b"", between).strip(b";, \t\r\n"):
            found[-1] = (found[-1][0], node.end_byte, [*found[-1][2], *names])
        else:
            found.append((node.start_byte, node.end_byte, names))
    return found


def _place(
    path: str,
    content: bytes,
    module: str,
    kind: str,
    span: tuple[int, int],
    targets: tuple[str, ...],
    names: frozenset[str],
) -> Place:
    start, end = span
    # A comment above belongs to what it stands over.
    above = content[max(0, start - _ABOVE_BYTES) : start].rpartition(b"\n\n")[2]
    text = content[start:end] if kind != "module" else content[start : start + _HEADER_BYTES]
    return Place(
        path=path,
        module=module,
        kind=kind,
        start=start,
        end=end,
        first_line=content.count(b"\n", 0, start) + 1,
        last_line=content.count(b"\n", 0, end) + 1,
        targets=targets,
        names=names,
        text=(above + text).decode("utf-8", errors="replace"),
    )
