"""Which commit to test next where one is good and a later one is bad; git itself chooses among them.

Source: `git bisect`, by `git rev-list --bisect-all`, which weighs merges too (https://git-scm.com/docs/git-rev-list).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from veriloop.assistant.errors import UsageError
from veriloop.assistant.repository.command import Git
from veriloop.assistant.repository.repository import Repository


@dataclass(frozen=True, slots=True)
class Named:
    """A commit as a person knows it."""

    id: str
    subject: str = ""
    date: str = ""
    """The day of the commit, `2026-01-31`."""

    def __str__(self) -> str:
        return f'{self.id[:10]} "{self.subject}" ({self.date})'


@dataclass(slots=True)
class Bisection:
    """The search for the first bad commit."""

    repository: Repository
    bad: str
    good: list[str]
    skipped: set[str] = field(default_factory=set)
    """Commits that cannot be tested."""

    def open(self) -> list[str]:
        """The commits that may be the first bad one, itself among them; those first that halve them best."""
        words = ["rev-list", "--bisect-all", self.bad, *(f"^{one}" for one in self.good)]
        output = Git(self.repository.root).run(*words).decode("utf-8", errors="replace")
        return [line.split(None, 1)[0] for line in output.splitlines() if line.strip()]

    def next(self) -> str | None:
        """The commit to test; none where nothing is left that could be."""
        return next((one for one in self.open() if one != self.bad and one not in self.skipped), None)


def named_commit(repository: Repository, revision: str) -> Named:
    """A revision of this clone.

    Raises:
        UsageError: it is no commit of it.
    """
    words = ("log", "-1", "--format=%H%x00%s%x00%cs", "--end-of-options", f"{revision}^{{commit}}", "--")
    status, output, _ = Git(repository.root).ask(*words)
    fields = output.decode("utf-8", errors="replace").strip().split("\0")
    if status != 0 or len(fields) != 3:
        raise UsageError(f"{revision} is no commit of this clone", hint="git log --oneline    (git fetch --unshallow)")
    return Named(*fields)


def is_ancestor(repository: Repository, commit: str, of: str = "HEAD") -> bool:
    """Whether a commit is one that another comes from."""
    return Git(repository.root).ask("merge-base", "--is-ancestor", commit, of)[0] == 0


def changes_of(repository: Repository, commit: str) -> tuple[tuple[str, bytes, bytes], ...]:
    """The files that a commit changed against its first parent: the path, and its contents before and after."""
    after = repository.tree_of(commit) or repository.empty_tree()
    before = repository.tree_of(f"{commit}^1") or repository.empty_tree()
    return changes_between(repository, before, after)


def changes_between(
    repository: Repository, before: str, after: str, suffixes: Collection[str] = (".v", ".sv", ".vh", ".svh")
) -> tuple[tuple[str, bytes, bytes], ...]:
    """The files with some suffixes in which two trees differ; one that is not there is empty."""
    return tuple(
        (path, repository.read(before, path) or b"", repository.read(after, path) or b"")
        for path in repository.changed_paths(before, after)
        if path.endswith(tuple(suffixes))
    )
