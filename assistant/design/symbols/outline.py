"""What a file declares and where each name is seen, from its syntax tree: scopes, declarations, instances.

Both branches of an `ifdef` count, and so does what stands between errors: an outline is never refused.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from veriloop.assistant.design.syntax import Node, SyntaxTree, children

Kind: TypeAlias = Literal[
    "module", "interface", "program", "package", "class", "checker", "primitive", "port", "net", "variable",
    "parameter", "type", "member", "enum value", "function", "task", "argument", "genvar", "instance", "block",
    "modport", "clocking", "property", "sequence", "let", "covergroup", "coverpoint", "constraint", "macro",
    "macro argument",
]  # fmt: skip
ScopeKind: TypeAlias = Literal[
    "file", "module", "interface", "program", "package", "class", "checker", "primitive", "function", "block", "loop",
    "struct", "bind", "macro",
]  # fmt: skip

DESIGN_UNITS: frozenset[Kind] = frozenset({"module", "interface", "program", "checker", "primitive"})
"""What an instance can be of; their names live in a name space of their own (IEEE 1800-2017, 3.13)."""


@dataclass(slots=True)
class Declaration:
    """One declaration of a name; all numbers are bytes of the file or indices into its outline."""

    name: str
    kind: Kind
    at: int
    """Where the name stands."""
    scope: int
    """The scope that it is declared in."""
    start: int
    end: int
    """The declaration as a whole."""
    type_at: int = -1
    """Where the name of its type stands: a typedef, a class, an interface, an instance's module. -1: none."""
    inner: int = -1
    """The scope that it opens: a module's body, a structure's members. -1: none."""
    direction: str = ""
    """A port's or an argument's."""


@dataclass(slots=True)
class Scope:
    """A region in which names are declared."""

    kind: ScopeKind
    start: int
    end: int
    parent: int
    name: str = ""
    base_at: int = -1
    """Where a class stands whose members are seen here too: extended, qualified by, or bound to. -1: none."""
    names: dict[str, list[int]] = field(default_factory=dict)
    """Indices of declarations."""
    imports: list[tuple[str, str]] = field(default_factory=list)
    """Package and name; `*` for all of its names."""
    includes: list[str] = field(default_factory=list)
    """What is included here, as the text names it."""
    twin: int = -1
    """The scope that holds this one's names too: alternatives of a generate construct may share a name. -1: none."""


@dataclass(frozen=True, slots=True)
class Instance:
    """An instantiation of one module; bytes of the file."""

    module: str
    type_at: int
    declaration: int
    """The index of its declaration, -1 if it has no name."""
    start: int
    end: int
    ports_at: int
    """Where the parenthesis of its connections opens; what stands before it are parameters."""


@dataclass(frozen=True, slots=True)
class Outline:
    """The scopes, declarations and instances of a file, in the order of the text."""

    scopes: list[Scope]
    declarations: list[Declaration]
    instances: list[Instance]
    includes: list[tuple[str, int, int]]
    """What is included, and the bytes of the name between its quotes."""
    by_place: Mapping[int, int]
    """First byte of a declared name to the index of its declaration."""
    _starts: list[int]
    _instance_starts: list[int]

    def scope_at(self, at: int) -> int:
        """The innermost scope around a byte."""
        index = bisect_right(self._starts, at) - 1
        while index > 0 and self.scopes[index].end <= at:
            index = self.scopes[index].parent
        return max(index, 0)

    def instance_at(self, at: int) -> Instance | None:
        """The instance whose text covers a byte; of `m #(...) a(...), b(...);` the first from there on."""
        index = bisect_right(self._instance_starts, at) - 1
        found: Instance | None = None
        while index >= 0 and self.instances[index].end > at:
            if found is not None and self.instances[index].start != found.start:
                break
            found = self.instances[index]
            index -= 1
        return found


def read_outline(tree: SyntaxTree) -> Outline:
    """The outline of a parsed file."""
    reader = _Reader(tree)
    reader.read()
    declarations, scopes = reader.declarations, reader.scopes
    by_place: dict[int, int] = {}
    for index, declaration in enumerate(declarations):
        by_place.setdefault(declaration.at, index)
        twin = scopes[declaration.scope].twin
        scopes[twin if twin >= 0 else declaration.scope].names.setdefault(declaration.name, []).append(index)
    reader.instances.sort(key=lambda instance: (instance.start, instance.end))
    return Outline(
        scopes=scopes,
        declarations=declarations,
        instances=reader.instances,
        includes=reader.includes,
        by_place=by_place,
        _starts=[scope.start for scope in scopes],
        _instance_starts=[instance.start for instance in reader.instances],
    )


_UNITS: Mapping[str, tuple[Kind, ScopeKind]] = {
    "module_declaration": ("module", "module"),
    "interface_declaration": ("interface", "interface"),
    "program_declaration": ("program", "program"),
    "package_declaration": ("package", "package"),
    "class_declaration": ("class", "class"),
    "interface_class_declaration": ("class", "class"),
    "checker_declaration": ("checker", "checker"),
    "udp_declaration": ("primitive", "primitive"),
    "function_declaration": ("function", "function"),
    "task_declaration": ("task", "function"),
    "function_prototype": ("function", "function"),
    "task_prototype": ("task", "function"),
    "property_declaration": ("property", "function"),
    "sequence_declaration": ("sequence", "function"),
    "let_declaration": ("let", "function"),
    "covergroup_declaration": ("covergroup", "block"),
    "clocking_declaration": ("clocking", "block"),
    "class_constructor_declaration": ("function", "function"),
}
_HEADERS: Mapping[str, tuple[Kind, ScopeKind]] = {
    "module_ansi_header": ("module", "module"),
    "module_nonansi_header": ("module", "module"),
    "interface_ansi_header": ("interface", "interface"),
    "interface_nonansi_header": ("interface", "interface"),
    "program_ansi_header": ("program", "program"),
    "program_nonansi_header": ("program", "program"),
}
"""Found outside of their unit where the text is broken."""
_NAME_BELOW = frozenset(
    {*_HEADERS, "function_body_declaration", "task_body_declaration", "udp_ansi_declaration", "udp_nonansi_declaration"}
)
_LISTS: Mapping[str, tuple[Kind, str]] = {
    "data_declaration": ("variable", "variable_decl_assignment"),
    "assertion_variable_declaration": ("variable", "variable_decl_assignment"),
    "struct_union_member": ("member", "variable_decl_assignment"),
    "net_declaration": ("net", "net_decl_assignment"),
    "parameter_declaration": ("parameter", "param_assignment"),
    "local_parameter_declaration": ("parameter", "param_assignment"),
    "parameter_port_declaration": ("parameter", "param_assignment"),
    "specparam_declaration": ("parameter", "specparam_assignment"),
}
"""Declarations of several names after one type: the kind, and the node that holds each name."""
_IDENTIFIER_LISTS = frozenset(
    {
        "list_of_port_identifiers",
        "list_of_variable_port_identifiers",
        "list_of_variable_identifiers",
        "list_of_tf_variable_identifiers",
        "list_of_genvar_identifiers",
        "list_of_udp_port_identifiers",
        "list_of_interface_identifiers",
    }
)
_TYPE_HOLDERS = frozenset(
    {
        "data_type",
        "data_type_or_implicit",
        "data_type_or_void",
        "net_port_header",
        "variable_port_header",
        "net_port_type",
        "variable_port_type",
        "interface_port_header",
        "class_type",
        "function_body_declaration",
    }
)
_PARTS: Mapping[str, Kind] = {
    "cover_point": "coverpoint",
    "cover_cross": "coverpoint",
    "bins_or_options": "member",
    "constraint_declaration": "constraint",
    "constraint_prototype": "constraint",
    "modport_item": "modport",
    "checker_port_item": "port",
    "property_port_item": "argument",
    "sequence_port_item": "argument",
    "let_port_item": "argument",
    "clocking_decl_assign": "member",
    "nettype_declaration": "type",
}
"""Nodes whose last direct name, before any expression, is declared."""
_OPAQUE = frozenset(
    {
        "expression",
        "constant_expression",
        "parameter_value_assignment",
        "list_of_port_connections",
        "event_control",
        "clocking_event",
        "net_lvalue",
        "variable_lvalue",
        "hierarchical_identifier",
        "packed_dimension",
        "unpacked_dimension",
        "macro_text",
        "text_macro_usage",
        "blocking_assignment",
        "nonblocking_assignment",
        "subroutine_call",
        "quoted_string",
        "property_spec",
        "list_of_ports",
        "comment",
        "continuous_assign",
        "constraint_block",
    }
)
"""Nothing below these declares a name."""
_HOISTING: frozenset[ScopeKind] = frozenset({"loop"})
_MACRO_ARGUMENT = re.compile(rb"\s*([A-Za-z_]\w*)\s*(?:=[^,)]*)?(?:,|\))")

_Visit: TypeAlias = Callable[["_Reader", Node, int], None]


class _Reader:
    def __init__(self, tree: SyntaxTree) -> None:
        self.tree = tree
        self.content = tree.content
        self.scopes = [Scope("file", 0, len(tree.content) + 1, -1)]
        self.declarations: list[Declaration] = []
        self.instances: list[Instance] = []
        self.includes: list[tuple[str, int, int]] = []
        self._waiting: list[tuple[Node, int]] = []
        self._blocks: dict[tuple[int, str], int] = {}
        """Generate blocks by the scope and the name that they are seen under."""
        self._unended = 0
        """The scope of the last unit whose end is missing; `-1` stands for it in what waits."""

    def read(self) -> None:
        self._waiting = [(self.tree.root, 0)]
        while self._waiting:
            node, scope = self._waiting.pop()
            if scope < 0:
                scope = self._unended
                self.scopes[scope].end = max(self.scopes[scope].end, node.end_byte)
            visit = _VISITS.get(node.type)
            if visit is not None:
                visit(self, node, scope)
            elif node.type not in _OPAQUE:
                self._below(node, scope)

    def _below(self, node: Node, scope: int, skip: Node | None = None) -> None:
        waiting = self._waiting
        for child in reversed(node.named_children):
            if child != skip:
                waiting.append((child, scope))

    def _open(self, kind: ScopeKind, node: Node, parent: int, name: str = "", base_at: int = -1) -> int:
        self.scopes.append(Scope(kind, node.start_byte, node.end_byte, parent, name, base_at))
        return len(self.scopes) - 1

    def _declare(
        self, name: Node, kind: Kind, scope: int, node: Node, *, type_at: int = -1, inner: int = -1, direction: str = ""
    ) -> int:
        at, text = name.start_byte, self.content[name.start_byte : name.end_byte]
        if text[:1] == b"\\":
            at, text = at + 1, text[1:].rstrip()
        declared = Declaration(
            text.decode("utf-8", errors="replace"),
            kind,
            at,
            scope,
            node.start_byte,
            node.end_byte,
            type_at,
            inner,
            direction,
        )
        self.declarations.append(declared)
        return len(self.declarations) - 1

    def _text(self, node: Node) -> str:
        return self.tree.text(node)

    # --- units: what has a name and a scope of its own ---

    def _unit(self, node: Node, scope: int) -> None:
        kind, scope_kind = _UNITS[node.type]
        holder = next((child for child in node.named_children if child.type in _NAME_BELOW), node)
        name = holder.child_by_field_name("name") or next(iter(children(holder, _NAMES)), None)
        qualifier = next(iter(children(holder, ("class_scope",))), None)
        extended = next(iter(children(node, ("class_type",))), None)
        base = qualifier or extended
        base_at = self._last_name(base) if base is not None else -1
        inner = self._open(scope_kind, node, scope, self._text(name) if name is not None else "", base_at)
        if node.has_error and _is_unended(node):
            self._unended = inner
        if name is not None and qualifier is None:
            type_at, _ = self._type(holder, inner) if kind == "function" else (-1, -1)
            home = scope if self.scopes[scope].kind != "loop" else self.scopes[scope].parent
            self._declare(name, kind, home, node, type_at=type_at, inner=inner)
        self._below(node, inner)

    def _broken(self, node: Node, scope: int) -> None:
        """Where the text is broken a unit's header may stand alone, or its end be missing: what follows is its body."""
        found: list[tuple[Node, int]] = []
        outside = scope
        for child in node.named_children:
            if child.type in _HEADERS:
                scope = self._opened_by(child, node)
            elif child.type in _UNITS and _is_unended(child):
                found.append((child, outside))
                scope = -1
                continue
            elif child.type in _UNITS and child.type.endswith("_declaration") and child.type.split("_")[0] in _ENDS:
                scope = outside
            found.append((child, scope))
            if child.type == "ERROR" and child.child_count and child.children[-1].type in _ENDS.values():
                scope = outside
        self._waiting.extend(reversed(found))

    def _opened_by(self, header: Node, error: Node) -> int:
        kind, scope_kind = _HEADERS[header.type]
        name = header.child_by_field_name("name")
        inner = self._open(scope_kind, error, 0, self._text(name) if name is not None else "")
        self.scopes[inner].start = header.start_byte
        for opened in range(inner - 1, 0, -1):
            if self.scopes[opened].end == error.end_byte and self.scopes[opened].start < header.start_byte:
                self.scopes[opened].end = header.start_byte
        if name is not None:
            self._declare(name, kind, 0, header, inner=inner)
        return inner

    def _block(self, node: Node, scope: int) -> None:
        name = node.child_by_field_name("name") or self._begin_name(node)
        before = node.parent
        if name is None and before is not None and before.type == "statement_item" and before.parent is not None:
            name = before.parent.child_by_field_name("block_name")
        home = scope
        while self.scopes[home].kind in _HOISTING and node.type == "generate_block":
            home = self.scopes[home].parent
        if name is None and node.type == "generate_block" and not _begins(node):
            # `if (X) wire w;`: one item, without a block of its own in the text.
            self._below(node, scope)
            return
        inner = self._open("block", node, scope, self._text(name) if name is not None else "")
        if name is not None:
            self._declare(name, "block", home, node, inner=inner)
            if node.type == "generate_block":
                first = self._blocks.setdefault((home, self._text(name)), inner)
                self.scopes[inner].twin = first if first != inner else -1
        self._below(node, inner)

    @staticmethod
    def _begin_name(node: Node) -> Node | None:
        """`begin : name`, not `end : name`."""
        for child in node.children[:4]:
            if child.type in _NAMES:
                return child
            if child.type not in ("begin", "fork", ":", "comment"):
                return None
        return None

    def _loop(self, node: Node, scope: int) -> None:
        inner = self._open("loop", node, scope)
        self._below(node, inner)

    def _bind(self, node: Node, scope: int) -> None:
        target = next(iter(children(node, ("bind_target_scope", "bind_target_instance"))), None)
        inner = self._open("bind", node, scope, base_at=self._last_name(target) if target is not None else -1)
        self._below(node, inner)

    # --- declarations of one or several names ---

    def _list(self, node: Node, scope: int) -> None:
        kind, holder = _LISTS[node.type]
        type_at, inner = self._type(node, scope)
        lists = [child for child in node.named_children if child.type.startswith("list_of_")]
        for child in lists:
            for entry in children(child, (holder,)):
                name = entry.child_by_field_name("name") or next(iter(children(entry, _NAMES)), None)
                if name is not None:
                    self._declare(name, kind, scope, node, type_at=type_at, inner=inner)
                if entry.has_error:
                    self._below(entry, scope)
            if child.has_error:
                self._below(child, scope)
        for child in node.named_children:
            if child.type not in _TYPE_HOLDERS and child not in lists:
                self._waiting.append((child, scope))

    def _type(self, node: Node, scope: int) -> tuple[int, int]:
        """Where the name of a declaration's type stands, and the scope of the members if it is spelled out."""
        for child in node.named_children:
            if child.type in ("data_type", "type_reference"):
                return self._data_type(child, scope)
            if child.type == "class_type":
                return self._last_name(child), -1
            if child.type == "interface_port_header":
                name = child.child_by_field_name("interface_name")
                return (name.start_byte if name is not None else -1), -1
            if child.type in _TYPE_HOLDERS:
                return self._type(child, scope)
            if child.type in _NAMES and node.type in ("net_declaration", "type_declaration"):
                return child.start_byte, -1
            if child.type.startswith("list_of_"):
                break
        return -1, -1

    def _data_type(self, node: Node, scope: int) -> tuple[int, int]:
        inner, name_at = -1, -1
        for child in node.named_children:
            if child.type == "struct_union":
                inner = self._open("struct", node, scope)
            elif child.type == "struct_union_member" and inner >= 0:
                self._list(child, inner)
            elif child.type == "enum_name_declaration":
                name = next(iter(children(child, _NAMES)), None)
                home = scope
                while self.scopes[home].kind == "struct":
                    home = self.scopes[home].parent
                if name is not None:
                    self._declare(name, "enum value", home, child)
            elif child.type == "enum_base_type":
                base = next(iter(children(child, _NAMES)), None)
                name_at = base.start_byte if base is not None else name_at
            elif child.type == "class_type":
                name_at = self._last_name(child)
            elif child.type in _NAMES and name_at < 0:
                name_at = child.start_byte
        return name_at, inner

    @staticmethod
    def _last_name(node: Node) -> int:
        """`p::C #(...)::T`: where the last name of a path stands."""
        names = [child for child in node.named_children if child.type in _NAMES]
        if names:
            return names[-1].start_byte
        below = next((child for child in node.named_children if child.type not in ("comment",)), None)
        return _Reader._last_name(below) if below is not None else -1

    def _port(self, node: Node, scope: int) -> None:
        name = node.child_by_field_name("port_name")
        if name is None:
            return
        type_at, inner = self._type(node, scope)
        direction = _direction(self._text(node))
        before = node.prev_named_sibling
        if type_at < 0 and inner < 0 and not direction and before is not None and self.declarations:
            # `input T a, b`: the direction and the type go on.
            last = self.declarations[-1]
            if last.kind == "port" and last.scope == scope:
                type_at, inner, direction = last.type_at, last.inner, last.direction
        self._declare(name, "port", scope, node, type_at=type_at, inner=inner, direction=direction)

    def _old_port(self, node: Node, scope: int) -> None:
        kind: Kind = "argument" if self.scopes[scope].kind == "function" else "port"
        type_at, inner = self._type(node, scope)
        direction = _direction(self._text(node))
        for child in node.named_children:
            if child.type in _IDENTIFIER_LISTS:
                for name in children(child, _NAMES):
                    self._declare(name, kind, scope, node, type_at=type_at, inner=inner, direction=direction)
            elif child.type in _NAMES and node.type.startswith("udp"):
                self._declare(child, kind, scope, node, direction=direction)

    def _argument(self, node: Node, scope: int) -> None:
        name = node.child_by_field_name("name")
        if name is not None:
            type_at, inner = self._type(node, scope)
            direction = _direction(self._text(node))
            if type_at < 0 and not direction and self.declarations:
                last = self.declarations[-1]
                if last.kind == "argument" and last.scope == scope and not children(node, _TYPE_HOLDERS):
                    type_at, direction = last.type_at, last.direction
            self._declare(name, "argument", scope, node, type_at=type_at, inner=inner, direction=direction)

    def _loose_parameters(self, node: Node, scope: int) -> None:
        """`#(W = 8, N = 2)`, and those that a directive among the parameters tears off their keyword."""
        for entry in children(node, ("param_assignment",)):
            name = entry.child_by_field_name("name") or next(iter(children(entry, _NAMES)), None)
            if name is not None:
                self._declare(name, "parameter", scope, entry)
        if node.has_error:
            self._below(node, scope)

    def _typedef(self, node: Node, scope: int) -> None:
        type_at, inner = self._type(node, scope)
        name = node.child_by_field_name("type_name") or next(reversed(children(node, _NAMES)), None)
        if name is not None:
            self._declare(name, "type", scope, node, type_at=type_at if type_at != name.start_byte else -1, inner=inner)

    def _type_parameter(self, node: Node, scope: int) -> None:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        if name is not None:
            type_at, inner = self._data_type(value, scope) if value is not None else (-1, -1)
            self._declare(name, "parameter", scope, node.parent or node, type_at=type_at, inner=inner)

    def _genvar(self, node: Node, scope: int) -> None:
        if node.type == "genvar_initialization" and not any(child.type == "genvar" for child in node.children):
            return
        lists = children(node, ("list_of_genvar_identifiers",)) or [node]
        for name in children(lists[0], _NAMES)[: None if lists[0] != node else 1]:
            self._declare(name, "genvar", scope, node)

    def _loop_variable(self, node: Node, scope: int) -> None:
        type_at, _ = self._type(node, scope)
        for name in children(node, _NAMES):
            self._declare(name, "variable", scope, node, type_at=type_at)

    def _part(self, node: Node, scope: int) -> None:
        name = (
            node.child_by_field_name("name")
            or node.child_by_field_name("formal_port")
            or next(reversed(children(node, _NAMES)), None)
        )
        if node.type in ("modport_item", "clocking_decl_assign"):
            name = next(iter(children(node, _NAMES)), None)
        if name is not None:
            self._declare(name, _PARTS[node.type], scope, node)

    # --- instances ---

    def _instantiation(self, node: Node, scope: int) -> None:
        module = node.child_by_field_name("instance_type") or next(iter(children(node, _NAMES)), None)
        if module is None:
            self._below(node, scope)
            return
        for instance in children(node, ("hierarchical_instance", "udp_instance", "checker_instance")):
            holder = next(iter(children(instance, ("name_of_instance",))), None)
            name = holder.child_by_field_name("instance_name") if holder is not None else None
            index = -1
            if name is not None:
                index = self._declare(name, "instance", scope, node, type_at=module.start_byte)
            opening = next((child.start_byte for child in instance.children if child.type == "("), instance.end_byte)
            found = Instance(
                self._text(module), module.start_byte, index, node.start_byte, instance.end_byte + 1, opening
            )
            self.instances.append(found)
        if node.has_error:
            self._below(node, scope, skip=module)

    def _gate(self, node: Node, scope: int) -> None:
        for instance in node.named_children:
            holder = next(iter(children(instance, ("name_of_instance",))), None)
            name = holder.child_by_field_name("instance_name") if holder is not None else None
            if name is not None:
                self._declare(name, "instance", scope, node)

    # --- what reaches over files ---

    def _import(self, node: Node, scope: int) -> None:
        for item in children(node, ("package_import_item",)):
            names = children(item, _NAMES)
            if names:
                name = self._text(names[1]) if len(names) > 1 else "*"
                self.scopes[scope].imports.append((self._text(names[0]), name))

    def _include(self, node: Node, scope: int) -> None:
        text = self._text(node)
        match = re.search(r'["<]([^">\n]+)[">]', text)
        if match:
            self.scopes[scope].includes.append(match[1])
            start = node.start_byte + len(text[: match.start(1)].encode())
            self.includes.append((match[1], start, start + len(match[1].encode())))

    def _macro(self, node: Node, scope: int) -> None:
        holder = next(iter(children(node, ("text_macro_name",))), None)
        name = next(iter(children(holder, _NAMES)), None) if holder is not None else None
        if holder is None or name is None:
            return
        inner = self._open("macro", node, scope, self._text(name))
        self._declare(name, "macro", 0, node, inner=inner)
        for arguments in children(holder, ("list_of_formal_arguments",)):
            for argument in children(arguments, ("formal_argument",)):
                for formal in children(argument, _NAMES)[:1]:
                    self._declare(formal, "macro argument", inner, argument)


_ENDS = {name: f"end{name}" for name in ("module", "interface", "program", "package", "class")}
_NAMES = ("simple_identifier", "escaped_identifier")
_DIRECTION = re.compile(r"\s*(?:const\s+)?(input|output|inout|ref)\b")


def _direction(text: str) -> str:
    match = _DIRECTION.match(text)
    return match[1] if match else ""


def _is_unended(node: Node) -> bool:
    end = _ENDS.get(node.type.split("_")[0])
    return end is not None and node.has_error and any(child.is_missing and child.type == end for child in node.children)


def _begins(node: Node) -> bool:
    return any(child.type == "begin" for child in node.children[:3])


_VISITS: Mapping[str, _Visit] = {
    **dict.fromkeys(_UNITS, _Reader._unit),
    **dict.fromkeys(_LISTS, _Reader._list),
    **dict.fromkeys(_PARTS, _Reader._part),
    "ERROR": _Reader._broken,
    "source_file": _Reader._broken,
    "generate_block": _Reader._block,
    "seq_block": _Reader._block,
    "par_block": _Reader._block,
    "loop_generate_construct": _Reader._loop,
    "loop_statement": _Reader._loop,
    "bind_directive": _Reader._bind,
    "ansi_port_declaration": _Reader._port,
    "input_declaration": _Reader._old_port,
    "output_declaration": _Reader._old_port,
    "inout_declaration": _Reader._old_port,
    "interface_port_declaration": _Reader._old_port,
    "tf_port_declaration": _Reader._old_port,
    "udp_input_declaration": _Reader._old_port,
    "udp_output_declaration": _Reader._old_port,
    "tf_port_item": _Reader._argument,
    "list_of_param_assignments": _Reader._loose_parameters,
    "type_declaration": _Reader._typedef,
    "type_assignment": _Reader._type_parameter,
    "genvar_declaration": _Reader._genvar,
    "genvar_initialization": _Reader._genvar,
    "for_variable_declaration": _Reader._loop_variable,
    "loop_variables": _Reader._loop_variable,
    "module_instantiation": _Reader._instantiation,
    "udp_instantiation": _Reader._instantiation,
    "checker_instantiation": _Reader._instantiation,
    "gate_instantiation": _Reader._gate,
    "package_import_declaration": _Reader._import,
    "include_compiler_directive": _Reader._include,
    "text_macro_definition": _Reader._macro,
}
