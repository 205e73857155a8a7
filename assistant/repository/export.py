"""Private plain copies of a tree, to run tools in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.repository.repository import SUBMODULE_MODE, UNTRACKED_LIMIT_BYTES, Repository

_POINTER = b"version https://git-lfs.github.com/spec/"
_POINTER_BYTES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """A private copy of a tree.

    `added` holds what the tree itself does not contain, with the reason; `left_out` what the user's checkout has and
    the copy lacks. Paths are relative to the root, with `/`.
    """

    root: Path
    tree: str
    added: tuple[tuple[str, str], ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def export(
    repository: Repository, tree: str, directory: Path, *, needs: Sequence[str] = (), committed: bool = False
) -> Export:
    """Writes a tree to an empty directory, with the submodules and nested clones that are checked out.

    Everything is copied, never linked: a test may write where it likes and the user's files stay as they are. There
    is no `.git` in the copy.

    Args:
        repository: where the tree comes from.
        tree: the tree's id.
        directory: is made if it is not there.
        needs: files or directories of the work tree that git ignores and the tests need; glob patterns work.
        committed: the copy holds what the tree says and nothing else: submodules at the commit that it names, even if
            something else is checked out, and no untracked clone.
    """
    directory.mkdir(parents=True, exist_ok=True)
    root = directory.resolve()
    with repository.checkout_index(tree) as git:
        git.run("checkout-index", "--all", "--force", f"--prefix={root}/")
    large = f"untracked, and larger than {UNTRACKED_LIMIT_BYTES // 1_000_000} MB"
    left_out = [] if committed else [(path, large) for path in repository.oversized()]
    added = []
    for path, why in _clones(repository, tree, nested=not committed):
        if committed and _export_submodule(repository, tree, path, root):
            continue
        if (repository.root / path / ".git").exists():
            _copy_missing(repository.root / path, root / path, skip=".git")
            added.append((path, why))
        else:
            left_out.append((path, "a submodule that is not checked out"))
    left_out += _drop_links(root, root, "a symbolic link that leads out of the tree")
    left_out += [(path, "a pointer of git-lfs, whose content is not here: git lfs pull") for path in _pointers(root)]
    for path, source in _needed(repository, needs):
        if source is None:
            left_out.append((path, "named in `needs`, but not inside the checkout"))
            continue
        _copy_missing(source, root / path)
        added.append((path, "named in `needs`"))
        # Links to the machine, a virtual environment's for instance, stay; those into the user's checkout do not.
        left_out += _drop_links(root / path, root, "a symbolic link into the checkout", only=repository.root)
    return Export(root=root, tree=tree, added=tuple(added), left_out=tuple(left_out))


def _clones(repository: Repository, tree: str, *, nested: bool) -> Iterator[tuple[str, str]]:
    for path, entry in repository.entries(tree).items():
        if entry.mode == SUBMODULE_MODE:
            yield path, "a submodule, as it is checked out"
    for path in repository.nested() if nested else ():
        yield path, "an untracked clone"


def _export_submodule(repository: Repository, tree: str, path: str, root: Path) -> bool:
    """Writes a submodule at the commit that the tree names; false where that commit, or one below it, is not here."""
    entry = repository.entry(tree, path)
    if entry is None or not (repository.root / path / ".git").exists():
        return False
    submodule = Repository.open(repository.root / path, cache=repository.cache)
    inner = submodule.tree_of(entry.id) if submodule.root != repository.root else None
    if inner is None:
        return False
    copy = export(submodule, inner, root / path, committed=True)
    return not copy.added and not any("submodule" in why for _, why in copy.left_out)


def _pointers(root: Path) -> Iterator[str]:
    """Files that stand for a large one: what `git-lfs` keeps in git."""
    attributes = (path for path in root.rglob(".gitattributes") if path.is_file())
    if not any(b"filter=lfs" in path.read_bytes() for path in attributes):
        return
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder, name)
            small = not path.is_symlink() and path.is_file() and path.stat().st_size < _POINTER_BYTES
            if small and path.read_bytes().startswith(_POINTER):
                yield path.relative_to(root).as_posix()


def _needed(repository: Repository, needs: Sequence[str]) -> Iterator[tuple[str, Path | None]]:
    top = repository.root.resolve()
    for need in needs:
        inside = not need.startswith("/") and ".." not in Path(need).parts
        found = [path.relative_to(top).as_posix() for path in top.glob(need.rstrip("/"))] if need and inside else []
        if not found:
            yield need, None
        for name in sorted(found):
            # A link on the way must not lead out of the checkout.
            yield name, top / name if (top / name).parent.resolve().is_relative_to(top) else None


def _copy_missing(source: Path, target: Path, *, skip: str = "") -> None:
    """Copies a file, a link or a directory; what is there already stays. Sockets and pipes are passed over."""
    if source.is_symlink():
        if not os.path.lexists(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(source.readlink())
    elif source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for child in source.iterdir():
            if child.name != skip:
                _copy_missing(child, target / child.name, skip=skip)
    elif source.is_file() and not os.path.lexists(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)


def _drop_links(start: Path, root: Path, why: str, *, only: Path | None = None) -> list[tuple[str, str]]:
    """Removes the links below `start` that lead out of `root`, or only those of them that lead into `only`."""
    links = [start] if start.is_symlink() else []
    for folder, folders, names in os.walk(start):
        links += [path for name in (*folders, *names) if (path := Path(folder, name)).is_symlink()]
    bad = []
    for link in links:
        target = Path(os.path.realpath(link))
        leaves = not target.is_relative_to(root)
        if leaves and (only is None or target.is_relative_to(os.path.realpath(only))):
            bad.append(link)
    for link in bad:
        link.unlink()
    return [(link.relative_to(root).as_posix(), why) for link in bad]
