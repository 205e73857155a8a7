"""Which files were changed lately, by the commits that this clone has."""

from __future__ import annotations

import math
from collections.abc import Mapping

from veriloop.assistant.errors import UsageError
from veriloop.assistant.repository.command import Git
from veriloop.assistant.repository.repository import Repository

_MOST = 200
_HALF = 15.0
"""After how many later commits a change counts about half."""


def recently_changed(repository: Repository, *, since: str = "") -> Mapping[str, float]:
    """Files by how lately they were changed, from above 0 to 1 for the last commit and for edits that no commit has.

    Args:
        repository: whose history.
        since: a commit at which all was well; empty: the last commits.

    Raises:
        UsageError: `since` is no commit of this clone.
    """
    git = Git(repository.root)
    found: dict[str, float] = {}
    if since and git.ask("rev-parse", "--verify", "--quiet", f"{since}^{{commit}}")[0] != 0:
        raise UsageError(f"{since} is no commit of this clone", hint="git log --oneline    (git fetch --unshallow)")
    words = [f"{since}..HEAD"] if since else []
    status, output, _ = git.ask("log", f"-{_MOST}", "--no-merges", "--format=%x01", "--name-only", "-z", *words)
    commits = output.decode("utf-8", errors="surrogateescape").split("\x01")[1:] if status == 0 else []
    for age, commit in enumerate(commits):
        for name in filter(None, commit.replace("\n", "\0").split("\0")):
            found.setdefault(name, math.exp(-age * math.log(2) / _HALF))
    head = repository.head_tree()
    for name in repository.changed_paths(head, repository.snapshot()):
        found[name] = 1.0
    return found
