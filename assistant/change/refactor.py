"""A change that claims to change nothing: each module that it touches, before and after, proved or told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from veriloop.assistant.change.impact import VERILOG, visible_text_differs
from veriloop.assistant.change.result import Outcome
from veriloop.assistant.config import Config
from veriloop.assistant.design.elaborate import declared, elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import SOURCE_SUFFIXES, Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Run, Stage
from veriloop.assistant.gate import Gate
from veriloop.assistant.verify.equivalence.prove import Equivalence, Prover, Verdict
from veriloop.assistant.verify.equivalence.yosys import Yosys

_MOST_INPUTS = 6
"""Steps of an input that are shown: the last ones."""


def refactored(gate: Gate, config: Config, base: str, tree: str, *, limit_s: float) -> Run[tuple[Equivalence, ...]]:
    """Compares every module that a change touches with what it was.

    Args:
        gate: makes private copies.
        config: of the tree that the change makes.
        base: the tree before.
        tree: the tree with the change.
        limit_s: seconds for one module.

    Raises:
        ToolNotFound: Yosys is not installed.
    """
    yosys = Yosys.find(gate.cancel)
    repository = gate.repository
    found: list[Equivalence] = []
    with gate.copy(base) as (before, _), gate.copy(tree) as (after, scratch):
        old, new = (Project.load(copy.root, config.repository.design) for copy in (before, after))
        paths = [path for path in repository.changed_paths(base, tree) if _is_rtl(path)]
        contents = {path: (repository.read(base, path) or b"", repository.read(tree, path) or b"") for path in paths}
        paths = [path for path in paths if visible_text_differs(contents[path])]
        for module, was, now in _pairs(paths, contents, old, new):
            yield Stage(f"equivalence: {module}")
            if was is None or now is None:
                why = "it is new" if was is None else "it is gone"
                found.append(Equivalence(module=module, verdict=Verdict.UNDECIDED, why=why))
                continue
            prover = Prover(was, now, yosys, gate.toolchain, scratch, gate.cancel, limit_s=limit_s)
            found.append(prover.run())
    return tuple(found)


def outcome_of(found: Sequence[Equivalence]) -> Outcome:
    """What the answers about all modules come to."""
    if any(one.verdict is Verdict.DIFFERENT for one in found):
        return Outcome.REFUTED
    if all(one.verdict is Verdict.EQUIVALENT for one in found):
        return Outcome.VERIFIED if found else Outcome.UNCHANGED
    return Outcome.NOT_VERIFIED


def as_text(found: Sequence[Equivalence]) -> str:
    """The answers for a terminal."""
    if not found:
        return "nothing to prove: no module changes its meaning\n"
    lines = []
    for one in found:
        bound = f" within {one.steps} steps only" if one.verdict is Verdict.BOUNDED else ""
        lines.append(f"{one.module}: {one.verdict.value}{bound}: {one.why} ({one.seconds:.1f} s)")
        lines += [f"  assuming {line}" for line in one.assumed]
        if one.difference is not None:
            inputs = one.difference.inputs
            skipped = len(inputs) - _MOST_INPUTS
            lines += [f"  (steps 1 to {skipped} left out)"] if skipped > 0 else []
            for number, row in list(enumerate(inputs, 1))[-_MOST_INPUTS:]:
                lines.append(f"  step {number}: " + ", ".join(f"{name} = {bits}" for name, bits in row.items()))
    return "\n".join(lines) + "\n"


def as_data(one: Equivalence) -> dict[str, Any]:
    """One answer as plain data."""
    return {
        "type": "equivalence",
        "schema": 1,
        "module": one.module,
        "verdict": one.verdict.value,
        "why": one.why,
        "steps": one.steps,
        "assumed": list(one.assumed),
        "inputs": [dict(row) for row in one.difference.inputs] if one.difference else [],
        "seconds": round(one.seconds, 3),
    }


def _pairs(
    paths: Sequence[str], contents: dict[str, tuple[bytes, bytes]], old: Project, new: Project
) -> Iterator[tuple[str, Design | None, Design | None]]:
    """The modules of the changed files with their design before and after; of a header, those that use it."""
    for path in paths:
        names = [declared(content)[0] for content in contents[path]]
        for module in dict.fromkeys((*names[0], *names[1])):
            was = module_design(old, path, module) if module in names[0] else None
            now = module_design(new, path, module) if module in names[1] else None
            yield module, was, now


def module_design(project: Project, path: str, module: str) -> Design | None:
    """A module of a file as a design of its own, with absolute paths; none where it does not elaborate."""
    try:
        design = project.design_for([Path(path)]).design
    except UsageError:
        return None
    alone = replace(design, toplevel=module, parameters=()).rooted(project.root)
    # Only what the module needs, so that one that cannot be read elsewhere does no harm.
    return alone if module in elaborate(alone).modules else None


def _is_rtl(path: str) -> bool:
    pure = PurePosixPath(path)
    return pure.suffix.lower() in SOURCE_SUFFIXES & VERILOG and not is_test_path(pure)
