"""The C++ half of a Verilator build: a runtime compiled once a tool version, then one translation unit a design.

A plain `verilator --binary` compiles Verilator's own runtime anew for every candidate; with the runtime and a
precompiled header kept in the cache, a build costs the design's own code alone.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute, find_program

COMPILE_TIMEOUT_S = 600.0
_WAIT_S = 0.1

_LAYOUT = "3"
"""Of a runtime's directory; raised where it changes."""
_SOURCES = ("verilated", "verilated_timing", "verilated_threads", "verilated_random", "verilated_probdist")
_TRACE_SOURCES = ("verilated_vcd_c",)
_COVERAGE_SOURCES = ("verilated_cov",)
_DPI_SOURCES = ("verilated_dpi", "verilated_vpi")
_TOOLSETS = Path("/opt/rh")
_COROUTINES = "#include <coroutine>\nint main() { return 0; }\n"
_STANDARDS = (("-std=c++14", "-fcoroutines"), ("-std=c++20",), ("-std=c++20", "-fcoroutines"))
"""By which a compiler may take coroutines; the first is the dearest to write for and a third cheaper to read."""

_MODEL_FILE = "model.h"
_MODEL_HEADER = """\
#pragma once
class VerilatedContext;
/* A simulation as its entry sees it, so that the entry is compiled once and not once a design. */
struct VeriloopModel {
    virtual ~VeriloopModel() = default;
    virtual void eval() = 0;
    virtual void eval_step() = 0;
    virtual void eval_end_step() = 0;
    virtual bool eventsPending() = 0;
    virtual unsigned long long nextTimeSlot() = 0;
    virtual void final() = 0;
};
VeriloopModel* veriloop_model(VerilatedContext* context, const char* name);
"""
_MODEL = """
#include "Vtop.h"
namespace {
struct Model final : VeriloopModel {
    Vtop top;
    Model(VerilatedContext* context, const char* name) : top{context, name} {}
    void eval() override { top.eval(); }
    void eval_step() override { top.eval_step(); }
    void eval_end_step() override { top.eval_end_step(); }
    bool eventsPending() override { return top.eventsPending(); }
    unsigned long long nextTimeSlot() override { return top.nextTimeSlot(); }
    void final() override { top.final(); }
};
}
VeriloopModel* veriloop_model(VerilatedContext* context, const char* name) {
    Model* const model = new Model{context, name};
    PREPARED
    return model;
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a build must be able to do; each set has a runtime of its own."""

    trace: bool = False
    """Write a VCD file where the design asks for one."""
    vpi: bool = False
    """Be driven through VPI, as cocotb does."""
    coverage: bool = False
    """Count what is exercised."""

    @property
    def flags(self) -> tuple[str, ...]:
        """The preprocessor's defines that Verilator's own makefile would give."""
        trace = int(self.trace)
        # cocotb's main keeps the time itself and tells it by `sc_time_stamp`, which a time context would shut out.
        time = () if self.vpi else ("-DVL_TIME_CONTEXT",)
        return (
            "-DVERILATOR=1",
            f"-DVM_COVERAGE={int(self.coverage)}",
            "-DVM_SC=0",
            "-DVM_TIMING=1",
            f"-DVM_TRACE={trace}",
            "-DVM_TRACE_FST=0",
            f"-DVM_TRACE_VCD={trace}",
            "-DVM_TRACE_SAIF=0",
            *time,
        )

    @property
    def sources(self) -> tuple[str, ...]:
        """The runtime's files, without suffix."""
        extra = (_TRACE_SOURCES if self.trace else ()) + (_COVERAGE_SOURCES if self.coverage else ())
        return _SOURCES + extra + (_DPI_SOURCES if self.vpi else ())

    @property
    def headers(self) -> tuple[str, ...]:
        """What the precompiled header holds."""
        # What few designs need is left to them: every build reads all of the precompiled header.
        # A DUT that is driven from outside seldom has delays of its own, and every template that a header uses costs.
        names = ["verilated.h"] if self.vpi else ["verilated.h", "verilated_timing.h"]
        if self.trace:
            names.append("verilated_vcd_c.h")
        if self.coverage:
            names.append("verilated_cov.h")
        if self.vpi:
            names += ["verilated_syms.h", "verilated_sym_props.h", "verilated_dpi.h"]
        return tuple(names)


@dataclass(frozen=True, slots=True)
class Compiler:
    """A C++20 compiler, and the linker that it may use."""

    program: Path
    version: str
    language: tuple[str, ...] = _STANDARDS[1]
    """The flags by which it takes coroutines."""
    linker_flag: str = ""

    @classmethod
    def find(cls, configured: Path | None, cancel: CancelToken) -> Compiler:
        """The user's compiler, or `g++`, `clang++` or `c++` from the PATH, or that of RHEL's newest toolset.

        Raises:
            ToolNotFound: there is none, or it cannot compile C++20 coroutines.
        """
        toolsets = sorted(_TOOLSETS.glob("gcc-toolset-*/root/usr/bin/g++"), key=_toolset, reverse=True)
        names = [str(configured)] if configured else ["g++", "clang++", "c++", *map(str, toolsets)]
        too_old = ""
        for name in names:
            program = find_program(name)
            if program is None:
                continue
            version = execute([program, "--version"], cwd=Path("/"), timeout_s=20, cancel=cancel)
            first_line = version.output.splitlines()[0] if version.output else ""
            for flags in _STANDARDS:
                if _has_coroutines(program, flags, cancel):
                    mold = "-fuse-ld=mold" if find_program("mold") and "clang" not in program.name else ""
                    return cls(program, first_line, flags, mold)
            too_old = (
                too_old or f"{program} cannot compile C++20 coroutines: {first_line or 'it does not say what it is'}"
            )
        needed = "Verilator needs g++ 10 or later, or clang++, to build a simulation"
        if too_old:
            hint = "apt-get install g++-10    (RHEL 8: dnf install gcc-toolset-12-gcc-c++); or cxx below [tools]"
            raise ToolNotFound(f"{too_old}; {needed}", hint=hint)
        raise ToolNotFound(
            f"no C++20 compiler is installed; {needed}", hint="apt-get install g++    (RHEL: dnf install gcc-c++)"
        )

    def flags(self, include: Path, features: Features) -> list[str]:
        """The flags for every file that uses Verilator's headers."""
        return [*self.language, f"-I{include}", f"-I{include / 'vltstd'}", *features.flags]


@contextlib.contextmanager
def _alone(path: Path, cancel: CancelToken) -> Iterator[None]:
    """Waits until no other process holds this lock, where the file system has locks; a killed one holds none."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in (errno.EWOULDBLOCK, errno.EINTR):
                    break
            cancel.check()
            cancel.wait(_WAIT_S)
        yield
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether another process holds such a lock now."""
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno == errno.EWOULDBLOCK
        finally:
            os.close(descriptor)
    return False


def _toolset(program: Path) -> int:
    """The number in the name of the toolset that a compiler belongs to."""
    number = program.relative_to(_TOOLSETS).parts[0].rpartition("-")[2]
    return int(number) if number.isdecimal() else 0


def _has_coroutines(program: Path, flags: Sequence[str], cancel: CancelToken) -> bool:
    with tempfile.TemporaryDirectory(prefix="veriloop-") as name:
        source = Path(name, "coroutine.cpp")
        source.write_text(_COROUTINES)
        argv: list[str | Path] = [program, *flags, "-fsyntax-only", source]
        return execute(argv, cwd=Path(name), timeout_s=60, cancel=cancel).ok


@dataclass(frozen=True, slots=True)
class Runtime:
    """Verilator's runtime as an archive with its precompiled header."""

    directory: Path
    compiler: Compiler
    include: Path
    features: Features

    @classmethod
    def ensure(
        cls, *, include: Path, version: str, compiler: Compiler, features: Features, cache: Path, cancel: CancelToken
    ) -> Runtime:
        """The runtime from the cache, built there first where it is missing (about 20 CPU s, once).

        A second process that wants it waits for the first.
        """
        flags = compiler.flags(include, features)
        parts = [_LAYOUT, version, compiler.version, str(include), *flags, *features.headers, _MODEL_HEADER]
        identity = "\n".join(parts)
        name = hashlib.sha256(identity.encode()).hexdigest()[:16]
        directory = cache / "runtime" / name
        runtime = cls(directory, compiler, include, features)
        if not (directory / "libruntime.a").is_file():
            directory.parent.mkdir(parents=True, exist_ok=True)
            with _alone(directory.with_suffix(".lock"), cancel):
                if not (directory / "libruntime.a").is_file():
                    runtime._make(cancel)
        return runtime

    def _make(self, cancel: CancelToken) -> None:
        directory = self.directory
        with tempfile.TemporaryDirectory(prefix=f"{directory.name}.", dir=directory.parent) as building:
            self._build(Path(building), cancel)
            if not directory.exists():
                # Where locks do not hold two processes may build at once; the first rename wins, and both are the same.
                shutil.copytree(building, f"{building}.done", symlinks=True)
                try:
                    Path(f"{building}.done").rename(directory)
                except OSError:
                    shutil.rmtree(f"{building}.done", ignore_errors=True)

    def _build(self, directory: Path, cancel: CancelToken) -> None:
        flags = self.compiler.flags(self.include, self.features)
        header = directory / "runtime.h"
        (directory / _MODEL_FILE).write_text(_MODEL_HEADER)
        includes = [*self.features.headers, _MODEL_FILE]
        header.write_text("".join(f'#include "{name}"\n' for name in includes) + "#include <memory>\n")
        program = self.compiler.program
        # A directory of precompiled headers: the compiler takes the one of its own optimisation level.
        Path(f"{header}.gch").mkdir()
        objects = [directory / f"{source}.o" for source in self.features.sources]

        def compiled(path: Path) -> None:
            source = self.include / f"{path.stem}.cpp"
            self._run([program, "-O1", *flags, "-c", source, "-o", path], directory, cancel)

        with ThreadPoolExecutor(max_workers=len(os.sched_getaffinity(0))) as pool:
            made = [pool.submit(self._precompile, header, 0, cancel), *(pool.submit(compiled, one) for one in objects)]
            for one in made:
                one.result()
        self._run(["ar", "rcs", directory / "libruntime.a", *objects], directory, cancel)
        for path in objects:
            path.unlink()

    def _precompile(self, header: Path, optimize: int, cancel: CancelToken) -> None:
        flags = self.compiler.flags(self.include, self.features)
        wanted = Path(f"{header}.gch", f"O{optimize}.gch")
        # A name that no compiler looks for until it is whole; of two processes that build it the last one wins.
        with tempfile.TemporaryDirectory(dir=header.parent) as building:
            made = Path(building, wanted.name)
            words: list[str | Path] = [self.compiler.program, f"-O{optimize}", *flags]
            words += ["-x", "c++-header", header, "-o", made]
            self._run(words, header.parent, cancel)
            made.rename(wanted)

    def _entry(self, text: str, cancel: CancelToken) -> Path:
        """A program's entry, compiled once for all designs."""
        wanted = self.directory / f"entry-{hashlib.sha256(text.encode()).hexdigest()[:16]}.o"
        if not wanted.is_file():
            with tempfile.TemporaryDirectory(dir=self.directory) as building:
                source, made = Path(building, "entry.cpp"), Path(building, wanted.name)
                source.write_text(text)
                flags = self.compiler.flags(self.include, self.features)
                words: list[str | Path] = [self.compiler.program, "-O1", f"-I{self.directory}", *flags]
                self._run([*words, "-c", source, "-o", made], Path(building), cancel)
                made.rename(wanted)
        return wanted

    def link(
        self,
        sources: Sequence[Path],
        binary: Path,
        *,
        entry: str,
        prepared: str = "",
        own_entry: str = "",
        extra: Sequence[str] = (),
        optimize: int = 0,
        cancel: CancelToken,
    ) -> None:
        """Compiles the generated files as one translation unit and links them with the runtime and an entry.

        Args:
            sources: what Verilator has written.
            binary: what is made.
            entry: the C++ of the program's `main`, which makes its model by `veriloop_model`.
            own_entry: the same for this design alone, which knows the class `Vtop`; `entry` is empty then.
            prepared: statements on a new `model`, whose `top` is of the class `Vtop`.
            extra: further arguments for the linker.
            optimize: the compiler's level.
            cancel: stops it.

        Raises:
            ToolFailed: the compiler refuses generated code: a fault of the tools, not of the design.
        """
        header = self.directory / "runtime.h"
        if not Path(f"{header}.gch", f"O{optimize}.gch").is_file():
            self._precompile(header, optimize, cancel)
        unit = binary.with_suffix(".all.cpp")
        includes = "".join(f'#include "{path.name}"\n' for path in sources)
        unit.write_text(f'#include "runtime.h"\n{includes}{_MODEL.replace("PREPARED", prepared)}{own_entry}')
        compiled = unit.with_suffix(".o")
        flags = self.compiler.flags(self.include, self.features)
        directory = binary.parent
        program = self.compiler.program
        argv: list[str | Path] = [
            program,
            f"-O{optimize}",
            f"-I{self.directory}",
            *flags,
            f"-I{directory}",
            "-c",
            unit,
            "-o",
            compiled,
        ]
        self._run(argv, directory, cancel)
        linker = [self.compiler.linker_flag] if self.compiler.linker_flag else []
        entries = [self._entry(entry, cancel)] if entry else []
        objects = [compiled, *entries, self.directory / "libruntime.a"]
        argv = [program, *linker, *objects, *extra, "-lpthread", "-o", binary]
        self._run(argv, directory, cancel)

    @staticmethod
    def _run(argv: Sequence[str | Path], directory: Path, cancel: CancelToken) -> None:
        done = execute(argv, cwd=directory, timeout_s=COMPILE_TIMEOUT_S, cancel=cancel)
        if not done.ok:
            raise ToolFailed(
                f"{Path(argv[0]).name} cannot compile Verilator's output",
                output=done.output[-2000:],
                hint="veriloop doctor",
            )
