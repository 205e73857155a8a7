"""How strong the evidence for a change is, and the report that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from veriloop.assistant.design.edits import Patch
from veriloop.assistant.verify.checklist import Mention
from veriloop.assistant.verify.results import SimResult


class Evidence(IntEnum):
    """Evidence classes, weakest first."""

    NONE = 0
    PARSES = 1
    LINTS = 2
    ELABORATES = 3
    AGREEMENT = 4
    """Passed by tests that rest on independent answers agreeing with each other; no test of the user's exists."""
    TESTS_ICARUS = 5
    """Passed by a testbench that only Icarus can run, with Verilator's lint and elaboration beside it."""
    TESTS = 6
    """At least one test ran and passed, judged by Verilator from every start state."""
    TESTS_MUTANTS = 7
    """The same, and the tests were seen to fail on mutants."""

    @property
    def label(self) -> str:
        """The class as it is printed."""
        return _LABELS[self]


_LABELS = {
    Evidence.NONE: "none",
    Evidence.PARSES: "parses",
    Evidence.LINTS: "lints",
    Evidence.ELABORATES: "elaborates",
    Evidence.AGREEMENT: "agreement",
    Evidence.TESTS_ICARUS: "tests (icarus)",
    Evidence.TESTS: "tests",
    Evidence.TESTS_MUTANTS: "tests+mutants",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that the gate ran: its name, the runs it consists of, and whether they were all green."""

    name: str
    passed: bool
    results: tuple[SimResult, ...] = ()
    detail: str = ""
    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The gate's answer about one patch; only a passing one can be applied."""

    patch: Patch
    tree: str
    """The git tree that was judged: the base with the patch."""
    steps: tuple[Step, ...]
    evidence: Evidence
    passed: bool
    baseline: tuple[Step, ...] = ()
    """The same steps on the base; a fix turns a red one green."""
    unchecked: tuple[str, ...] = ()
    """What was not checked, a line each."""
    new_warnings: tuple[str, ...] = ()
    """What lint warns of and did not warn of on the base, a line each."""
    checklist: tuple[Mention, ...] = ()
    """What names outside of the RTL what the change has changed: to be looked at."""
    tools: tuple[tuple[str, str], ...] = ()
    """Names and versions."""
    replay: str = ""
    """The command that judges the same again."""
    seconds: float = 0.0
