"""What tells, while the unchanged design runs, which versions would have done anything else.

At every place where a version is chosen, the unchanged design compares what the version would do there with what it
does itself: the value that is assigned, or the condition that is asked; where neither can be compared, reaching the
place counts. A version of which nothing was told behaves, from the first moment to the last, as the unchanged design.

Source: weak mutation (Howden, IEEE TSE 8(4), 1982); infection in the PIE analysis (Voas, IEEE TSE 18(8), 1992).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from veriloop.assistant.design.syntax import Node, SyntaxTree, children, find, first

PACKAGE = "veriloop_batch"
OBSERVED = 2**31 - 1
"""The version that is the unchanged design, comparing as it runs."""
REACHED = "veriloop_reached"
"""The C function that is told the numbers of versions."""
IMPORT = f"""
  localparam integer OBSERVED = {OBSERVED};
  import "DPI-C" function void {REACHED}(input int number);
""".encode()

_OBSERVED = f"{PACKAGE}::version == {PACKAGE}::OBSERVED".encode()
_IMPURE = re.compile(rb"`|\$(?!signed\b|unsigned\b|clog2\b)|(?<![\w$])[A-Za-z_]\w*\s*\(|\+\+|--|(?<![=!<>])=(?!=)")
"""What may do more than give a value: macros, system functions, calls, assignments within expressions."""
_BEFORE, _AFTER = b"module m;\ninitial\n", b"\nendmodule\n"
_CACHED = 4096

Pair = tuple[bytes, bytes]
"""An expression of the unchanged design, and what a version has in its place."""


def statement_checks(original: bytes, texts: Mapping[bytes, Sequence[int]], width_bits: int, name: bytes) -> bytes:
    """What precedes a statement of the unchanged design; empty where there are no versions.

    Args:
        original: the statement.
        texts: what versions have in its place, with their numbers.
        width_bits: of what the statement assigns to; 0: not known.
        name: begins the names of what is declared.
    """
    checks = []
    for index, (text, numbers) in enumerate(texts.items()):
        told = _told(numbers)
        pairs = _compared(original, text)
        kind = _parts(original)[0] if pairs else ""
        if kind == "condition":
            told = b"if (%s) %s" % (b" || ".join(b"(!(%s)) != (!(%s))" % pair for pair in pairs), told)
        elif kind == "value" and width_bits:
            ((ours, theirs),) = pairs
            top = width_bits - 1
            told = (
                b"begin : %s_%d automatic reg [%d:0] veriloop_ours = %s; automatic reg [%d:0] veriloop_theirs = %s; "
                b"if (veriloop_ours != veriloop_theirs) %s end" % (name, index, top, ours, top, theirs, told)
            )
        checks.append(marked(told, numbers))
    return b"if (%s) begin %s end\n" % (_OBSERVED, b" ".join(checks))


def net_check(ours: bytes, theirs: bytes, numbers: Sequence[int]) -> bytes:
    """An item that compares the net of the unchanged design with a version's."""
    check = b"always @* if (%s && %s != %s) %s" % (_OBSERVED, ours, theirs, _told(numbers))
    return marked(check, numbers) + b"\n"


def marked(text: bytes, numbers: Sequence[int]) -> bytes:
    """A version's text between comments that name the versions that have it."""
    return b"/*veriloop<%s*/%s\n/*veriloop>*/" % (b", ".join(b"%d" % number for number in numbers), text)


def _told(numbers: Sequence[int]) -> bytes:
    calls = b" ".join(b"%s::%s(%d);" % (PACKAGE.encode(), REACHED.encode(), number) for number in numbers)
    return b"begin %s end" % calls


def _compared(original: bytes, text: bytes) -> list[Pair]:
    """The expressions in which two statements differ, where they differ in nothing else; empty elsewhere."""
    kind, frame, ours = _parts(original)
    kind_too, frame_too, theirs = _parts(text)
    if not kind or (kind, frame) != (kind_too, frame_too):
        return []
    pairs = [pair for pair in zip(ours, theirs, strict=True) if pair[0] != pair[1]]
    return [] if any(_IMPURE.search(one) for pair in pairs for one in pair) else pairs


@lru_cache(_CACHED)
def _parts(statement: bytes) -> tuple[str, tuple[bytes, ...], tuple[bytes, ...]]:
    """Of a conditional or an assignment: which it is, the words around its expressions, and the expressions."""
    tree = SyntaxTree(_BEFORE + statement + _AFTER)
    whole = first(tree.root, ("statement_item",))
    if tree.root.has_error or whole is None or len(tree.modules) != 1:
        return "", (), ()
    kind, nodes = _expressions(tree, whole)
    spans = [(node.start_byte, node.end_byte) for node in nodes]
    ends = [len(_BEFORE), *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(tree.content) - len(_AFTER)]
    frame = (b" ".join(tree.content[end:start].split()) for end, start in zip(ends, starts, strict=True))
    return kind, tuple(frame), tuple(tree.content[start:end] for start, end in spans)


def _expressions(tree: SyntaxTree, whole: Node) -> tuple[str, list[Node]]:
    (inner,) = [child for child in whole.children if child.is_named][:1] or [whole]
    if inner.type == "conditional_statement":
        return "condition", children(inner, ("cond_predicate",))
    if inner.type == "blocking_assignment":
        inner = next(find(inner, ("operator_assignment",)), inner)
        if "".join(tree.text(one) for one in children(inner, ("assignment_operator",))) not in ("", "="):
            return "", []
    if inner.type in ("nonblocking_assignment", "operator_assignment"):
        return "value", list(_last(children(inner, ("expression",))))
    return "", []


def _last(nodes: Sequence[Node]) -> Iterator[Node]:
    yield from nodes[-1:]
