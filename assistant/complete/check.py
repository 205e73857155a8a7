"""Whether a suggestion may be shown: with it, the text has no more errors than before, for the parser and for slang.

What is compared are kinds of errors, not places: a suggestion that mends one error and brings another one does not
hold. A warning counts only on the lines that it writes itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.design.symbols.source import Source

_BEING_WRITTEN = frozenset({"UnconnectedInputPort", "UnconnectedOutputPort"})
"""What an instance lacks until it is written to its end."""


@dataclass(frozen=True, slots=True)
class _Before:
    """What is wrong with a text as it is."""

    gaps: int
    errors: Counter[tuple[str, str]]
    warnings: Counter[tuple[str, str]]


class Checker:
    """Holds suggestions against the text that they are for."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._known: tuple[int, int, _Before] | None = None

    def holds(self, source: Source, at: int, text: str) -> bool:
        """Whether a text may be written at a byte of a file."""
        added = text.encode()
        before = self._before(source)
        if source.tree.with_insertion(at, added).gap_count > before.gaps:
            return False
        found = self._analysis.live.trial(source, at, added)
        if _kinds(found, "error") - before.errors:
            return False
        first = source.lines.line(at) + 1
        own = [one for one in found if first <= one.line <= first + added.count(b"\n")]
        return not _kinds(own, "warning") - before.warnings

    def _before(self, source: Source) -> _Before:
        generation = self._analysis.workspace.generation
        if self._known is None or self._known[:2] != (source.serial, generation):
            found = self._analysis.live.diagnostics(source)
            before = _Before(source.tree.gap_count, _kinds(found, "error"), _kinds(found, "warning"))
            self._known = (source.serial, generation, before)
        return self._known[2]


def _kinds(found: Iterable[Diagnostic], severity: str) -> Counter[tuple[str, str]]:
    return Counter(
        (one.code, one.message) for one in found if one.severity == severity and one.code not in _BEING_WRITTEN
    )
