"""What tests say of mutants: small faults in the modules that a change touches, of which some go unnoticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from veriloop.assistant.verify.evidence import Step

MUTANTS = "mutants"
"""The name of the step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A file with one fault in it."""

    path: str
    line: int
    was: str
    becomes: str
    content: bytes = field(repr=False)

    def __str__(self) -> str:
        if not self.becomes.strip(" ;"):
            return f"{self.path}:{self.line}: without `{self.was}`"
        return f"{self.path}:{self.line}: `{self.becomes}` for `{self.was}`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What the tests say of the mutants of one file.

    Attributes:
        path: the file.
        made: mutants that could be judged.
        killed: those with which a test fails.
        equivalent: those that are proved to do what the design does.
        survivors: those that no test notices.
    """

    path: str
    made: int
    killed: int
    equivalent: int
    survivors: tuple[Mutant, ...]

    @property
    def ratio(self) -> float:
        """Killed mutants among those that do something else; 0 where there are none."""
        counted = self.made - self.equivalent
        return self.killed / counted if counted else 0.0


def score_step(scores: Sequence[Score]) -> Step:
    """The scores as a step, which refuses nothing."""
    if not scores:
        return Step(name=MUTANTS, passed=True, detail="none could be made of what is changed")
    made = sum(one.made for one in scores)
    equivalent = sum(one.equivalent for one in scores)
    said = f"{sum(one.killed for one in scores)} of {made - equivalent} make a test fail"
    return Step(
        name=MUTANTS, passed=True, detail=said + (f"; {equivalent} more do what the design does" if equivalent else "")
    )


def as_data(score: Score) -> dict[str, object]:
    """A score as plain data."""
    return {
        "path": score.path,
        "made": score.made,
        "killed": score.killed,
        "equivalent": score.equivalent,
        "score": round(score.ratio, 4),
        "survivors": [
            {"line": one.line, "was": one.was, "becomes": one.becomes, "text": str(one)} for one in score.survivors
        ],
    }
