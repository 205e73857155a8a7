"""Commits a verified change on a branch of its own: the user's hooks run, nothing else moves."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import RepositoryError
from veriloop.assistant.repository.command import Git
from veriloop.assistant.repository.private import private_directory
from veriloop.assistant.repository.repository import Repository, check_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """A commit that was made."""

    branch: str
    commit: str


def require_committable(repository: Repository) -> None:
    """Passes where what is on disk is the last commit: only then is what was verified what would be committed.

    Raises:
        RepositoryError: there are uncommitted edits, or no commit.
    """
    if not repository.commit():
        raise RepositoryError("there is no commit yet to build on", hint="git commit")
    changed = repository.changed_paths(repository.head_tree(), repository.snapshot())
    if changed:
        few = ", ".join(changed[:3]) + (" ..." if len(changed) > 3 else "")
        raise RepositoryError(
            f"the work tree has edits that no commit has ({few}), so that a commit would not be what was verified",
            hint="git commit    or    git stash, then run it again; --apply needs neither",
        )


def commit_on_branch(repository: Repository, contents: Mapping[str, bytes], *, name: str, message: str) -> Committed:
    """Commits changed files on a new branch, in a work tree of its own that is gone afterwards.

    Args:
        repository: where; see `require_committable`.
        contents: the changed files, whole.
        name: the branch's name; with a suffix where there is one of that name.
        message: the commit's message.

    Raises:
        RepositoryError: git refuses, a hook for instance; then there is neither a commit nor a branch.
    """
    require_committable(repository)
    git = Git(repository.root, with_hooks=True)
    branch = name
    while git.ask("show-ref", "--verify", "--quiet", f"refs/heads/{branch}")[0] == 0:
        branch = f"{name}-{secrets.token_hex(2)}"
    with private_directory(repository.cache) as directory:
        place = directory / "tree"
        git.run("worktree", "add", "--quiet", "-b", branch, str(place), "HEAD")
        try:
            commit = _commit(place, contents, message)
        except RepositoryError:
            git.ask("worktree", "remove", "--force", str(place))
            git.ask("branch", "-D", branch)
            raise
        git.ask("worktree", "remove", "--force", str(place))
    return Committed(branch=branch, commit=commit)


def _commit(place: Path, contents: Mapping[str, bytes], message: str) -> str:
    inside = Git(place, with_hooks=True)
    for path, content in contents.items():
        check_path(path)
        (place / path).write_bytes(content)
    inside.run("add", "--", *contents)
    inside.run("commit", "--quiet", "--file=-", stdin=message.encode())
    output = inside.run("diff-tree", "-r", "-z", "--name-only", "--no-commit-id", "HEAD")
    names = set(filter(None, output.decode(errors="surrogateescape").split("\0")))
    if names != set(contents) or any((place / path).read_bytes() != content for path, content in contents.items()):
        raise RepositoryError("a hook has changed what would be committed, and that was not verified", hint="--apply")
    return inside.run("rev-parse", "HEAD").decode().strip()
