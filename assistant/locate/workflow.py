"""Ranks the places of a design by what a report, a failing run and the repository's history say of them.

Each source gives a place a value from 0 to 1; the weights are those that placed the known faults of mined bugs best
(`veriloop bench hwe` counts how well they do).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from veriloop.assistant.design.structure import Structure
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.locate.allowance import Allowance
from veriloop.assistant.locate.changes import Lines, touches
from veriloop.assistant.locate.history import Blamed
from veriloop.assistant.locate.places import Place, places_of
from veriloop.assistant.locate.report import BugReport
from veriloop.assistant.locate.runs import Runs
from veriloop.assistant.locate.text_index import fitting

WEIGHTS: Mapping[str, float] = {
    "words": 3.0,
    "named": 2.0,
    "module": 6.0,
    "file": 2.0,
    "cone": 1.0,
    "history": 1.0,
    "blamed": 20.0,
    "spectrum": 1.0,
    "slice": 0.0,
    "outside": -2.0,
    "idle": -1.0,
    "whole": -2.0,
}
"""Of each source; `whole` holds back places that are whole modules, `outside` what did not lead to the failure that was
recorded, `idle` what was not even carried out before it. How near in the slice a place is ranked nothing better, and
spectra nothing else: they are told as reasons. Most testbenches give no check that passes to compare with."""
_UNLIMITED = Allowance()
_CONE_DEPTH = 4.0
_FEW = 4
_ELSEWHERE = 0.3
"""Of a place whose file was changed elsewhere."""
_LINK_AT = 1
"""Where among the reasons stands how a place led to the failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known beside the report.

    Attributes:
        failing: names that the failing run called wrong: outputs, tests, words of its messages.
        changed: for files that were changed lately, from above 0 to 1 for the latest change.
        runs: what a recorded run says of statements.
        since: the lines that were changed since a commit at which all was well; none: no such commit is known.
        blamed: the change with which the test began to fail.
    """

    failing: frozenset[str] = frozenset()
    changed: Mapping[str, float] = field(default_factory=dict)
    runs: Runs = field(default_factory=Runs)
    since: Lines | None = None
    blamed: Blamed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A place with its score and the reasons for it, the weightiest first."""

    place: Place
    score: float
    reasons: tuple[str, ...]
    values: Mapping[str, float]


def locate(
    contents: Mapping[str, bytes],
    report: BugReport,
    evidence: Evidence | None = None,
    allowance: Allowance = _UNLIMITED,
) -> tuple[Ranked, ...]:
    """The places of some files, the most suspected first.

    Args:
        contents: RTL files by their path.
        report: what is said to be wrong; without words, only the evidence counts.
        evidence: of runs and of history.
        allowance: how long it may take: files whose turn does not come are left out.
    """
    evidence = evidence or Evidence()
    read = dict(itertools.takewhile(lambda _: allowance.left_s, contents.items()))
    places = tuple(places_of(read))
    words = fitting(places, report.words)
    cones = _cones(read, evidence.failing | report.names)
    ranked = [
        _ranked(place, _values(place, words.get(index, 0.0), cones, report, evidence), report, evidence)
        for index, place in enumerate(places)
    ]
    return tuple(sorted(ranked, key=lambda one: (-one.score, one.place.path, one.place.start)))


def _values(
    place: Place,
    words: float,
    cones: Mapping[tuple[str, str], Mapping[str, int]],
    report: BugReport,
    evidence: Evidence,
) -> dict[str, float]:
    wrong = report.names | evidence.failing
    driven = [name for name in place.targets if name in wrong]
    mentioned = [name for name in place.names if name in wrong]
    cone = cones.get((place.path, place.module), {})
    near = min((cone[name] for name in place.targets if name in cone), default=None)
    return {
        "words": words,
        "named": min(1.0, len(driven) + 0.3 * min(len(mentioned), 3) + 0.5 * (place.module in wrong)),
        "module": float(place.module in report.title_names),
        "file": _pointed_at(place, report),
        "cone": math.exp(-near / _CONE_DEPTH) if near is not None else 0.0,
        "history": _changed(place, evidence),
        "blamed": float(evidence.blamed is not None and touches(evidence.blamed.lines, place)),
        **_ran(place, evidence.runs),
        "whole": float(place.kind == "module"),
    }


def _changed(place: Place, evidence: Evidence) -> float:
    """How lately its file was changed; where it is known since when all was well, its own lines count."""
    lately = evidence.changed.get(place.path, 0.0)
    if evidence.since is None:
        return lately
    return 1.0 if touches(evidence.since, place) else _ELSEWHERE * lately


def _ran(place: Place, runs: Runs) -> dict[str, float]:
    """A whole module says nothing: its parts do."""
    link = runs.link(place) if place.kind != "module" else None
    behaves = place.kind not in ("module", "parameters") and bool(runs.links)
    return {
        "spectrum": runs.suspicion(place) if place.kind != "module" else 0.0,
        "slice": math.exp(-link.steps / _CONE_DEPTH) if link is not None else 0.0,
        "outside": float(behaves and link is None),
        "idle": float(runs.is_idle(place)),
    }


def _pointed_at(place: Place, report: BugReport) -> float:
    """Whether the report names the file, and a line in the place."""
    best = 0.0
    for name, line in report.places:
        tail = PurePosixPath(name).parts
        if PurePosixPath(place.path).parts[-len(tail) :] == tail:
            best = max(best, 1.0 if place.first_line <= line <= place.last_line else 0.5)
    return best


def _cones(contents: Mapping[str, bytes], wrong: Collection[str]) -> dict[tuple[str, str], Mapping[str, int]]:
    """For each module, how far its signals are from those that are called wrong."""
    found = {}
    for path, content in contents.items():
        tree = SyntaxTree(content)
        for module in tree.modules:
            structure = Structure(tree, module)
            seeds = [name for name in structure.signals if name in wrong]
            if seeds:
                found[path, structure.name] = structure.cone(seeds)
    return found


def _ranked(place: Place, values: Mapping[str, float], report: BugReport, evidence: Evidence) -> Ranked:
    shares = {name: WEIGHTS[name] * value for name, value in values.items()}
    told = sorted((name for name in shares if shares[name] > 0), key=lambda name: -shares[name])
    told[_LINK_AT:_LINK_AT] = ["slice"] if values["slice"] else []
    reasons = tuple(_reason(name, place, report, evidence) for name in told)
    return Ranked(place=place, score=sum(shares.values()), reasons=reasons, values=values)


def _reason(name: str, place: Place, report: BugReport, evidence: Evidence) -> str:
    wrong = report.names | evidence.failing
    named = _some([one for one in (*place.targets, *sorted(place.names)) if one in wrong])
    link = evidence.runs.link(place)
    return {
        "spectrum": "is carried out before the checks that fail rather than before others",
        "slice": evidence.runs.told(link) if link is not None else "",
        "words": "shares words with the report",
        "named": f"has {named or place.module}, which the report or the failing run names",
        "module": f"the title names {place.module}",
        "file": "the report names this file",
        "cone": "drives what is named as wrong, or what that depends on",
        "history": "changed since then" if evidence.since is not None else "changed lately",
        "blamed": f"changed by {evidence.blamed.what}" if evidence.blamed is not None else "",
    }[name]


def _some(names: Sequence[str]) -> str:
    return ", ".join(list(dict.fromkeys(names))[:_FEW])
