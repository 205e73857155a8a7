"""Which design a testbench is for, where only files are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.design.elaborate import declared, elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import UsageError


def subject_of(project: Project, files: Sequence[Path], top: str = "") -> tuple[Design, tuple[Path, ...]]:
    """The design of some files with a module of theirs at the top, and those of its sources that were named.

    Args:
        project: the tree that the rest of the design is found in.
        files: from its root.
        top: the module; empty: the one of the files that none of them instantiates.

    Raises:
        UsageError: something that the files need is nowhere, or which module is meant is not clear.
    """
    found = project.design_for(files)
    if found.missing:
        raise UsageError(f"nowhere in this tree: {', '.join(found.missing)}", hint="name the file that has it, too")
    chosen = top or _top(project, found.design, files)
    parameters = found.design.parameters if chosen == found.design.toplevel else ()
    design = replace(found.design, toplevel=chosen, parameters=parameters)
    return design, tuple(path for path in design.sources if path in files) or tuple(files)


def _top(project: Project, design: Design, files: Sequence[Path]) -> str:
    elaboration = elaborate(replace(design, toplevel="", parameters=()).rooted(project.root))
    own = [name for path in files for name in declared((project.root / path).read_bytes())[0]]
    if not own:
        raise UsageError(f"{', '.join(map(str, files))} declares no module", hint="veriloop testbench rtl/FILE.sv")
    tops = [name for name in own if name in elaboration.tops] or own[:1]
    if len(tops) > 1:
        raise UsageError(f"which module: {', '.join(tops)}?", hint=f"--top {tops[0]}")
    return tops[0]
