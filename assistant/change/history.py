"""How long each test took and how often it failed, so that the next check starts with what tells most for its time."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from veriloop.assistant.durable import write_whole
from veriloop.assistant.verify.testbench import CommandTest, Testbench

_UNKNOWN_S = 10.0
"""What a test that never ran is taken to need."""


@dataclass(slots=True)
class _Record:
    seconds: float = _UNKNOWN_S
    runs: int = 0
    failures: int = 0


@dataclass(slots=True)
class History:
    """What is remembered of one repository's tests: a small file in the cache, renamed into place."""

    path: Path
    _records: dict[str, _Record] = field(default_factory=dict)
    _changed: bool = False

    @classmethod
    def of(cls, cache: Path, root: Path) -> History:
        """That of the repository at a root; what cannot be read is empty."""
        name = hashlib.sha256(os.fsencode(root)).hexdigest()[:32]
        history = cls(cache / "history" / f"{name}.json")
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
            data = json.loads(history.path.read_bytes())
            history._records = {
                str(test): _Record(float(one["seconds"]), int(one["runs"]), int(one["failures"]))
                for test, one in data.items()
            }
        return history

    def seconds(self, test: Testbench) -> float:
        """What the test took last."""
        return self._records.get(test.name, _Record()).seconds

    def note(self, test: Testbench, seconds: float, *, passed: bool) -> None:
        """Remembers a run."""
        record = self._records.setdefault(test.name, _Record())
        record.seconds, record.runs, record.failures = seconds, record.runs + 1, record.failures + (not passed)
        self._changed = True

    def ordered(self, tests: Sequence[Testbench]) -> tuple[Testbench, ...]:
        """By expected cost until a failure is seen: short ones, those that fail often, and those about few files first.

        That order has the least expected time to the first failure (W. E. Smith, 1956).
        """
        return tuple(sorted(tests, key=self._cost))

    def write(self) -> None:
        """Keeps it; a disk that refuses costs the order, not the verdict."""
        if not self._changed:
            return
        with contextlib.suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.path, json.dumps({test: asdict(record) for test, record in self._records.items()}))

    def _cost(self, test: Testbench) -> float:
        record = self._records.get(test.name, _Record())
        files = 100 if isinstance(test, CommandTest) else len(test.design.sources)
        chance = (record.failures + 1) / (record.runs + 2) / max(1, files)
        return record.seconds / chance
