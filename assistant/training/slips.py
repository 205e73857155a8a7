"""What people do wrong when they write RTL, as slips of text: independent of the operators that repair them.

A slip sees lines and words, never a syntax tree: it is made as a hand makes it, by looking at the wrong name,
forgetting a line, copying one and not changing it. Whether it compiles and whether a test sees it, the simulator says.

The kinds are those that studies of RTL bugs name: Sudakrishnan et al., "Understanding bug fix patterns in Verilog"
(MSR 2008), Ma et al., "Debugging in the brave new world of reconfigurable hardware" (ASPLOS 2022). The weights are
ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

_WORD = re.compile(
    r"\d*'[sS]?[bodh][\w?]+|'[01](?!\w)|[`$]?[A-Za-z_][\w$]*|\d[\d_]*"
    r"|<<<|>>>|===|!==|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|\+:|-:|[^\s\w]"
)
_NAME = re.compile(r"[A-Za-z_]\w*$")
_DECLARED = re.compile(
    r"^\s*(?:(?:input|output|inout)\s+)?(?:logic|reg|wire|integer|\w+_t)?\s*(?:signed\s*)?((?:\[[^\]]*\]\s*)*)"
    r"([A-Za-z_]\w*(?:\s*\[[^\]]*\])?(?:\s*,\s*[A-Za-z_]\w*(?:\s*\[[^\]]*\])?)*)\s*[,;]?\s*$"
)
_CONSTANT = re.compile(r"\b(?:localparam|parameter)\b[^=;]*?(\w+)\s*=|[{,]\s*([A-Z]\w*)(?=\s*[,=}])")
_ASSIGNS = re.compile(r"(?<![<>=!])(?:<=|=)(?!=)")
_LITERAL = re.compile(r"(\d+)'([bdh])(\w+)$")
_KEYWORDS = frozenset(
    "always always_comb always_ff assign begin case casez default else end endcase endfunction endgenerate endmodule"
    " enum for function generate genvar if initial inout input int integer localparam logic module negedge or output"
    " parameter posedge reg return signed typedef unique unsigned while wire".split()
)
_CONTROL = re.compile(r"cl(?:oc)?k|rst|reset", re.I)
_RESET = re.compile(r"\bif\s*\(\s*[!~]?\s*\w*(?:rst|reset)\w*(?:\s*==\s*1'b0)?\s*\)", re.I)
_OPERATORS = {
    "+": "-",
    "-": "+",
    "&&": "||",
    "||": "&&",
    "&": "|",
    "|": "&",
    "^": "|",
    "==": "!=",
    "!=": "==",
    "<<": ">>",
    ">>": "<<",
    ">>>": ">>",
    "<": ">",
    ">": "<",
    ">=": ">",
}


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines of the right text, and what stands there in the broken one; `line` is 1-based, in the right text."""

    line: int
    right: tuple[str, ...]
    wrong: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Slip:
    """One thing done wrong."""

    kind: str
    edits: tuple[Edit, ...]

    def apply(self, text: str) -> str:
        """The broken text."""
        lines = text.split("\n")
        for edit in sorted(self.edits, key=lambda one: -one.line):
            lines[edit.line - 1 : edit.line - 1 + len(edit.right)] = edit.wrong
        return "\n".join(lines)


def draw(text: str, random: Random, *, count: int, two_places: float = 0.12) -> list[Slip]:
    """Different slips in a text, at most as many as asked for.

    Args:
        text: a right text.
        random: decides.
        count: how many.
        two_places: how often two slips are made at once.
    """
    source = _Source(text)
    found: dict[str, Slip] = {}
    for _ in range(4 * count):
        if len(found) == count:
            break
        slip = _one(source, random)
        if slip is not None and random.random() < two_places:
            slip = _joined(slip, _one(source, random))
        if slip is not None and not any(_feeds_itself(line) for edit in slip.edits for line in edit.wrong):
            broken = slip.apply(text)
            if _normal(broken) != source.normal:
                found.setdefault(_normal(broken), slip)
    return list(found.values())


def _one(source: _Source, random: Random) -> Slip | None:
    (kind,) = random.choices(tuple(_KINDS), tuple(weight for weight, _ in _KINDS.values()))
    edits = list(_KINDS[kind][1](source, random))
    return Slip(kind, random.choice(edits)) if edits else None


def _joined(first: Slip, second: Slip | None) -> Slip:
    if second is None:
        return first
    taken = {line for edit in first.edits for line in range(edit.line, edit.line + len(edit.right) + 1)}
    if any(line in taken for edit in second.edits for line in range(edit.line, edit.line + len(edit.right) + 1)):
        return first
    return Slip(f"{first.kind}+{second.kind}", (*first.edits, *second.edits))


def _feeds_itself(line: str) -> bool:
    """Whether a continuous assignment reads what it drives: hardly anybody writes that, and no simulation ends."""
    match = re.match(r"\s*(?:assign|wire)\b[^=]*?(\w+)(?:\[[^\]]*\])?\s*=(?!=)(.*)", line)
    return match is not None and match[1] in _WORD.findall(match[2])


def _normal(text: str) -> str:
    return "".join(_WORD.findall(re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)))


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start: int
    end: int


class _Source:
    """The lines of a text, with their words, and what can be told of the names without parsing."""

    def __init__(self, text: str) -> None:
        self.normal = _normal(text)
        self.lines = text.split("\n")
        self.code = [_uncommented(line) for line in self.lines]
        self.words = [[_Word(m[0], m.start(), m.end()) for m in _WORD.finditer(line)] for line in self.code]
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
            if not _RESET.search(line):
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

    def replaced(self, line: int, word: _Word, by: str) -> tuple[Edit, ...]:
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
        if _CONTROL.search(name):
            return []
        if name in self.constants:
            others = [one for one in self.constants if one != name]
        elif name in self.dimensions:
            others = [one for one in self.dimensions if one != name and self.dimensions[one] == self.dimensions[name]]
        else:
            return []
        others = [one for one in others if not _CONTROL.search(one)]
        near = [one for one in others if set(re.split(r"_|(?=[A-Z])", one)) & set(re.split(r"_|(?=[A-Z])", name))]
        return others + 2 * near


def _uncommented(line: str) -> str:
    """A line with its comments blanked, in place."""
    return re.sub(r"//.*|/\*.*?\*/", lambda match: " " * len(match[0]), line)


def _is_declaration(line: str) -> bool:
    if re.match(
        r"\s*(input|output|inout|logic|reg|integer|genvar|parameter|localparam|typedef|module|`|\w+_t\s)", line
    ):
        return True
    return bool(re.match(r"\s*wire\b[^=]*;?$", line))


Edits = tuple[Edit, ...]
Maker = Callable[[_Source, Random], Iterator[Edits]]


def _read_words(source: _Source) -> Iterator[tuple[int, int, _Word]]:
    """Every word that is read: conditions, and what stands right of an assignment; never clocks and edges."""
    for line in source.body():
        code = source.code[line]
        # A slip in the head of a loop mostly makes one that never ends.
        if re.search(r"\b(posedge|negedge|genvar|for)\b", code):
            continue
        assignment = _ASSIGNS.search(code)
        condition = re.search(r"\b(if|case|casez|for|while)\b", code)
        start = 0 if condition or assignment is None else assignment.end()
        for index, word in enumerate(source.words[line]):
            if word.start >= start or (condition and assignment and word.end <= assignment.start()):
                yield line, index, word


def _wrong_name(source: _Source, random: Random) -> Iterator[Edits]:
    for line, index, word in _read_words(source):
        before = source.words[line][index - 1].text if index else ""
        if before != "." and (others := source.alike(word.text)):
            yield source.replaced(line, word, random.choice(others))


def _wrong_target(source: _Source, random: Random) -> Iterator[Edits]:
    for line in source.body():
        match = re.match(r"\s*(?:assign\s+)?(\w+)\s*<?=(?!=)", source.code[line])
        if match and (others := source.alike(match[1])):
            word = _Word(match[1], match.start(1), match.end(1))
            yield source.replaced(line, word, random.choice(others))


def _negation(source: _Source, random: Random) -> Iterator[Edits]:
    for line, index, word in _read_words(source):
        words = source.words[line]
        before = words[index - 1].text if index else ""
        after = words[index + 1].text if index + 1 < len(words) else ""
        if word.text in ("!", "~") and after not in ("^", "&", "|", "="):
            yield source.replaced(line, word, "")
        elif (
            _NAME.match(word.text)
            and word.text in source.dimensions
            and not source.dimensions[word.text]
            and before in ("(", "&&", "||", "&", "|", "=")
            and after in (")", "&&", "||", "&", "|", ";", "?")
        ):
            yield source.replaced(line, word, f"!{word.text}" if random.random() < 0.6 else f"~{word.text}")


def _off_by_one(source: _Source, random: Random) -> Iterator[Edits]:
    compare = {"<": "<=", ">": ">=", ">=": ">"}
    for line, index, word in _read_words(source):
        words = source.words[line]
        text = source.lines[line]
        before = words[index - 1].text if index else ""
        if word.text in compare:
            yield source.replaced(line, word, compare[word.text])
        elif word.text == "<=" and re.search(r"\b(if|for|while)\b|=.*<=|\?", source.code[line][: word.start]):
            yield source.replaced(line, word, "<")
        elif word.text == "1" and before in ("-", "+") and random.random() < 0.5:
            start = words[index - 1].start
            yield source.rewritten(line, f"{text[:start].rstrip()}{text[word.end :]}")
        elif _NAME.match(word.text) and word.text in source.constants and before in ("==", "<", "-", "!="):
            yield source.replaced(line, word, f"{word.text} {random.choice('+-')} 1")
        elif (number := _changed(word.text, random.choice((-1, 1)))) and (before not in ("'", "{")):
            yield source.replaced(line, word, number)


def _changed(text: str, by: int) -> str:
    """A number one higher or lower in its own form; empty where that is none."""
    if re.fullmatch(r"\d+", text):
        return str(int(text) + by) if int(text) + by >= 0 else ""
    match = _LITERAL.match(text)
    base = {"b": 2, "d": 10, "h": 16}
    if match is None or not re.fullmatch(r"[0-9a-fA-F_]+", match[3]):
        return ""
    bits, value = int(match[1]), int(match[3].replace("_", ""), base[match[2]]) + by
    if not 0 <= value < 1 << bits:
        return ""
    form = {"b": f"{value:0{len(match[3])}b}", "d": str(value), "h": f"{value:0{len(match[3])}x}"}
    return f"{bits}'{match[2]}{form[match[2]]}"


def _wrong_constant(source: _Source, random: Random) -> Iterator[Edits]:
    for line in (*source.body(), *_constant_lines(source)):
        start = _ASSIGNS.search(source.code[line])
        for word in source.words[line]:
            match = _LITERAL.match(word.text)
            if match is None or (start and word.start < start.start() and ":" not in source.code[line]):
                continue
            bits, base, digits = int(match[1]), match[2], match[3]
            if base == "b" and re.fullmatch(r"[01]+", digits):
                place = random.randrange(len(digits))
                flipped = digits[:place] + ("0" if digits[place] == "1" else "1") + digits[place + 1 :]
                yield source.replaced(line, word, f"{bits}'b{flipped}")
            elif base == "d" and bits > 3 and len(digits) > 1 and digits != digits[::-1]:
                yield source.replaced(line, word, f"{bits}'d{digits[::-1].lstrip('0') or '0'}")
            elif base == "h" and len(digits) > 1:
                place = random.randrange(len(digits) - 1)
                typed = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
                yield source.replaced(line, word, f"{bits}'h{typed}")


def _constant_lines(source: _Source) -> Iterator[int]:
    return (line for line, code in enumerate(source.code) if re.match(r"\s*localparam\b", code))


def _operator(source: _Source, random: Random) -> Iterator[Edits]:
    for line, index, word in _read_words(source):
        words = source.words[line]
        before = words[index - 1].text if index else ""
        binary = before == ")" or before == "]" or before == "}" or re.match(r"\w", before) is not None
        if word.text in _OPERATORS and binary and before not in _KEYWORDS:
            inside = source.code[line][: word.start]
            if inside.count("[") > inside.count("]") and word.text in "+-" and random.random() < 0.7:
                continue
            yield source.replaced(line, word, _OPERATORS[word.text])


def _swapped(source: _Source, random: Random) -> Iterator[Edits]:
    operand = r"[A-Za-z_]\w*(?:\[[^\[\]]*\])?"
    for line in source.body():
        code, text = source.code[line], source.lines[line]
        for match in re.finditer(rf"({operand})(\s*(?:-|<<|>>|<|>|>=)\s*)({operand}|\d+)(?![\w\[])", code):
            if not match[3].isdigit() and match[1] != match[3]:
                swapped = f"{match[3]}{match[2]}{match[1]}"
                yield source.rewritten(line, text[: match.start()] + swapped + text[match.end() :])
        for match in re.finditer(r"\?\s*([^?:;]+?)\s*:\s*([^?:;]+?)(?=\s*;)", code):
            swapped = f"? {match[2]} : {match[1]}"
            yield source.rewritten(line, text[: match.start()] + swapped + text[match.end() :])
        for match in re.finditer(r"\{([^{},]+),\s*([^{},]+)\}", code):
            swapped = f"{{{match[2].strip()}, {match[1].strip()}}}"
            yield source.rewritten(line, text[: match.start()] + swapped + text[match.end() :])


def _swapped_lines(source: _Source, random: Random) -> Iterator[Edits]:
    """The right sides of two lines of the same form changed over: two arms of a case, two branches."""
    body = list(source.body())
    for first, second in ((a, b) for a in body for b in body if 0 < b - a <= 3):
        one, two = (re.match(r"(.*?<?=\s*)([^=].*;)\s*$", source.code[line]) for line in (first, second))
        if one and two and one[1].split()[-2:] == two[1].split()[-2:] and one[2] != two[2]:
            yield (
                Edit(first + 1, (source.lines[first],), (one[1] + two[2],)),
                Edit(second + 1, (source.lines[second],), (two[1] + one[2],)),
            )


def _copied(source: _Source, random: Random) -> Iterator[Edits]:
    """A line copied from the one above, where one name was not changed."""
    body = list(source.body())
    for line in body:
        if line - 1 not in body:
            continue
        above, here = source.words[line - 1], source.words[line]
        if len(above) != len(here):
            continue
        differing = [(one, two) for one, two in zip(above, here, strict=True) if one.text != two.text]
        if 2 <= len(differing) <= 4 and all(re.match(r"[\w']", one.text + two.text) for one, two in differing):
            old, new = random.choice(differing[1:])
            yield source.replaced(line, new, old.text)


def _width(source: _Source, random: Random) -> Iterator[Edits]:
    for line, declares in enumerate(source.declaration):
        code, text = source.code[line], source.lines[line]
        is_port = re.match(r"\s*(input|output|inout)\b", code) is not None
        if not declares or is_port or not re.match(r"\s*(logic|reg|wire)\b", code):
            continue
        match = re.search(r"\[\s*([^\]:]+?)\s*:\s*0\s*\]", code)
        if match is None:
            continue
        high = match[1]
        if high.isdigit():
            choices = [str(int(high) - 1), str(int(high) + 1)] if int(high) else ["1"]
        else:
            choices = [re.sub(r"\s*-\s*1$", "", high), f"{high}-1"]
        yield source.rewritten(line, text[: match.start(1)] + random.choice(choices) + text[match.end(1) :])
        yield source.rewritten(line, text[: match.start()] + text[match.end() :].lstrip())


def _bit_index(source: _Source, random: Random) -> Iterator[Edits]:
    for line in source.body():
        code, text = source.code[line], source.lines[line]
        for match in re.finditer(r"(?<=\w)\[\s*(\w+)(\s*-\s*\d+)?\s*(?::\s*(\w+)\s*)?\]", code):
            if match[1].isdigit() and not match[2]:
                options = [str(max(0, int(match[1]) - 1)), str(int(match[1]) + 1)]
                by = random.choice([one for one in options if one != match[1]])
                yield source.rewritten(line, text[: match.start(1)] + by + text[match.end(1) :])
            elif match[2]:
                by = random.choice(("", f"-{int(match[2].replace('-', '')) + 1}"))
                yield source.rewritten(line, text[: match.start(2)] + by + text[match.end(2) :])


def _no_reset(source: _Source, random: Random) -> Iterator[Edits]:
    for line in sorted(source.reset_lines):
        if source.statement(line):
            yield source.removed(line)


def _reset_value(source: _Source, random: Random) -> Iterator[Edits]:
    for line in sorted(source.reset_lines):
        match = re.search(r"<=\s*(.+?)\s*;", source.code[line])
        if match is None:
            continue
        value = match[1]
        if value in ("'0", "0"):
            by = "1"
        elif value in ("1'b0", "1'b1"):
            by = "1'b1" if value == "1'b0" else "1'b0"
        elif others := source.alike(value):
            by = random.choice(others)
        else:
            by = "0"
        yield source.rewritten(line, source.lines[line][: match.start(1)] + by + source.lines[line][match.end(1) :])


def _left_out(source: _Source, random: Random) -> Iterator[Edits]:
    for line in source.body():
        if line not in source.reset_lines and source.statement(line):
            yield source.removed(line)


def _no_default(source: _Source, random: Random) -> Iterator[Edits]:
    """A default arm, another arm of one line, or the default values above a case."""
    for line in source.body():
        code = source.code[line]
        arm = re.match(r"\s*(default|[\w', ]+)\s*:\s*[^:]*;\s*$", code)
        value = re.match(r"\s*\w+\s*=[^=].*;", code) and source.statement(line)
        if arm or (value and re.match(r"\s*(case|if)\b", source.code[line + 1])):
            yield source.removed(line)


def _condition_part(source: _Source, random: Random) -> Iterator[Edits]:
    for line in source.body():
        code, text = source.code[line], source.lines[line]
        for match in re.finditer(r"\s*(?:&&|\|\||(?<![&|])[&|](?![&|]))\s*[!~]?\w+(?:\[[^\]]*\])?(?=\s*[);?&|])", code):
            yield source.rewritten(line, text[: match.start()] + text[match.end() :])
        for match in re.finditer(r"(?<=\()[!~]?\w+\s*(?:&&|\|\|)\s*(?=[^()]*\))", code):
            yield source.rewritten(line, text[: match.start()] + text[match.end() :])


def _condition_added(source: _Source, random: Random) -> Iterator[Edits]:
    """A condition that asks for one thing too many."""
    bits = [name for name, dimensions in source.dimensions.items() if not dimensions]
    bits = [name for name in bits if not _CONTROL.search(name)]
    for line in source.body():
        match = re.search(r"\bif\s*\((\w+)\)", source.code[line])
        if match and match[1] in bits and len(bits) > 1:
            other = random.choice([name for name in bits if name != match[1]])
            added = f"{match[1]} && {random.choice(('', '!'))}{other}"
            text = source.lines[line]
            yield source.rewritten(line, text[: match.start(1)] + added + text[match.end(1) :])


def _edge(source: _Source, random: Random) -> Iterator[Edits]:
    for line, code in enumerate(source.code):
        text = source.lines[line]
        for match in re.finditer(r"\b(posedge|negedge)\b", code):
            by = "negedge" if match[1] == "posedge" else "posedge"
            yield source.rewritten(line, text[: match.start()] + by + text[match.end() :])


def _blocking(source: _Source, random: Random) -> Iterator[Edits]:
    clocked = False
    for line in source.body():
        code = source.code[line]
        if re.search(r"\balways", code):
            clocked = bool(re.search(r"\b(posedge|negedge)\b", code))
        match = re.match(r"(.*[\w\]}]\s*)(<=|(?<![<>=!])=(?!=))(\s.*;)\s*$", code)
        if match is None or re.match(r"\s*(assign|wire)\b", code) or re.search(r"\bfor\b", code):
            continue
        if (match[2] == "<=") == clocked:
            text = source.lines[line]
            by = "=" if match[2] == "<=" else "<="
            yield source.rewritten(line, text[: match.start(2)] + by + text[match.end(2) :])


def _stale(source: _Source, random: Random) -> Iterator[Edits]:
    """The register where its next value is meant, or the other way round."""
    for line, index, word in _read_words(source):
        before = source.words[line][index - 1].text if index else ""
        if before == "." or word.text not in source.dimensions:
            continue
        for name in source.dimensions:
            if name != word.text and (name.startswith(word.text) or word.text.startswith(name)):
                yield source.replaced(line, word, name)


def _priority(source: _Source, random: Random) -> Iterator[Edits]:
    """The conditions of an if and of the else-if after it changed over."""
    conditions = [
        (line, match)
        for line in source.body()
        if (match := re.search(r"\bif\s*\(((?:[^()]|\([^()]*\))*)\)", source.code[line]))
    ]
    for (first, one), (second, two) in pairwise(conditions):
        alternative = re.search(r"\belse\s+if\b", source.code[second])
        if alternative and second - first <= 6 and not _RESET.search(source.code[first]) and one[1] != two[1]:
            a, b = source.lines[first], source.lines[second]
            yield (
                Edit(first + 1, (a,), (a[: one.start(1)] + two[1] + a[one.end(1) :],)),
                Edit(second + 1, (b,), (b[: two.start(1)] + one[1] + b[two.end(1) :],)),
            )


def _else_lost(source: _Source, random: Random) -> Iterator[Edits]:
    for line in source.body():
        match = re.search(r"\belse\s+(?=if\b)", source.code[line])
        if match and re.match(r"\s*(?:end\s+)?else", source.code[line]):
            text = source.lines[line]
            yield source.rewritten(line, text[: match.start()] + text[match.end() :])


def _signedness(source: _Source, random: Random) -> Iterator[Edits]:
    for line, code in enumerate(source.code):
        text = source.lines[line]
        for match in re.finditer(r"\bsigned\s+|\$signed(?=\()|>>>", code):
            by = ">>" if match[0] == ">>>" else ""
            yield source.rewritten(line, text[: match.start()] + by + text[match.end() :])


_KINDS: dict[str, tuple[int, Maker]] = {
    "wrong name": (17, _wrong_name),
    "wrong target": (2, _wrong_target),
    "negation": (8, _negation),
    "off by one": (13, _off_by_one),
    "wrong constant": (6, _wrong_constant),
    "operator": (9, _operator),
    "swapped": (5, _swapped),
    "swapped lines": (3, _swapped_lines),
    "copied line": (5, _copied),
    "width": (4, _width),
    "bit index": (5, _bit_index),
    "missing reset": (4, _no_reset),
    "reset value": (3, _reset_value),
    "missing line": (6, _left_out),
    "missing default": (3, _no_default),
    "condition lost": (7, _condition_part),
    "condition added": (2, _condition_added),
    "edge": (1, _edge),
    "blocking": (3, _blocking),
    "stale value": (4, _stale),
    "priority": (2, _priority),
    "else lost": (2, _else_lost),
    "signedness": (2, _signedness),
}
"""How often each kind is drawn, and what makes it."""

KINDS: Sequence[str] = tuple(_KINDS)
