"""What can be written at a place: names that are seen there, ports of an instance, members, macros, snippets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.editing.hover import comment, declaration_text
from veriloop.assistant.design.symbols.keywords import DIRECTIVES, KEYWORDS
from veriloop.assistant.design.symbols.lookup import Symbol, call_before, name_before
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS, Declaration, Kind
from veriloop.assistant.design.symbols.source import Source

Offered: TypeAlias = Kind | Literal["keyword", "snippet", "file"]

_MOST = 150
_INSTANCE_LABEL = " instance"
_ANY_INSTANCE = 4
"""So many letters of the word *instance* offer every module's."""
_INSTANCE = "\0instance"
"""Stands for the text of a whole instance until it is known to be offered."""
_CONNECTABLE = frozenset({"port", "parameter"})
_ANYWHERE = frozenset({"package", "class", "type", "function", "task"})
_INSIDE_MODULES = frozenset({"module", "interface", "program", "checker", "block", "loop"})

SNIPPETS = {
    "always_ff": "always_ff @(posedge ${1:clk}) begin\n\t$0\nend",
    "always_comb": "always_comb begin\n\t$0\nend",
    "always": "always @(posedge ${1:clk}) begin\n\t$0\nend",
    "assign": "assign ${1:name} = ${0:value};",
    "case": "case (${1:selector})\n\t${2:value}: $0\n\tdefault: ;\nendcase",
    "for": "for (int ${1:i} = 0; ${1:i} < ${2:count}; ${1:i}++) begin\n\t$0\nend",
    "initial": "initial begin\n\t$0\nend",
    "generate for": "for (genvar ${1:i} = 0; ${1:i} < ${2:count}; ${1:i}++) begin : ${3:gen_name}\n\t$0\nend",
}
_TOP_SNIPPETS = {
    "module": "module ${1:name} (\n\tinput  logic clk,\n\t$0\n);\nendmodule",
    "package": "package ${1:name};\n\t$0\nendpackage",
    "interface": "interface ${1:name};\n\t$0\nendinterface",
}
_STATEMENT_SNIPPETS = frozenset({"case", "for"})


@dataclass(frozen=True, slots=True)
class Completion:
    """One thing that can be written."""

    label: str
    kind: Offered
    insert: str
    """What is written in its place; a snippet's has `$1` where the cursor goes."""
    is_snippet: bool = False
    detail: str = ""
    order: int = 0
    """Least first."""
    symbol: Symbol | None = None
    """What `describe_declaration` tells more about."""


_KEYWORDS = tuple(Completion(word, "keyword", word, order=7) for word in sorted(KEYWORDS))


@dataclass(frozen=True, slots=True)
class Completions:
    """What can be written at a place, and the bytes that it replaces."""

    start: int
    end: int
    items: tuple[Completion, ...]
    complete: bool
    """Whether nothing was left out."""


def complete(analysis: Analysis, source: Source, at: int) -> Completions:
    """What can be written at a byte, by what stands before it."""
    content = source.content
    start = at
    while start > 0 and (content[start - 1 : start].isalnum() or content[start - 1 : start] in (b"_", b"$")):
        start -= 1
    typed = content[start:at].decode("utf-8", errors="replace")
    if in_comment_or_string(source, start):
        return Completions(start, at, (), True)
    chosen = _matching(_items(analysis, source, start, typed.lower()), typed.lower())
    offered = tuple(_written_out(item) for item in chosen[:_MOST])
    return Completions(start, at, offered, len(chosen) <= _MOST)


def describe_declaration(analysis: Analysis, path: Path, at: int) -> tuple[str, str]:
    """The declaration whose name starts at a byte of a file, and its comment; empty if none does any more."""
    source = analysis.workspace.source(path)
    index = source.outline.by_place.get(at) if source is not None else None
    if source is None or index is None:
        return "", ""
    one = source.outline.declarations[index]
    return declaration_text(source, one), comment(source, one)


def _items(analysis: Analysis, source: Source, start: int, wanted: str) -> Iterator[Completion]:
    """What can be written; of the names of all files only those that hold the wanted letters."""
    content = source.content
    before = content[start - 1 : start]
    if before == b"`":
        yield from _macros(analysis, wanted)
    elif content[start - 2 : start] == b"::":
        word = name_before(content, start - 2)
        found = analysis.lookup.at(source, word[1]) if word is not None else None
        if found is None and word is not None:
            found = _package(analysis, source, word[0])
        yield from _members(analysis, found, wanted) if found is not None else ()
    elif before == b".":
        previous = content[start - 2 : start - 1]
        if previous.isalnum() or previous in (b"_", b"]", b")"):
            word = name_before(content, start - 1)
            found = analysis.lookup.at(source, word[1]) if word is not None else None
            yield from _members(analysis, found, wanted) if found is not None else ()
        else:
            yield from _connections(analysis, source, start)
    else:
        yield from _seen(analysis, source, start, wanted)


def _package(analysis: Analysis, source: Source, name: str) -> Symbol | None:
    places = [place for place in analysis.workspace.top(name) if place[1].kind in ("package", "class")]
    return Symbol(places[0][0], 0, name, False, str(places[0][0].path), (places[0][1],)) if places else None


def _macros(analysis: Analysis, wanted: str) -> Iterator[Completion]:
    for name, (source, one) in analysis.workspace.top_names(wanted):
        if one.kind == "macro":
            arguments = [inner.name for inner in source.outline.declarations if inner.scope == one.inner]
            insert = (
                f"{name}({', '.join(f'${{{i}:{text}}}' for i, text in enumerate(arguments, 1))})" if arguments else name
            )
            yield Completion(name, "macro", insert, bool(arguments), source.path.name, 1, _symbol(source, one))
    for name in sorted(DIRECTIVES):
        yield Completion(name, "keyword", name, order=2)


def _members(analysis: Analysis, symbol: Symbol, wanted: str) -> Iterator[Completion]:
    for source, scope in analysis.lookup.scopes(symbol):
        yield from _of_scope(source, scope, 0, wanted)
        for name in source.outline.scopes[scope].includes:
            header = analysis.workspace.include(name, source)
            if header is not None:
                yield from _of_scope(header, 0, 0, wanted)


def _connections(analysis: Analysis, source: Source, start: int) -> Iterator[Completion]:
    """The ports or parameters that an instance has not connected yet; else the arguments of a call."""
    owner = owner_at(analysis, source, start)
    if owner is None:
        return
    unit, wants_parameters = owner
    instance = source.outline.instance_at(start)
    taken: set[str] = set()
    if instance is not None:
        taken = {
            name
            for name, places in source.words.connection.items()
            for place in places
            if instance.start <= place < instance.end
            and (place < instance.ports_at) == wants_parameters
            and place != start
        }
    for one in connectable(unit):
        if one.name in taken or (one.kind == "parameter") != wants_parameters:
            continue
        detail = one.direction or one.kind
        known = analysis.lookup.visible(source, start)
        same = any(one.name in where.outline.scopes[scope].names for where, scope in known if scope > 0)
        value = one.name if same and not wants_parameters else ""
        after = source.content[start:].lstrip(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$")[:1]
        insert = one.name if after == b"(" else f"{one.name}(${{1:{value}}})"
        yield Completion(one.name, one.kind, insert, after != b"(", detail, 0, _symbol(unit.source, one))


def owner_at(analysis: Analysis, source: Source, start: int) -> tuple[Symbol, bool] | None:
    """The module or function in whose parenthesis a byte stands, and whether it is that of the parameters."""
    instance = source.outline.instance_at(start)
    if instance is not None:
        unit = analysis.lookup.unit(instance.module, source)
        return (unit, start < instance.ports_at) if unit is not None else None
    owner = call_before(source.content, start)
    if owner is None:
        return None
    head, module = owner
    if module is not None:
        unit = analysis.lookup.unit(module, source)
        opening = source.content.rfind(b"(", 0, start)
        return (unit, source.content[:opening].rstrip().endswith(b"#")) if unit is not None else None
    called = analysis.lookup.at(source, head)
    return (called, False) if called is not None else None


def connectable(unit: Symbol) -> list[Declaration]:
    """The ports and parameters of a module, the arguments of a function or a macro, in the order of the text."""
    inner = {one.inner for one in unit.declarations if one.inner >= 0}
    kinds = _CONNECTABLE if unit.declaration.kind in DESIGN_UNITS else {"argument", "macro argument"}
    found = [one for one in unit.source.outline.declarations if one.scope in inner and one.kind in kinds]
    local = {one.at for one in found if unit.source.text(one.start, one.at).lstrip().startswith("localparam")}
    return [one for one in found if one.at not in local]


def _seen(analysis: Analysis, source: Source, start: int, wanted: str) -> Iterator[Completion]:
    order = 0
    for where, scope in analysis.lookup.visible(source, start):
        yield from _of_scope(where, scope, order, wanted)
        outline_scope = where.outline.scopes[scope]
        if outline_scope.base_at >= 0:
            base = analysis.lookup.at(where, outline_scope.base_at)
            yield from _members(analysis, base, wanted) if base is not None else ()
        for name in outline_scope.includes:
            header = analysis.workspace.include(name, where)
            if header is not None:
                yield from _of_scope(header, 0, order + 1, wanted)
        for package, item in outline_scope.imports:
            found = _package(analysis, where, package)
            for offered in _members(analysis, found, wanted) if found is not None else ():
                if item in ("*", offered.label):
                    yield offered
        order = min(order + 1, 3)
    kind = source.outline.scopes[source.outline.scope_at(start)].kind
    any_instance = len(wanted) >= _ANY_INSTANCE and wanted in _INSTANCE_LABEL
    for name, (where, one) in analysis.workspace.top_names("" if any_instance else wanted):
        is_unit = one.kind in DESIGN_UNITS and kind in _INSIDE_MODULES
        if not is_unit and one.kind not in _ANYWHERE:
            continue
        symbol = _symbol(where, one)
        yield Completion(name, one.kind, name, detail=where.path.name, order=5, symbol=symbol)
        if is_unit:
            label = f"{name}{_INSTANCE_LABEL}"
            yield Completion(label, "snippet", _INSTANCE, True, "instance with all ports", 6, symbol)
    snippets = _TOP_SNIPPETS if kind in ("file", "package") else SNIPPETS
    for label, body in snippets.items():
        if kind != "function" or label in _STATEMENT_SNIPPETS:
            yield Completion(label, "snippet", body, True, "snippet", 6)
    yield from (word for word in _KEYWORDS if wanted in word.label)


def _written_out(item: Completion) -> Completion:
    """A module's instance with all its ports, ready to be connected; anything else as it is."""
    if item.insert != _INSTANCE or item.symbol is None:
        return item
    name, outline = item.symbol.name, item.symbol.source.outline
    declared, ports = outline.declarations, []
    for scope in [one.inner for one in item.symbol.declarations if one.inner >= 0][:1]:
        for port, (first, *others) in outline.scopes[scope].names.items():
            # A port that is declared in the header and again in the body is one port.
            if declared[first].kind == "port" or (others and any(declared[one].kind == "port" for one in others)):
                ports.append(port)
    lines = [f"\t.{port}(${{{index}:{port}}})" for index, port in enumerate(ports, 2)]
    body = f"{name} ${{1:u_{name}}} (\n" + ",\n".join(lines) + "\n);"
    return replace(item, insert=body)


def _of_scope(source: Source, scope: int, order: int, wanted: str) -> Iterator[Completion]:
    for name, indices in source.outline.scopes[scope].names.items():
        if wanted not in name.lower():
            continue
        one = source.outline.declarations[indices[0]]
        if one.kind == "macro":
            continue
        yield Completion(
            name, one.kind, name, detail=one.direction or one.kind, order=order, symbol=_symbol(source, one)
        )


def _symbol(source: Source, one: Declaration) -> Symbol:
    return Symbol(source, one.scope, one.name, one.kind == "macro", str(source.path), (one,))


def _matching(items: Iterable[Completion], wanted: str) -> list[Completion]:
    """Those that the wanted small letters begin or occur in, each label once, the nearest first."""
    best: dict[tuple[str, bool], tuple[int, Completion]] = {}
    for item in items:
        label = item.label.lower()
        if label.startswith(wanted):
            rank = 0
        elif wanted in label:
            rank = 20
        else:
            continue
        key = (item.label, item.kind == "snippet")
        if key not in best or rank + item.order < best[key][0]:
            best[key] = (rank + item.order, item)
    return [item for _, item in sorted(best.values(), key=lambda entry: (entry[0], entry[1].label))]


def in_comment_or_string(source: Source, at: int) -> bool:
    """Whether a byte stands in a line comment, a block comment or a string."""
    line_start = source.content.rfind(b"\n", 0, at) + 1
    line = source.content[line_start:at]
    quotes = False
    for index, byte in enumerate(line):
        if byte == 0x22 and line[index - 1 : index] != b"\\":
            quotes = not quotes
        elif not quotes and line[index : index + 2] == b"//":
            return True
    opened = source.content.rfind(b"/*", 0, at)
    return quotes or (
        opened >= 0 and source.content.find(b"*/", opened, at) < 0 and b"*/" not in source.content[opened:at]
    )
