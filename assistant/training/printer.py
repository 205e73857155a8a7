"""Prints modules in the layout of a style."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from veriloop.assistant.training.code import Block, Case, Entry, Headed, If, Instance, Item, Line, Module, Part, Region
from veriloop.assistant.training.style import Style

_NAME = re.compile(r"[`$]?[A-Za-z_]\w*$")
_OPERAND_END = re.compile(r"[\w\"\])}]$")
_LONGEST = 100
_BREAKABLE = (":", "?", "||", "&&", "|", "^", "&", "+")
_BINARY = frozenset("+ - * / % ** & | ^ ~^ ^~ && || == != === !== < > <= >= << >> <<< >>> ? = += -= => ~& ~|".split())
_KEYWORDS = frozenset(
    "if else case casez casex for while repeat assign always always_ff always_comb always_latch or posedge negedge"
    " return unique unique0 priority inside begin end default logic wire reg input output inout signed integer int"
    " parameter localparam genvar typedef enum struct packed function automatic bit unsigned initial generate".split()
)


def print_modules(modules: Sequence[Module], style: Style, head: Sequence[str] = (), tail: Sequence[str] = ()) -> str:
    """The text of modules, between lines that go before and after it."""
    printer = _Printer(style)
    printer.lines += head
    for index, module in enumerate(modules):
        if index:
            printer.lines.append("")
        printer.module(module)
    printer.lines += tail
    return "\n".join(line.rstrip() for line in printer.lines) + "\n"


def join(tokens: Sequence[str], style: Style) -> str:
    """One line of tokens with the spaces of a style."""
    out: list[str] = []
    brackets: list[str] = []
    ternary = 0
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        unary = index == 0 or before in _BINARY or before in "([{,:!~-+*&|^'{'(" or before in ("return", "@", "#")
        in_bracket = "[" in brackets or brackets[-2:] == ["{", "("]
        space = False
        if index == 0 or before in ("(", "[", "{", "'{", "'(", "!", "~", "@", "#", ".", "$", "::"):
            space = False
        elif before in ("+", "-", "&", "|", "^", "~&", "~|", "~^") and _was_unary(tokens, index - 1):
            space = False
        elif token in (")", "]", "}", ",", ";", "++", "--", "::", "'("):
            space = False
        elif before == ",":
            space = style.comma_space
        elif before == ";":
            space = True
        elif token == "(":
            space = _before_parenthesis(before, tokens, index, style)
        elif token == "[":
            space = before in _KEYWORDS or before in _BINARY or before in ("?", ":") or _declared_array(tokens, index)
        elif token == "{":
            space = not (brackets and brackets[-1] == "{" and before not in _BINARY and before != ",")
            space = space and not (before.isdigit() and brackets and brackets[-1] == "{")
        elif token == ":" or before == ":":
            space = not in_bracket and (ternary > 0 or before == ":")
        elif token == "+:" or before == "+:" or token == "-:" or before == "-:":
            space = False
        elif token in ("<=", "=") or before in ("<=", "="):
            space = True
        elif (token in _BINARY and not unary) or before in _BINARY:
            space = not style.tight and not in_bracket
        else:
            space = True
        if token in "([{" or token in ("'{", "'("):
            brackets.append(token[-1])
        elif token in ")]}" and brackets:
            brackets.pop()
        ternary += (token == "?") - (token == ":" and ternary > 0 and not in_bracket)
        out.append(f" {token}" if space else token)
    return "".join(out)


def _breaks(tokens: Sequence[str]) -> list[int]:
    """Where a long statement may be broken: before the alternatives of a ternary, else before one kind of operator."""
    depth = 0
    places: dict[str, list[int]] = {}
    for index, token in enumerate(tokens):
        depth += (token in ("(", "[", "{", "'{", "'(")) - (token in (")", "]", "}"))
        if depth == 0 and token in _BREAKABLE:
            places.setdefault(token, []).append(index)
    for token in _BREAKABLE:
        if token in places:
            return places[token]
    return []


def _was_unary(tokens: Sequence[str], index: int) -> bool:
    return index == 0 or not _OPERAND_END.search(tokens[index - 1]) or tokens[index - 1] in _KEYWORDS


def _declared_array(tokens: Sequence[str], index: int) -> bool:
    """Whether a bracket opens the dimension behind a declared name."""
    return tokens[0] in ("logic", "reg", "wire", "bit", "integer") and "=" not in tokens[:index]


def _before_parenthesis(before: str, tokens: Sequence[str], index: int, style: Style) -> bool:
    if before in ("if", "case", "casez", "casex", "for", "while", "repeat", "inside"):
        return style.keyword_space
    if before in _KEYWORDS:
        return True
    if before in _BINARY:
        return before in ("<=", "=") or (not style.tight and not _was_unary(tokens, index - 1))
    return before in ("?", ":") or before.endswith(")")


class _Printer:
    def __init__(self, style: Style) -> None:
        self.style = style
        self.lines: list[str] = []

    def add(self, depth: int, text: str, note: str = "") -> None:
        if note:
            text += f" /* {note} */" if self.style.block_comments else f" // {note}"
        self.lines.append(self.style.indent * depth + text)

    def comments(self, depth: int, lead: Sequence[str]) -> None:
        for comment in lead:
            self.add(depth, f"/* {comment} */" if self.style.block_comments else f"// {comment}".rstrip())

    def blank(self) -> None:
        if self.style.blank_lines != "none" and self.lines and self.lines[-1]:
            self.lines.append("")

    def module(self, module: Module) -> None:
        self.comments(0, module.lead)
        ansi = self.style.ansi
        opening = f"module {module.name}"
        if module.parameters:
            self.add(0, f"{opening} #(")
            self.entries(module.parameters)
            opening = ")"
        if ansi:
            self.add(0, f"{opening} (")
            self.entries(module.ports)
            self.add(0, ");")
        else:
            comma = ", " if self.style.comma_space else ","
            self.add(0, f"{opening} ({comma.join(port.name for port in module.ports)});")
            for port in module.ports:
                self.comments(1, port.lead)
                self.add(1, join([*port.words, ";"], self.style), port.note)
        self.body(module.body, 1, top=True)
        self.add(0, f"endmodule : {module.name}" if self.style.end_label and self.style.systemverilog else "endmodule")

    def entries(self, entries: Sequence[Entry]) -> None:
        heads = [join(entry.words[: entry.words.index(entry.name)], self.style) for entry in entries]
        width = max(map(len, heads), default=0) if self.style.align_ports else 0
        for index, (entry, head) in enumerate(zip(entries, heads, strict=True)):
            self.comments(1, entry.lead)
            name = join(entry.words[entry.words.index(entry.name) :], self.style)
            comma = "," if index < len(entries) - 1 else ""
            self.add(1, f"{head:<{width}} {name}{comma}", entry.note)

    def body(self, parts: Sequence[Part], depth: int, *, top: bool = False) -> None:
        before: Part | None = None
        for part in parts:
            if top and (before is None or self._apart(before, part)):
                self.blank()
                if self.style.blank_lines == "wide":
                    self.lines.append("")
            self.part(part, depth)
            before = part
        if top:
            self.blank()

    def _apart(self, before: Part, part: Part) -> bool:
        """Whether a blank line goes between two parts of a module."""
        return (
            bool(part.lead)
            or not (isinstance(before, Line) and isinstance(part, Line))
            or ((before.words[0] == "assign") != (part.words[0] == "assign"))
        )

    def part(self, part: Part, depth: int) -> None:
        self.comments(depth, part.lead)
        match part:
            case Line():
                self.long_line(depth, part)
            case Block():
                self.add(depth, f"begin : {part.label}" if part.label else "begin", part.note)
                self.body(part.body, depth + 1)
                self.add(depth, "end")
            case If():
                self.condition(part, depth)
            case Case():
                self.add(depth, join(part.head, self.style), part.note)
                for item in part.items:
                    self.item(item, depth + 1)
                self.add(depth, "endcase")
            case Headed():
                self.headed(part, join(part.head, self.style), depth)
            case Region():
                self.add(depth, join(part.head, self.style), part.note)
                self.body(part.body, depth + 1)
                self.add(depth, part.tail)
            case Instance():
                self.instance(part, depth)

    def long_line(self, depth: int, part: Line) -> None:
        """A statement, over several lines where it is long: broken before operators of the outermost level."""
        text = join(part.words, self.style)
        places = _breaks(part.words) if len(text) + len(self.style.indent) * depth > _LONGEST else []
        if not places:
            self.add(depth, text, part.note)
            return
        edges = [0, *places, len(part.words)]
        lengths = [len(join(part.words[:edge], self.style)) for edge in edges]
        for index, (start, end) in enumerate(pairwise(lengths)):
            last = index == len(edges) - 2
            self.add(depth + (2 if index else 0), text[start:end].strip(), part.note if last else "")

    def headed(self, part: Headed | Item, head: str, depth: int) -> None:
        self.opened(head, part.body, depth, part.note)

    def opened(self, head: str, body: Part, depth: int, note: str = "") -> None:
        """A head with its statement: on the same line as `begin`, or below it."""
        if isinstance(body, Block):
            begin = f"begin : {body.label}" if body.label else "begin"
            if self.style.begin_own_line:
                self.add(depth, head, note)
                self.add(depth, begin)
            else:
                self.add(depth, f"{head} {begin}", note)
            self.comments(depth + 1, body.lead)
            self.body(body.body, depth + 1)
            self.add(depth, "end")
        elif self.style.short_if and isinstance(body, Line) and not (body.lead or body.note or note):
            self.add(depth, f"{head} {join(body.words, self.style)}")
        else:
            self.add(depth, head, note)
            self.part(body, depth + 1)

    def condition(self, part: If, depth: int) -> None:
        keyword = " ".join(part.keywords)
        space = " " if self.style.keyword_space else ""
        self.opened(f"{keyword}{space}({join(part.test, self.style)})", part.then, depth, part.note)
        if part.other is None:
            return
        joined = isinstance(part.then, Block) and not self.style.else_own_line and not self.style.begin_own_line
        if isinstance(part.other, If) and not part.other.lead:
            start = len(self.lines)
            self.condition(part.other, depth)
            self.lines[start] = f"{self.style.indent * depth}else {self.lines[start].lstrip()}"
        else:
            if isinstance(part.other, If):
                part.other = Block([part.other])
            start = len(self.lines)
            self.opened("else", part.other, depth)
        if joined:
            self.lines[start - 1] += f" {self.lines.pop(start).lstrip()}"

    def item(self, item: Item, depth: int) -> None:
        self.comments(depth, item.lead)
        head = f"{join(item.label, self.style)}:"
        simple = isinstance(item.body, Line) and not item.body.lead
        if simple and isinstance(item.body, Line) and (self.style.case_inline or item.body.words == [";"]):
            self.add(depth, f"{head} {join(item.body.words, self.style)}", item.body.note or item.note)
        elif isinstance(item.body, If | Case) and self.style.case_inline and not item.body.lead:
            start = len(self.lines)
            self.part(item.body, depth)
            self.lines[start] = f"{self.style.indent * depth}{head} {self.lines[start].lstrip()}"
        else:
            self.headed(item, head, depth)

    def instance(self, part: Instance, depth: int) -> None:
        def connect(pairs: Sequence[tuple[str, list[str]]]) -> list[str]:
            return [f".{name}({join(value, self.style)})" for name, value in pairs]

        parameters = f" #({', '.join(connect(part.parameters))})" if part.parameters else ""
        head, ports = f"{part.module}{parameters} {part.name} (", connect(part.ports)
        if self.style.instance_lines:
            self.add(depth, head, part.note)
            for index, port in enumerate(ports):
                self.add(depth + 1, f"{port}," if index < len(ports) - 1 else port)
            self.add(depth, ");")
        else:
            self.add(depth, f"{head}{', '.join(ports)});", part.note)
