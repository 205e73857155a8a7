"""The instantiation graph of a tree, from what each file says about itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from veriloop.assistant.design.facts import FileFacts, Unit
from veriloop.assistant.design.roles import is_test_path

_MOST = 20_000
_EXAMPLES = frozenset({"example", "examples", "demo", "demos", "boards", "board", "fpga", "syn", "synth"})
_ASIDE = frozenset({"deprecated", "legacy", "old", "obsolete", "vendor", "third_party", "external", "formal"})


@dataclass(frozen=True, slots=True)
class Declared:
    """A unit and the file that declares it."""

    unit: Unit
    path: Path


@dataclass
class Graph:
    """Which unit instantiates which, over all files of a tree.

    A name that several files declare is resolved near the file that uses it.
    """

    facts: Mapping[Path, FileFacts]
    lines: Mapping[Path, int] = field(default_factory=dict)

    @cached_property
    def declared(self) -> dict[str, list[Declared]]:
        """All units by name."""
        found: dict[str, list[Declared]] = defaultdict(list)
        for path, facts in self.facts.items():
            for unit in facts.units:
                found[unit.name].append(Declared(unit, path))
        return dict(found)

    @cached_property
    def packages(self) -> dict[str, list[Path]]:
        """The files of each package."""
        found: dict[str, list[Path]] = defaultdict(list)
        for path, facts in self.facts.items():
            for name in facts.packages:
                found[name].append(path)
        return dict(found)

    @cached_property
    def benches(self) -> frozenset[Path]:
        """Files that judge: named or placed like tests, or holding nothing but modules without ports that drive."""
        return frozenset(path for path, facts in self.facts.items() if is_test_path(path) or _only_drives(facts))

    @cached_property
    def instantiated(self) -> dict[str, set[Path]]:
        """The files that instantiate each name."""
        found: dict[str, set[Path]] = defaultdict(set)
        for path, facts in self.facts.items():
            for unit in facts.units:
                for name in unit.instantiates:
                    found[name].add(path)
        return dict(found)

    def find(self, name: str, near: Path, among: Collection[Path] = ()) -> Declared | None:
        """The declaration that a file means: one of a build's files, else the nearest."""
        candidates = self.declared.get(name, [])
        if len(candidates) < 2:
            return candidates[0] if candidates else None
        inside = [one for one in candidates if one.path in among]
        return min(inside or candidates, key=lambda one: _distance(one.path, near), default=None)

    def below(self, tops: Iterable[Declared], among: Collection[Path] = ()) -> Iterator[Declared]:
        """The units that some units need, themselves first, each once."""
        waiting = list(tops)
        seen = {(one.unit.name, one.path) for one in waiting}
        while waiting and len(seen) < _MOST:
            current = waiting.pop(0)
            yield current
            for name in current.unit.instantiates:
                found = self.find(name, current.path, among)
                if found is not None and (found.unit.name, found.path) not in seen:
                    seen.add((found.unit.name, found.path))
                    waiting.append(found)

    def files(self, tops: Iterable[Declared], among: Collection[Path] = ()) -> list[Path]:
        """The files that some units need, packages first and each after those that it uses."""
        modules = list(dict.fromkeys(one.path for one in self.below(tops, among)))
        packages: dict[Path, None] = {}
        for path in modules:
            self._packages(path, packages, set())
        return list(dict.fromkeys([*packages, *modules]))

    def _packages(self, path: Path, found: dict[Path, None], above: set[Path]) -> None:
        if path in above or path not in self.facts:
            return
        above.add(path)
        for name in self.facts[path].scopes:
            places = self.packages.get(name, ())
            nearest = min(places, key=lambda place: _distance(place, path), default=None)
            if nearest is not None and nearest not in found:
                self._packages(nearest, found, above)
                found[nearest] = None

    def roots(self, paths: Collection[Path]) -> list[Declared]:
        """The modules of some files that none of these files instantiates."""
        used = {
            name
            for path in paths
            if path in self.facts
            for unit in self.facts[path].units
            for name in unit.instantiates
        }
        return [
            Declared(unit, path)
            for path in paths
            if path in self.facts
            for unit in self.facts[path].units
            if unit.kind in ("module", "program") and unit.name not in used
        ]

    def missing(self, paths: Iterable[Path]) -> dict[str, list[str]]:
        """What some files instantiate and no file declares, with who does."""
        found: dict[str, list[str]] = {}
        for path in paths:
            for unit in self.facts[path].units if path in self.facts else ():
                for name in unit.instantiates:
                    if name not in self.declared:
                        found.setdefault(name, []).append(unit.name)
        return found


def is_example(path: Path) -> bool:
    """Whether a file belongs to a board or an example rather than to the design itself."""
    return any(part.lower() in _EXAMPLES for part in path.parts[:-1])


def is_aside(path: Path) -> bool:
    """Whether a file is kept beside the design: somebody else's, given up, or for proofs only."""
    return any(part.lower() in _ASIDE for part in path.parts[:-1])


def _only_drives(facts: FileFacts) -> bool:
    modules = [unit for unit in facts.units if unit.kind in ("module", "program")]
    return bool(modules) and facts.drives and all(unit.ports == 0 for unit in modules)


def _distance(one: Path, other: Path) -> tuple[bool, bool, int, int, str]:
    """Small for files that lie near each other."""
    mine, theirs = one.parts[:-1], other.parts[:-1]
    common = 0
    for left, right in zip(mine, theirs, strict=False):
        if left != right:
            break
        common += 1
    return is_test_path(one), is_example(one), len(mine) + len(theirs) - 2 * common, len(mine), str(one)
