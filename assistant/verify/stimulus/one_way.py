"""Ports of both directions that nothing in a design drives, written as the inputs that they are.

Verilator takes such a port of the module at the top for high impedance, which it reads as zeros, as soon as there is
a `z` anywhere in the design. Both words are equally long, so that lines and columns stay as they were.
"""

from __future__ import annotations

from pathlib import Path

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.verify.stimulus.pins import Pins


def one_way_texts(design: Design, pins: Pins, *, cwd: Path) -> dict[Path, bytes]:
    """The design's source that declares the driven module, with its `inout` ports as inputs.

    Empty where it has none, or where one is among the outputs: what drives it is not known.
    """
    names = {port.name for port in pins.inputs if port.direction == "inout"}
    if not names:
        return {}
    for path in design.sources:
        file = cwd / path
        content = file.read_bytes() if file.is_file() else b""
        tree = SyntaxTree(content)
        module = next((node for node in tree.modules if Structure(tree, node).name == pins.module), None)
        if module is None:
            continue
        words = [
            node
            for node in tree.nodes
            if node.type == "inout" and module.start_byte <= node.start_byte < module.end_byte and not node.children
        ]
        edits = [Edit(path="", start=node.start_byte, end=node.end_byte, text=b"input") for node in words]
        return {path: apply_edits(content, edits)} if edits else {}
    return {}
