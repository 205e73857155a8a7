"""File lists: `.f`, `.vf`, `.flist`, `Flist.NAME`, `verible.filelist`; nested ones belong to those that name them."""

from __future__ import annotations

from pathlib import Path

from veriloop.assistant.design.filelist import FileList, read_filelist
from veriloop.assistant.errors import ConfigError
from veriloop.assistant.project.model import Build, Findings
from veriloop.assistant.project.reading import Context, origin
from veriloop.assistant.project.tools import from_filelist
from veriloop.assistant.project.tree import Tree

NAME = "file list"

_MOST = 400


def read(tree: Tree, context: Context) -> Findings:
    """Every list that no other list names, with all that it nests."""
    read_: dict[Path, FileList] = {}
    questions: list[str] = []
    for path in context.lists[:_MOST]:
        try:
            read_[path] = best_reading(tree, path, context)
        except ConfigError as error:
            questions.append(f"{path}: {error.message}")
    nested = {inside for path, one in read_.items() for inner in one.lists[1:] if (inside := tree.relative(inner))}
    builds = [
        _build(tree, path, listed)
        for path, listed in read_.items()
        if path not in nested and (listed.sources or listed.library_files)
    ]
    questions += context.variables.guessed.values()
    return Findings(builds=tuple(builds), questions=tuple(questions))


def best_reading(tree: Tree, path: Path, context: Context) -> FileList:
    """The list read from the directory from which most of its files are there.

    Raises:
        ConfigError: it cannot be read at all.
    """
    best: FileList | None = None
    most = -1
    for base in (path.parent, *path.parent.parents):
        found = read_filelist(tree.root / path, base=tree.root / base, environment=context.variables, lenient=True)
        there = sum(one.exists() for one in (*found.sources, *found.include_dirs, *found.lists))
        if there > most:
            best, most = found, there
        if most == len(found.sources) + len(found.include_dirs) + len(found.lists):
            break
    if best is None:
        raise ConfigError("it cannot be read")
    return best


def _build(tree: Tree, path: Path, listed: FileList) -> Build:
    return from_filelist(listed, tree, origin(NAME, path), name=path.as_posix())
