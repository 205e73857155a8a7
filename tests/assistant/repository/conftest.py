"""Real git repositories in temporary directories."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from veriloop.assistant.repository.repository import Repository

COUNTER = b"module counter(input clk, output reg [3:0] q);\n  always @(posedge clk) q <= q + 1;\nendmodule\n"


@dataclass(frozen=True)
class Clone:
    """A repository as a user has it."""

    root: Path
    cache: Path

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        """Runs git as the user does."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        identity = {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=cwd or self.root,
            env={**environment, **identity},
            check=True,
            capture_output=True,
        )
        return done.stdout.decode()

    def write(self, path: str, content: bytes) -> Path:
        """Writes a file of the work tree."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        return target

    def commit(self, message: str = "change") -> None:
        """Commits everything that is there."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def open(self, path: str = ".") -> Repository:
        """The repository as Veriloop sees it from a path."""
        return Repository.open(self.root / path, cache=self.cache)

    def state(self) -> dict[str, bytes]:
        """Every byte that Veriloop must leave alone: the files, the index, the branches, the configuration."""
        kept = ("index", "HEAD", "config", "packed-refs")
        inside = [self.root / ".git" / name for name in kept]
        inside += (self.root / ".git" / "refs").rglob("*")
        outside = [path for path in self.root.rglob("*") if ".git" not in path.relative_to(self.root).parts]
        return {str(path.relative_to(self.root)): path.read_bytes() for path in (*inside, *outside) if path.is_file()}


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str], Clone]:
    """Makes a repository with one committed file in a directory of the given name."""

    def new(name: str) -> Clone:
        root = tmp_path / name
        root.mkdir()
        clone = Clone(root, tmp_path / "cache")
        clone.git("init", "--quiet", "--initial-branch=main")
        clone.write("rtl/counter.v", COUNTER)
        clone.commit()
        return clone

    return new


@pytest.fixture
def clone(make: Callable[[str], Clone]) -> Clone:
    return make("clone")
