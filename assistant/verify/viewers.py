"""What other wave viewers open: a GTKWave save file, and a file of Surfer's commands."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def gtkwave(record: Path, signals: Sequence[tuple[str, int]], marker_fs: int, step_fs: int) -> str:
    """A save file (`.gtkw`) with signals, each with its width in bits, and a marker where versions part."""
    lines = [
        f'[dumpfile] "{os.fspath(record)}"',
        f"*-20.0 {marker_fs // max(1, step_fs)} -1",
        *(name if width == 1 or name.endswith("]") else f"{name}[{width - 1}:0]" for name, width in signals),
    ]
    return "\n".join(lines) + "\n"


def surfer(record: Path, signals: Sequence[tuple[str, int]], marker_fs: int, step_fs: int) -> str:
    """A file of commands (`surfer -c FILE`): loads the record, adds the signals, sets a cursor."""
    lines = [
        f"load_file {os.fspath(record)}",
        *(f"variable_add {name}" for name, _ in signals),
        f"cursor_set {marker_fs // max(1, step_fs)}",
        "zoom_fit",
    ]
    return "\n".join(lines) + "\n"
