"""Rows of a suite that are kept as soon as they are there, so that a run which was cut off goes on where it was."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

_STATE = "rows.jsonl"


class Dataclass(Protocol):
    """A row: a dataclass of plain values and tuples of them, with the design's name."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def design(self) -> str:
        """What the row is about."""
        ...


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


def _tupled(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
