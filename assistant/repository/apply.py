"""Writes a change into the user's work tree: the files only, never the index, a branch or a commit.

`gate.apply` is the door to it, which asks for a passing report.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from veriloop.assistant.repository.journal import FileChange, Record, permissions, swap
from veriloop.assistant.repository.repository import Repository, check_path


@dataclass(frozen=True, slots=True)
class AppliedChange:
    """What was written."""

    paths: tuple[str, ...]


def write(repository: Repository, base: str, contents: Mapping[str, bytes | None], *, about: str = "") -> AppliedChange:
    """Compares the files on disk with the tree `base` and swaps them, all or none; a file keeps its mode.

    Args:
        repository: where.
        base: the tree that the change was made for.
        contents: the new bytes by path; none deletes.
        about: what the change is, in one line; kept for `undo`.

    Raises:
        PatchConflict: a path leads out of the tree.
        StaleTree: a file is not what it is in `base`; nothing was changed.
        RepositoryError: the file system refuses; nothing was changed.
    """
    for path in contents:
        check_path(path)
    changes = tuple(
        FileChange(path=path, before=repository.read(base, path), after=after, mode=permissions(repository, path))
        for path, after in sorted(contents.items())
    )
    swap(repository, Record(kind="apply", changes=changes, about=about))
    return AppliedChange(tuple(change.path for change in changes))
