"""What a judge says: a side, how sure it is, and lines that anybody can look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Side(StrEnum):
    """Who has to change."""

    RTL = "rtl"
    TESTBENCH = "testbench"
    """It expects what the specification does not say."""
    BOTH = "both"
    SPEC = "spec"
    """It leaves the point open, or contradicts itself: a person has to answer a question first."""
    HARNESS = "harness"
    """Nothing was tested: it does not compile, does not end, compares nothing, or does not drive the design."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cited:
    """A line that exists, and what it has to do with the verdict; lines count from 1."""

    path: str
    line: int
    text: str
    """The line itself, without the space around it."""
    says: str

    def exists(self, root: Path) -> bool:
        """Whether the line stands there, below `root`."""
        return line_of(root / self.path, self.line) == self.text

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.says}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found out about a failing test.

    Attributes:
        side: who has to change.
        confidence: how sure that is, from 0 to 1: of verdicts with 0.9, nine in ten are right.
        why: what decided, in one sentence.
        evidence: lines that exist, the most telling first.
        findings: what was run and seen, a sentence each.
        question: what a person has to answer, where the specification leaves it open.
        next_step: the command to go on with.
        failure: what the failing run said; empty where the test passes.
        shares: how likely each side is, by its name; empty where nothing had to be weighed.
        module: the design that is under test.
        signal: an output that was not as expected; empty where none is known.
        window: what went in and came out around the first failure, as a table; empty where nothing was recorded.
    """

    side: Side
    confidence: float
    why: str
    evidence: tuple[Cited, ...] = ()
    findings: tuple[str, ...] = ()
    question: str = ""
    next_step: str = ""
    failure: str = ""
    shares: Mapping[str, float] = field(default_factory=dict)
    module: str = ""
    signal: str = ""
    window: str = ""

    @property
    def decided(self) -> bool:
        """Whether it names a side."""
        return self.side is not Side.UNKNOWN


def cite(root: Path, path: Path, line: int, says: str) -> Cited | None:
    """A line of a file below `root`; none where there is no such line, or nothing on it."""
    text = line_of(root / path, line)
    return Cited(path=path.as_posix(), line=line, text=text, says=says) if text else None


def line_of(path: Path, line: int) -> str:
    """A line without the space around it; empty where there is none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return lines[line - 1].strip() if 1 <= line <= len(lines) else ""
