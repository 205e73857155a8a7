"""Can a coverage point be met at all? Each becomes an assertion in the text that says that it never is.

A branch gets an assertion that always fails in its place. A bit that toggles is 1 at some time and 0 at some time, so
two assertions say that it never is; where either holds, it cannot toggle.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import Node, SyntaxTree, ancestor
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.formal.harness import single_edge, wrapped
from veriloop.assistant.verify.formal.prover import Answer, Prover, Verdict
from veriloop.assistant.verify.stimulus.coverage import Point
from veriloop.assistant.verify.stimulus.pins import Pins

_TOGGLE = re.compile(r"(.*):(0->1|1->0)$")
_PLAIN = re.compile(r"([A-Za-z_]\w*)(?:\[\d+\])*")
_BLOCKS = (
    "generate_block",
    "loop_generate_construct",
    "conditional_generate_construct",
    "seq_block",
    "function_declaration",
    "task_declaration",
)
_LABEL = re.compile(r"vl_(\d+)_(\d+)(?:_part\d+)?$")

_MOST_QUESTIONS = 24
"""Parts of the points that are asked about, where yosys does not take all of them together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What was found out about points that no stimulus has met.

    Attributes:
        unreachable: proved: no inputs ever meet them, from an all-zero start with a reset first where there is one.
        ways: for others the answer with the shortest sequence of inputs that meets them.
        open: undecided, or not expressible.
    """

    unreachable: frozenset[Point]
    ways: Mapping[Point, Verdict]
    open: frozenset[Point]


def reach(
    points: Sequence[Point],
    design: Design,
    prover: Prover,
    *,
    cwd: Path,
    scratch: Path,
    pins: Pins,
    wanted: int = 8,
    timeout_s: float = 10.0,
    cancel: CancelToken,
) -> Reach:
    """Proves points unreachable, or finds the way to them.

    Args:
        points: line, branch and toggle points of the design.
        design: with the driven module as its toplevel.
        prover: yosys and ABC.
        cwd: where relative paths start.
        scratch: an existing directory.
        pins: of the driven module; its resets are active in the first cycles.
        wanted: for how many points at most the way is worked out.
        timeout_s: for each question to ABC.
        cancel: stops it.
    """
    numbered = dict(enumerate(points))
    verdicts: dict[str, Verdict] = {}
    waiting = [tuple(numbered)]
    asked = 0
    while waiting and asked < _MOST_QUESTIONS:
        part = waiting.pop()
        asked += 1
        files, kept = _instrumented({number: numbered[number] for number in part}, design, cwd)
        if not kept:
            continue
        directory = scratch / f"reach{len(verdicts)}_{len(waiting)}_{part[0]}_{len(part)}"
        directory.mkdir()
        found = prover.prove(
            wrapped(_moved(design, files, directory, cwd), pins, directory),
            cwd=cwd,
            scratch=scratch,
            single_edge=single_edge(pins),
            wanted=wanted,
            timeout_s=timeout_s,
            cancel=cancel,
        )
        if found is not None:
            verdicts |= {f"{label}@{part[0]}": verdict for label, verdict in found.items()}
        elif len(part) > 1:
            # One of them cannot be said where it stands; halving finds which.
            half = len(part) // 2
            waiting += [part[:half], part[half:]]
    return _sorted(numbered, verdicts)


def _sorted(numbered: Mapping[int, Point], verdicts: Mapping[str, Verdict]) -> Reach:
    by_point: dict[int, dict[str, list[Verdict]]] = defaultdict(lambda: defaultdict(list))
    for label, verdict in verdicts.items():
        match = _LABEL.search(label.partition("@")[0])
        if match is not None:
            # The same assertion in several instances of a module: all have to hold.
            by_point[int(match[1])][match[2]].append(verdict)
    unreachable, ways, unknown = set(), {}, set()
    for number, point in numbered.items():
        claims = by_point.get(number, {})
        if any(all(one.answer is Answer.HOLDS for one in claim) for claim in claims.values()):
            unreachable.add(point)
            continue
        # A bit that starts at 0 is 0 at once; the way to its toggling is the way to the harder of the two.
        hardest = [max(claim, key=_length) for claim in claims.values()]
        if hardest and all(one.frames for one in hardest):
            ways[point] = max(hardest, key=_length)
        else:
            unknown.add(point)
    return Reach(unreachable=frozenset(unreachable), ways=ways, open=frozenset(unknown))


def _length(verdict: Verdict) -> int:
    return len(verdict.frames)


def _moved(design: Design, files: Mapping[Path, bytes], directory: Path, cwd: Path) -> Design:
    """The design with these contents in files of their own."""
    sources = []
    for number, path in enumerate(design.sources):
        content = files.get(cwd / path)
        if content is None:
            sources.append(path)
            continue
        moved = directory / f"{number}_{path.name}"
        moved.write_bytes(content)
        sources.append(moved)
    folders = (*design.include_dirs, *(path.parent for path in design.sources))
    return replace(design, sources=tuple(sources), include_dirs=tuple(dict.fromkeys(folders)))


def _instrumented(points: Mapping[int, Point], design: Design, cwd: Path) -> tuple[dict[Path, bytes], set[int]]:
    files: dict[Path, bytes] = {}
    kept: set[int] = set()
    for path in dict.fromkeys(cwd / path for path in design.sources):
        own = {number: point for number, point in points.items() if (cwd / point.path) == path}
        if not own or not path.is_file():
            continue
        content = path.read_bytes()
        tree = SyntaxTree(content)
        edits = []
        for number, point in own.items():
            made = list(_edits(tree, point, number))
            if made:
                kept.add(number)
                edits += made
        files[path] = _applied(content, edits)
    return files, kept


def _applied(content: bytes, edits: Sequence[tuple[int, str, int]]) -> bytes:
    """Text put in at bytes; of what comes at one byte, ends come before beginnings, inner ones within outer ones."""
    ordered = sorted(edits, key=lambda edit: (edit[0], edit[2]))
    out, position = [], 0
    for at, text, _ in ordered:
        out += [content[position:at], text.encode()]
        position = at
    return b"".join([*out, content[position:]])


def _edits(tree: SyntaxTree, point: Point, number: int) -> Iterator[tuple[int, str, int]]:
    """Insertions: byte, text, and the order among those at one byte."""
    if point.kind == "toggle":
        yield from _toggle(tree, point, number)
        return
    start = _byte(tree, point.line, point.column)
    if start is None:
        return
    failing = f"vl_{number}_0: assert (1'b0);"
    if point.what in ("if", "elsif"):
        yield from _wrapped(_then(_token(tree, start, "if")), failing)
    elif point.what == "else":
        yield from _otherwise(_token(tree, start - 1, "if"), failing)
    elif point.what == "case":
        yield from _wrapped(_case_item(tree, start), failing)
    elif point.what in ("cond_then", "cond_else"):
        yield from _conditional(tree, point, number)


def _toggle(tree: SyntaxTree, point: Point, number: int) -> Iterator[tuple[int, str, int]]:
    match = _TOGGLE.fullmatch(point.what)
    module = _module_at(tree, point.line)
    name = _PLAIN.fullmatch(match[1]) if match is not None else None
    if match is None or module is None or name is None:
        return
    declared = Structure(tree, module).signals.get(name[1])
    # yosys takes a name that it does not know for a new wire, of which it then proves anything.
    if declared is None or ancestor(declared.node, _BLOCKS) is not None:
        return
    text = (
        f"\nalways @* begin vl_{number}_1: assert (!({match[1]})); end"
        f"\nalways @* begin vl_{number}_2: assert ({match[1]}); end\n"
    )
    yield module.children[-1].start_byte, text, 0


def _conditional(tree: SyntaxTree, point: Point, number: int) -> Iterator[tuple[int, str, int]]:
    """Several on one line cannot be told apart by what Verilator says; then all of them have to be out of reach.

    In a process the assertion stands before the statement, so that it sees what was assigned before.
    """
    nodes = [
        node
        for node in tree.nodes
        if node.type == "conditional_expression" and _line_of(tree, node) == point.line and len(node.children) >= 5
    ]
    module = _module_at(tree, point.line)
    for place, node in enumerate(nodes):
        condition = tree.text(node.children[0])
        claim = f"!({condition})" if point.what == "cond_then" else f"({condition})"
        label = f"vl_{number}_0" if len(nodes) == 1 else f"vl_{number}_0_part{place}"
        statement = ancestor(node, ("statement_or_null",))
        if statement is not None:
            yield from _wrapped(statement, f"{label}: assert ({claim});")
        elif module is not None:
            yield module.children[-1].start_byte, f"\nalways @* begin {label}: assert ({claim}); end\n", 0


def _line_of(tree: SyntaxTree, node: Node) -> int:
    mark = next((child for child in node.children if child.type == "?"), node)
    return tree.line(mark.start_byte)


def _wrapped(statement: Node | None, failing: str) -> Iterator[tuple[int, str, int]]:
    if statement is not None:
        size = statement.end_byte - statement.start_byte
        yield statement.start_byte, f"begin {failing} ", 2_000_000_000 - size
        yield statement.end_byte, " end ", size - 2_000_000_000


def _then(token: Node | None) -> Node | None:
    """The statement of an `if`."""
    node = token.next_sibling if token is not None else None
    while node is not None and node.type != "statement_or_null":
        node = node.next_sibling
    return node


def _otherwise(token: Node | None, failing: str) -> Iterator[tuple[int, str, int]]:
    """Puts the assertion into what is done where an `if` does not hold."""
    then = _then(token)
    if then is None:
        return
    word = then.next_sibling
    if word is None or word.type != "else":
        yield then.end_byte, f" else {failing} ", 0
        return
    after = word.next_sibling
    above = word.parent
    if after is None or above is None:
        return
    end = above.end_byte if after.type == "if" else after.end_byte
    size = end - after.start_byte
    yield after.start_byte, f" begin {failing} ", 2_000_000_000 - size
    yield end, " end ", size - 2_000_000_000


def _case_item(tree: SyntaxTree, byte: int) -> Node | None:
    node = tree.root.descendant_for_byte_range(byte, byte + 1)
    item = ancestor(node, ("case_item",)) if node is not None else None
    if item is None:
        return None
    return next((child for child in item.children if child.type == "statement_or_null"), None)


def _token(tree: SyntaxTree, byte: int, word: str) -> Node | None:
    node = tree.root.descendant_for_byte_range(byte, byte + len(word))
    while node is not None and node.type != word and node.children:
        node = next((child for child in node.children if child.start_byte == byte), None)
    return node if node is not None and node.type == word and node.start_byte == byte else None


def _byte(tree: SyntaxTree, line: int, column: int) -> int | None:
    """The byte of a 1-based line and column; Verilator counts bytes."""
    lines = tree.content.splitlines(keepends=True)
    if not 0 < line <= len(lines):
        return None
    return sum(map(len, lines[: line - 1])) + column - 1


def _module_at(tree: SyntaxTree, line: int) -> Node | None:
    found = [
        node
        for node in tree.modules
        if tree.line(node.start_byte) <= line <= tree.line(max(node.start_byte, node.end_byte - 1))
    ]
    return found[-1] if found else None
