"""What the servers are asked about: identifiers that the tree itself declares, drawn at random, and what they mean.

What is right is not the word of the server that is measured. It is a list that a person has checked, where one is
given; else what slang's elaboration binds a name to, which the server does not use to look names up.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.design.elaborate import Elaborator
from veriloop.assistant.design.meanings import meanings
from veriloop.assistant.design.project import Project
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.design.symbols.workspace import Workspace
from veriloop.assistant.errors import UsageError

_LINE = re.compile(r"(?P<use>\S+):(?P<line>\d+):(?P<column>\d+)\s+(?P<declared>\S+):(?P<at>\d+):(?P<to>\d+)")

_FILES = 40
"""Files that the identifiers are drawn from: they are open all the while, as in an editor."""

Spot = tuple[Path, int, int]
"""A file, relative to the tree, a line and a column in UTF-16 units, both from 0."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An identifier that is asked about."""

    at: Spot
    name: str
    declared: Spot | None = None
    """Where it is declared, where that is known from elsewhere."""
    uses: frozenset[Spot] = field(default_factory=frozenset)
    """Where the same is used, as far as that is known from elsewhere."""


def draw(root: Path, count: int, seed: int = 1) -> list[Asked]:
    """Identifiers of a tree that it declares somewhere, comments, strings and keywords left out.

    Raises:
        UsageError: the tree declares nothing.
    """
    workspace = Workspace({root: None})
    workspace.index()
    declared = {one.name for source in workspace.sources() for one in source.outline.declarations}
    dice = random.Random(seed)
    sources = list(workspace.sources())
    every = [
        (source, name, at)
        for source in dice.sample(sources, min(_FILES, len(sources)))
        for _, name, at in sorted(source.words.all(), key=lambda word: word[2])
        if name in declared
    ]
    if not every:
        raise UsageError(f"no Verilog that declares anything in {root}")
    chosen = dice.sample(every, min(count, len(every)))
    return [Asked(_spot(root, source, at), name) for source, name, at in chosen]


def elaborated(root: Path, count: int, seed: int = 1) -> list[Asked]:
    """Identifiers that the elaboration of the tree's design binds, with what it binds them to."""
    found = Project.load(root).design()
    bound = meanings(Elaborator(found.design.rooted(root)).elaborate())
    workspace = Workspace({root: None})
    uses: dict[tuple[Path, int], list[tuple[Path, int]]] = defaultdict(list)
    for use, declared in bound.items():
        uses[declared].append(use)
    spots: dict[tuple[Path, int], Spot] = {}

    def spot(place: tuple[Path, int]) -> Spot | None:
        if place not in spots:
            source = workspace.source(place[0])
            if source is None or not place[0].is_relative_to(root):
                return None
            spots[place] = _spot(root, source, place[1])
        return spots[place]

    asked = []
    dice = random.Random(seed)
    paths = sorted({use[0] for use in bound})
    open_ = set(dice.sample(paths, min(_FILES, len(paths))))
    among = sorted(use for use in bound if use[0] in open_)
    for use in dice.sample(among, min(count, len(among))):
        at, declared_at = spot(use), spot(bound[use])
        if at is not None and declared_at is not None:
            others = frozenset(one for one in map(spot, uses[bound[use]]) if one is not None)
            asked.append(Asked(at, "", declared_at, others))
    return asked


def checked(path: Path) -> list[Asked]:
    """A list that a person has checked: lines of `FILE:LINE:COL FILE:LINE:COL`, use and declaration, counted from 1.

    Raises:
        UsageError: it cannot be read, or a line is something else.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as text") from error
    asked = []
    for number, line in enumerate(lines, 1):
        text = line.partition("#")[0].strip()
        match = _LINE.fullmatch(text)
        if match:
            use = (Path(match["use"]), int(match["line"]) - 1, int(match["column"]) - 1)
            asked.append(Asked(use, "", (Path(match["declared"]), int(match["at"]) - 1, int(match["to"]) - 1)))
        elif text:
            raise UsageError(f"{path}:{number}: not FILE:LINE:COL FILE:LINE:COL")
    return asked


def files(asked: Sequence[Asked]) -> list[Path]:
    """The files that are asked about, each once."""
    return list(dict.fromkeys(one.at[0] for one in asked))


def texts(root: Path, paths: Sequence[Path]) -> Mapping[Path, str]:
    """The texts of files."""
    return {path: (root / path).read_bytes().decode("utf-8", errors="replace") for path in paths}


def _spot(root: Path, source: Source, at: int) -> Spot:
    return (source.path.relative_to(root), *source.lines.position(at, "utf-16"))
