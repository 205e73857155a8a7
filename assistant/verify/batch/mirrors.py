"""A directory a run, for testbenches that write files: it looks like the tree."""

from __future__ import annotations

import re
from pathlib import Path

from veriloop.assistant.verify.testbench import TraceTestbench, VerilogTestbench

_WRITES = re.compile(rb"\$(?:fopen\w*|writemem[bh])\b")


def writes_files(testbench: VerilogTestbench | TraceTestbench, root: Path) -> bool:
    """Whether runs would write over each other's files."""
    if isinstance(testbench, TraceTestbench):
        return True
    sources = (root / path for path in testbench.design.sources)
    return any(_WRITES.search(path.read_bytes()) for path in sources if path.is_file())


def mirrors(testbench: VerilogTestbench | TraceTestbench, root: Path, directory: Path, count: int) -> list[Path]:
    """So many directories below `directory`, by their number: links to all in the tree, but for what is written."""
    output = Path(testbench.output) if isinstance(testbench, TraceTestbench) else None
    found = []
    for index in range(count):
        own = directory / str(index)
        _mirror(root, own, output)
        found.append(own)
    return found


def _mirror(root: Path, own: Path, output: Path | None) -> None:
    """Links to everything in a directory, but for the output, whose directory is a real one."""
    own.mkdir()
    for entry in root.iterdir():
        if output is None or output.parts[0] != entry.name:
            (own / entry.name).symlink_to(entry)
    if output is not None and len(output.parts) > 1:
        inner = root / output.parts[0]
        if inner.is_dir():
            _mirror(inner, own / output.parts[0], Path(*output.parts[1:]))
