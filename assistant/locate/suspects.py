"""The files of a repository that a report can be about, and the places in them, ranked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.project import Project
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.settings import DesignSettings
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note, Run, Stage
from veriloop.assistant.locate.allowance import Allowance
from veriloop.assistant.locate.history import Blamed, lines_since
from veriloop.assistant.locate.observe import Observed
from veriloop.assistant.locate.report import BugReport
from veriloop.assistant.locate.runs import runs_of
from veriloop.assistant.locate.workflow import Evidence, Ranked, locate
from veriloop.assistant.project.store import known_project
from veriloop.assistant.repository.recency import recently_changed
from veriloop.assistant.repository.repository import Repository

_MOST_FILES = 400
_UNLIMITED = Allowance()
_LATER = 0.35
"""How much later the edits of a place are tried for each doubling of its rank."""
_LATEST = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspects:
    """Ranked places, and what was read to rank them."""

    ranked: tuple[Ranked, ...]
    contents: Mapping[str, bytes]
    blamed: Blamed | None = None
    """The change with which the test began to fail, where that was found."""

    @property
    def files(self) -> tuple[str, ...]:
        """The files, the one with the most suspected place first, those that nobody had the time to read last."""
        return tuple(dict.fromkeys([*(one.place.path for one in self.ranked), *self.contents]))

    def focus(self, files: Collection[str]) -> dict[str, tuple[tuple[int, int, float], ...]]:
        """For a search over some files: how much later the edits of each place are tried."""
        found: dict[str, list[tuple[int, int, float]]] = {}
        chosen = [one for one in self.ranked if one.place.path in files]
        for index, one in enumerate(chosen):
            later = min(_LATEST, _LATER * (index + 1).bit_length() - _LATER)
            found.setdefault(one.place.path, []).append((one.place.start, one.place.end, later))
        return {path: tuple(places) for path, places in found.items()}


def suspects(
    repository: Repository,
    report: BugReport,
    *,
    observed: Observed | None,
    settings: DesignSettings,
    files: Sequence[str] = (),
    since: str = "",
    blamed: Blamed | None = None,
    allowance: Allowance = _UNLIMITED,
) -> Run[Suspects]:
    """Ranks the places of the files that a test reads, else of the whole design.

    Raises:
        UsageError: there is no RTL, or `since` is no commit.
    """
    yield Stage("ranking places")
    tree = repository.snapshot()
    entries = repository.entries(tree)
    imported = known_project(repository.root, repository.cache)
    written = {one.path.as_posix() for one in imported.generated}
    named = list(files) or (list(observed.files) if observed is not None else [])
    if not named:
        every = Project.load(repository.root, settings).files
        named = [str(path) for path in every if path.suffix in (".v", ".sv") and not is_test_path(path)]
    chosen = [name for name in named if name in entries and name not in written][:_MOST_FILES]
    for one in imported.generated:
        if one.path.as_posix() in named:
            yield Note(f"{one.path} is generated{f' by {one.generator}' if one.generator else ''}: it is not changed")
    if not chosen:
        raise UsageError("there is no RTL that could be at fault", hint="veriloop project")
    contents = {name: (repository.root / Path(name)).read_bytes() for name in chosen}
    evidence = Evidence(
        failing=observed.failing if observed is not None else frozenset(),
        changed=recently_changed(repository, since=since),
        since=lines_since(repository, since) if since else None,
        blamed=blamed,
        runs=runs_of(observed.execution if observed is not None and allowance.left_s else None),
    )
    ranked = locate(contents, report, evidence, allowance)
    read = len({one.place.path for one in ranked})
    if read < len(contents) and not allowance.left_s:
        yield Note(f"only {read} of {len(contents)} files were read for places: a quarter of the budget is spent")
    return Suspects(ranked=ranked, contents=contents, blamed=blamed)
