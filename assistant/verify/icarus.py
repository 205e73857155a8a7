"""Icarus Verilog, where installed: four-state, and built in milliseconds, so it screens candidates."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, execute, find_program
from veriloop.assistant.isolation.confinement import Confinement, Isolation
from veriloop.assistant.verify.testbench import TIMESCALE

COMPILE_TIMEOUT_S = 60.0

NO_DUMPS = "-none"

_VERSION = re.compile(r"Icarus Verilog version (\S+)")
_MESSAGE = re.compile(r"^(?P<path>[^:\n]+):(?P<line>\d+): (?P<message>.+)$", re.M)


@dataclass(frozen=True, slots=True)
class Icarus:
    """One installed Icarus Verilog."""

    compiler: Path
    runtime: Path
    version: str
    isolation: Isolation = field(default_factory=Isolation)
    """How simulations are held."""

    @classmethod
    def find(cls, *, configured: Path | None, cancel: CancelToken, isolation: Isolation | None = None) -> Icarus | None:
        """The user's `iverilog` with the `vvp` beside it, or the PATH's; none where it is not installed."""
        compiler = find_program(str(configured or "iverilog"))
        if compiler is None:
            return None
        beside = compiler.parent / "vvp"
        runtime = beside if beside.is_file() else find_program("vvp")
        if runtime is None:
            return None
        done = execute([compiler, "-V"], cwd=Path("/"), timeout_s=20, cancel=cancel)
        version = _VERSION.search(done.output)
        return cls(compiler, runtime, version[1] if version else "unknown", isolation or Isolation())

    def build(
        self,
        design: Design,
        binary: Path,
        *,
        cwd: Path,
        cancel: CancelToken,
        arguments: Sequence[str] = (),
        timescale: str = TIMESCALE,
        timeout_s: float = COMPILE_TIMEOUT_S,
    ) -> tuple[Diagnostic, ...] | None:
        """Compiles a design to `binary`; returns its errors, or none if it was taken.

        A generate loop without an end is never compiled: after `timeout_s` that is the answer. `timescale` is that of
        files that name none; Icarus itself would count in seconds.
        """
        settings = binary.with_suffix(".f")
        settings.write_text(f"+timescale+{timescale}\n")
        argv: list[str | Path] = [self.compiler, "-g2012", "-o", binary, "-f", settings, *arguments]
        argv += design_arguments(design)
        done = execute(argv, cwd=cwd, timeout_s=timeout_s, cancel=cancel)
        if done.timed_out:
            return messages(f"compiling did not end within {timeout_s:.0f} s")
        return None if done.ok else messages(done.output)

    def simulate(
        self,
        binary: Path,
        *,
        cwd: Path,
        timeout_s: float,
        plusargs: Sequence[str],
        cancel: CancelToken,
        modules: Sequence[Path] = (),
        env: Mapping[str, str] | None = None,
        dumps: bool = True,
        cpu_limit_s: int | None = None,
        writable: Sequence[Path] = (),
    ) -> Completed:
        """Runs a compiled design with the VPI libraries `modules`; `-n` makes `$stop` end it.

        It is confined to where it runs, where it was compiled and `writable`. Without `dumps` no waveform file is
        written, whatever the design asks for. `cpu_limit_s` ends it however loaded the machine is.
        """
        loaded = [word for path in modules for word in ("-m", str(path))]
        argv: list[str | Path] = [self.runtime, "-n", *loaded, binary, *([] if dumps else [NO_DUMPS]), *plusargs]
        return execute(
            argv,
            cwd=cwd,
            timeout_s=timeout_s,
            cancel=cancel,
            env=env,
            cpu_limit_s=cpu_limit_s,
            confine=Confinement(
                isolation=self.isolation,
                writable=(cwd, *writable, binary.parent),
                readable=(self.runtime.parent, *modules),
            ),
        )


def design_arguments(design: Design) -> list[str]:
    """How Icarus is told what a design consists of."""
    folders = dict.fromkeys([*design.include_dirs, *(path.parent for path in design.sources)])
    libraries = [f"-y{folder}" for folder in design.library_dirs]
    return [
        "-s",
        design.toplevel,
        *(f"-I{folder}" for folder in folders),
        *(f"-D{name}={value}" if value else f"-D{name}" for name, value in design.defines),
        *(f"-P{design.toplevel}.{name}={value}" for name, value in design.parameters),
        *libraries,
        *(f"-Y{extension}" for extension in design.library_extensions if libraries),
        *(word for path in design.library_files for word in ("-l", str(path))),
        *(str(path) for path in design.sources),
    ]


def messages(output: str) -> tuple[Diagnostic, ...]:
    """Icarus's errors; where it gives a line of none, the whole output is one message."""
    found = tuple(
        Diagnostic(
            path=match["path"],
            line=int(match["line"]),
            column=0,
            severity="error",
            code="",
            message=match["message"].removeprefix("error: "),
            tool="icarus",
        )
        for match in _MESSAGE.finditer(output)
        if not match["message"].startswith("warning:")
    )
    if found:
        return found
    text = output.strip().splitlines()
    return (
        Diagnostic(
            path="", line=0, column=0, severity="error", code="", message=text[0] if text else "failed", tool="icarus"
        ),
    )
