"""Rows of a suite that are kept as soon as they are there, so that a run which was cut off goes on where it was."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from veriloop.assistant.bench.processes import everywhere
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.farm.elsewhere import Elsewhere

_STATE = "rows.jsonl"


class Dataclass(Protocol):
    """A row: a dataclass of plain values and tuples of them, with the design's name."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def design(self) -> str:
        """What the row is about."""
        ...


Item = TypeVar("Item")
Row = TypeVar("Row", bound=Dataclass)


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """The rows of one run in a directory; where there is none, nothing is kept."""

    directory: Path | None = None
    resume: bool = False
    """Whether rows that are there already count; else they are forgotten."""

    def rows(self, kind: type[Row]) -> Mapping[str, Row]:
        """The rows of an earlier run by design; a line that a kill cut off is left out."""
        if self.directory is None:
            return {}
        state = self.directory / _STATE
        if not self.resume:
            state.unlink(missing_ok=True)
        if not state.is_file():
            return {}
        found = {}
        for line in state.read_bytes().splitlines():
            try:
                data = json.loads(line)
                row = kind(**{name: _tupled(value) for name, value in data.items()})
            except (ValueError, TypeError, AttributeError):
                continue
            found[row.design] = row
        return found

    def keep(self, row: Dataclass) -> None:
        """Adds a row."""
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
            with (self.directory / _STATE).open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(dataclasses.asdict(row))}\n")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """How the rows of a suite come about: how many at once, where, what stops it, and where they are kept."""

    jobs: int
    cancel: CancelToken
    farm: Elsewhere | None = None
    kept: Kept = dataclasses.field(default_factory=Kept)


def rows_of(
    items: Mapping[str, Item],
    work: Callable[[Item, CancelToken], Row],
    kind: type[Row],
    line: Callable[[Row], str],
    running: Running,
) -> Run[Sequence[Row]]:
    """The rows of some designs, by name; each that is not known yet is made in a process of its own, told and kept."""
    rows = {name: row for name, row in running.kept.rows(kind).items() if name in items}
    waiting = [item for name, item in items.items() if name not in rows]
    made = everywhere(work, waiting, jobs=running.jobs, farm=running.farm, cancel=running.cancel)
    with contextlib.closing(made) as found:
        for row in found:
            rows[row.design] = row
            running.kept.keep(row)
            yield Note(f"[{len(rows)}/{len(items)}] {line(row)}")
    return [rows[name] for name in items]


def _tupled(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
