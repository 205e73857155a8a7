"""Which files judge a design rather than being it, as far as their names tell."""

from __future__ import annotations

import re
from pathlib import PurePath

_DIRECTORIES = frozenset(
    {"tb", "tbs", "test", "tests", "testbench", "testbenches", "bench", "sim", "verif", "verification", "dv"}
)
_STEM = re.compile(r"(?:^|_)(?:tb|test|testbench)(?:_|\d*$)|(?:tb|testbench)$", re.IGNORECASE)


def is_test_path(path: PurePath) -> bool:
    """Whether a path, relative to the root of its tree, looks like a test's, e.g. `tb/fifo.v` or `rtl/fifo_tb.sv`."""
    return any(part.lower() in _DIRECTORIES for part in path.parts[:-1]) or bool(_STEM.search(path.stem))
