"""What a file says about itself without any other file: what it declares, instantiates, includes and imports.

Much cheaper than elaboration, and works for a file whose macros and headers are nowhere. What stands in a branch of an
`ifdef` that is not taken without macros is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import pyslang
from pyslang import syntax

from veriloop.assistant.design.text import SourceText

UnitKind = Literal["module", "interface", "program", "primitive"]

_KIND = syntax.SyntaxKind
_UNITS: dict[syntax.SyntaxKind, UnitKind] = {
    _KIND.ModuleDeclaration: "module",
    _KIND.InterfaceDeclaration: "interface",
    _KIND.ProgramDeclaration: "program",
}
_INCLUDE = re.compile(rb'^[ \t]*`include\s+"([^"\n]+)"', re.M)
_SCOPED = re.compile(rb"\b([A-Za-z_]\w*)\s*::")
_TEST = re.compile(rb"\$(?:finish|fatal|error|stop|display|monitor|dumpvars)\b")
_DELAY = re.compile(rb"#\s*[\d(`A-Za-z_]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A module, interface, program or primitive as its text declares it."""

    name: str
    kind: UnitKind
    ports: int
    """How many ports its header lists."""
    instantiates: tuple[str, ...] = ()
    """Names of what it instantiates, each once."""
    binds: tuple[str, ...] = ()
    """Modules into which it binds something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What a file says about itself."""

    units: tuple[Unit, ...] = ()
    packages: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    """Names before a `::`, packages and classes alike."""
    includes: tuple[str, ...] = ()
    binds: tuple[tuple[str, str], ...] = ()
    """`bind` directives outside every module: what is bound, and into what."""
    drives: bool = field(default=False)
    """Whether it delays, prints or ends the simulation, as testbenches do."""


def file_facts(content: bytes) -> FileFacts:
    """Reads one file, whatever is wrong with it."""
    manager = pyslang.SourceManager()
    tree = syntax.SyntaxTree.fromBuffers(cast(Any, [manager.assignText(SourceText(content).text)]), manager)
    root = cast(Any, tree.root)
    units: list[Unit] = []
    packages: list[str] = []
    binds: list[tuple[str, str]] = []
    for member in getattr(root, "members", ()):
        if isinstance(member, syntax.ModuleDeclarationSyntax):
            name = member.header.name.valueText
            if member.kind == _KIND.PackageDeclaration:
                packages.append(name)
            elif name:
                units.append(_unit(member, name))
        elif isinstance(member, syntax.UdpDeclarationSyntax):
            units.append(Unit(name=member.name.valueText, kind="primitive", ports=1))
        elif member.kind == _KIND.BindDirective:
            binds += _bind(member)
    return FileFacts(
        units=tuple(unit for unit in units if unit.name),
        packages=tuple(filter(None, packages)),
        scopes=_texts(_SCOPED, content),
        includes=_texts(_INCLUDE, content),
        binds=tuple(binds),
        drives=bool(_TEST.search(content) and _DELAY.search(content)),
    )


def _unit(declaration: Any, name: str) -> Unit:
    members = list(_flat(declaration.members))
    instantiates = [one.type.valueText for one in members if one.kind == _KIND.HierarchyInstantiation]
    binds = [pair for one in members if one.kind == _KIND.BindDirective for pair in _bind(one)]
    return Unit(
        name=name,
        kind=_UNITS.get(declaration.kind, "module"),
        ports=_ports(declaration.header),
        instantiates=tuple(dict.fromkeys(filter(None, (*instantiates, *(bound for bound, _ in binds))))),
        binds=tuple(dict.fromkeys(target for _, target in binds)),
    )


def _flat(members: Iterable[Any]) -> Iterator[Any]:
    """The members of a module, those in generate blocks among them."""
    for member in members:
        kind = member.kind
        if kind in (_KIND.GenerateRegion, _KIND.GenerateBlock):
            yield from _flat(member.members)
        elif kind == _KIND.LoopGenerate:
            yield from _flat([member.block])
        elif kind == _KIND.IfGenerate:
            yield from _flat([member.block])
            if member.elseClause is not None:
                yield from _flat([member.elseClause.clause])
        elif kind == _KIND.CaseGenerate:
            yield from _flat(item.clause for item in member.items if getattr(item, "clause", None) is not None)
        else:
            yield member


def _bind(directive: Any) -> list[tuple[str, str]]:
    bound = getattr(directive.instantiation, "type", None)
    return [(bound.valueText, str(directive.target).strip())] if bound is not None else []


def _ports(header: Any) -> int:
    ports = getattr(header.ports, "ports", None)
    # A list of nodes and of the commas between them.
    return sum(isinstance(one, syntax.SyntaxNode) for one in ports) if ports is not None else 0


def _texts(pattern: re.Pattern[bytes], content: bytes) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found.decode("latin-1") for found in pattern.findall(content)))
