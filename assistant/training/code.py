"""RTL as nested statements, for rewriting its form: read by tree-sitter, printed by `printer`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from veriloop.assistant.design.syntax import Node, SyntaxTree, descend

_WORD = re.compile(
    r"\"[^\"\n]*\"|\d*\s*'[sS]?[bodhBODH]\s*[\da-fA-FxXzZ_?]+|'[01xz](?!\w)|`?[A-Za-z_$][\w$]*|\d[\d_]*(?:\.\d+)?"
    r"|<<<|>>>|===|!==|\*\*|<<|>>|<=|>=|==|!=|&&|\|\||~&|~\||~\^|\^~|\+\+|--|\+:|-:|\+=|-=|::|'\{|'\(|\.\*|[^\s\w]"
)


def words(text: str) -> list[str]:
    """The tokens of a text without comments."""
    return _WORD.findall(text)


@dataclass(slots=True)
class Part:
    """What every part carries: the comments above it, and the one behind it."""

    lead: list[str] = field(default_factory=list, kw_only=True)
    note: str = field(default="", kw_only=True)


@dataclass(slots=True)
class Line(Part):
    """A declaration, an assignment, a null statement: up to its semicolon."""

    words: list[str]


@dataclass(slots=True)
class Block(Part):
    """`begin` to `end`."""

    body: list[Part]
    label: str = ""


@dataclass(slots=True)
class If(Part):
    """A condition, in a process or a generate region."""

    test: list[str]
    then: Part
    other: Part | None = None
    keywords: list[str] = field(default_factory=lambda: ["if"])


@dataclass(slots=True)
class Item(Part):
    """One arm of a case."""

    label: list[str]
    body: Part


@dataclass(slots=True)
class Case(Part):
    """A case statement; `head` goes up to the closing parenthesis."""

    head: list[str]
    items: list[Item]


@dataclass(slots=True)
class Headed(Part):
    """A process or a loop: what stands before its statement, and the statement."""

    head: list[str]
    body: Part


@dataclass(slots=True)
class Region(Part):
    """A function, a task, a generate region: lines between two keywords."""

    head: list[str]
    body: list[Part]
    tail: str


@dataclass(slots=True)
class Instance(Part):
    """An instance with named connections."""

    module: str
    parameters: list[tuple[str, list[str]]]
    name: str
    ports: list[tuple[str, list[str]]]


@dataclass(slots=True)
class Entry(Part):
    """A parameter or a port in a module's header: its words without the comma."""

    words: list[str]

    @property
    def name(self) -> str:
        """What it is called: a parameter's name stands before its value, a port's at the end."""
        end = self.words.index("=") if "=" in self.words else len(self.words)
        return next(word for word in reversed(self.words[:end]) if re.fullmatch(r"[A-Za-z_]\w*", word))


@dataclass(slots=True)
class Module(Part):
    """A module with an ANSI header."""

    name: str
    parameters: list[Entry]
    ports: list[Entry]
    body: list[Part]


def read_modules(text: str) -> list[Module]:
    """The modules of a text in the canonical form.

    Raises:
        ValueError: tree-sitter finds a gap in it.
    """
    tree = SyntaxTree(text.encode())
    if tree.gaps:
        line = tree.line(tree.gaps[0].start_byte)
        raise ValueError(f"line {line} does not parse: {text.splitlines()[line - 1].strip()}")
    return _Reader(tree).modules()


def walk(part: Part) -> Iterator[Part]:
    """A part and all parts in it."""
    yield part
    for inner in inside(part):
        yield from walk(inner)


def inside(part: Part) -> list[Part]:
    """The parts directly in a part."""
    match part:
        case Block() | Region() | Module():
            return list(part.body)
        case If():
            return [part.then] if part.other is None else [part.then, part.other]
        case Case():
            return list(part.items)
        case Item() | Headed():
            return [part.body]
    return []


class _Reader:
    """Turns nodes into parts and hands each comment to the part that it is about."""

    def __init__(self, tree: SyntaxTree) -> None:
        self._tree = tree
        self._comments = [node for node in tree.nodes if node.type in ("one_line_comment", "block_comment")]
        self._next = 0

    def modules(self) -> list[Module]:
        return [self._module(node) for node in self._tree.modules]

    def _words(self, node: Node) -> list[str]:
        return words(re.sub(r"//[^\n]*|/\*.*?\*/", " ", self._tree.text(node), flags=re.S))

    def _between(self, start: int, end: int) -> list[str]:
        text = self._tree.content[start:end].decode()
        return words(re.sub(r"//[^\n]*|/\*.*?\*/", " ", text, flags=re.S))

    def _lead(self, node: Node) -> list[str]:
        """The comments before a node that nobody has taken."""
        found = []
        while self._next < len(self._comments) and self._comments[self._next].start_byte < node.start_byte:
            found.append(_plain(self._tree.text(self._comments[self._next])))
            self._next += 1
        return found

    def _note(self, node: Node) -> str:
        """The comment behind a node on its last line."""
        if self._next < len(self._comments):
            comment = self._comments[self._next]
            if comment.start_byte >= node.end_byte and comment.start_point[0] == node.end_point[0]:
                self._next += 1
                return _plain(self._tree.text(comment))
        return ""

    def _module(self, node: Node) -> Module:
        lead = self._lead(node)
        header = node.children[0]
        if header.type != "module_ansi_header":
            raise ValueError("a module without an ANSI header")
        name = next(self._tree.text(child) for child in header.children if child.type == "simple_identifier")
        parameters: list[Entry] = []
        ports: list[Entry] = []
        for child in header.children:
            if child.type == "parameter_port_list":
                parameters = [self._entry(one) for one in child.children if one.type == "parameter_port_declaration"]
            if child.type == "list_of_port_declarations":
                ports = [self._entry(one) for one in child.children if one.type == "ansi_port_declaration"]
        body = [self._part(child) for child in node.children[1:] if child.type not in (*_COMMENTS, "endmodule")]
        return Module(name, parameters, ports, body, lead=lead)

    def _entry(self, node: Node) -> Entry:
        lead = self._lead(node)
        return Entry(self._words(node), lead=lead, note=self._note(node))

    def _part(self, node: Node) -> Part:
        while node.child_count == 1 and node.children[0].child_count:
            node = node.children[0]
        if node.type in _CHAINS and (inner := [one for one in node.children if one.type not in _COMMENTS]) != []:
            node = inner[0] if len(inner) == 1 else node
        lead = self._lead(node)
        part = self._read(node)
        part.lead[:0] = lead
        return part

    def _read(self, node: Node) -> Part:
        kids = [child for child in node.children if child.type not in _COMMENTS]
        match node.type:
            case "seq_block" | "generate_block" if kids and kids[0].type == "begin":
                return self._block(kids)
            case "conditional_statement" | "if_generate_construct":
                return self._condition(kids)
            case "case_statement":
                return self._case(kids)
            case "loop_statement" | "loop_generate_construct":
                return Headed(self._between(node.start_byte, kids[-1].start_byte), self._part(kids[-1]))
            case "always_construct" | "initial_construct" | "final_construct":
                return self._process(node, kids[-1])
            case "function_declaration" | "task_declaration":
                body = [child for child in kids[-1].children if child.type not in _COMMENTS]
                end = next(index for index, child in enumerate(body) if child.type == ";")
                head = self._between(node.start_byte, body[end].end_byte)
                tail = "endfunction" if node.type == "function_declaration" else "endtask"
                return Region(head, [self._part(one) for one in body[end + 1 :] if one.type != tail], tail)
            case "generate_region":
                return Region(["generate"], [self._part(one) for one in kids[1:-1]], "endgenerate")
            case "module_instantiation":
                return self._instance(node)
        line = Line(self._words(node))
        line.note = self._note(node)
        return line

    def _block(self, kids: list[Node]) -> Part:
        label, start = "", 1
        if len(kids) > 2 and kids[1].type == ":":
            label, start = self._tree.text(kids[2]), 3
        body = [self._part(child) for child in kids[start:] if child.type not in ("end", ":", "simple_identifier")]
        return Block(body, label)

    def _condition(self, kids: list[Node]) -> Part:
        opened = next(index for index, child in enumerate(kids) if child.type == "(")
        keywords = [word for child in kids[:opened] for word in self._words(child)]
        then = self._part(kids[opened + 3])
        rest = kids[opened + 4 :]
        other: Part | None = None
        if rest:
            other = self._condition(rest[1:]) if rest[1].type == "if" else self._part(rest[1])
        return If(self._words(kids[opened + 1]), then, other, keywords)

    def _case(self, kids: list[Node]) -> Part:
        arms = [child for child in kids if child.type == "case_item"]
        head = self._between(kids[0].start_byte, arms[0].start_byte)
        items = []
        for arm in arms:
            inner = [child for child in arm.children if child.type not in _COMMENTS]
            colon = next((index for index, child in enumerate(inner) if child.type == ":"), 0)
            lead = self._lead(arm)
            label = [word for child in inner[: max(colon, 1)] for word in self._words(child)]
            items.append(Item(label, self._part(inner[-1]), lead=lead))
        return Case(head, items)

    def _process(self, node: Node, statement: Node) -> Part:
        timed = next((one for one in descend(statement) if one.type == "procedural_timing_control_statement"), None)
        body = statement
        if timed is not None and timed.start_byte == statement.start_byte:
            body = timed.children[-1]
        return Headed(self._between(node.start_byte, body.start_byte), self._part(body))

    def _instance(self, node: Node) -> Part:
        parameters: list[tuple[str, list[str]]] = []
        ports: list[tuple[str, list[str]]] = []
        module = self._tree.text(node.children[0])
        name = ""
        for inner in descend(node):
            if inner.type in ("named_parameter_assignment", "named_port_connection"):
                found = self._words(inner)
                target = parameters if inner.type == "named_parameter_assignment" else ports
                target.append((found[1], found[3:-1]))
            elif inner.type == "name_of_instance":
                name = self._tree.text(inner)
        if not name or not ports:
            raise ValueError(f"the instance of {module} does not name its ports")
        instance = Instance(module, parameters, name, ports)
        instance.note = self._note(node)
        return instance


_COMMENTS = ("one_line_comment", "block_comment", "comment")
_CHAINS = ("statement", "statement_or_null", "statement_item")


def _plain(comment: str) -> str:
    """The text of a comment."""
    if comment.startswith("//"):
        return comment[2:].strip()
    return " ".join(line.strip(" *\t") for line in comment[2:-2].splitlines()).strip()
