"""Files that the user names in what they say, and what each of them is for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from veriloop.assistant.design.roles import is_test_path

Role = Literal["design", "test", "specification", "patch", "waveform", "other"]

_RTL = frozenset({".v", ".sv", ".vh", ".svh"})
_SPECIFICATION = frozenset({".md", ".txt", ".rst", ".adoc"})
_PATCH = frozenset({".diff", ".patch"})
_WAVEFORM = frozenset({".vcd", ".fst", ".ghw"})
_MENTION = re.compile(r'(?<![\w@])@(?:"(?P<quoted>[^"]+)"|(?P<plain>[^\s"]+))')
_CHARS_PER_TOKEN = 3.5
"""Of RTL, in the tokenisers of small code models: an estimate, and called one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A file that the conversation knows of."""

    path: str
    """Relative to where the user stands."""
    role: Role
    size_bytes: int

    @property
    def tokens(self) -> int:
        """About how many tokens it is to a model."""
        return round(self.size_bytes / _CHARS_PER_TOKEN)


def role_of(path: str) -> Role:
    """What a file is for, as its name tells."""
    pure = PurePath(path)
    suffix = pure.suffix.lower()
    if suffix in _PATCH:
        return "patch"
    if suffix in _WAVEFORM:
        return "waveform"
    if suffix in _SPECIFICATION:
        return "specification"
    if suffix in _RTL:
        return "test" if is_test_path(pure) else "design"
    return "test" if suffix == ".py" else "other"


def mentioned(text: str) -> tuple[str, tuple[str, ...]]:
    """A text with its `@file` mentions as plain paths, and those paths; `@"a b"` names one with spaces."""
    paths: list[str] = []

    def plain(match: re.Match[str]) -> str:
        path = match["quoted"] or match["plain"].rstrip(".,;:!?)")
        paths.append(path)
        return path + match[0][len(match[0].rstrip(".,;:!?)")) :] * (match["quoted"] is None)

    return _MENTION.sub(plain, text), tuple(dict.fromkeys(paths))


def taken(paths: Iterable[str], cwd: Path) -> tuple[tuple[Taken, ...], tuple[str, ...]]:
    """The files that are there, and the names of those that are not."""
    found, missing = [], []
    for path in paths:
        full = cwd / path
        if full.is_file():
            found.append(Taken(path=path, role=role_of(path), size_bytes=full.stat().st_size))
        else:
            missing.append(path)
    return tuple(found), tuple(missing)


def of_role(files: Sequence[Taken], *roles: Role) -> tuple[str, ...]:
    """The paths of the files that have one of these roles."""
    return tuple(one.path for one in files if one.role in roles)
