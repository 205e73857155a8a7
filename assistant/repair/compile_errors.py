"""RTL that does not compile: the elaborator's messages to typed fixes, until nothing is left to complain about.

A fix is a small edit at or before the place of a message: a token that is missing, one that is too many or misspelt, a
name that nobody declared, a net that a process assigns. Each is judged in process by the number of messages that are
left, which takes about a millisecond.
"""

from __future__ import annotations

import difflib
import heapq
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.repair.operators.processes import variable_declarations
from veriloop.assistant.repair.operators.proposal import Replacement, Site

MAX_CHECKS = 3000
MAX_FIXED = 6
_DEEPEST = 5
_MISSING = (";", ")", "end", "(", "begin", "]", "}", ",", "endcase", "endmodule", ":", "=", "'", "else", "[", "{")
_SWAPS = {
    "<=": ("=", "=="),
    "=": ("<=", "=="),
    "==": ("=",),
    ",": (";",),
    ";": (",", ""),
    "{": ("(",),
    "}": (")",),
    ":": (";",),
    ".": (",",),
    "[": ("(",),
    "]": (")",),
    ")": ("]", ""),
    "(": ("[", ""),
}
# fmt: off
_KEYWORDS = (
    "module", "endmodule", "input", "output", "inout", "wire", "reg", "logic", "integer", "parameter", "localparam",
    "assign", "always", "always_ff", "always_comb", "initial", "begin", "end", "if", "else", "case", "casez", "casex",
    "endcase", "default", "for", "generate", "endgenerate", "genvar", "posedge", "negedge", "or", "function",
    "endfunction", "task", "endtask", "signed", "unsigned", "while", "repeat",
)
# fmt: on
_TOKEN = re.compile(rb"//[^\n]*|/\*.*?\*/|\"[^\"\n]*\"|[A-Za-z_$][\w$]*|\d[\w']*|'\w+|[<>=!&|^~]{1,3}|\S", re.S)
_BEFORE_TOKENS = 4
_AFTER_TOKENS = 3
_STATEMENT_TOKENS = 60
_KIND_CLOSE = 0.6

Errors = Callable[[bytes], Sequence[Diagnostic]]
"""The elaborator's errors for a new content of the file."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A content that compiles; `cost` grows with the number and the unlikeliness of the edits."""

    content: bytes
    operators: tuple[str, ...]
    cost: float


def compile_fixes(content: bytes, errors: Errors, own: Callable[[Diagnostic], bool]) -> tuple[Fixed, ...]:
    """Contents without errors, the likeliest first; none where no few edits suffice.

    Args:
        content: the file that does not compile.
        errors: asks the elaborator about a new content.
        own: whether a message is about this file.
    """
    order = itertools.count()
    first = errors(content)
    queue: list[tuple[float, int, bytes, tuple[str, ...], float, Sequence[Diagnostic]]] = []
    heapq.heappush(queue, (float(len(first)), next(order), content, (), 0.0, first))
    seen, fixed, checks = {content}, list[Fixed](), 0
    while queue and checks < MAX_CHECKS and len(fixed) < MAX_FIXED:
        _, _, current, operators, cost, found = heapq.heappop(queue)
        for operator, extra, replacement in _fixes(current, [one for one in found if own(one)]):
            start, end, text = replacement[0]
            new = _made(current, replacement)
            if new is None or new in seen or checks >= MAX_CHECKS or (start == end and not text):
                continue
            seen.add(new)
            checks += 1
            left = errors(new)
            trail, total = (*operators, operator), cost + extra
            if not left:
                fixed.append(Fixed(new, trail, total))
            elif len(left) < len(found) and len(trail) < _DEEPEST:
                heapq.heappush(queue, (len(left) + 0.1 * total, next(order), new, trail, total, left))
            elif _later(left, found) and len(trail) < _DEEPEST:
                # The parser got further: one message less here, another one behind it.
                heapq.heappush(queue, (len(left) + 0.3 + 0.1 * total, next(order), new, trail, total, left))
    return tuple(sorted(fixed, key=lambda one: one.cost))


def _later(new: Sequence[Diagnostic], old: Sequence[Diagnostic]) -> bool:
    return len(new) == len(old) and (new[0].line, new[0].column) > (old[0].line, old[0].column)


def _made(content: bytes, replacements: Sequence[Replacement]) -> bytes | None:
    edits = sorted(Edit(path="", start=start, end=end, text=text.encode()) for start, end, text in replacements)
    if any(after.start < before.end for before, after in itertools.pairwise(edits)):
        return None
    return apply_edits(content, edits)


_Fix = tuple[str, float, tuple[Replacement, ...]]


def _fixes(content: bytes, errors: Sequence[Diagnostic]) -> Iterator[_Fix]:
    tree = SyntaxTree(content)
    tokens = [match for match in _TOKEN.finditer(content) if not match[0].startswith((b"//", b"/*"))]
    structures = [Structure(tree, module) for module in tree.modules]
    yield from _gaps(tree)
    for place in dict.fromkeys((error.line, error.column) for error in errors[:4]):
        at = _byte(content, *place)
        near = [index for index, token in enumerate(tokens) if token.start() <= at]
        middle = near[-1] if near else 0
        window = range(max(0, middle - _BEFORE_TOKENS), min(len(tokens), middle + _AFTER_TOKENS))
        for index in sorted(window, key=lambda one: abs(one - middle)):
            yield from _names(tokens, index, structures, distance=abs(index - middle))
            yield from _token(tokens[index], distance=abs(index - middle))
        yield from _nets(structures, tokens, window)
        yield from _further(tokens, window.stop)


def _gaps(tree: SyntaxTree) -> Iterator[_Fix]:
    """The tokens that the error-tolerant parser found missing."""
    for node in tree.gaps:
        if node.is_missing and not node.is_named:
            text = node.type if not node.type.isalpha() else f" {node.type} "
            yield f"missing {node.type}", 1.0, ((node.start_byte, node.start_byte, text),)


def _token(token: re.Match[bytes], *, distance: int) -> Iterator[_Fix]:
    text = token[0].decode("utf-8", errors="replace")
    late = 0.2 * distance
    for swapped in _SWAPS.get(text, ()):
        yield "wrong token", 1.5 + late, ((token.start(), token.end(), swapped),)
    for keyword in difflib.get_close_matches(text, _KEYWORDS, n=2, cutoff=0.7) if text.isidentifier() else ():
        yield "misspelt keyword", 1.2 + late, ((token.start(), token.end(), keyword),)
    for rank, missing in enumerate(_MISSING):
        inserted = f" {missing} " if missing.isalpha() else missing
        yield f"missing {missing}", 1.5 + late + 0.1 * rank, ((token.end(), token.end(), inserted),)
    yield "token too many", 2.0 + late, ((token.start(), token.end(), ""),)


def _further(tokens: Sequence[re.Match[bytes]], start: int) -> Iterator[_Fix]:
    """A wrong token later in the same statement, whose beginning the message names."""
    for token in tokens[start : start + _STATEMENT_TOKENS]:
        text = token[0].decode("utf-8", errors="replace")
        if text == ";":
            return
        for swapped in _SWAPS.get(text, ()):
            yield "wrong token", 2.5, ((token.start(), token.end(), swapped),)


def _names(
    tokens: Sequence[re.Match[bytes]], index: int, structures: Sequence[Structure], *, distance: int
) -> Iterator[_Fix]:
    """An undeclared name becomes a declared one, in the whole module: the most alike first, then the rest."""
    token = tokens[index]
    text = token[0].decode("utf-8", errors="replace")
    structure = next((one for one in structures if one.module.start_byte <= token.start() < one.module.end_byte), None)
    if structure is None or not text.isidentifier() or text in _KEYWORDS:
        return
    declared = [*structure.signals, *structure.parameters]
    if text in declared:
        return
    late = 0.2 * distance
    inside_module = range(structure.module.start_byte, structure.module.end_byte)
    places = [one for one in tokens if one[0] == token[0] and one.start() in inside_module]
    for name in declared:
        alike = difflib.SequenceMatcher(None, text.lower(), name.lower()).ratio()
        inside = text.lower() in name.lower() or name.lower() in text.lower()
        cost = 1.0 if inside or alike > _KIND_CLOSE else 3.0
        changes = tuple((one.start(), one.end(), name) for one in places)
        yield "undeclared name", cost + late - 0.5 * alike, changes
    at = structure.module.children[0].end_byte if structure.module.children else structure.module.start_byte
    yield "declaration missing", 3.0 + late, ((at, at, f"\nwire {text};"),)


def _nets(structures: Sequence[Structure], tokens: Sequence[re.Match[bytes]], window: range) -> Iterator[_Fix]:
    """What a process assigns becomes a variable; what is assigned continuously stays a net."""
    words = {tokens[index][0].decode("utf-8", errors="replace") for index in window}
    for structure in structures:
        for name in words & structure.signals.keys():
            if declared := variable_declarations(Site(structure), (name,)):
                yield "net that is a variable", 1.0, declared


def _byte(content: bytes, line: int, column: int) -> int:
    start = 0
    for _ in range(max(0, line - 1)):
        following = content.find(b"\n", start)
        if following < 0:
            return len(content)
        start = following + 1
    end = content.find(b"\n", start)
    text = content[start : end if end >= 0 else len(content)].decode("utf-8", errors="replace")
    return start + len(text[: max(0, column - 1)].encode())
