"""Commits of verified changes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from veriloop.assistant.errors import RepositoryError
from veriloop.assistant.repository.commit import commit_on_branch
from veriloop.assistant.repository.recency import recently_changed
from veriloop.assistant.repository.repository import Repository

pytestmark = pytest.mark.needs("git")


def git(root: Path, *words: str) -> str:
    command = ["git", "-c", "init.defaultBranch=main", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    root = tmp_path / "tree"
    root.mkdir()
    git(root, "init", "-q")
    git(root, "config", "user.name", "Ada")
    git(root, "config", "user.email", "ada@example.org")
    (root / "a.v").write_text("module a; endmodule\n")
    (root / "b.v").write_text("module b; endmodule\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    return Repository.open(root, cache=tmp_path / "cache")


def commit(repository: Repository, text: str = "module a(); endmodule\n") -> str:
    made = commit_on_branch(repository, {"a.v": text.encode()}, name="veriloop/x", message="Fix a\n\nVerified-by: v\n")
    return made.branch


def hook(repository: Repository, text: str) -> None:
    path = repository.root / ".git/hooks/pre-commit"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_a_branch_of_its_own_and_nothing_else(repository: Repository) -> None:
    root = repository.root
    hook(repository, f"touch {root.parent}/hook-ran")
    assert commit(repository) == "veriloop/x"
    assert git(root, "branch", "--show-current") == "main"
    assert git(root, "status", "--porcelain") == ""
    assert (root / "a.v").read_text() == "module a; endmodule\n"
    assert git(root, "show", "veriloop/x:a.v") == "module a(); endmodule"
    assert git(root, "log", "-1", "--format=%an <%ae>|%(trailers:key=Verified-by)", "veriloop/x").startswith(
        "Ada <ada@"
    )
    assert git(root, "worktree", "list").count("\n") == 0
    assert (root.parent / "hook-ran").exists()
    assert commit(repository) != "veriloop/x"


@pytest.mark.parametrize(
    ("text", "message"),
    [("echo no tabs here >&2; exit 1", "no tabs"), ("echo '// x' >> a.v; git add a.v", "a hook has changed")],
)
def test_a_hook_that_refuses_or_changes_leaves_nothing(repository: Repository, text: str, message: str) -> None:
    hook(repository, text)
    with pytest.raises(RepositoryError, match=message):
        commit(repository)
    assert git(repository.root, "branch", "--list") == "* main"
    assert git(repository.root, "worktree", "list").count("\n") == 0


def test_a_dirty_tree_is_refused(repository: Repository) -> None:
    (repository.root / "b.v").write_text("edited")
    with pytest.raises(RepositoryError, match="edits that no commit has"):
        commit(repository)


def test_history_counts_the_latest_most(repository: Repository, tmp_path: Path) -> None:
    root = repository.root
    (root / "b.v").write_text("module b(); endmodule\n")
    git(root, "commit", "-qam", "second")
    found = recently_changed(repository)
    assert found["b.v"] == 1.0
    assert 0 < found["a.v"] < 1
    assert set(recently_changed(repository, since="HEAD~1")) == {"b.v"}
    (root / "a.v").write_text("edited")
    assert recently_changed(repository)["a.v"] == 1.0
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{root}", "shallow")
    assert recently_changed(Repository.open(tmp_path / "shallow", cache=tmp_path / "cache"))
