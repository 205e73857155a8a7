"""Elaboration of one file with just what it needs of the others, so that it keeps up with typing.

The packages and classes that the file uses are read with all that they use; of the modules that it instantiates, the
module itself. What is deeper in the hierarchy cannot make a line of this file wrong.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.elaborate import Elaboration, Elaborator
from veriloop.assistant.design.leniency import MISSING_MODULE, TOLD
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.design.project import HEADER_SUFFIXES
from veriloop.assistant.design.symbols.lookup import Lookup
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.words import read_words
from veriloop.assistant.design.symbols.workspace import UNIT_WORDS, Workspace

_FOLLOWING = frozenset({"UnknownDirective", "UndeclaredIdentifier", "UnknownClassOrPackage", "UnknownPackage"})
"""What a header that is in no tree leaves behind."""
_MAX_FILES = 200
_KEPT = 64
"""Elaborations that are kept; each holds the syntax of a few files, about a megabyte."""


@dataclass(frozen=True, slots=True)
class Elaborated:
    """A file and what it needs, elaborated."""

    source: Source
    elaboration: Elaboration
    files: tuple[Path, ...]


class Live:
    """Elaborates single files of a workspace; the latest are kept until they or what they need change."""

    def __init__(self, workspace: Workspace, lookup: Lookup) -> None:
        self.workspace = workspace
        self.lookup = lookup
        self._known: OrderedDict[Path, tuple[int, dict[Path, int], Elaborated]] = OrderedDict()

    def of(self, source: Source) -> Elaborated:
        """The elaboration of a file; that of a header is that of the file that includes it."""
        read = self._reader(source)
        known = self._known.get(source.path)
        if known is not None:
            settings, serials, elaborated = known
            if settings == self.workspace.settings and serials == self._serials(serials):
                self._known.move_to_end(source.path)
                return elaborated
        files = self._needed(read)
        contents = {path: found.content for path in files if (found := self.workspace.source(path)) is not None}
        headers = {path: buffer.content for path, buffer in self.workspace.buffers.items() if path not in contents}
        elaboration = Elaborator(self._design(read, files), {**headers, **contents}).elaborate()
        elaborated = Elaborated(source, elaboration, files)
        watched = {*files, source.path, *self.workspace.buffers}
        self._known[source.path] = (self.workspace.settings, self._serials(watched), elaborated)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return elaborated

    def _serials(self, paths: Iterable[Path]) -> dict[Path, int]:
        """Which contents the files have now; -1 for one that cannot be read."""
        sources = ((path, self.workspace.source(path)) for path in paths)
        return {path: source.serial if source is not None else -1 for path, source in sources}

    def diagnostics(self, source: Source) -> tuple[Diagnostic, ...]:
        """What slang says about a file; each line and message once. A module that no tree holds is no error."""
        return self._told(self.of(source).elaboration, source.path)

    def trial(self, source: Source, at: int, text: bytes) -> tuple[Diagnostic, ...]:
        """What slang would say about a file with a text put in at a byte; nothing is kept, the file stays as it is."""
        read = self._reader(source)
        files = self._needed(read)
        if source.path == read.path:
            files = tuple(dict.fromkeys((*self._named(text, source), *files)))
        texts = {path: found.content for path in files if (found := self.workspace.source(path)) is not None}
        headers = {path: buffer.content for path, buffer in self.workspace.buffers.items() if path not in texts}
        overrides = {**headers, **texts, source.path: source.content[:at] + text + source.content[at:]}
        return self._told(Elaborator(self._design(read, files), overrides).elaborate(), source.path)

    def _named(self, text: bytes, source: Source) -> Iterator[Path]:
        """The files of modules and packages that a text names."""
        for name in read_words(text).plain:
            unit = self.lookup.unit(name, source)
            if unit is not None and unit.source.path != source.path:
                yield unit.source.path
        yield from (found.path for found in self._packages(text) if found.path != source.path)

    def _told(self, elaboration: Elaboration, of: Path) -> tuple[Diagnostic, ...]:
        found: dict[tuple[int, str], Diagnostic] = {}
        incomplete = bool(elaboration.missing_includes)
        for diagnostic in elaboration.diagnostics:
            if Path(diagnostic.path) != of or diagnostic.severity == "note":
                continue
            if diagnostic.code in MISSING_MODULE and not self.workspace.projects:
                continue
            if diagnostic.severity == "warning" and diagnostic.code not in TOLD:
                continue
            if diagnostic.code in _FOLLOWING and incomplete:
                diagnostic = replace(diagnostic, severity="warning")
            found.setdefault((diagnostic.line, diagnostic.message), diagnostic)
        return tuple(found.values())

    def _reader(self, source: Source) -> Source:
        """The file that slang reads for a file: what is included somewhere is read by what includes it."""
        seen = {source.path}
        current = source
        while True:
            includers = [one for one in self.workspace.includers(current.path) if one.path not in seen]
            if not includers:
                return current
            current = includers[0]
            seen.add(current.path)

    def _needed(self, source: Source) -> tuple[Path, ...]:
        """The files to read with a file: those of macros and packages first, the file itself last."""
        own = set(source.outline.scopes[0].names)
        files: dict[Path, None] = {}
        waiting = [(source, True)]
        seen = {source.path}
        while waiting and len(seen) < _MAX_FILES:
            current, with_instances = waiting.pop(0)
            for used in self._used(current, with_instances=with_instances):
                if used.path in seen or used.path.suffix.lower() in HEADER_SUFFIXES:
                    continue
                seen.add(used.path)
                declared = used.outline.scopes[0].names
                units = {
                    name
                    for name in declared
                    if any(used.outline.declarations[i].kind in DESIGN_UNITS for i in declared[name])
                }
                if units & own:
                    continue
                files[used.path] = None
                waiting.append((used, False))
        ordered = sorted(files, key=lambda path: not self._has_package(path))
        return (*ordered, source.path)

    def _has_package(self, path: Path) -> bool:
        source = self.workspace.source(path)
        return source is not None and any(one.kind == "package" for one in source.outline.declarations)

    def _used(self, source: Source, *, with_instances: bool) -> Iterator[Source]:
        """The files whose packages, macros, types or modules a file uses."""
        for text in self._with_headers(source):
            for scope in text.outline.scopes:
                for package, _ in scope.imports:
                    yield from (place[0] for place in self.workspace.top(package, after=UNIT_WORDS)[:1])
            for name in text.words.macro:
                places = [place for place in self.workspace.top(name, after="define") if place[1].kind == "macro"]
                if places and not any(place[0].path == text.path for place in places):
                    yield places[0][0]
            yield from self._packages(text.content)
        if with_instances:
            for module in dict.fromkeys(instance.module for instance in source.outline.instances):
                unit = self.lookup.unit(module, source)
                if unit is not None:
                    yield unit.source
            for declaration in source.outline.declarations:
                if declaration.kind in ("port", "variable") and declaration.type_at >= 0:
                    found = self.lookup.at(source, declaration.type_at)
                    if found is not None and found.source.path != source.path:
                        yield found.source

    def _packages(self, content: bytes) -> Iterator[Source]:
        for name in dict.fromkeys(self._qualifiers(content)):
            for place in self.workspace.top(name, after=UNIT_WORDS)[:1]:
                if place[1].kind in ("package", "class"):
                    yield place[0]

    @staticmethod
    def _qualifiers(content: bytes) -> Iterator[str]:
        at = content.find(b"::")
        while at >= 0:
            start = at
            while start > 0 and (content[start - 1 : start].isalnum() or content[start - 1 : start] in (b"_", b"$")):
                start -= 1
            if start < at:
                yield content[start:at].decode("utf-8", errors="replace")
            at = content.find(b"::", at + 2)

    def _with_headers(self, source: Source) -> Iterator[Source]:
        waiting, seen = [source], {source.path}
        while waiting:
            current = waiting.pop()
            yield current
            for name, _, _ in current.outline.includes:
                header = self.workspace.include(name, current)
                if header is not None and header.path not in seen:
                    seen.add(header.path)
                    waiting.append(header)

    def _design(self, source: Source, files: tuple[Path, ...]) -> Design:
        project = self.workspace.project_of(source.path)
        directories: dict[Path, None] = {}
        defines: tuple[tuple[str, str], ...] = ()
        if project is not None:
            named = project.declared_design.rooted(project.root)
            directories.update(dict.fromkeys(named.include_dirs))
            defines = named.defines
        for path in files:
            current = self.workspace.source(path)
            if current is None:
                continue
            for text in self._with_headers(current):
                for name, _, _ in text.outline.includes:
                    header = self.workspace.include(name, text)
                    if header is not None and header.path.parts[-len(Path(name).parts) :] == Path(name).parts:
                        directories[header.path.parents[len(Path(name).parts) - 1]] = None
        return Design(toplevel="", sources=files, include_dirs=tuple(directories), defines=defines)
