"""What a repository holds and how it stands: its hierarchy, its tests, its changes. Nothing is run here."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.context import Context
from veriloop.assistant.design.elaborate import Elaboration, elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import Project
from veriloop.assistant.errors import UsageError
from veriloop.assistant.standing.summary import summary
from veriloop.assistant.standing.verdicts import Standing, State

_MOST_INSTANCES = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One instance of the hierarchy; a toplevel is one too."""

    path: str
    """From the toplevel down, joined by dots."""
    module: str
    file: str
    """Relative to the root of the tree; empty: the module is nowhere in it."""
    standing: str
    """What its tests last said, in one line; empty where none exercises it."""
    state: State | None
    """Of its tests the worst: failed, stale, never, passed; none where none exercises it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """How a repository stands."""

    tests: tuple[Standing, ...]
    hierarchy: tuple[Instance, ...]
    """Each instance after the one that it is in."""
    changed: tuple[str, ...]
    """The files that differ from the last commit."""
    cut: int = 0
    """Instances that were left out."""


_WORST: tuple[State, ...] = ("failed", "stale", "never", "passed")


def survey(context: Context, tests: Sequence[Standing], *, now: float | None = None) -> Survey:
    """Looks at a repository.

    Args:
        context: the repository.
        tests: what is known of its tests.
        now: seconds since the epoch; the present.
    """
    now = time.time() if now is None else now
    found: list[Instance] = []
    for elaboration in _designs(context):
        found += _instances(elaboration, context.repository.root, tests, now)
    changed = context.repository.changed_paths(context.repository.head_tree(), context.repository.snapshot())
    return Survey(
        tests=tuple(tests),
        hierarchy=tuple(found[:_MOST_INSTANCES]),
        changed=changed,
        cut=max(0, len(found) - _MOST_INSTANCES),
    )


def _designs(context: Context) -> Iterator[Elaboration]:
    root = context.repository.root
    project = Project.load(root, context.config.repository.design)
    try:
        design = project.design().design
    except UsageError:
        return
    tops: Sequence[str] = [design.toplevel] if design.toplevel else elaborate(design.rooted(root)).tops
    for top in tops:
        yield elaborate(_below(design, top).rooted(root))


def _below(design: Design, top: str) -> Design:
    return replace(design, toplevel=top)


def _instances(elaboration: Elaboration, root: Path, tests: Sequence[Standing], now: float) -> Iterator[Instance]:
    modules = elaboration.modules
    known: dict[str, tuple[str, str, State | None]] = {}
    for path, module in elaboration.hierarchy.items():
        if module not in known:
            where = modules[module].path if module in modules else None
            file = where.relative_to(root).as_posix() if where is not None and where.is_relative_to(root) else ""
            known[module] = (file, summary(tests, module, now, None, file), _worst(tests, module))
        file, said, state = known[module]
        yield Instance(path=path, module=module, file=file, standing=said, state=state)


def _worst(tests: Sequence[Standing], module: str) -> State | None:
    """What counts for a module: a verdict that is stale still says what it said."""
    mine = (one for one in tests if module in one.modules)
    states = {"failed" if one.state == "stale" and not one.passed else one.state for one in mine}
    return next((state for state in _WORST if state in states), None)
