"""What was committed when: the changes of single files, newest first."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.repository.command import Git
from veriloop.assistant.repository.repository import Repository

_RAW = ("--raw", "--no-abbrev", "--no-renames", "--no-merges", "--diff-filter=M", "-r", "-z")


@dataclass(frozen=True, slots=True)
class Modified:
    """A regular file that a commit changed, by its contents' ids before and after."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit that is no merge, with the regular files that it changed; neither new nor deleted ones."""

    id: str
    subject: str
    changed: tuple[Modified, ...]


def commits(repository: Repository, *, most: int) -> Iterator[Commit]:
    """The commits that the current one comes from, the newest first, at most so many."""
    git = Git(repository.root)
    if not repository.commit():
        return
    output = git.run("log", f"--max-count={most}", *_RAW, "--format=%x01%H %s")
    for part in output.split(b"\x01")[1:]:
        head, *rest = part.split(b"\0")
        name, _, subject = head.decode("utf-8", errors="replace").strip().partition(" ")
        fields = [field.lstrip(b"\n") for field in rest]
        yield Commit(name, subject, tuple(_modified(fields)))


def content(repository: Repository, blob: str) -> bytes:
    """A file's content by its id."""
    return Git(repository.root).run("cat-file", "blob", blob)


def _modified(fields: list[bytes]) -> Iterator[Modified]:
    for about, path in zip(fields[::2], fields[1::2], strict=False):
        words = about.decode().lstrip(":").split()
        if len(words) == 5 and words[0].startswith("100") and words[1].startswith("100"):
            yield Modified(os.fsdecode(path), words[2], words[3])
