"""New repositories, for the designs of a bench."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import git

from veriloop.assistant.repository.repository import Repository


def create(root: Path, files: Mapping[str, bytes], *, cache: Path) -> Repository:
    """A repository at `root`, which must not be there yet, with these files committed."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    new = git.Repo.init(root)
    try:
        new.git.add("--all", "--force")
        new.index.commit("base", author=_NOBODY, committer=_NOBODY, skip_hooks=True)
    finally:
        new.close()
    return Repository.open(root, cache=cache)


_NOBODY = git.Actor("veriloop bench", "bench@invalid")
