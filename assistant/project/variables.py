"""Variables that only the shell of the repository's own people has set, `$REPO_ROOT`: guessed from their use."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.project.tree import Tree

_USED = re.compile(r"\$(?:\{(\w+)\}|\((\w+)\)|(\w+))/([\w./+-]+)")
_LOOKED_AT = 60
"""How many uses of a variable are looked at."""
_ROOTLIKE = re.compile(r"(?:^|_)(?:ROOT|REPO|WORKSPACE|TOP|HOME|BASE|PROJ\w*|GIT\w*)(?:_?DIR|_?PATH)?$", re.I)
_NEVER = frozenset({"HOME", "PATH", "USER", "SHELL", "TMPDIR"})


@dataclass
class Variables(Mapping[str, str]):
    """Values of environment variables, as absolute paths inside the tree.

    A variable is taken for the directory below which most of what is said to lie there does lie, and else, where its
    name says so, for the root. What the process's environment holds counts where it leads into the tree.
    """

    tree: Tree
    texts: Iterable[str] = ()
    known: dict[str, str] = field(default_factory=dict)
    guessed: dict[str, str] = field(default_factory=dict)
    """What was guessed, as a line to show, by name."""
    _tails: dict[str, list[str]] | None = None

    def __getitem__(self, name: str) -> str:
        if name not in self.known:
            value = self._inherited(name) or self._guess(name)
            if value is None:
                raise KeyError(name)
            self.known[name] = value
        return self.known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)

    def _inherited(self, name: str) -> str | None:
        value = os.environ.get(name, "")
        inside = self.tree.relative(Path(value)) if value.startswith("/") else None
        return str(self.tree.root / inside) if inside is not None else None

    def _guess(self, name: str) -> str | None:
        if name in _NEVER:
            return None
        tails = self._uses().get(name, [])[:_LOOKED_AT]
        votes: Counter[str] = Counter()
        for tail in tails:
            votes.update({found[: len(found) - len(tail)].rstrip("/") for found in self.tree.ending(tail)})
        if votes:
            best = max(votes, key=lambda place: (votes[place], -len(place)))
            self.guessed[name] = (
                f"${name} is taken for {best or 'the root'}: {votes[best]} of {len(tails)} paths are there"
            )
            return str(self.tree.root / best)
        if not tails and _ROOTLIKE.search(name):
            self.guessed[name] = f"${name} is taken for the root, by its name"
            return str(self.tree.root)
        return None

    def _uses(self) -> dict[str, list[str]]:
        if self._tails is None:
            self._tails = {}
            for text in self.texts:
                for braced, parens, plain, tail in _USED.findall(text):
                    self._tails.setdefault(braced or parens or plain, []).append(tail)
        return self._tails
