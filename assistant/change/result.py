"""What a check came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from veriloop.assistant.change.fixes import Fix
from veriloop.assistant.change.mutants import Score
from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.verify.evidence import Evidence, Report
from veriloop.assistant.verify.exercised import Coverage


class Outcome(StrEnum):
    """How a check ended."""

    VERIFIED = "verified"
    """Tests ran for everything that was changed, and passed."""
    PASSED = "passed"
    """Nothing speaks against the change, and what was asked for is reached; the evidence says how far that goes."""
    UNCHANGED = "unchanged"
    """Nothing changes that a tool could see."""
    REFUTED = "refuted"
    NOT_VERIFIED = "not verified"
    """What was asked for is not reached: a budget is spent, or no test reaches what has to be tested."""

    @property
    def exit_code(self) -> int:
        """What the command ends with."""
        return {Outcome.REFUTED: 1, Outcome.NOT_VERIFIED: 3}.get(self, 0)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that was not looked at, and why."""

    name: str
    why: str

    def __str__(self) -> str:
        return f"{self.name}: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a refused change does something else than before: for a person to look at."""

    path: str = ""
    line: int = 0
    text: str = ""
    """The line as it is now."""
    signal: str = ""
    """Hierarchical, as the simulator names it."""
    was: str = ""
    now: str = ""
    time: str = ""
    """With its unit."""
    cycle: int | None = None
    """Rising edges of `clock` so far."""
    clock: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The answer about one change."""

    outcome: Outcome
    report: Report
    classes: Mapping[str, Evidence] = field(default_factory=dict)
    """How far the evidence reaches for each file that was changed."""
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()
    """What a person should know although the check passed."""
    place: Place | None = None
    findings: tuple[Diagnostic, ...] = ()
    """What lint and elaboration find that was not there before."""
    mutants: tuple[Score, ...] = ()
    """What the tests say of broken copies of what was changed, where that was asked for."""
    coverage: Coverage = field(default_factory=Coverage)
    """What the tests meet of what was changed, where that was asked for."""
    all_warnings: tuple[Diagnostic, ...] = ()
    """What lint warns of in all that the change reaches, old or new."""
    fixes: tuple[Fix, ...] = ()
    """What would mend new findings."""
    patch: str = ""
    """The same, as a unified diff."""
    cached: bool = False
    """Whether everything was known already."""
    seconds: float = 0.0

    @property
    def checked(self) -> tuple[str, ...]:
        """The names of what was looked at."""
        return tuple(dict.fromkeys(step.name for step in self.report.steps))
