"""What a name means: the rules by which IEEE 1800-2017 (clauses 3.12 to 3.14, 23.6 to 23.9, 26) looks names up.

They are followed leniently, so that a name is found in text that does not compile: use before declaration is allowed,
both branches of an `ifdef` count, and a name that several files declare is that of the nearest file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from veriloop.assistant.design.symbols.keywords import KEYWORDS
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS, Declaration
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.words import word_at
from veriloop.assistant.design.symbols.workspace import UNIT_WORDS, Place, Workspace, distance

_MAX_DEPTH = 40
_MAX_LOOK_BACK = 100_000
"""Bytes that are looked at to find what an opening parenthesis belongs to."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """What a name stands for: everything in one scope that is declared by it."""

    source: Source = field(compare=False)
    scope: int
    name: str
    is_macro: bool
    path: str
    declarations: tuple[Declaration, ...] = field(compare=False, repr=False)

    @property
    def declaration(self) -> Declaration:
        """The one that says most: a port rather than the `reg` of the same name."""
        return next((one for one in self.declarations if one.kind == "port"), self.declarations[0])


class Lookup:
    """Looks names up in a workspace. Answers are kept until something changes."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._generation = -1
        self._known: dict[tuple[str, int], Symbol | None] = {}
        self._busy: set[tuple[str, int]] = set()
        self._units: dict[tuple[str, str], Symbol | None] = {}

    def at(self, source: Source, at: int) -> Symbol | None:
        """What the identifier means that starts at a byte of a file; none if it is none, or is declared nowhere."""
        if self._generation != self.workspace.generation:
            self._generation = self.workspace.generation
            self._known.clear()
            self._units.clear()
        key = (str(source.path), at)
        if key in self._known:
            return self._known[key]
        if key in self._busy or len(self._busy) > _MAX_DEPTH:
            return None
        self._busy.add(key)
        try:
            found = self._look(source, at)
        finally:
            self._busy.discard(key)
        if not self._busy:
            # Inside of another question an answer may be cut short.
            self._known[key] = found
        return found

    def implied(self, source: Source, at: int) -> Symbol | None:
        """The signal that `.name` without parentheses connects (IEEE 1800-2017, 23.3.2.3); none for other names."""
        name = word_name(source, at)
        if source.words.role(name, at) != "connection":
            return None
        after = _skip(source.content, at + len(name.encode()))
        if source.content[after : after + 1] == b"(":
            return None
        instance = source.outline.instance_at(at)
        if instance is None or at < instance.ports_at:
            return None
        return self._visible(source, at, name)

    def near(self, source: Source, at: int) -> tuple[Symbol, int] | None:
        """What the identifier means that touches a byte, and where it starts."""
        word = word_at(source.content, at)
        if word is None:
            return None
        found = self.at(source, word[1])
        return (found, word[1]) if found is not None else None

    def unit(self, name: str, source: Source) -> Symbol | None:
        """The module, interface, program, checker or primitive of a name; the nearest of several."""
        key = (name, str(source.path))
        if key not in self._units:
            # A module may stand in another one.
            places = [place for place in self._units_named(name) if place[1].kind in DESIGN_UNITS]
            self._units[key] = self._nearest(places, source)
        return self._units[key]

    def member(self, symbol: Symbol, name: str) -> Symbol | None:
        """The member of what a name stands for: of its type, its module, its package, its block."""
        for source, scope in self.scopes(symbol):
            found = self.inside(source, scope, name)
            if found is not None:
                return found
        return None

    def scopes(self, symbol: Symbol, depth: int = 0) -> Iterator[tuple[Source, int]]:
        """The scopes that hold the members of what a name stands for."""
        if depth > _MAX_DEPTH:
            return
        for declaration in symbol.declarations:
            if declaration.kind == "instance":
                unit = self.unit(word_name(symbol.source, declaration.type_at), symbol.source)
                if unit is not None:
                    yield from self.scopes(unit, depth + 1)
                    continue
            if declaration.type_at >= 0:
                found = self.at(symbol.source, declaration.type_at)
                if found is not None and found != symbol:
                    yield from self.scopes(found, depth + 1)
            if declaration.inner >= 0:
                yield symbol.source, declaration.inner

    def inside(self, source: Source, scope: int, name: str, depth: int = 0) -> Symbol | None:
        """A name in one scope: its own, what it includes, inherits, or hands on from packages."""
        found = self._own(source, scope, name)
        if found is not None or depth > _MAX_DEPTH:
            return found
        inner = source.outline.scopes[scope]
        for included in inner.includes:
            header = self.workspace.include(included, source)
            if header is not None and header.path != source.path:
                found = self.inside(header, 0, name, depth + 1)
                if found is not None:
                    return found
        if inner.base_at >= 0:
            base = self.at(source, inner.base_at)
            if base is not None and name != base.name:
                found = self.member(base, name)
                if found is not None:
                    return found
        for package, item in inner.imports:
            if item in ("*", name):
                for place in self._units_named(package):
                    if place[1].kind == "package" and place[1].inner >= 0:
                        found = self.inside(place[0], place[1].inner, name, depth + 10)
                        if found is not None:
                            return found
        return None

    def visible(self, source: Source, at: int) -> Iterator[tuple[Source, int]]:
        """The scopes whose names are seen at a byte, the innermost first."""
        scope = source.outline.scope_at(at)
        while scope >= 0:
            if source.outline.scopes[scope].kind != "struct":
                yield source, scope
            scope = source.outline.scopes[scope].parent
        for includer in self.workspace.includers(source.path):
            for index, outer in enumerate(includer.outline.scopes):
                if any(name.endswith(source.path.name) for name in outer.includes):
                    while index >= 0:
                        yield includer, index
                        index = includer.outline.scopes[index].parent

    def macro(self, source: Source, name: str) -> Symbol | None:
        """The macro of a name: of the file, of what it includes, else of the nearest file."""
        return next(iter(self.macros(source, name)), None)

    def macros(self, source: Source, name: str) -> list[Symbol]:
        """The macros of a name, one a file: headers of which only one is read in the end may each define it."""
        found: list[Symbol] = []
        waiting, seen = [source], {source.path}
        while waiting:
            current = waiting.pop(0)
            own = self._own(current, 0, name, is_macro=True)
            if own is not None:
                found.append(own)
                if current is source:
                    return found
            for included, _, _ in current.outline.includes:
                header = self.workspace.include(included, current)
                if header is not None and header.path not in seen:
                    seen.add(header.path)
                    waiting.append(header)
        nearest = None
        if not found:
            defined = self.workspace.top(name, after="define")
            nearest = self._nearest([one for one in defined if one[1].kind == "macro"], source)
        return [nearest] if nearest is not None else found

    # --- one identifier ---

    def _look(self, source: Source, at: int) -> Symbol | None:
        name = word_name(source, at)
        role = source.words.role(name, at)
        if role is None:
            return None
        index = source.outline.by_place.get(at)
        if index is not None:
            declaration = source.outline.declarations[index]
            return self._own(source, declaration.scope, name, is_macro=declaration.kind == "macro")
        if role == "macro":
            return self.macro(source, name)
        if role == "scoped":
            left = self._left(source, at, b"::")
            return self.member(left, name) if left is not None else None
        if role == "member":
            left = self._left(source, at, b".")
            return self.member(left, name) if left is not None else None
        if role == "connection":
            return self._connection(source, at, name)
        return self._plain(source, at, name)

    def _plain(self, source: Source, at: int, name: str) -> Symbol | None:
        if at in source.instance_types:
            found = self.unit(name, source)
            if found is not None:
                return found
        after = _skip(source.content, at + len(name.encode()))
        if source.content[after : after + 2] == b"::":
            packages = [place for place in self._units_named(name) if place[1].kind == "package"]
            if packages:
                return self._nearest(packages, source)
        if source.content[after : after + 1] == b":":
            field_of = self._pattern(source, at)
            found = self.member(field_of, name) if field_of is not None else None
            if found is not None:
                return found
        found = self._visible(source, at, name)
        if found is None:
            places = [place for place in self.workspace.top(name) if place[1].kind != "macro"]
            found = self._nearest(places, source)
        return found

    def _visible(self, source: Source, at: int, name: str) -> Symbol | None:
        tried: set[tuple[str, int]] = set()
        for where, scope in self.visible(source, at):
            key = (str(where.path), scope)
            if key in tried:
                continue
            tried.add(key)
            if where is source and where.outline.scopes[scope].base_at == at:
                continue
            found = self.inside(where, scope, name)
            if found is not None:
                return found
        return None

    def _connection(self, source: Source, at: int, name: str) -> Symbol | None:
        """`.name(...)`: a port or a parameter of an instance, or an argument of a call."""
        instance = source.outline.instance_at(at)
        if instance is not None:
            unit = self.unit(instance.module, source)
            return self.member(unit, name) if unit is not None else None
        owner = call_before(source.content, at)
        if owner is None:
            return None
        head, module = owner
        if module is not None:
            unit = self.unit(module, source)
            return self.member(unit, name) if unit is not None else None
        called = self.at(source, head)
        if called is None:
            return None
        for declaration in called.declarations:
            if declaration.inner >= 0:
                found = self.inside(called.source, declaration.inner, name)
                if found is not None:
                    return found
        return self.member(called, name)

    def _left(self, source: Source, at: int, operator: bytes) -> Symbol | None:
        """What stands before the dot or the double colon that leads an identifier in."""
        content = source.content
        before = _skip_back(content, at) - len(operator)
        while content[before : before + len(operator)] != operator and before > 0:
            before -= 1
        word = name_before(content, before)
        if word is None:
            return None
        name, start = word
        if name in ("this", "super"):
            return self._enclosing_class(source, start, base=name == "super")
        return self.at(source, start)

    def _enclosing_class(self, source: Source, at: int, *, base: bool) -> Symbol | None:
        scope = source.outline.scope_at(at)
        while scope >= 0:
            inner = source.outline.scopes[scope]
            if inner.base_at >= 0 and (base or inner.kind == "function"):
                return self.at(source, inner.base_at)
            if inner.kind == "class":
                return self._own(source, inner.parent, inner.name)
            scope = inner.parent
        return None

    def _pattern(self, source: Source, at: int) -> Symbol | None:
        """What the assignment pattern is assigned to or cast to whose key stands at a byte (IEEE 1800-2017, 10.9)."""
        content = source.content
        if content[_skip_back(content, at) - 1 : _skip_back(content, at)] not in (b"{", b","):
            return None
        opening = opening_before(content, at)
        before, last = -1, b""
        while opening > 0 and content[opening - 1 : opening + 1] == b"'{":
            before = _skip_back(content, opening - 1)
            last = content[before - 1 : before]
            if last not in (b"{", b","):
                break
            # An element of an array of structures.
            opening = opening_before(content, opening - 1)
        else:
            return None
        if last == b"=":
            before = _skip_back(content, before - 2 if content[before - 2 : before - 1] == b"<" else before - 1)
        elif last == b":":
            before = _skip_back(content, before - 1)
        word = name_before(content, before)
        if word is None:
            return None
        if word[0] == "default":
            return None
        return self.at(source, word[1])

    def _units_named(self, name: str) -> list[Place]:
        return self.workspace.top(name, after=UNIT_WORDS)

    def _own(self, source: Source, scope: int, name: str, *, is_macro: bool = False) -> Symbol | None:
        if source.outline.scopes[scope].twin >= 0:
            scope = source.outline.scopes[scope].twin
        indices = source.outline.scopes[scope].names.get(name)
        if not indices:
            return None
        declarations = [source.outline.declarations[index] for index in indices]
        chosen = tuple(one for one in declarations if (one.kind == "macro") == is_macro)
        return Symbol(source, scope, name, is_macro, str(source.path), chosen) if chosen else None

    def _nearest(self, places: Iterable[Place], source: Source) -> Symbol | None:
        best = min(places, key=lambda place: distance(place[0].path, source.path), default=None)
        if best is None:
            return None
        return self._own(best[0], best[1].scope, best[1].name, is_macro=best[1].kind == "macro")


def word_name(source: Source, at: int) -> str:
    """The identifier that starts at a byte; empty if none does."""
    word = word_at(source.content, at)
    return word[0] if word is not None else ""


def name_before(content: bytes, end: int) -> tuple[str, int] | None:
    """The name that the text before a byte ends with, past its indices and parameters: `a` of `a[3][i+1]`."""
    at = _skip_back(content, end)
    while at > 0 and content[at - 1 : at] in (b"]", b")"):
        at = _skip_back(content, _matching(content, at - 1))
        if content[at - 1 : at] == b"#":
            at = _skip_back(content, at - 1)
    if at <= 0:
        return None
    word = word_at(content, at - 1)
    return word if word is not None and word[1] < at else None


def call_before(content: bytes, at: int) -> tuple[int, str | None] | None:
    """Whose connections or arguments a byte stands among: where its name starts, and the module of an instance."""
    opening = opening_before(content, at)
    if opening < 0 or content[opening : opening + 1] != b"(":
        return None
    before = _skip_back(content, opening)
    if content[before - 1 : before] == b"#":
        module = name_before(content, before - 1)
        return (module[1], module[0]) if module is not None else None
    head = name_before(content, opening)
    if head is None:
        return None
    earlier = _skip_back(content, head[1])
    if content[earlier - 1 : earlier] in (b")", b"]") or content[earlier - 1 : earlier].isalnum():
        module = name_before(content, head[1])
        if module is not None and module[0] not in KEYWORDS:
            return module[1], module[0]
    return head[1], None


def opening_before(content: bytes, at: int) -> int:
    """The bracket of any kind that is open at a byte; -1 if none is near."""
    depth = 0
    lowest = max(0, at - _MAX_LOOK_BACK)
    position = at - 1
    while position >= lowest:
        byte = content[position]
        if byte in b")]}":
            depth += 1
        elif byte in b"([{":
            if depth == 0:
                return position
            depth -= 1
        elif byte == 0x3B and depth == 0:
            return -1
        elif byte == 0x0A:
            # Skip the comment that ends the line above.
            start = content.rfind(b"\n", 0, position) + 1
            comment = content.find(b"//", start, position)
            if comment >= 0:
                position = comment
        position -= 1
    return -1


def _matching(content: bytes, closing: int) -> int:
    """The opening bracket of a closing one."""
    depth = 0
    for position in range(closing, max(-1, closing - _MAX_LOOK_BACK), -1):
        byte = content[position]
        if byte in b")]}":
            depth += 1
        elif byte in b"([{":
            depth -= 1
            if depth == 0:
                return position
    return 0


def _skip_back(content: bytes, at: int) -> int:
    """The byte after the last one before a place that is no white space and stands in no comment."""
    while at > 0:
        if content[at - 1 : at].isspace():
            at -= 1
            start = content.rfind(b"\n", 0, at) + 1
            comment = content.find(b"//", start, at)
            if comment >= 0 and content[at : at + 1] == b"\n":
                at = comment
        elif content[at - 2 : at] == b"*/":
            opening = content.rfind(b"/*", 0, at - 2)
            if opening < 0:
                return at
            at = opening
        else:
            return at
    return 0


def _skip(content: bytes, at: int) -> int:
    while content[at : at + 1].isspace():
        at += 1
    return at
