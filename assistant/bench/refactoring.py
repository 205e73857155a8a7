"""Refactorings of own modules, each right and with a slip: is the one proved, and is the other told apart?"""

from __future__ import annotations

import fnmatch
import statistics
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.design.elaborate import declared
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.equivalence.prove import Equivalence, Prover, Verdict
from veriloop.assistant.verify.equivalence.yosys import Yosys
from veriloop.assistant.verify.toolchain import Toolchain

PAIRS = Path(__file__).resolve().parent / "refactorings"
_SLIPS = "slips.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A module and what it was made into."""

    name: str
    before: str
    after: str
    same: bool
    """Whether they do the same."""
    about: str
    """What the slip does; empty where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefactoringRow:
    """What was said of one pair."""

    pair: str
    same: bool
    verdict: str
    why: str
    seconds: float
    about: str = ""

    @property
    def is_right(self) -> bool:
        """Whether what was said is so."""
        return self.verdict == (Verdict.EQUIVALENT if self.same else Verdict.DIFFERENT).value

    @property
    def is_wrong(self) -> bool:
        """Whether the opposite is so."""
        return self.verdict == (Verdict.DIFFERENT if self.same else Verdict.EQUIVALENT).value

    def __str__(self) -> str:
        word = "right" if self.is_right else "WRONG" if self.is_wrong else "undecided"
        return f"{word:<9} {self.pair:<22} {self.verdict}: {self.why} ({self.seconds:.1f} s)"


def pairs(only: str = "*") -> tuple[Pair, ...]:
    """All pairs whose names match: each refactoring, and the same with its slip.

    Raises:
        UsageError: none does.
    """
    slips = tomllib.loads((PAIRS / _SLIPS).read_text(encoding="utf-8"))
    found = [one for name, slip in slips.items() for one in _both(name, slip) if fnmatch.fnmatch(one.name, only)]
    if not found:
        raise UsageError(f"no pair matches {only!r}")
    return tuple(found)


def _both(name: str, slip: dict[str, str]) -> Iterator[Pair]:
    before, after = ((PAIRS / name / f"{part}.sv").read_text(encoding="utf-8") for part in ("before", "after"))
    assert after.count(slip["find"]) == 1, name
    slipped = after.replace(slip["find"], slip["replace"])
    yield Pair(name=name, before=before, after=after, same=True, about="")
    yield Pair(name=f"{name}, slipped", before=before, after=slipped, same=False, about=slip["about"])


def run_refactorings(asked: Sequence[Pair], *, limit_s: float, cancel: CancelToken) -> Run[list[RefactoringRow]]:
    """Compares every pair as `check --refactor` compares a module, with so many seconds for each.

    Raises:
        ToolNotFound: Yosys is not installed.
    """
    yosys = Yosys.find(cancel)
    toolchain = Toolchain.find(cache=cache_home(), cancel=cancel)
    yield Note("preparing Verilator's runtime")
    toolchain.verilator.prepare(cancel)
    rows: list[RefactoringRow] = []
    for pair in asked:
        started = time.monotonic()
        found = compared(pair, yosys, toolchain, limit_s=limit_s, cancel=cancel)
        seconds = round(time.monotonic() - started, 2)
        row = RefactoringRow(
            pair=pair.name,
            same=pair.same,
            verdict=found.verdict.value,
            why=found.why,
            seconds=seconds,
            about=pair.about,
        )
        rows.append(row)
        yield Note(f"[{len(rows)}/{len(asked)}] {row}")
    return rows


def compared(pair: Pair, yosys: Yosys, toolchain: Toolchain, *, limit_s: float, cancel: CancelToken) -> Equivalence:
    """What is said of one pair."""
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        root = Path(name)
        designs = []
        for part, text in (("before", pair.before), ("after", pair.after)):
            path = root / part / "module.sv"
            path.parent.mkdir()
            path.write_text(text)
            designs.append(Design(toplevel=declared(text.encode())[0][0], sources=(path,)))
        scratch = root / "scratch"
        scratch.mkdir()
        return Prover(designs[0], designs[1], yosys, toolchain, scratch, cancel, limit_s=limit_s).run()


def summary(rows: Sequence[RefactoringRow], limit_s: float) -> dict[str, Any]:
    """The counts."""
    decided = [row for row in rows if (row.is_right or row.is_wrong) and row.seconds <= limit_s]
    return {
        "pairs": len(rows),
        "equivalent": sum(row.same for row in rows),
        "right": sum(row.is_right for row in rows),
        "wrong": sum(row.is_wrong for row in rows),
        "undecided": sum(not row.is_right and not row.is_wrong for row in rows),
        "decided_in_time": round(len(decided) / len(rows), 4),
        "limit_s": limit_s,
        "median_s": round(statistics.median(row.seconds for row in rows), 2),
        "most_s": max(row.seconds for row in rows),
    }
