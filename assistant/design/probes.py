"""Counters beside the statements of a design, so that a record of a run tells when each of them was carried out.

Assignments are counted wherever a process or a task makes them, and what prints, with its text: by that a testbench
says which of its checks failed. Nothing else changes, and no line moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.design.structure import Declared, Structure
from veriloop.assistant.design.syntax import Node, SyntaxTree, ancestor, find, first

_COUNTER = "veriloop_probe_"
_ASSIGNMENTS = ("blocking_assignment", "nonblocking_assignment")
_CALLS = ("system_tf_call", "severity_system_task")
_PRINTS = re.compile(r"\$(?:display|write|strobe|error|fatal)[bho]?\b")
_DUMPS = re.compile(r"\$dump(?:file|vars|on|off|limit|all|flush)\b")
_PROCEDURES = ("always_construct", "initial_construct", "task_declaration")
_HEADERS = ("module_ansi_header", "module_nonansi_header")
_SCOPES = ("seq_block", "function_declaration", "task_declaration", "generate_block", "loop_generate_construct")
"""What declares names of its own within a module."""
_WIDEST_BITS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """A counted statement: where it stands in the text as it was."""

    name: str
    """Of its counter, in its module."""
    module: str
    start: int
    end: int
    prints: str = ""
    """What is printed, as it is written, or the whole call of what reports a fault; empty of an assignment."""
    reads: frozenset[str] = frozenset()
    """Of what prints: the signals that are printed or asked about above it."""


def probed(content: bytes, record: str, *, signals: bool, number: int = 0) -> tuple[bytes, tuple[Probe, ...]]:
    """A file with counters.

    Args:
        content: the file.
        record: the name of the VCD file that its counters write themselves to.
        signals: record its signals as well, but for memories and wide ones.
        number: of the first counter; numbers tell those of several files apart.
    """
    tree = SyntaxTree(content)
    edits: list[tuple[int, bytes]] = []
    probes: list[Probe] = []
    for module in tree.modules:
        structure = Structure(tree, module)
        header = next((child for child in module.children if child.type in _HEADERS), None)
        if header is None or module.has_error:
            continue
        own = list(_probes(structure, number + len(probes)))
        kept = [name for name, one in structure.signals.items() if _is_recorded(one)]
        names = [one.name for one in own] + (kept if signals else [])
        if not names:
            continue
        declared = "".join(f" reg [7:0] {one.name} = 0;" for one in own)
        dumped = f' initial begin $dumpfile("{record}"); $dumpvars(1, {", ".join(names)}); end'
        # At the end, where everything is declared; the counters where nothing has used them yet.
        edits.append((header.end_byte, declared.encode()))
        edits.append((module.end_byte - len(b"endmodule") - _label(structure), dumped.encode() + b" "))
        for one in own:
            edits += [(one.start, f"begin {one.name} = {one.name} + 8'd1; ".encode()), (one.end, b" end")]
        probes += own
    silenced = [(node.start_byte, node.end_byte) for node in tree.nodes if _is_dump(tree, node)]
    return _edited(content, edits, silenced), tuple(probes)


def _probes(structure: Structure, number: int) -> Iterator[Probe]:
    tree = structure.tree
    for node in structure.nodes:
        prints = ""
        if node.type in _CALLS and _PRINTS.match(tree.text(node)):
            severe = node.type == "severity_system_task"
            text = " ".join(tree.text(one) for one in find(node, ("quoted_string",)))
            prints = tree.text(node) if severe or not text else text
        elif node.type not in _ASSIGNMENTS:
            continue
        statement = ancestor(node, ("statement",))
        procedure = ancestor(node, (*_PROCEDURES, "function_declaration"))
        if statement is None or procedure is None or procedure.type not in _PROCEDURES:
            continue
        yield Probe(
            name=f"{_COUNTER}{number}",
            module=structure.name,
            start=statement.start_byte,
            end=statement.end_byte,
            prints=prints,
            reads=frozenset(structure.names(node) | structure.conditions_above(node, procedure))
            if prints
            else frozenset(),
        )
        number += 1


def _is_recorded(declared: Declared) -> bool:
    narrow = declared.width_bits is None or declared.width_bits <= _WIDEST_BITS
    return narrow and not declared.is_memory and ancestor(declared.node, _SCOPES) is None


def _label(structure: Structure) -> int:
    """How many bytes stand behind `endmodule`."""
    module = structure.module
    text = structure.tree.content[module.start_byte : module.end_byte]
    return len(text) - text.rfind(b"endmodule") - len(b"endmodule")


def _is_dump(tree: SyntaxTree, node: Node) -> bool:
    return node.type == "statement" and bool(_DUMPS.match(tree.text(node))) and first(node, _CALLS) is not None


def _edited(content: bytes, edits: list[tuple[int, bytes]], silenced: list[tuple[int, int]]) -> bytes:
    """The text with insertions, and with dumps of its own as empty statements: there is one record only."""
    out, at = [], 0
    removed = [(start, b";", end) for start, end in silenced]
    # Insertions at one place keep their order.
    for start, text, end in sorted([*((at, text, at) for at, text in edits), *removed], key=lambda one: one[0]):
        out += [content[at:start], text]
        at = max(at, end)
    return b"".join([*out, content[at:]])
