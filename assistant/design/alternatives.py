"""Many edited versions of a design in one: every place that some version changes chooses by a selector.

The selector is a variable of a package that is written once, before time 0. Version 0 is the unchanged design. Three
places are sound to choose at: a procedural statement; the right side of a continuous assignment, whose alternatives
are nets of the left side's width, so that no alternative widens another; and a process, whose alternatives are
processes of their own with their own sensitivity. A declaration that a version changes is declared a second time under
a new name, and every place that mentions it chooses between the names. What changes anything else is left out.

Source: mutant schemata (Untch, Offutt, Harrold, ISSTA 1993), with Verilog's context-determined widths kept.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Literal

from veriloop.assistant.design.edits import differences
from veriloop.assistant.design.observation import IMPORT, PACKAGE, marked, net_check, statement_checks
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import Node, SyntaxTree, ancestor, find, first

_SELECTOR = f"{PACKAGE}::version".encode()

Kind = Literal["statement", "process", "value", "declaration"]
Widths = Mapping[tuple[Path, int], frozenset[int]]
"""For the byte at which what is assigned, or an input's connection, starts: its widths in bits, over all instances."""

_STATEMENTS = ("statement_or_null", "function_statement_or_null")
_VALUES = ("net_assignment", "net_decl_assignment", "named_port_connection", "ordered_port_connection")
_DECLARATIONS = ("local_parameter_declaration", "parameter_declaration", "data_declaration", "net_declaration")
_DECLARATORS = ("param_assignment", "variable_decl_assignment", "net_decl_assignment")
_MENTIONS = ("hierarchical_identifier", "net_lvalue", "variable_lvalue", "constant_primary", "primary")
_SCOPES = ("seq_block", "par_block", "function_declaration", "task_declaration", "generate_block")
_SUBROUTINES = ("function_declaration", "task_declaration")
_NAME = "simple_identifier"
_INDICES = ("select", "bit_select", "constant_select", "constant_bit_select")
_AGAIN = "_veriloop"
"""What the name of a second declaration has behind the first one's."""
_AGAIN_NAMED = re.compile(rb"_veriloop[0-9a-f]{10}\b")
_ITEMS = ("continuous_assign", "net_declaration", "module_instantiation")
_DIRECTIVE = re.compile(
    rb"`(?:define|undef|undefineall|ifdef|ifndef|else|elsif|endif|include|line|timescale|default_nettype|resetall|pragma"
    rb"|begin_keywords|end_keywords|celldefine|endcelldefine|__LINE__|__FILE__)\b"
)
_CONDITIONAL = re.compile(rb"`(ifdef|ifndef|else|elsif|endif)\b")
_LASTING = re.compile(rb"\b(?:assign|deassign|force|release)\b|`")
"""What goes on to act after it was run, and what may be anything."""
_OPEN_MACRO = re.compile(rb"(?:\)|`\w+)\s*\Z")
"""How a statement ends that ends with a macro's call, whose semicolon stands behind it."""
_MARK = re.compile(rb"/\*veriloop(?:<([\d, ]+)|>)\*/")
_NAMED = re.compile(rb"\b(?:begin|fork)\s*:")
_IMPLICIT = re.compile(r"@\s*(?:\*|\(\s*\*\s*\))")
_WAKES_BY_READING = re.compile(rb"\s*always\s*@\s*(?:\*|\(\s*\*\s*\))")
_SNIPPETS = {"statement": b"initial\n%s\n", "process": b"%s\n", "value": b"assign x =\n%s\n;"}
_CACHED_SNIPPETS = 4096


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A byte range of the original that some version replaces."""

    start: int
    end: int
    kind: Kind
    item: int = 0
    """Of a value: where the item that it stands in starts."""
    width_bits: int = 0
    """Of a value or an assignment: the width of what is assigned to; 0: not known."""
    is_observed: bool = False
    """Whether the unchanged design can tell there which versions would do anything else."""
    is_clocked: bool = False
    """Whether it is a statement that runs at an edge, so that what it does lies in variables until the next one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the text of the changed files alone does not tell."""

    widths: Widths
    fixed: frozenset[str] = frozenset()
    """Names that may be declared no second time: overridden parameters, what other files reach by hierarchy."""
    is_whole: bool = False
    """Whether `widths` has all there is, so that a value that is not in it is nowhere elaborated."""


Changes = Mapping[Path, Mapping[Place, bytes]]
"""A file's places and the text that a version has there."""


def package_text(initial: str, *, observing: bool = False) -> bytes:
    """The package with the selector, to be read before everything else.

    Args:
        initial: the expression of the selector's value.
        observing: declare what versions that are observed call.
    """
    declared = IMPORT if observing else b""
    return f"package {PACKAGE};\n  integer version = {initial};\n".encode() + declared + b"endpackage\n"


def is_observed(changes: Changes) -> bool:
    """Whether the unchanged design tells if a version would do anything else: what `Choices.combined` observes."""
    places = [place for in_file in changes.values() for place in in_file if place.kind != "declaration"]
    return bool(places) and all(place.is_observed for place in places)


def is_clocked(changes: Changes) -> bool:
    """Whether a version differs at edges only: between two of them it is the unchanged design in another state.

    A net, or a variable of combinational logic, may differ for as long as nothing changes that it is made of.
    """
    return all(
        place.is_clocked and not _LASTING.search(text)
        for in_file in changes.values()
        for place, text in in_file.items()
    )


def declared_again(versions: Mapping[int, Changes]) -> dict[str, frozenset[int]]:
    """What ends the names of the second declarations that `Choices.combined` makes, and the versions that use them."""
    found: dict[str, set[int]] = defaultdict(set)
    for number, changes in versions.items():
        for place, text in ((place, text) for places in changes.values() for place, text in places.items()):
            if place.kind == "declaration":
                for suffix in _AGAIN_NAMED.findall(text):
                    found[suffix.decode()].add(number)
    return {suffix: frozenset(numbers) for suffix, numbers in found.items()}


class Choices:
    """Works out, for one original, where versions can be chosen.

    Args:
        original: the files that versions change.
        facts: from the elaborated original.
        exact_sensitivity: keep what wakes an `always @*` exactly as each version has it. An event-driven simulator
            needs that, at the price of a copy of the process a version.
    """

    def __init__(self, original: Mapping[Path, bytes], facts: Facts, *, exact_sensitivity: bool) -> None:
        self._files = {path: _File(path, content, facts, exact_sensitivity) for path, content in original.items()}

    def changes(self, version: Mapping[Path, bytes]) -> Changes | None:
        """The places that a version changes; none where it changes what cannot be chosen."""
        found: dict[Path, Mapping[Place, bytes]] = {}
        for path, content in version.items():
            places = self._files[path].places(content) if path in self._files else None
            if places is None:
                return None
            if places:
                found[path] = places
        return found

    def combined(self, versions: Mapping[int, Changes], *, observing: bool = False) -> Mapping[Path, bytes]:
        """The changed files with all these versions in them, by their numbers.

        Args:
            versions: what each changes.
            observing: let version `OBSERVED`, the unchanged design, tell which versions would have done anything else.
        """
        by_file: dict[Path, dict[Place, dict[bytes, list[int]]]] = defaultdict(lambda: defaultdict(dict))
        for number, changes in versions.items():
            for path, places in changes.items():
                for place, text in places.items():
                    by_file[path][place].setdefault(text, []).append(number)
        return {path: self._files[path].combined(places, observing) for path, places in by_file.items()}


class _File:
    def __init__(self, path: Path, content: bytes, facts: Facts, exact_sensitivity: bool) -> None:
        self._path = path
        self._tree = SyntaxTree(content)
        self._content = content
        self._facts = facts
        self._exact = exact_sensitivity

    def places(self, content: bytes) -> Mapping[Place, bytes] | None:
        found = self._reached(content)
        if found and not self._exact and any(self._mixes(place, text) for place, text in found.items()):
            return None
        if found and not self._exact and any(self._never_wakes(place, text) for place, text in found.items()):
            return None
        return found

    def _never_wakes(self, place: Place, text: bytes) -> bool:
        """Whether a version leaves an `always @*` that reads nothing and never runs, but would for the selector."""
        if place.kind == "process":
            return _WAKES_BY_READING.match(text) is not None and self._signals.isdisjoint(_read(text))
        start, end = next((span[:2] for span in self._processes if span[0] <= place.start < span[1]), (0, 0))
        if not _WAKES_BY_READING.match(self._content, start, end):
            return False
        # What stands around it mostly reads something, and is the same for all versions.
        pieces = [(place.start, place.end, one) for one in (b";", text)]
        return all(self._signals.isdisjoint(_read(_spliced(self._content, [one], start, end))) for one in pieces)

    @cached_property
    def _signals(self) -> frozenset[str]:
        return frozenset(name for module in self._tree.modules for name in Structure(self._tree, module).signals)

    def _mixes(self, place: Place, text: bytes) -> bool:
        """Whether a text assigns a variable in another way, or from another process, than the original does.

        Verilator writes all non-blocking assignments of a variable back at once, also where none was made: in one
        model with both kinds that would undo the blocking ones. Two processes that assign a variable would undo each
        other's assignments in the same way.
        """
        if place.kind not in ("statement", "process"):
            return False
        assigned = _assigned(place.kind, text)
        process = next((found for start, end, found in self._processes if start <= place.start < end), None)
        if process is not None:
            return any(process.get(name) != {kind} for name, kind in assigned)
        return any(kind not in known for name, kind in assigned if (known := self._assigned.get(name)))

    @cached_property
    def _processes(self) -> Sequence[tuple[int, int, Mapping[str, set[str]]]]:
        """Where the processes of the original stand, and what each assigns in which way."""
        found = []
        for node in find(self._tree.root, ("always_construct", "initial_construct")):
            assigned: dict[str, set[str]] = defaultdict(set)
            for name, kind in _assignments(self._tree, node):
                assigned[name].add(kind)
            found.append((node.start_byte, node.end_byte, dict(assigned)))
        return found

    @cached_property
    def _assigned(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for process in find(self._tree.root, ("always_construct",)):
            for name, kind in _assignments(self._tree, process):
                found[name].add(kind)
        # A variable that is assigned in both ways already is one of which no version may say more.
        return {name: frozenset(kinds) if len(kinds) == 1 else frozenset({"neither"}) for name, kinds in found.items()}

    def _reached(self, content: bytes) -> dict[Place, bytes] | None:
        found: dict[Place, bytes] = {}
        waiting = list(differences(self._content, content))
        edits = waiting
        for start, end, _ in waiting:
            if any(self._item(place, start, end) for place in found if place.kind == "declaration"):
                continue
            renamed = self._declared_again(start, end, edits)
            if renamed is None:
                continue
            place, text, mentions = renamed
            found[place] = text
            edits = [*(one for one in edits if not self._item(place, one[0], one[1])), *mentions]
        if len({edit[:2] for edit in edits}) < len(edits):
            return None
        for start, end, _ in edits:
            if any(place.start <= start and end <= place.end for place in found if place.kind != "declaration"):
                continue
            reached = self._place(start, end, edits)
            if reached is None:
                return None
            place, text = reached
            found = {
                one: kept for one, kept in found.items() if not (place.start <= one.start and one.end <= place.end)
            }
            found[place] = text
        return found

    @staticmethod
    def _item(place: Place, start: int, end: int) -> bool:
        """Whether a range lies in the item that a declaration follows."""
        return place.item <= start and end <= place.start

    def _declared_again(
        self, start: int, end: int, edits: Sequence[tuple[int, int, bytes]]
    ) -> tuple[Place, bytes, list[tuple[int, int, bytes]]] | None:
        """The second declaration of what an edit declares otherwise, and edits of all its mentions."""
        node = self._tree.root.descendant_for_byte_range(start, end)
        item = ancestor(node, _DECLARATIONS) if node is not None else None
        module = ancestor(item, ("module_declaration",)) if item is not None else None
        if item is None or module is None or item.has_error or ancestor(item, _SCOPES) is not None:
            return None
        declared = [one for one in find(item, _DECLARATORS) if one.children and one.children[0].type == _NAME]
        own = [one for one in declared if one.start_byte <= start and end <= one.end_byte]
        inside = [one for one in edits if item.start_byte <= one[0] and one[1] <= item.end_byte]
        values = [one.children[-1] for one in own if len(one.children) > 1]
        nets = item.type == "net_declaration"
        if not declared or len(inside) != 1 or (nets and any(value.start_byte <= start for value in values)):
            return None
        text = _spliced(self._content, inside, item.start_byte, item.end_byte)
        suffix = _AGAIN.encode() + hashlib.blake2b(text, digest_size=5).hexdigest().encode()
        names = [(one.children[0].end_byte, one.children[0].end_byte, suffix) for one in declared]
        again = _spliced(self._content, [*inside, *names], item.start_byte, item.end_byte)
        changed = {self._tree.text(one.children[0]) for one in own or declared}
        mentions = self._mentions(module, item, changed, suffix)
        if _DIRECTIVE.search(again) or mentions is None or changed & self._facts.fixed:
            return None
        return Place(item.end_byte, item.end_byte, "declaration", item.start_byte), b" " + again, mentions

    def _mentions(
        self, module: Node, item: Node, names: Collection[str], suffix: bytes
    ) -> list[tuple[int, int, bytes]] | None:
        """What gives every mention of these names a suffix; none where one of them is no plain mention."""
        found = []
        for node in find(module, (_NAME,)):
            above = node.parent
            if above is None or self._tree.text(node) not in names:
                continue
            if item.start_byte <= node.start_byte < item.end_byte:
                if above.type not in _DECLARATORS or above.children[0] != node:
                    return None
            elif above.type != "named_port_connection":
                if above.type not in _MENTIONS or len([one for one in above.children if one.type == _NAME]) > 1:
                    return None
                found.append((node.start_byte, node.end_byte, self._tree.text(node).encode() + suffix))
        return found

    def combined(self, places: Mapping[Place, Mapping[bytes, Sequence[int]]], observing: bool) -> bytes:
        pieces: list[tuple[int, int, bytes]] = []
        # Outer places first; what lies in another one stays in the outer's unchanged text.
        waiting = sorted(places, key=lambda place: (place.start, -place.end))
        while waiting:
            place, *waiting = waiting
            inner = [one for one in waiting if one.end <= place.end]
            waiting = waiting[len(inner) :]
            if place.kind == "declaration":
                texts = [marked(text, numbers) for text, numbers in places[place].items()]
                pieces.append((place.start, place.end, b"".join(texts)))
                continue
            original = self._part(place, {one: places[one] for one in inner}, observing)
            if observing and place.is_observed and place.kind == "statement":
                plain, name = self._content[place.start : place.end], b"veriloop_observed_%d" % place.start
                checks = statement_checks(plain, places[place], place.width_bits, name)
                original = checks + original
            declared, choice = _choice(place, original, places[place], observing)
            pieces += [(place.item, place.item, declared)] if declared else []
            pieces.append((place.start, place.end, choice))
        return _spliced(self._content, pieces)

    def _part(self, place: Place, inner: Mapping[Place, Mapping[bytes, Sequence[int]]], observing: bool) -> bytes:
        """The original text of a place with the choices that lie in it."""
        if not inner:
            return self._content[place.start : place.end]
        whole = self.combined(inner, observing)
        return whole[place.start : len(whole) - (len(self._content) - place.end)]

    def _place(self, start: int, end: int, edits: Sequence[tuple[int, int, bytes]]) -> tuple[Place, bytes] | None:
        """The smallest place around an edit that stays one construct with all edits made that lie in it."""
        # What is put in between two nodes may belong to either.
        reached = [self._above(self._tree.root.descendant_for_byte_range(start, end), start, end, edits)]
        if start == end > 0:
            reached.append(self._above(self._tree.root.descendant_for_byte_range(start - 1, end), start, end, edits))
        found = [one for one in reached if one is not None]
        return min(found, key=lambda one: one[0].end - one[0].start, default=None)

    def _above(
        self, node: Node | None, start: int, end: int, edits: Sequence[tuple[int, int, bytes]]
    ) -> tuple[Place, bytes] | None:
        while node is not None:
            place = self._kind(node)
            if place is not None and place.start <= start and end <= place.end:
                inside = [one for one in edits if place.start <= one[0] and one[1] <= place.end]
                text = _spliced(self._content, inside, place.start, place.end)
                if self._sound(place, node, text):
                    return place, text
            node = node.parent
        return None

    def _kind(self, node: Node) -> Place | None:
        """What a node can be chosen as; none for most."""
        if node.type == "always_construct":
            return Place(node.start_byte, node.end_byte, "process")
        if node.type in _STATEMENTS or (node.type == "statement" and _is_body(node)):
            exact = self._exact and self._is_implicit(node)
            if exact:
                return None
            width_bits = self._assigned_width(node)
            is_observed = ancestor(node, _SUBROUTINES) is None
            clocked = self._is_clocked(node)
            return Place(node.start_byte, node.end_byte, "statement", 0, width_bits, is_observed, clocked)
        if node.type in _VALUES:
            value = next((child for child in reversed(node.children) if child.type == "expression"), None)
            item = ancestor(node, _ITEMS)
            if value is not None and item is not None:
                key = value.start_byte if node.type.endswith("connection") else node.start_byte
                # Of what is nowhere elaborated any width will do.
                width_bits = 1 if self._is_left_out(node, item) else self._width(key)
                if width_bits:
                    return Place(value.start_byte, value.end_byte, "value", item.start_byte, width_bits, True)
        return None

    def _assigned_width(self, statement: Node) -> int:
        """The width in bits of what a statement, which is an assignment, assigns to; 0 where it is not known."""
        target = first(statement, ("variable_lvalue",))
        return self._width(target.start_byte) if target is not None else 0

    def _width(self, start: int) -> int:
        widths = self._facts.widths.get((self._path, start), frozenset())
        return next(iter(widths)) if len(widths) == 1 else 0

    def _is_left_out(self, node: Node, item: Node) -> bool:
        """Whether a value stands where nothing is elaborated: behind an `ifdef`, or in a branch that is not taken."""
        # What a macro makes is known by another place, and of an array of instances no connection is.
        strange = "`" in self._tree.text(node) or next(find(item, ("unpacked_dimension",)), None) is not None
        if strange or not self._facts.is_whole or ancestor(node, ("module_declaration",)) is None:
            return False
        inside = bisect_left(self._keys, item.start_byte) < bisect_left(self._keys, item.end_byte)
        return not inside

    @cached_property
    def _keys(self) -> Sequence[int]:
        """Where the file has values that are elaborated, in order."""
        return sorted(start for path, start in self._facts.widths if path == self._path)

    def _is_clocked(self, node: Node) -> bool:
        if _LASTING.search(self._content, node.start_byte, node.end_byte):
            return False
        process = ancestor(node, ("always_construct",))
        control = first(process, ("event_control",)) if process is not None else None
        return control is not None and next(find(control, ("edge_identifier",)), None) is not None

    def _is_implicit(self, node: Node) -> bool:
        """Whether a statement stands in a process that wakes by whatever it reads."""
        process = ancestor(node, ("always_construct",))
        if process is None:
            return False
        control = first(process, ("event_control",))
        implicit = control is not None and _IMPLICIT.match(self._tree.text(control)) is not None
        return implicit or self._tree.text(process.children[0]) in ("always_comb", "always_latch")

    def _sound(self, place: Place, node: Node, text: bytes) -> bool:
        old = self._content[place.start : place.end]
        if not _is_whole(old) or not _is_whole(text) or node.has_error:
            return False
        if place.kind == "statement" and (_OPEN_MACRO.search(old) or _OPEN_MACRO.search(text)):
            return False
        if node.type.startswith("net_") and text.split() == self._tree.text(node.children[0]).encode().split():
            # Verilator refuses a net that is assigned itself; it would not notice through the nets in between.
            return False
        return _is_one(place.kind, text) and (place.kind != "process" or _body(old) is not None)


def _is_whole(text: bytes) -> bool:
    """Whether a text has no directives, but for conditions that begin and end in it."""
    depth = 0
    for found in _CONDITIONAL.finditer(text):
        depth += {b"ifdef": 1, b"ifndef": 1, b"endif": -1}.get(found[1], 0)
        if depth < 0 or (depth == 0 and found[1] in (b"else", b"elsif")):
            return False
    return depth == 0 and not _DIRECTIVE.search(_CONDITIONAL.sub(b"", text))


def _is_body(node: Node) -> bool:
    """Whether a statement is the whole of an `always_comb`, which no event control precedes."""
    above = node.parent
    inner = first(node, ("procedural_timing_control_statement",))
    return (
        above is not None
        and above.type == "always_construct"
        and (inner is None or inner.start_byte != node.start_byte)
    )


@lru_cache(_CACHED_SNIPPETS)
def _assigned(kind: Kind, text: bytes) -> frozenset[tuple[str, str]]:
    """The names that a statement or a process assigns, each with how."""
    before, after = _SNIPPETS[kind].split(b"%s")
    tree = SyntaxTree(b"module m;\n" + before + text + after + b"endmodule\n")
    return frozenset(_assignments(tree, tree.root))


@lru_cache(_CACHED_SNIPPETS)
def _read(process: bytes) -> frozenset[str]:
    """The names that a process mentions otherwise than to assign them."""
    tree = SyntaxTree(b"module m;\n" + process + b"\nendmodule\n")
    named = ((name, ancestor(name, (*_INDICES, "variable_lvalue"))) for name in find(tree.root, (_NAME,)))
    return frozenset(tree.text(name) for name, above in named if above is None or above.type in _INDICES)


def _assignments(tree: SyntaxTree, node: Node) -> Iterator[tuple[str, str]]:
    """The names that are assigned, each with how; what a loop's header counts is assigned blocking."""
    for target in find(node, ("variable_lvalue",)):
        kind = "blocking" if ancestor(target, ("nonblocking_assignment",)) is None else "nonblocking"
        for name in find(target, (_NAME,)):
            # An index is read. What is declared a second time is assigned where the first is.
            index = ancestor(name, _INDICES)
            if index is None or index.start_byte < target.start_byte:
                yield tree.text(name).partition(_AGAIN)[0], kind


def _spliced(content: bytes, pieces: Sequence[tuple[int, int, bytes]], start: int = 0, end: int | None = None) -> bytes:
    """The content from `start` to `end` with the pieces in it; of those at one byte the first comes first."""
    out, position = [], start
    for low, high, text in sorted(pieces, key=lambda piece: piece[:2]):
        out += [content[position:low], text]
        position = high
    return b"".join([*out, content[position:end]])


@lru_cache(_CACHED_SNIPPETS)
def _is_one(kind: Kind, text: bytes) -> bool:
    """Whether a text is exactly one statement, process or expression."""
    if kind == "process":
        return _body(text) is not None
    before, after = _SNIPPETS[kind].split(b"%s")
    tree = SyntaxTree(b"module m;\n" + before + text + after + b"endmodule\n")
    start = len(b"module m;\n" + before)
    stripped = text.strip()
    start += text.index(stripped) if stripped else 0
    if not stripped or tree.root.has_error or len(tree.modules) != 1:
        return False
    items = [child for child in tree.modules[0].children if child.is_named][1:]
    items = [item for item in items if item.type != "comment"]
    wanted = ("expression",) if kind == "value" else ("statement_or_null",)
    node = first(items[0], wanted) if len(items) == 1 else None
    return node is not None and (node.start_byte, node.end_byte) == (start, start + len(stripped))


@lru_cache(_CACHED_SNIPPETS)
def _body(process: bytes) -> tuple[int, int] | None:
    """Where the statement of an `always` construct stands, behind its event control; none for any other text."""
    before = b"module m;\n"
    tree = SyntaxTree(before + process + b"\nendmodule\n")
    if tree.root.has_error or len(tree.modules) != 1:
        return None
    items = [child for child in tree.modules[0].children if child.is_named and child.type != "comment"][1:]
    if len(items) != 1 or items[0].type != "always_construct":
        return None
    statement = first(items[0], ("statement",))
    if statement is None or tree.content[items[0].end_byte : -len(b"\nendmodule\n")].strip():
        return None
    if not _is_body(statement):
        timed = first(statement, ("procedural_timing_control_statement",))
        inner = timed.children[-1] if timed is not None else None
        if timed is None or inner is None or timed.children[0].type != "event_control":
            return None
        statement = inner
    return statement.start_byte - len(before), statement.end_byte - len(before)


def _choice(
    place: Place, original: bytes, texts: Mapping[bytes, Sequence[int]], observing: bool
) -> tuple[bytes, bytes]:
    """What is declared before the item, and what stands in the place."""
    if place.kind == "statement":
        # A macro's call may turn out to be no statement at all.
        items = b"".join(
            b"%s: begin %s end\n" % (_numbers(numbers), marked(_isolated(text, place, numbers), numbers))
            for text, numbers in texts.items()
        )
        return b"", b"case (%s)\n%sdefault: begin %s\nend\nendcase" % (_SELECTOR, items, original)
    if place.kind == "process":
        everyone = [number for numbers in texts.values() for number in numbers]
        processes = [_guarded(original, b"%s: ; default" % _numbers(everyone))]
        processes += [
            marked(_guarded(text, b"default: ; %s" % _numbers(numbers)), numbers) for text, numbers in texts.items()
        ]
        return b"", b"\n".join(processes)
    return _nets(place, original, texts, observing)


def _nets(place: Place, original: bytes, texts: Mapping[bytes, Sequence[int]], observing: bool) -> tuple[bytes, bytes]:
    names = [b"veriloop_%d_%d" % (place.start, index) for index in range(len(texts) + 1)]
    values = [original, *(marked(text, numbers) for text, numbers in texts.items())]
    declared = b"".join(
        b"wire [%d:0] %s = %s\n;\n" % (place.width_bits - 1, name, value)
        for name, value in zip(names, values, strict=True)
    )
    if observing:
        pairs = zip(names[1:], texts.values(), strict=True)
        declared += b"".join(net_check(names[0], name, numbers) for name, numbers in pairs)
    choice = names[0]
    for name, numbers in zip(names[1:], texts.values(), strict=True):
        asked = b" || ".join(b"%s == %d" % (_SELECTOR, number) for number in numbers)
        choice = b"(%s) ? %s : %s" % (asked, name, choice)
    return declared, b"(%s)" % choice


def _guarded(process: bytes, labels: bytes) -> bytes:
    """A process whose statement stands under the last of these case labels."""
    span = _body(process)
    assert span is not None
    start, end = span
    # Two processes that assign one variable may be neither `always_ff` nor `always_comb`.
    head = process[:start].replace(b"always_ff", b"always", 1)
    choice = b"case (%s) %s: %s\nendcase" % (_SELECTOR, labels, process[start:end])
    return head + choice + process[end:] + b"\n"


def _isolated(text: bytes, place: Place, numbers: Sequence[int]) -> bytes:
    """A statement whose block names are hidden in a block of its own, because the original has them too."""
    if not _NAMED.search(text):
        return text
    return b"begin : veriloop_%d_%d\n%s\nend" % (place.start, numbers[0], text)


def written_by(content: bytes, line: int) -> frozenset[int]:
    """The versions that wrote something in a line (1-based) of a file that `Choices.combined` made."""
    lines = content.splitlines(keepends=True)
    start = sum(map(len, lines[: line - 1]))
    end = start + len(lines[line - 1]) if line <= len(lines) else start
    found: frozenset[int] = frozenset()
    opened: list[tuple[int, frozenset[int]]] = []
    for mark in _MARK.finditer(content, 0, end):
        if mark[1] is not None:
            opened.append((mark.start(), frozenset(map(int, mark[1].split(b",")))))
        elif opened:
            _, numbers = opened.pop()
            if mark.end() > start:
                found |= numbers
    return found.union(*(numbers for _, numbers in opened))


def _numbers(numbers: Sequence[int]) -> bytes:
    return b", ".join(b"%d" % number for number in numbers)
