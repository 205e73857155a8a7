"""Suggestions for a place, each checked before anybody sees it: at once without a model, or of what a model wrote."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from veriloop.assistant.complete.check import Checker
from veriloop.assistant.complete.connections import connections
from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.complete.nearest import Examples
from veriloop.assistant.complete.related import related
from veriloop.assistant.complete.statistical import guesses
from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.editing.completion import in_comment_or_string
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.workspace import distance
from veriloop.assistant.events import CancelToken

Origin = Literal["connections", "lines", "model"]

_MOST_TRIED = 3
"""Suggestions that are checked until one holds: a check elaborates the file."""
_FILES, _LINES = 6, 3000
"""Other files whose lines serve as examples, and how many lines of them."""
_KEPT = 64
_SURE_OF_A_LINE = 1.2
"""What has to speak for a whole line before it is suggested where nothing is typed yet."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A text that may be written at a place."""

    text: str
    origin: Origin
    """`connections`: of the instance that is being written; `lines`: told from lines like it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked."""

    hole: Hole
    related: str


class Suggester:
    """Makes suggestions from what an analysis knows; what it has read of other files is kept until they change."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._checker = Checker(analysis)
        self._examples: OrderedDict[Path, tuple[int, Examples]] = OrderedDict()

    def hole(self, source: Source, at: int) -> Hole | None:
        """The place at a byte; none where nothing is suggested: before other text, in comments and strings."""
        before, after = source.text(0, at), source.text(at, len(source.content))
        before, after = before.replace("\r\n", "\n"), after.replace("\r\n", "\n")
        hole = Hole.at(before + after, len(before))
        return hole if hole.is_open and not in_comment_or_string(source, at) else None

    def at_once(self, source: Source, at: int, cancel: CancelToken) -> Suggestion | None:
        """What needs no model: the connections of an instance, else a line like those around it."""
        hole = self.hole(source, at)
        if hole is None:
            return None
        for number, one in enumerate(self._told(source, at, hole)):
            cancel.check()
            if self._checker.holds(source, at, one.text):
                return one
            if number + 1 >= _MOST_TRIED:
                break
        return None

    def question(self, source: Source, at: int) -> Question | None:
        """What a model is asked about a place; none where nothing is suggested."""
        hole = self.hole(source, at)
        if hole is None or not hole.ends_line:
            return None
        return Question(hole, related(self._analysis, source, at))

    def checked(self, source: Source, at: int, texts: Iterable[str], cancel: CancelToken) -> Suggestion | None:
        """The first of a model's texts that may be shown, whole or its first line alone."""
        for text in texts:
            whole = text.rstrip()
            for part in dict.fromkeys((whole, whole.split("\n", 1)[0].rstrip())):
                cancel.check()
                if part.strip() and self._checker.holds(source, at, part):
                    return Suggestion(part, "model")
        return None

    def _told(self, source: Source, at: int, hole: Hole) -> Iterator[Suggestion]:
        seen: set[str] = set()
        for text in connections(self._analysis, source, at, hole):
            if text.strip() and text not in seen:
                seen.add(text)
                yield Suggestion(text, "connections")
        if seen or not hole.ends_line:
            # The next line of another instance says less than this one's own ports.
            return
        for text in guesses(hole, self._others(source), sure=_SURE_OF_A_LINE):
            yield Suggestion(text, "lines")

    def _others(self, source: Source) -> list[Examples]:
        """The lines of the files nearest to one, of those that are read already."""
        workspace = self._analysis.workspace
        near = sorted(workspace.read_paths, key=lambda path: distance(path, source.path))
        found: list[Examples] = []
        room = _LINES
        for path in near[: _FILES + 1]:
            other = workspace.source(path)
            if path == source.path or other is None or len(other.lines) > room:
                continue
            room -= len(other.lines)
            found.append(self._of(other))
        return found

    def _of(self, source: Source) -> Examples:
        known = self._examples.get(source.path)
        if known is None or known[0] != source.serial:
            known = self._examples[source.path] = (source.serial, Examples(source.text(0, len(source.content))))
            while len(self._examples) > _KEPT:
                self._examples.popitem(last=False)
        self._examples.move_to_end(source.path)
        return known[1]
