"""Elaboration, by slang: diagnostics, modules with resolved widths, hierarchy, signals.

Broken RTL is a value with diagnostics, never an exception. All sources are read in order as one compilation unit, as
Verilator and Icarus read them, so that macros reach the files after them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, cast

import pyslang
from pyslang import ast, syntax

from veriloop.assistant.design.leniency import (
    DOWNGRADED,
    MISSING_MODULE,
    MISSING_NAME,
    ONE_SIDED,
    UPGRADED,
    slang_options,
)
from veriloop.assistant.design.model import Design, Diagnostic, Direction, Module, Port, Severity, Span
from veriloop.assistant.design.text import SourceText

SignalKind = Literal["net", "variable", "parameter", "enum value", "genvar"]

_MAX_LIBRARY_ROUNDS = 20
"""How deep a chain of modules from library directories may be."""
_MAX_DEPTH = 100
_MAX_INSTANCES = 100_000
"""A module that instantiates itself has no end; slang reports it, and nothing here may follow it."""

_SEVERITIES: Mapping[pyslang.DiagnosticSeverity, Severity] = {
    pyslang.DiagnosticSeverity.Note: "note",
    pyslang.DiagnosticSeverity.Warning: "warning",
    pyslang.DiagnosticSeverity.Error: "error",
    pyslang.DiagnosticSeverity.Fatal: "error",
}
_DIRECTIONS: Mapping[ast.ArgumentDirection, Direction] = {
    ast.ArgumentDirection.In: "input",
    ast.ArgumentDirection.Out: "output",
    ast.ArgumentDirection.InOut: "inout",
    ast.ArgumentDirection.Ref: "ref",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A name that has a value in an elaborated module.

    `width_bits` is that of one word for a memory, and 0 for what has no bits (a real, a string).
    """

    name: str
    width_bits: int
    signed: bool
    kind: SignalKind
    is_memory: bool = False
    """Whether it has an unpacked dimension."""
    direction: Direction | None = None
    """A port's direction; none for what is no port."""


class Elaboration:
    """An elaborated design. What it holds is worked out when it is asked for.

    Attributes:
        design: what was elaborated.
        root: slang's root of the instance tree; for the modules of this package alone.
    """

    def __init__(
        self,
        design: Design,
        texts: Mapping[Path, SourceText],
        libraries: Mapping[Path, SourceText],
        *,
        separate: bool = False,
        strict: bool = False,
    ) -> None:
        self.design = design
        self._upgraded = UPGRADED | ONE_SIDED if strict else UPGRADED
        self._texts = texts
        self._manager = pyslang.SourceManager()
        self._buffers: dict[int, tuple[Path, SourceText]] = {}
        bag = slang_options(design, max_depth=_MAX_DEPTH, strict=strict)
        for path in texts.keys() - set(design.sources) - libraries.keys():
            # An overridden header: an assigned buffer comes before the file on disk.
            self._assign(path)
        sources = [
            self._assign(path)
            for path in (*design.sources, *libraries)
            # A file that is named twice, perhaps in two spellings, is read once.
            if path in texts and not self._manager.isCached(str(path))
        ]
        self.compilation = ast.Compilation(bag)
        for unit in [[source] for source in sources] if separate else filter(None, [sources]):
            tree = syntax.SyntaxTree.fromBuffers(cast(Any, unit), self._manager, bag)
            self.compilation.addSyntaxTree(tree)
        self._unread = [path for path in design.sources if path not in texts]

    def _assign(self, path: Path) -> pyslang.SourceBuffer:
        text = self._texts[path]
        buffer = self._manager.assignText(str(path), text.text)
        self._buffers[buffer.id.id] = (path, text)
        return buffer

    @cached_property
    def _raw(self) -> list[pyslang.Diagnostic]:
        return list(self.compilation.getAllDiagnostics())

    @cached_property
    def _engine(self) -> pyslang.DiagnosticEngine:
        return pyslang.DiagnosticEngine(self._manager)

    @cached_property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """All that slang says, in the order of the design."""
        return (*self._unreadable(), *(self._diagnostic(raw) for raw in self._raw))

    @cached_property
    def errors(self) -> tuple[Diagnostic, ...]:
        """What keeps the design from being built; a missing module is no error (see `missing_modules`)."""
        found = (self._diagnostic(raw) for raw in self._raw if raw.isError() or _code(raw) in self._upgraded)
        return (*self._unreadable(), *(diagnostic for diagnostic in found if diagnostic.severity == "error"))

    @cached_property
    def missing_modules(self) -> tuple[str, ...]:
        """Modules that are instantiated and defined nowhere, sorted."""
        return self._named_in(MISSING_MODULE)

    @property
    def declared_modules(self) -> tuple[str, ...]:
        """All modules, interfaces and programs of the files, instantiated or not, sorted; none that stand in others."""
        definitions = self.compilation.getDefinitions()
        return tuple(sorted({symbol.name for symbol in definitions if symbol.lexicalPath == symbol.name}))

    @cached_property
    def missing_names(self) -> tuple[str, ...]:
        """Names that mean nothing, sorted; packages and interfaces that stand in other files are among them."""
        return self._named_in(MISSING_NAME)

    @cached_property
    def missing_includes(self) -> tuple[str, ...]:
        """Files that are included and not found, as the text names them, sorted."""
        return self._named_in({"CouldNotOpenIncludeFile"})

    def _named_in(self, codes: Collection[str]) -> tuple[str, ...]:
        """The first argument of the diagnostics with these codes."""
        return tuple(sorted({str(raw.args[0]) for raw in self._raw if _code(raw) in codes and raw.args}))

    @cached_property
    def root(self) -> ast.RootSymbol:
        """The root of the instance tree."""
        # Diagnostics first: they elaborate everything, and what is asked for later only reads.
        assert self._raw is not None
        return self.compilation.getRoot()

    @property
    def tops(self) -> tuple[str, ...]:
        """The modules at the top of the hierarchy."""
        return tuple(top.definition.name for top in self.root.topInstances)

    @cached_property
    def instances(self) -> Mapping[str, ast.InstanceSymbol]:
        """The module and interface instances by hierarchical path, parents first."""
        return dict(self._walk())

    @property
    def is_whole(self) -> bool:
        """Whether nothing is broken, and `instances` are all that there are."""
        deepest = max((path.count(".") for path in self.instances), default=0)
        return not self.errors and len(self.instances) < _MAX_INSTANCES and deepest + 1 < _MAX_DEPTH

    @property
    def hierarchy(self) -> Mapping[str, str]:
        """Instance path to module name, parents first."""
        return {path: instance.definition.name for path, instance in self.instances.items()}

    @cached_property
    def modules(self) -> Mapping[str, Module]:
        """The modules that are part of the hierarchy, each as its first instance is elaborated."""
        return {name: self._module(instance) for name, instance in self.bodies.items()}

    @cached_property
    def bodies(self) -> Mapping[str, ast.InstanceSymbol]:
        """The first instance of each module."""
        found: dict[str, ast.InstanceSymbol] = {}
        for instance in self.instances.values():
            found.setdefault(instance.definition.name, instance)
        return found

    def signals(self, module: str) -> Mapping[str, Signal]:
        """The nets, variables, parameters and enum values of a module, generate blocks included.

        A name in a generate or a named block is written with its block, as in `lanes[0].sum`.
        """
        instance = self.bodies.get(module)
        if instance is None:
            return {}
        directions = {port.name: port.direction for port in self._ports(instance)}
        found: dict[str, Signal] = {}
        for name, symbol in members(instance.body):
            signal = _signal(name, symbol, directions.get(name))
            if signal is not None:
                found.setdefault(name, signal)
        return found

    def assigned_widths(self) -> Mapping[tuple[Path, int], frozenset[int]]:
        """The widths in bits that values are assigned to, over all instances.

        The key is the file and the byte at which an assignment's left side, a declared net with a value, or what an
        port is connected to, starts. What is no vector of bits, and what an output is connected to, is 0 bits wide.
        """
        found: dict[tuple[Path, int], set[int]] = {}
        for instance in self.instances.values():
            for source_range, kind in _assigned(instance):
                span = self.span(source_range)
                if span is not None:
                    width_bits = kind.bitWidth if kind is not None and kind.isIntegral else 0
                    found.setdefault((span.path, span.start), set()).add(width_bits)
        return {key: frozenset(widths if 0 not in widths else {0}) for key, widths in found.items()}

    @property
    def overridden_parameters(self) -> frozenset[str]:
        """The names of parameters that some instance, or the command line, gives another value."""
        return frozenset(
            parameter.name
            for instance in self.instances.values()
            for parameter in instance.body.parameters
            if isinstance(parameter, ast.ParameterSymbol) and parameter.isOverridden
        )

    def span(self, source_range: pyslang.SourceRange) -> Span | None:
        """Where a range of slang's lies in a file that was given; none for text out of a header or a macro's body."""
        if source_range is None:
            return None
        start = self._manager.getFullyExpandedLoc(source_range.start)
        end = self._manager.getFullyExpandedLoc(source_range.end)
        known = self._buffers.get(start.buffer.id)
        if known is None or end.buffer.id != start.buffer.id:
            return None
        path, text = known
        first = text.byte(start.offset)
        line, column = text.position(first)
        return Span(path=path, start=first, end=max(first, text.byte(end.offset)), line=line, column=column)

    def _walk(self) -> Iterator[tuple[str, ast.InstanceSymbol]]:
        waiting = [(1, instance) for instance in reversed(self.root.topInstances)]
        for _ in range(_MAX_INSTANCES):
            if not waiting:
                return
            depth, instance = waiting.pop()
            yield instance.hierarchicalPath, instance
            if depth < _MAX_DEPTH:
                waiting.extend((depth + 1, child) for child in reversed(list(child_instances(instance.body))))

    def _module(self, instance: ast.InstanceSymbol) -> Module:
        parameters = tuple(
            (parameter.name, str(parameter.value))
            for parameter in instance.body.parameters
            if isinstance(parameter, ast.ParameterSymbol)
        )
        path, _, _ = self._place(instance.definition.location)
        ports = tuple(self._ports(instance))
        return Module(
            name=instance.definition.name, ports=ports, parameters=parameters, path=Path(path) if path else None
        )

    def _ports(self, instance: ast.InstanceSymbol) -> Iterator[Port]:
        for port in instance.body.portList:
            if isinstance(port, ast.PortSymbol) and not port.isNullPort:
                yield Port(
                    name=port.name,
                    direction=_DIRECTIONS[port.direction],
                    width_bits=port.type.bitWidth,
                    signed=port.type.isSigned,
                    type=str(port.type),
                )

    def _unreadable(self) -> list[Diagnostic]:
        return [
            Diagnostic(
                path=str(path),
                line=0,
                column=0,
                severity="error",
                code="NoSuchFile",
                message="cannot be read",
                tool="slang",
            )
            for path in self._unread
        ]

    def _diagnostic(self, raw: pyslang.Diagnostic) -> Diagnostic:
        code = _code(raw)
        severity = _SEVERITIES.get(self._engine.getSeverity(raw.code, raw.location), "note")
        if code in DOWNGRADED and severity == "error":
            severity = "warning"
        elif code in self._upgraded:
            severity = "error"
        path, line, column = self._place(raw.location)
        message = self._engine.formatMessage(raw)
        return Diagnostic(
            path=path, line=line, column=column, severity=severity, code=code, message=message, tool="slang"
        )

    def _place(self, location: pyslang.SourceLocation) -> tuple[str, int, int]:
        """File, line and column; a place in a macro's body is where the macro is used."""
        expanded = self._manager.getFullyExpandedLoc(location)
        known = self._buffers.get(expanded.buffer.id)
        if known is not None:
            path, text = known
            return str(path), *text.position(text.byte(expanded.offset))
        if not self._manager.isFileLoc(expanded):
            return "", 0, 0
        full = str(self._manager.getFullPath(expanded.buffer))
        return full, self._manager.getLineNumber(expanded), self._manager.getColumnNumber(expanded)


class Elaborator:
    """Elaborates one design again and again with some of its files changed. The files on disk are read once."""

    def __init__(self, design: Design, overrides: Mapping[Path, bytes] | None = None) -> None:
        self.design = design
        self._texts = _read((*design.sources, *design.library_files))
        self._texts |= {path: SourceText(content) for path, content in (overrides or {}).items()}
        self._libraries = {path: self._texts[path] for path in design.library_files if path in self._texts}
        if design.library_dirs:
            self._complete()

    def elaborate(
        self, overrides: Mapping[Path, bytes] | None = None, *, separate: bool = False, strict: bool = False
    ) -> Elaboration:
        """The design with these contents in place of those on disk.

        Args:
            overrides: the contents.
            separate: each file is a compilation unit of its own: one that is broken cannot swallow those after it, and
                macros reach no other file.
            strict: what one of the simulators rejects is an error, even where the other lets it pass.
        """
        texts = {**self._texts, **{path: SourceText(content) for path, content in (overrides or {}).items()}}
        return Elaboration(self.design, texts, self._libraries, separate=separate, strict=strict)

    def errors(self, overrides: Mapping[Path, bytes] | None = None) -> tuple[Diagnostic, ...]:
        """What keeps the design from being built with these contents; 0.1 to 10 ms."""
        return self.elaborate(overrides).errors

    def objections(self, overrides: Mapping[Path, bytes]) -> tuple[Diagnostic, ...]:
        """What keeps a simulator that takes the design as it is from taking it with these contents; 0.1 to 10 ms.

        A change that only one of them lets pass is none that anybody wants, and no two could judge it.
        """
        found = self.elaborate(overrides, strict=True).errors
        new = tuple(error for error in found if error.code not in self._tolerated)
        return new or (self.errors(overrides) if found else ())

    @cached_property
    def _tolerated(self) -> frozenset[str]:
        """The codes of what one simulator would not let pass and stands in the design as it is."""
        return frozenset(error.code for error in self.elaborate(strict=True).errors)

    def _complete(self) -> None:
        """Adds the files of missing modules from the library directories (`-y`)."""
        for _ in range(_MAX_LIBRARY_ROUNDS):
            found = dict(_library_files(self.design, self.elaborate().missing_modules))
            new = {path: text for path, text in found.items() if path not in self._texts}
            if not new:
                return
            self._texts |= new
            self._libraries |= new


def elaborate(design: Design, overrides: Mapping[Path, bytes] | None = None) -> Elaboration:
    """Elaborates a design.

    Args:
        design: its files; relative paths are relative to where this process runs.
        overrides: contents in place of those on disk, sources and headers alike.
    """
    return Elaborator(design, overrides).elaborate()


def declared(content: bytes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The modules (interfaces, programs and primitives, too) that a file declares, and its packages.

    What it includes is left out.
    """
    manager = pyslang.SourceManager()
    buffer = manager.assignText(SourceText(content).text)
    tree = syntax.SyntaxTree.fromBuffers(cast(Any, [buffer]), manager)
    modules: list[str] = []
    packages: list[str] = []
    for member in cast(Any, tree.root).members:
        if isinstance(member, syntax.ModuleDeclarationSyntax):
            name = member.header.name.valueText
            (packages if member.kind == syntax.SyntaxKind.PackageDeclaration else modules).append(name)
        elif isinstance(member, syntax.UdpDeclarationSyntax):
            modules.append(member.name.valueText)
    return tuple(filter(None, modules)), tuple(filter(None, packages))


def members(scope: Any, prefix: str = "") -> Iterator[tuple[str, ast.Symbol]]:
    """The symbols of a scope and of the generate and statement blocks in it, by name relative to the scope."""
    # A stack of iterators instead of recursion: a thousand nested blocks are legal.
    waiting = [(prefix, iter(scope))]
    while waiting:
        inside, symbols = waiting[-1]
        symbol = next(symbols, None)
        if symbol is None:
            waiting.pop()
        elif isinstance(symbol, ast.GenerateBlockArraySymbol):
            entries = [(f"{inside}{symbol.externalName}{_index(entry)}.", iter(entry)) for entry in symbol.entries]
            waiting.extend(reversed(entries))
        elif isinstance(symbol, ast.GenerateBlockSymbol):
            if not symbol.isUninstantiated:
                waiting.append((f"{inside}{symbol.externalName}.", iter(symbol)))
        elif isinstance(symbol, ast.StatementBlockSymbol):
            waiting.append((f"{inside}{symbol.name}." if symbol.name else inside, iter(symbol)))
        else:
            yield inside + symbol.name, symbol


def _index(entry: ast.GenerateBlockSymbol) -> str:
    return f"[{entry.arrayIndex}]" if entry.arrayIndex is not None else ""


def child_instances(scope: Any) -> Iterator[ast.InstanceSymbol]:
    """The instances directly in a scope, generate blocks and instance arrays included."""
    waiting = [symbol for _, symbol in members(scope)]
    for symbol in waiting:
        if isinstance(symbol, ast.InstanceSymbol):
            yield symbol
        elif isinstance(symbol, ast.InstanceArraySymbol):
            waiting.extend(symbol.elements)


def _assigned(instance: ast.InstanceSymbol) -> Iterator[tuple[pyslang.SourceRange, ast.Type | None]]:
    """Where values are assigned in an instance, and to which type; none for what an output assigns."""
    for _, symbol in members(instance.body):
        if isinstance(symbol, ast.ContinuousAssignSymbol):
            assignment = symbol.assignment
            if isinstance(assignment, ast.AssignmentExpression):
                yield assignment.left.sourceRange, assignment.left.type
        elif isinstance(symbol, ast.NetSymbol) and symbol.initializer is not None:
            yield pyslang.SourceRange(symbol.location, symbol.location), symbol.type
        elif isinstance(symbol, ast.InstanceSymbol):
            for connection in symbol.portConnections:
                port, value = connection.port, connection.expression
                if value is not None:
                    read = isinstance(port, ast.PortSymbol) and port.direction is ast.ArgumentDirection.In
                    yield value.sourceRange, port.type if read else None
        elif isinstance(symbol, ast.ProceduralBlockSymbol):
            found: list[ast.AssignmentExpression] = []
            symbol.body.visit(lambda node, found=found: _note_assignment(node, found))
            yield from ((one.left.sourceRange, one.left.type) for one in found)


def _note_assignment(node: object, found: list[ast.AssignmentExpression]) -> None:
    if isinstance(node, ast.AssignmentExpression):
        found.append(node)


def _signal(name: str, symbol: ast.Symbol, direction: Direction | None) -> Signal | None:
    kind = _kind(symbol)
    if kind is None or not symbol.name:
        return None
    if isinstance(symbol, ast.TransparentMemberSymbol):
        # The values of an enum are seen in the scope around it.
        symbol = symbol.wrapped
    if not isinstance(symbol, ast.ValueSymbol):
        return Signal(name=name, width_bits=32, signed=True, kind=kind)
    element = symbol.type
    is_memory = element.isUnpackedArray
    while element.isUnpackedArray and element.arrayElementType is not None:
        element = element.arrayElementType
    return Signal(
        name=name,
        width_bits=element.bitWidth,
        signed=element.isSigned,
        kind=kind,
        is_memory=is_memory,
        direction=direction,
    )


def _kind(symbol: ast.Symbol) -> SignalKind | None:
    if isinstance(symbol, ast.NetSymbol):
        return "net"
    if isinstance(symbol, ast.ParameterSymbol):
        return "parameter"
    if isinstance(symbol, ast.TransparentMemberSymbol):
        return "enum value" if isinstance(symbol.wrapped, ast.EnumValueSymbol) else None
    if isinstance(symbol, ast.GenvarSymbol):
        return "genvar"
    return "variable" if isinstance(symbol, ast.VariableSymbol) else None


def _code(raw: pyslang.Diagnostic) -> str:
    return repr(raw.code).removeprefix("DiagCode(").removesuffix(")")


def _read(paths: Iterable[Path]) -> dict[Path, SourceText]:
    """The files that can be read; a design with a file missing is a value, too."""
    found: dict[Path, SourceText] = {}
    for path in paths:
        try:
            found[path] = SourceText(path.read_bytes())
        except OSError:
            continue
    return found


def _library_files(design: Design, missing: Iterable[str]) -> Iterator[tuple[Path, SourceText]]:
    for name in missing:
        candidates = (
            directory / f"{name}{extension}"
            for directory in design.library_dirs
            for extension in design.library_extensions
        )
        found = next((path for path in candidates if path.is_file()), None)
        if found is not None:
            yield from _read([found]).items()
