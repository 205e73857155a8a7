"""Verilator's lint of one file, with what it needs of its tree; and what two linters say alike said once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.config import load_config
from veriloop.assistant.design.elaborate import declared, elaborate
from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.design.project import SOURCE_SUFFIXES, Project
from veriloop.assistant.events import CancelToken
from veriloop.assistant.places import user_state_directory
from veriloop.assistant.verify.verilator import Verilator

_SAME: dict[str, frozenset[str]] = {
    "PINMISSING": frozenset({"UnconnectedInputPort", "UnconnectedOutputPort"}),
    "PINNOTFOUND": frozenset({"PortDoesNotExist"}),
    "WIDTHTRUNC": frozenset({"WidthTruncate", "PortWidthTruncate"}),
    "WIDTHEXPAND": frozenset({"WidthExpand", "PortWidthExpand"}),
    "MODMISSING": frozenset({"UnknownModule"}),
    "SELRANGE": frozenset({"IndexOOB", "IndexValueInvalid", "RangeOOB"}),
    "CASEINCOMPLETE": frozenset({"CaseDefault"}),
    "MULTIDRIVEN": frozenset({"MultipleAlwaysAssigns", "MultipleContAssigns", "MixedVarAssigns"}),
}
"""Verilator's name of a finding, and slang's."""
_MOST_TOPS = 4


def lint(path: Path, project: Project | None, cancel: CancelToken) -> tuple[Diagnostic, ...]:
    """What Verilator says about a file as it is on disk; waivers (`.vlt`) at the root of the tree count.

    Args:
        path: the file; a header is looked at by what includes it, so nothing is said about it alone.
        project: the tree; none for a file that stands alone.
        cancel: stops Verilator.

    Raises:
        ConfigError: a configuration file cannot be used.
        ToolNotFound: no Verilator.
        ToolFailed: it broke.
        Cancelled: the token was set.
    """
    if path.suffix.lower() not in SOURCE_SUFFIXES or not path.is_file():
        return ()
    project = project or Project.load(path.parent)
    design = project.design_for([path]).design.rooted(project.root)
    tools = load_config(project.root).user.tools
    cache = user_state_directory(os.environ)
    verilator = Verilator.find(configured=tools.verilator, compiler=tools.cxx, cache=cache, cancel=cancel)
    waivers = sorted(project.root.glob("*.vlt"))
    instantiated = set(elaborate(replace(design, toplevel="")).hierarchy.values())
    own = declared(path.read_bytes())[0]
    tops = elaborate(replace(design, toplevel="")).tops
    found: dict[tuple[int, str], Diagnostic] = {}
    for top in [name for name in own if name in tops or name not in instantiated][:_MOST_TOPS]:
        one = replace(design, toplevel=top, sources=(*waivers, *design.sources))
        for diagnostic in verilator.lint(one, cwd=project.root, cancel=cancel):
            if project.root / diagnostic.path == path:
                found.setdefault((diagnostic.line, diagnostic.message), diagnostic)
    return tuple(found.values())


def without_repeats(first: Sequence[Diagnostic], second: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Two linters' findings about one file; what the second says of a line that the first has said too is left out."""
    said = {(one.line, one.code) for one in first}
    errors = {one.line for one in first if one.severity == "error"}
    found = list(first)
    for one in second:
        repeated = any((one.line, code) in said for code in _SAME.get(one.code, ()))
        if not repeated and not (one.severity == "error" and (one.line in errors or one.line + 1 in errors)):
            found.append(one)
    return found
