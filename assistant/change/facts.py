"""What files give and take, kept by their content: a check reads anew only what no check before it has read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from veriloop.assistant.design.reach import FileFacts, file_facts
from veriloop.assistant.durable import write_whole
from veriloop.assistant.verify.surroundings import own_version

_SCHEMA = 1
_FIELDS = tuple(one.name for one in fields(FileFacts))


@dataclass(slots=True)
class Facts:
    """The facts of one repository's files: a small file in the cache, renamed into place."""

    path: Path | None = None
    """None: nothing is kept."""
    _known: Mapping[str, list[list[str]]] = field(default_factory=dict)
    _asked: dict[str, list[list[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, cache: Path, root: Path) -> Facts:
        """Those of the repository at a root; what cannot be read is empty."""
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
        facts = cls(cache / "facts" / f"{name}.json")
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            data = json.loads((cache / "facts" / f"{name}.json").read_bytes())
            if data["schema"] == _schema():
                facts._known = dict(data["files"])
        return facts

    def read(self, content: bytes) -> FileFacts:
        """Those of a file with this content."""
        key = hashlib.sha256(content).hexdigest()
        kept = self._asked.get(key) or self._known.get(key)
        if kept is not None:
            with contextlib.suppress(TypeError, ValueError):
                found = FileFacts(**{name: frozenset(names) for name, names in zip(_FIELDS, kept, strict=True)})
                self._asked[key] = kept
                return found
        found = file_facts(content)
        self._asked[key] = [sorted(getattr(found, name)) for name in _FIELDS]
        return found

    def write(self) -> None:
        """Keeps those that were asked for, and no others; a disk that refuses costs time, nothing else."""
        if self.path is None or self._asked.keys() <= self._known.keys():
            return
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, json.dumps({"schema": _schema(), "files": self._asked}))


def _schema() -> list[object]:
    """What has read the files: what another Veriloop found in them counts for nothing."""
    return [_SCHEMA, own_version()]
