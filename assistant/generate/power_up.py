"""Registers that nothing resets: a value to start from, so that no simulation begins with unknowns."""

from __future__ import annotations

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.structure import Process, Structure
from veriloop.assistant.design.syntax import SyntaxTree, children, find


def with_power_up(content: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The text with every clocked register that has no value to start from set to 0 by an initial block.

    An `always_ff` that drives such a register becomes an `always`: no other process may write its variables
    (IEEE 1800-2017, 9.2.2.4). Memories are left as they are.

    Returns:
        The text, and the registers that were given a value; the same text where there are none.
    """
    tree = SyntaxTree(content)
    edits: list[Edit] = []
    named: list[str] = []
    for module in tree.modules:
        structure = Structure(tree, module)
        registers = _registers(structure)
        if not registers:
            continue
        lines = "".join(f"    {name} = 0;\n" for name in registers)
        end = module.children[-1].start_byte
        edits.append(Edit(path="", start=end, end=end, text=f"  initial begin\n{lines}  end\n".encode()))
        edits += [_relaxed(process) for process in _strict(structure, registers)]
        named += registers
    return apply_edits(content, sorted(edits, key=lambda edit: edit.start)), tuple(named)


def _registers(structure: Structure) -> tuple[str, ...]:
    started = {
        name
        for assignment in structure.assignments
        if assignment.process and assignment.process.kind == "initial"
        for name in assignment.targets
    } | _initialised(structure)
    clocked = dict.fromkeys(
        name
        for assignment in structure.assignments
        if assignment.process is not None and assignment.process.kind == "clocked"
        for name in assignment.targets
    )
    known = structure.signals
    return tuple(name for name in clocked if name not in started and name in known and not known[name].is_memory)


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
