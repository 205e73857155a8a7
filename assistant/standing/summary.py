"""One line about how a module stands, as an editor shows it above the module."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.standing.ago import ago
from veriloop.assistant.standing.verdicts import Standing, first_difference


@dataclass(frozen=True, slots=True)
class Change:
    """The first line that has changed since a verdict, and its file."""

    path: str
    line: int


def summary(standings: Sequence[Standing], module: str, now: float, change: Change | None, path: str) -> str:
    """How a module stands; empty where no test exercises it.

    Args:
        standings: what is known of every test.
        module: which module.
        now: seconds since the epoch.
        change: what has changed since the verdicts, where that is known.
        path: the module's own file, which a line of it need not name.
    """
    mine = [one for one in standings if module in one.modules]
    if not mine:
        return ""
    judged = [one for one in mine if one.state != "never"]
    if not judged:
        return f"tests: {_count(len(mine))} never ran here"
    failed = [one.name for one in judged if not one.passed]
    said = f"{len(failed)} of {len(mine)} failed ({', '.join(failed[:3])})" if failed else f"{len(judged)} passed"
    unjudged = len(mine) - len(judged)
    parts = [f"tests: {said}", ago(now - min(one.when for one in judged))]
    if unjudged and not failed:
        parts.append(f"{unjudged} never ran here")
    if any(one.state == "stale" for one in judged):
        where = "" if change is None else f" since line {change.line}"
        if change is not None and change.path != path:
            where = f" since {change.path}:{change.line}"
        parts.append(f"stale{where}")
    return ", ".join(parts)


def told(
    repository: Repository, standings: Sequence[Standing], module: str, path: Path, content: bytes, now: float
) -> str:
    """How a module of a file stands whose text may be ahead of what is on disk; empty where no test exercises it."""
    mine = [one for one in standings if module in one.modules]
    relative = path.relative_to(repository.root).as_posix() if path.is_relative_to(repository.root) else ""
    change = None
    for tree in dict.fromkeys(one.tree for one in mine if one.tree):
        judged = repository.read(tree, relative) if relative else None
        line = first_difference(judged, content) if judged is not None else None
        if line is not None:
            change = Change(relative, line)
            mine = [replace(one, state="stale") if one.tree == tree else one for one in mine]
            break
    return summary(mine, module, now, change, relative)


def _count(number: int) -> str:
    return f"{number} test{'' if number == 1 else 's'}"
