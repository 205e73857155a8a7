"""The files that can be mentioned, and those that fit what has been typed of a name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

_MOST = 20_000
_SKIPPED = frozenset({"node_modules", "obj_dir", "sim_build", "__pycache__", "venv", "build", "site-packages"})


def files_below(root: Path) -> list[str]:
    """The files of a tree, without hidden and built ones; at most some ten thousand."""
    found: list[str] = []
    for folder, inner, names in os.walk(root):
        inner[:] = sorted(name for name in inner if not name.startswith(".") and name not in _SKIPPED)
        for name in sorted(names):
            if not name.startswith("."):
                found.append(os.path.relpath(os.path.join(folder, name), root))  # noqa: PTH118 - ten times as fast
        if len(found) >= _MOST:
            break
    return found[:_MOST]


def fitting(typed: str, names: Sequence[str], most: int) -> list[str]:
    """The names that hold the letters that were typed, in their order; the closest first."""
    wanted = typed.lower()
    scored = [(score, name) for name in names if (score := _score(wanted, name.lower())) is not None]
    return [name for _, name in sorted(scored)[:most]]


def _score(wanted: str, name: str) -> tuple[int, int, int] | None:
    """Small for a close fit; none for no fit."""
    base = name.rpartition("/")[2]
    if base.startswith(wanted):
        return 0, len(base), len(name)
    if wanted in base:
        return 1, base.index(wanted), len(name)
    if wanted in name:
        return 2, name.index(wanted), len(name)
    place, gaps = -1, 0
    for letter in wanted:
        at = name.find(letter, place + 1)
        if at < 0:
            return None
        gaps += at - place - 1
        place = at
    return 3, gaps, len(name)
