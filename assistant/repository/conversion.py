"""What git converts between its store and the disk, by attributes and configuration, and the trees that come of it.

A checkout of a whole tree costs a second and more, so that what came of it is kept: by the tree and by everything that
decides how its files are converted. Where a filter's program has its say, nothing is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.durable import write_whole
from veriloop.assistant.repository.command import Git

_CONVERTS = re.compile(r"\b(text|crlf|eol|filter|ident|working-tree-encoding)\b")
_FILTERS = re.compile(r"\bfilter\b")
_KEPT_TREES = 32
"""As many trees of one repository are kept, the last ones."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """How files change on their way to the disk.

    Attributes:
        decided_by: a digest of the configuration and the attributes that say so.
        by_program: whether a filter's program may have a part in it, of which nothing is known here.
    """

    decided_by: str
    by_program: bool


def conversion(root: Path, common_dir: Path) -> Conversion | None:
    """What git converts in a work tree: line endings, filters such as LFS, keywords; none where it converts nothing."""
    git = Git(root)
    said = git.ask("config", "-z", "--get-regexp", r"^(core\..*|filter\..*)$")[1]
    # The last of several holds; one without a value is true.
    pairs = (os.fsdecode(one).partition("\n") for one in said.split(b"\0") if one)
    settings = {name: value.strip() if equals else "true" for name, equals, value in pairs}
    files = list(_attribute_files(git, root, common_dir, settings.get("core.attributesfile", "")))
    texts = {str(file): file.read_text(errors="replace") for file in files if file.is_file()}
    by_setting = settings.get("core.autocrlf", "").lower() in ("true", "yes", "on", "1", "input")
    if not by_setting and not any(map(_CONVERTS.search, texts.values())):
        return None
    decided = json.dumps([sorted(settings.items()), sorted(texts.items())])
    return Conversion(hashlib.sha256(decided.encode()).hexdigest(), any(map(_FILTERS.search, texts.values())))


def _attribute_files(git: Git, root: Path, common_dir: Path, named: str) -> Iterator[Path]:
    patterns = (".gitattributes", ":(glob)**/.gitattributes")
    inside = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns)
    yield from (root / os.fsdecode(name) for name in sorted(set(inside.split(b"\0"))) if name)
    yield common_dir / "info" / "attributes"
    config_home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    # As git, leave `~x` as it is where there is no such user.
    yield Path(os.path.expanduser(named)) if named else config_home / "git" / "attributes"  # noqa: PTH111


@dataclass(frozen=True, slots=True)
class ConvertedTrees:
    """What checkouts of one repository's trees gave: a small file in the cache, renamed into place."""

    path: Path

    @classmethod
    def of(cls, cache: Path, root: Path) -> ConvertedTrees:
        """Those of the repository at a root."""
        return cls(cache / "facts" / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.trees.json")

    def find(self, tree: str, how: Conversion) -> str | None:
        """The tree that a checkout of another one gave; none where it is not known."""
        return None if how.by_program else self._read().get(_key(tree, how))

    def keep(self, tree: str, how: Conversion, converted: str) -> None:
        """Keeps what a checkout gave; a disk that refuses costs time, nothing else."""
        if how.by_program:
            return
        kept = {**self._read(), _key(tree, how): converted}
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, json.dumps(dict(list(kept.items())[-_KEPT_TREES:])))

    def _read(self) -> dict[str, str]:
        with contextlib.suppress(OSError, ValueError):
            data = json.loads(self.path.read_bytes())
            if isinstance(data, dict):
                return {str(key): str(value) for key, value in data.items()}
        return {}


def _key(tree: str, how: Conversion) -> str:
    return f"{tree} {how.decided_by}"
