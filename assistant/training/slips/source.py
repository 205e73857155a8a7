"""A text as lines and words, with what can be told of its names without parsing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

WORD = re.compile(
    r"\d*'[sS]?[bodh][\w?]+|'[01](?!\w)|[`$]?[A-Za-z_][\w$]*|\d[\d_]*"
    r"|<<<|>>>|===|!==|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|\+:|-:|[^\s\w]"
)
NAME = re.compile(r"[A-Za-z_]\w*$")
_DECLARED = re.compile(
    r"^\s*(?:(?:input|output|inout)\s+)?(?:logic|reg|wire|integer|\w+_t)?\s*(?:signed\s*)?((?:\[[^\]]*\]\s*)*)"
    r"([A-Za-z_]\w*(?:\s*\[[^\]]*\])?(?:\s*,\s*[A-Za-z_]\w*(?:\s*\[[^\]]*\])?)*)\s*[,;]?\s*$"
)
_CONSTANT = re.compile(r"\b(?:localparam|parameter)\b[^=;]*?(\w+)\s*=|[{,]\s*([A-Z]\w*)(?=\s*[,=}])")
ASSIGNS = re.compile(r"(?<![<>=!])(?:<=|=)(?!=)")
LITERAL = re.compile(r"(\d+)'([bdh])(\w+)$")
KEYWORDS = frozenset(
    "always always_comb always_ff assign begin case casez default else end endcase endfunction endgenerate"
    " endmodule enum for function generate genvar if initial inout input int integer localparam logic module"
    " negedge or output parameter posedge reg return signed typedef unique unsigned while wire".split()
)
CONTROL = re.compile(r"cl(?:oc)?k|rst|reset", re.I)
RESET = re.compile(r"\bif\s*\(\s*[!~]?\s*\w*(?:rst|reset)\w*(?:\s*==\s*1'b0)?\s*\)", re.I)


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of the right text, and what stands there in the broken one; `line` is 1-based, in the right text."""

    line: int
    right: tuple[str, ...]
    wrong: tuple[str, ...]


Edits = tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it stands in its line."""

    text: str
    start: int
    end: int


class Source:
    """The lines of a text, with their words, and what can be told of the names without parsing."""

    def __init__(self, text: str) -> None:
        self.normal = normal(text)
        self.lines = text.split("\n")
        self.code = [_uncommented(line) for line in self.lines]
        self.words = [[Word(m[0], m.start(), m.end()) for m in WORD.finditer(line)] for line in self.code]
        self.declaration = [_is_declaration(line) for line in self.code]
        self.dimensions: dict[str, str] = {}
        self.constants: list[str] = []
        for line, declares in zip(self.code, self.declaration, strict=True):
            for match in _CONSTANT.finditer(line) if re.search(r"\b(localparam|parameter|enum)\b", line) else ():
                self.constants.append(match[1] or match[2])
            if declares and (declared := _DECLARED.match(line)):
                for name in declared[2].split(","):
                    self.dimensions[name.split("[")[0].strip()] = "".join(declared[1].split())
        self.reset_lines = set(self._reset_branches())

    def body(self) -> Iterator[int]:
        """The lines that do something: no declarations, no headers."""
        inside = False
        for number, line in enumerate(self.code):
            if re.match(r"\s*(?:\)|module\b).*;\s*$", line):
                inside = True
            elif re.match(r"\s*endmodule", line):
                inside = False
            elif inside and not self.declaration[number] and line.strip():
                yield number

    def _reset_branches(self) -> Iterator[int]:
        for number, line in enumerate(self.code):
            if not RESET.search(line):
                continue
            indent = len(line) - len(line.lstrip())
            if re.search(r"\)\s*\w+\s*<=", line):
                yield number
            for after in range(number + 1, len(self.code)):
                text = self.code[after]
                if text.strip() and len(text) - len(text.lstrip()) <= indent and text.strip() != "begin":
                    break
                if "<=" in text:
                    yield after

    def replaced(self, line: int, word: Word, by: str) -> tuple[Edit, ...]:
        """One word of a line replaced."""
        old = self.lines[line]
        return (Edit(line + 1, (old,), (old[: word.start] + by + old[word.end :],)),)

    def rewritten(self, line: int, by: str) -> tuple[Edit, ...]:
        """A line replaced."""
        return (Edit(line + 1, (self.lines[line],), (by,)),)

    def removed(self, line: int) -> tuple[Edit, ...]:
        """A line left out."""
        return (Edit(line + 1, (self.lines[line],), ()),)

    def statement(self, line: int) -> bool:
        """Whether a line is one assignment of its own, which may be left out without harm to the form."""
        text = self.code[line].strip()
        before = self.code[line - 1].strip()
        return bool(re.match(r"(assign\s+)?[\w\[\]{}:,.+ -]+<?=[^=].*;$", text)) and not re.search(
            r"(\)|else|:)$", before
        )

    def alike(self, name: str) -> list[str]:
        """Names that could be taken for this one: constants for constants, signals for those of the same width."""
        if CONTROL.search(name):
            return []
        if name in self.constants:
            others = [one for one in self.constants if one != name]
        elif name in self.dimensions:
            others = [one for one in self.dimensions if one != name and self.dimensions[one] == self.dimensions[name]]
        else:
            return []
        others = [one for one in others if not CONTROL.search(one)]
        near = [one for one in others if set(re.split(r"_|(?=[A-Z])", one)) & set(re.split(r"_|(?=[A-Z])", name))]
        return others + 2 * near


def read_words(source: Source) -> Iterator[tuple[int, int, Word]]:
    """Every word that is read: conditions, and what stands right of an assignment; never clocks and edges."""
    for line in source.body():
        code = source.code[line]
        # A slip in the head of a loop mostly makes one that never ends.
        if re.search(r"\b(posedge|negedge|genvar|for)\b", code):
            continue
        assignment = ASSIGNS.search(code)
        condition = re.search(r"\b(if|case|casez|for|while)\b", code)
        start = 0 if condition or assignment is None else assignment.end()
        for index, word in enumerate(source.words[line]):
            if word.start >= start or (condition and assignment and word.end <= assignment.start()):
                yield line, index, word


def _uncommented(line: str) -> str:
    """A line with its comments blanked, in place."""
    return re.sub(r"//.*|/\*.*?\*/", lambda match: " " * len(match[0]), line)


def _is_declaration(line: str) -> bool:
    if re.match(
        r"\s*(input|output|inout|logic|reg|integer|genvar|parameter|localparam|typedef|module|`|\w+_t\s)", line
    ):
        return True
    return bool(re.match(r"\s*wire\b[^=]*;?$", line))


def normal(text: str) -> str:
    """The words of a text, without comments and spaces."""
    return "".join(WORD.findall(re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)))
