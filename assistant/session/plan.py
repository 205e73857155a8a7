"""What a text was taken for: a command line with the reason, or an answer in words."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What happens because of what was said."""

    words: tuple[str, ...] = ()
    """A verb's command line without the program; empty: nothing runs."""
    why: str = ""
    """Why this one, in one line."""
    answer: str = ""
    """What is said, where nothing runs or beside it."""
    choices: tuple[tuple[str, ...], ...] = ()
    """Command lines to choose from, where it is not clear which was meant."""
    labels: tuple[str, ...] = ()
    """What is typed for each of them; none: its number."""
    is_open: bool = False
    """Whether what was asked for is still to be said or cannot be done, so that a script must not go on."""

    @property
    def line(self) -> str:
        """The command line as it would be typed after `veriloop`."""
        return shlex.join(self.words)

    def data(self) -> Mapping[str, Any]:
        """As it stands in the record."""
        plain: dict[str, Any] = {"words": list(self.words), "line": self.line}
        if self.why:
            plain["why"] = self.why
        if self.answer:
            plain["answer"] = self.answer
        if self.choices:
            plain["choices"] = [list(words) for words in self.choices]
        if self.labels:
            plain["labels"] = list(self.labels)
        return plain
