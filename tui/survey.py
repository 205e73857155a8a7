"""How the repository stands, as far as it is known, and what a newcomer can do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from veriloop.tui.lines import Line, clean

_SHOWN = 5
FIRST = Line("Say what is wrong with the design in your own words, and press Enter.", "head")
"""What a new session says at once, before anything is known of the repository."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What `veriloop status` says."""

    known: bool = False
    tests: Sequence[Mapping[str, Any]] = ()
    hierarchy: Sequence[Mapping[str, Any]] = ()
    changed: Sequence[str] = ()
    problem: str = ""
    hint: str = ""
    prepared: bool = True
    """Whether what is built once on a machine is there."""
    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Survey:
        """What the verb's data say."""
        counts = Counter(str(one["state"]) for one in data["tests"])
        prepared = bool(data.get("prepared", True))
        return cls(True, data["tests"], data["hierarchy"], data["changed"], counts=counts, prepared=prepared)

    @classmethod
    def failed(cls, problem: str, hint: str) -> Survey:
        """It could not be found out."""
        return cls(True, problem=problem, hint=hint)

    @property
    def headline(self) -> tuple[str, str]:
        """In a few words, and what they mean."""
        if not self.known:
            return "looking around", "dim"
        if self.problem:
            return "not known", "warn"
        if not self.tests:
            return "no tests found", "warn"
        if self.counts["failed"]:
            return f"tests: {self.counts['failed']} of {len(self.tests)} fail", "bad"
        if self.counts["never"] or self.counts["stale"]:
            return f"tests: {self.counts['never'] + self.counts['stale']} of {len(self.tests)} to run", "warn"
        return f"tests: {len(self.tests)} pass", "good"

    @property
    def welcome(self) -> Iterator[Line]:
        """What a new session says next: what is here, and what to type."""
        if self.problem:
            yield Line(clean(self.problem), "bad")
            if self.hint:
                yield Line(clean(f"  try: {self.hint}"), "key")
            return
        if not self.tests:
            yield Line("I found no testbench here. Name what fails:")
            yield Line("  repair --test 'make test'", "key")
            return
        yield Line(f"I found {_count(len(self.tests), 'test')}:")
        for one in self.tests[:_SHOWN]:
            yield Line(clean(f"  {one['testbench']}: {_said(one)}"), _look(one))
        if len(self.tests) > _SHOWN:
            yield Line(f"  and {len(self.tests) - _SHOWN} more; F5 shows all", "dim")
        yield Line("To begin, type one of these:")
        if not self.counts["failed"]:
            yield Line("  /test     runs the tests and shows which fail", "key")
        yield Line("  repair    looks for a change that makes a failing test pass, and proves it", "key")
        yield Line("  /help     shows everything else", "key")
        yield Line("Nothing in your files changes until you say /apply.", "dim")


def _count(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def _said(one: Mapping[str, Any]) -> str:
    last = "passed" if one["passed"] else "failed"
    return {"never": "never ran here", "stale": f"{last}, before something changed"}.get(one["state"], last)


def _look(one: Mapping[str, Any]) -> Any:
    return {"failed": "bad", "passed": "good"}.get(one["state"], "dim")
