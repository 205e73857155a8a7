"""What can be said about a design without running it: does it parse, does it lint, does it elaborate."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from veriloop.assistant.design.elaborate import Elaboration, elaborate
from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.evidence import Step
from veriloop.assistant.verify.protected import HDL_SUFFIXES
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.testbench import CocotbTestbench, CommandTest, Testbench, TraceTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_WAIVER = ".vlt"
_MOST_WAIVERS = 64

PARSE, LINT, ELABORATE = "parse", "lint", "elaborate"


@dataclass(frozen=True, slots=True)
class Found:
    """A step, and what it found: errors without their lines, so that those of two trees compare, and warnings."""

    step: Step
    errors: Counter[str] = field(default_factory=Counter)
    warnings: tuple[Diagnostic, ...] = ()
    faults: tuple[Diagnostic, ...] = ()
    """The errors with their places."""


def parse_step(root: Path, paths: Sequence[str], *, read: bool) -> Found:
    """Whether the files of a tree follow the grammar; only HDL is looked at.

    The error-tolerant grammar stumbles over some macros, so files that a tool has read (`read`) do parse.
    """
    places: list[str] = []
    errors: Counter[str] = Counter()
    for path in paths:
        if PurePosixPath(path).suffix.lower() in HDL_SUFFIXES and (root / path).is_file():
            tree = SyntaxTree((root / path).read_bytes())
            places += [f"{path}:{tree.line(gap.start_byte)}: cannot be parsed" for gap in tree.gaps]
            errors.update(f"{path}: {tree.text(gap)[:60]}" for gap in tree.gaps)
    if read:
        return Found(Step(name=PARSE, passed=True))
    return Found(Step(name=PARSE, passed=not places, detail=few(places)), errors)


def looked_at(design: Design, *, root: Path, toolchain: Toolchain, cancel: CancelToken) -> tuple[SimResult, ...]:
    """What Verilator's lint and slang's elaboration say about one design of the tree that lies at `root`, unread."""
    rooted = design.rooted(root)
    waiving = [root / path for path in waivers(root) if root / path not in rooted.sources]
    linted = toolchain.verilator.lint(replace(rooted, sources=(*waiving, *rooted.sources)), cwd=root, cancel=cancel)
    if waiving and any(one.severity == "error" and one.path.endswith(_WAIVER) for one in linted):
        # Written for another Verilator: it waives nothing here, and must not hide the rest.
        linted = toolchain.verilator.lint(rooted, cwd=root, cancel=cancel)
    elaborated = elaborate(rooted).errors
    return tuple(
        SimResult(
            outcome=Outcome.COMPILE_ERROR if any(one.severity == "error" for one in said) else Outcome.PASS,
            engine=engine,
            diagnostics=tuple(
                replace(one, path=relative(one.path, root), message=relative(one.message, root)) for one in said
            ),
        )
        for engine, said in ((LINT, linted), (ELABORATE, elaborated))
    )


@functools.lru_cache(maxsize=16)
def waivers(root: Path) -> tuple[Path, ...]:
    """Verilator's control files (`.vlt`) of a private copy of a tree, relative to it."""
    found = sorted(path for path in root.rglob(f"*{_WAIVER}") if path.is_file())
    return tuple(path.relative_to(root) for path in found[:_MOST_WAIVERS])


def static_steps(design: Design, said: Sequence[SimResult]) -> tuple[Found, ...]:
    """The steps that come of what `looked_at` found."""
    return tuple(_step(one.engine, design, one.diagnostics) for one in said)


def instantiated(testbenches: Sequence[Testbench], root: Path) -> tuple[Design, ...]:
    """What the testbenches instantiate from files other than their own; a testbench in one file is taken whole."""
    found: dict[Design, None] = {}
    for testbench in testbenches:
        if isinstance(testbench, CommandTest) or missing_files(testbench, root):
            continue
        if isinstance(testbench, CocotbTestbench):
            found[testbench.design] = None
            continue
        for design in _below(testbench.design, elaborate(testbench.design.rooted(root)), root):
            found[design] = None
    return tuple(found)


def _below(design: Design, elaboration: Elaboration, root: Path) -> tuple[Design, ...]:
    own = elaboration.modules.get(design.toplevel)
    if own is None or own.path is None:
        return (design,)
    names = []
    for path, module in elaboration.hierarchy.items():
        defined = elaboration.modules[module].path
        if path.count(".") == 1 and defined is not None and defined != own.path:
            names.append(module)
    sources = tuple(path for path in design.sources if root / path != own.path)
    below = tuple(replace(design, toplevel=name, sources=sources, parameters=()) for name in dict.fromkeys(names))
    return below or (design,)


def missing_files(testbench: Testbench, root: Path) -> list[str]:
    """The files that a testbench names and the tree lacks."""
    if isinstance(testbench, CommandTest):
        return []
    paths = [*testbench.design.sources]
    if isinstance(testbench, TraceTestbench):
        paths.append(testbench.oracle)
    return [path.as_posix() for path in paths if not (root / path).is_file()]


def _step(name: str, design: Design, found: Sequence[Diagnostic]) -> Found:
    errors = [one for one in found if one.severity == "error"]
    warnings = tuple(one for one in found if one.severity == "warning" and one.code)
    counts = Counter(one.code for one in warnings)
    said = ", ".join(f"{count} {code}" for code, count in sorted(counts.items()))
    detail = few(map(str, errors)) if errors else (f"warnings: {said}" if said else "clean")
    return Found(
        Step(name=f"{name} {design.toplevel}".rstrip(), passed=not errors, detail=detail),
        Counter(f"{one.path}: {one.message}" for one in errors),
        warnings,
        tuple(errors),
    )


def relative(text: str, root: Path) -> str:
    """The text without the place of the private copy."""
    return text.replace(f"{root}/", "").replace(str(root), ".")


def few(texts: Iterable[str], limit: int = 3) -> str:
    """The first of many, and how many more there are."""
    found = list(texts)
    more = f" and {len(found) - limit} more" if len(found) > limit else ""
    return "; ".join(found[:limit]) + more
