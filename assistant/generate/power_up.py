"""Registers that nothing resets: a value to start from, so that no simulation begins with unknowns."""

from __future__ import annotations

import re

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.structure import Process, Structure
from veriloop.assistant.design.syntax import SyntaxTree, children, find


def with_power_up(content: bytes, *, registers: bool = True, memories: bool = False) -> tuple[bytes, tuple[str, ...]]:
    """The text with what has no value to start from set to 0 by an initial block.

    An `always_ff` that drives such a variable becomes an `always`: no other process may write its variables
    (IEEE 1800-2017, 9.2.2.4).

    Args:
        content: the text.
        registers: every clocked register.
        memories: every clocked memory of one dimension.

    Returns:
        The text, and what was given a value; the same text where there is nothing.
    """
    tree = SyntaxTree(content)
    edits: list[Edit] = []
    named: list[str] = []
    for module in tree.modules:
        structure = Structure(tree, module)
        plain = _registers(structure) if registers else ()
        ranges = _memories(structure) if memories else {}
        if not plain and not ranges:
            continue
        lines = "".join(f"    {name} = 0;\n" for name in plain)
        lines += "".join(_cleared(name, span) for name, span in ranges.items())
        index = "    integer veriloop_i;\n" if ranges else ""
        label = " : veriloop_power_up" if ranges else ""
        end = module.children[-1].start_byte
        edits.append(Edit(path="", start=end, end=end, text=f"  initial begin{label}\n{index}{lines}  end\n".encode()))
        edits += [_relaxed(process) for process in _strict(structure, (*plain, *ranges))]
        named += [*plain, *ranges]
    return apply_edits(content, sorted(edits, key=lambda edit: edit.start)), tuple(named)


def _memories(structure: Structure) -> dict[str, str]:
    """The clocked memories with their one range, as it is written."""
    found: dict[str, str] = {}
    for name in _clocked(structure):
        declared = structure.signals.get(name)
        if declared is None or not declared.is_memory:
            continue
        text = structure.tree.text(declared.node)
        match = re.search(rf"\b{re.escape(name)}\s*((?:\[[^\]]*\]\s*)+)", text)
        spans = re.findall(r"\[([^\]]*)\]", match[1]) if match else []
        if len(spans) == 1:
            found[name] = spans[0]
    return found


def _cleared(name: str, span: str) -> str:
    first, colon, last = span.partition(":")
    if not colon:
        first, last = "0", f"({span}) - 1"
    low, high = (f"(({first}) < ({last}) ? ({one}) : ({two}))" for one, two in ((first, last), (last, first)))
    return f"    for (veriloop_i = {low}; veriloop_i <= {high}; veriloop_i = veriloop_i + 1) {name}[veriloop_i] = 0;\n"


def _registers(structure: Structure) -> tuple[str, ...]:
    started = {
        name
        for assignment in structure.assignments
        if assignment.process and assignment.process.kind == "initial"
        for name in assignment.targets
    } | _initialised(structure)
    clocked = _clocked(structure)
    known = structure.signals
    return tuple(name for name in clocked if name not in started and name in known and not known[name].is_memory)


def _clocked(structure: Structure) -> dict[str, None]:
    return dict.fromkeys(
        name
        for assignment in structure.assignments
        if assignment.process is not None and assignment.process.kind == "clocked"
        for name in assignment.targets
    )


def _initialised(structure: Structure) -> set[str]:
    """The variables whose declaration gives a value."""
    text = structure.tree.text
    return {
        text(name)
        for node in find(structure.module, ("variable_decl_assignment", "ansi_port_declaration"))
        if any(text(child) == "=" for child in node.children)
        for name in children(node, ("simple_identifier",))
    }


def _strict(structure: Structure, registers: tuple[str, ...]) -> list[Process]:
    return [
        process
        for process in structure.processes
        if process.kind == "clocked"
        and structure.tree.text(process.node.children[0]) == "always_ff"
        and any(
            set(assignment.targets) & set(registers)
            for assignment in structure.assignments
            if assignment.process is not None and assignment.process.node == process.node
        )
    ]


def _relaxed(process: Process) -> Edit:
    keyword = process.node.children[0]
    return Edit(path="", start=keyword.start_byte, end=keyword.end_byte, text=b"always")
