"""Which evidence is enough, path by path: what the user asks for, and what the repository asks for beside."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from veriloop.assistant.config import Config, EvidenceRule, Level
from veriloop.assistant.verify.evidence import Evidence

LEVELS: dict[Level, Evidence] = {
    "lint": Evidence.LINTS,
    "elaborates": Evidence.ELABORATES,
    "tests": Evidence.TESTS,
    "mutants": Evidence.TESTS_MUTANTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a change has to reach.

    Attributes:
        rules: the stronger of two that name a file holds; one that none names has to elaborate.
        icarus_is_enough: whether tests that only Icarus can run count as tests.
        over_budget: whether tests that the budget left out fail or warn.
        blocking: lint rules of which a new finding refuses; `*`: all.
        level: how far the check goes; it is not asked for more.
        mutants_killed: the share of a file's mutants that its tests have to notice.
    """

    rules: tuple[EvidenceRule, ...] = ()
    icarus_is_enough: bool = False
    over_budget: Literal["fail", "warn"] = "fail"
    blocking: tuple[str, ...] = ()
    level: Level = "tests"
    mutants_killed: float = 0.8

    @classmethod
    def of(cls, config: Config, level: Level) -> Policy:
        """What the user and the repository ask for together."""
        check = config.user.check
        return cls(
            rules=(*check.evidence, *config.repository.project.evidence),
            icarus_is_enough=check.allow_icarus_only,
            over_budget=check.over_budget,
            blocking=check.blocking,
            level=level,
            mutants_killed=check.mutants_killed,
        )

    def needed(self, path: str) -> Evidence:
        """The class that a change of a file has to reach, as far as this check goes."""
        asked = [LEVELS[rule.at_least] for rule in self.rules if _matches(path, rule.paths)]
        return min(max(asked, default=Evidence.ELABORATES), LEVELS[self.level])

    def suffices(self, path: str, reached: Evidence) -> bool:
        """Whether a class is enough for a file."""
        if self.icarus_is_enough and reached is Evidence.TESTS_ICARUS:
            reached = Evidence.TESTS
        return reached >= self.needed(path)

    def blocks(self, rule: str) -> bool:
        """Whether a new finding of a lint rule refuses a change."""
        return "*" in self.blocking or rule in self.blocking


def _matches(path: str, globs: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in globs)
