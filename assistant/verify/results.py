"""What a tool saw. Facts only: who is at fault is a `Verdict`, and a tool that broke is an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from veriloop.assistant.design.model import Diagnostic


class Outcome(StrEnum):
    """What one run of a testbench came to."""

    PASS = "pass"
    FAIL = "fail"
    COMPILE_ERROR = "compile_error"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mismatch:
    """The first place where an output was not as expected; values are four-state bit strings or the tool's words."""

    signal: str
    time: str
    """As the testbench prints it, with its unit where it has one."""
    expected: str = ""
    got: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimResult:
    """One run of a testbench by one simulator."""

    outcome: Outcome
    engine: str
    """`verilator`, `icarus`, what people call a licensed simulator, or the word that the run's command starts with."""
    start: str = ""
    """The start state: `zeros`, `ones`, `random SEED`, `x` (four-state), or empty."""
    checks: int = 0
    """How many checks ran: samples compared, tests, rows; 0 if the testbench does not count them."""
    failures: int = 0
    failing: tuple[str, ...] = ()
    """Names of the outputs or tests that failed."""
    passing: tuple[str, ...] = ()
    mismatches: tuple[Mismatch, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    reason: str = ""
    """Why the outcome is what it is, in one line."""
    wall_s: float = 0.0
    cpu_s: float = 0.0
    log_tail: str = ""

    @property
    def passed(self) -> bool:
        """Whether the run is green."""
        return self.outcome is Outcome.PASS

    @property
    def score(self) -> float:
        """Share of the checks that failed, 0 (passed) to 1; a run that gave no count and did not pass scores 1."""
        if self.passed:
            return 0.0
        if self.outcome is not Outcome.FAIL or not self.checks:
            return 1.0
        return min(1.0, max(self.failures, 1) / self.checks)
