"""Since when a test fails: the first commit at which it does, found by the test as it is now, in private copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.errors import ToolNotFound
from veriloop.assistant.events import CancelToken, Note, Run, Stage
from veriloop.assistant.locate.allowance import Allowance
from veriloop.assistant.locate.changes import Lines, changed_lines
from veriloop.assistant.repository.bisection import (
    Bisection,
    Named,
    changes_between,
    changes_of,
    is_ancestor,
    named_commit,
)
from veriloop.assistant.repository.export import export
from veriloop.assistant.repository.private import private_directory
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.verify.calls import recorded_calls
from veriloop.assistant.verify.results import Outcome
from veriloop.assistant.verify.testbench import CommandTest
from veriloop.assistant.verify.toolchain import Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Blamed:
    """The change with which a test began to fail.

    Attributes:
        what: the change, in words.
        commit: where it is one; none for edits that no commit has.
        lines: the lines of the design that it touched, where they stand now.
        tested: how many commits were tested.
        skipped: how many could not be: they do not build, or give no verdict in time.
    """

    what: str
    commit: Named | None = None
    lines: Lines = field(default_factory=dict)
    tested: int = 0
    skipped: int = 0

    def data(self) -> dict[str, Any]:
        """As plain data."""
        commit = self.commit or Named("")
        return {
            "what": self.what,
            "commit": commit.id,
            "subject": commit.subject,
            "date": commit.date,
            "tested": self.tested,
            "skipped": self.skipped,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Trial:
    """Runs the test of now on commits. Every verdict is good (true), bad (false) or none."""

    repository: Repository
    toolchain: Toolchain
    command: CommandTest
    needs: tuple[str, ...]
    cancel: CancelToken
    allowance: Allowance
    hangs: bool
    """Whether a test that does not end fails, because that is how it fails now."""
    now: str
    """The tree on disk, whose tests judge."""

    def passes(self, tree: str) -> bool | None:
        tests = {
            path: self.repository.read(self.now, path)
            for path in self.repository.changed_paths(tree, self.now)
            if is_test_path(Path(path))
        }
        tree = self.repository.write_tree_with(tree, {path: one for path, one in tests.items() if one is not None})
        timeout_s = max(1.0, min(self.command.timeout_s, self.allowance.left_s))
        command = replace(self.command, timeout_s=timeout_s)
        with private_directory(self.repository.cache) as directory:
            root = export(self.repository, tree, directory / "tree", needs=self.needs, committed=True).root
            scratch = directory / "scratch"
            scratch.mkdir()
            try:
                result, calls = recorded_calls(
                    command, root=root, scratch=scratch, isolation=self.toolchain.isolation, cancel=self.cancel
                )
            except ToolNotFound:
                return None
        if any(call.refused for call in calls):
            # It does not build: that says nothing of what is looked for.
            return None
        if result.outcome is Outcome.TIMEOUT:
            return False if self.hangs and self.allowance.left_s else None
        return result.passed


def blamed(
    repository: Repository,
    toolchain: Toolchain,
    command: CommandTest,
    since: str,
    *,
    hangs: bool = False,
    needs: tuple[str, ...] = (),
    cancel: CancelToken,
    allowance: Allowance,
) -> Run[Blamed | None]:
    """Looks for the change with which a test that fails now began to fail.

    Args:
        repository: whose history; its work tree stays as it is.
        toolchain: the simulators.
        command: the test; its files are those of now, so that one that is new judges old commits as well.
        since: a commit at which all was well.
        hangs: it fails by not ending.
        needs: ignored files that it needs.
        cancel: stops it.
        allowance: how long it may take.

    Returns:
        None where that cannot be told; a note says why.

    Raises:
        UsageError: `since` is no commit of this clone.
    """
    known = named_commit(repository, since)
    now = repository.snapshot()
    trial = _Trial(
        repository=repository,
        toolchain=toolchain,
        command=command,
        needs=needs,
        cancel=cancel,
        allowance=allowance,
        hangs=hangs,
        now=now,
    )
    head = repository.head_tree()
    yield Stage(f"testing what was committed since {known.id[:10]}")
    if now != head and trial.passes(head):
        lines = _lines(repository, changes_between(repository, head, now), now)
        return Blamed(what="edits that no commit has; at the last commit the test passes", lines=lines, tested=1)
    tree = repository.tree_of(known.id)
    if not is_ancestor(repository, known.id) or tree is None:
        yield Note(f"{since} is no ancestor of the last commit: nothing is tested between them")
        return None
    passed = trial.passes(tree)
    if not passed:
        why = "fails there, too" if passed is False else "gives no verdict there"
        yield Note(f"the test {why}: what was committed since {known} is not tested")
        return None
    return (yield from _bisected(trial, known))


def _bisected(trial: _Trial, known: Named) -> Run[Blamed | None]:
    repository = trial.repository
    search = Bisection(repository, repository.commit(), [known.id])
    tested = 1
    while (commit := search.next()) is not None:
        if not trial.allowance.left_s:
            yield Note(f"the commit is not found: time is up with {len(search.open())} commits left")
            return None
        tree = repository.tree_of(commit)
        passed = trial.passes(tree) if tree is not None else None
        tested += 1
        word = {True: "passes", False: "fails", None: "cannot be tested"}[passed]
        yield Note(f"{named_commit(repository, commit)}: {word}")
        if passed is None:
            search.skipped.add(commit)
        elif passed:
            search.good.append(commit)
        else:
            search.bad = commit
    left = search.open()
    first = named_commit(repository, search.bad)
    what = f"{first}, the first commit at which the test fails"
    if len(left) > 1:
        what = f"{first}, or one of {len(left) - 1} before it that cannot be tested"
    changes = [change for commit in left for change in changes_of(repository, commit)]
    return Blamed(
        what=what,
        commit=first,
        lines=_lines(repository, changes, trial.now),
        tested=tested,
        skipped=len(search.skipped),
    )


def _lines(repository: Repository, changes: Sequence[tuple[str, bytes, bytes]], now: str) -> Lines:
    found: dict[str, list[tuple[int, int]]] = {}
    for path, before, after in changes:
        content = repository.read(now, path)
        if content is not None:
            found.setdefault(path, []).extend(changed_lines(path, before, after, content))
    return found


def lines_since(repository: Repository, since: str) -> Mapping[str, tuple[tuple[int, int], ...]]:
    """The lines of the design that differ from a commit, where they stand now.

    Raises:
        UsageError: it is no commit of this clone.
    """
    tree = repository.tree_of(named_commit(repository, since).id) or repository.empty_tree()
    now = repository.snapshot()
    return {
        path: changed_lines(path, before, after, after)
        for path, before, after in changes_between(repository, tree, now)
    }
