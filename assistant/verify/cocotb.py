"""cocotb tests: on Verilator from each start state, and four-state on Icarus where it is installed.

cocotb's own runner compiles Verilator's runtime anew for every candidate. Here its `main` is linked with the prebuilt
runtime, and the simulation gets the environment that the runner would give it (cocotb 2.1, `cocotb_tools/runner.py`).
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.metadata
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.errors import ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed
from veriloop.assistant.verify.build import Features
from veriloop.assistant.verify.command import TestCases, read_cases
from veriloop.assistant.verify.icarus import Icarus
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.summary import severity_lines
from veriloop.assistant.verify.testbench import FINE_TIMESCALE, CocotbTestbench
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import LINE_COVERAGE, SEED, START_STATES, Binary, Rejected, coverage_file

_Run = Callable[[bool], SimResult]

INSTALL_HINT = "pip install 'veriloop[cocotb]'"

_OLDEST = (2, 1)
_LOG_TAIL_CHARS = 4000
_MODEL = 'std::unique_ptr<Vtop> top(new Vtop(""));'
_OUR_MODEL = 'std::unique_ptr<VeriloopModel> top(veriloop_model(Verilated::threadContextp(), ""));'
_HEADER = '#include "Vtop.h"'
_INPUT = re.compile(r"^ +VL_IN(?:OUT)?\d*W?\(&(\w+),", re.M)
"""The ports that a test may drive, in the header that Verilator writes."""
_COLLECTED = re.compile(r"cocotb\.regression\s+[Rr]unning tests?\b")
_PYTHON_ERROR = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Warning|Exit|Interrupt)\b.*$", re.M)
_BARE = re.compile(r": AssertionError: assert ")
"""What a plain run says of an assertion that has no message of its own."""
_NO_MODULE = re.compile(r"No module named '([\w.]+)'")


@dataclass(frozen=True, slots=True)
class Cocotb:
    """The cocotb of the Python that runs this program; its tests run in the same environment."""

    package: Path
    simulator: Path
    """The extension module by which a simulation starts Python."""
    libpython: Path
    version: str

    @classmethod
    def find(cls) -> Cocotb:
        """Finds cocotb without importing it.

        Raises:
            ToolNotFound: it is not installed, too old, or this Python has no shared library to load.
        """
        spec = importlib.util.find_spec("cocotb")
        if spec is None or not spec.submodule_search_locations:
            raise ToolNotFound("cocotb is not installed", hint=INSTALL_HINT)
        version = importlib.metadata.version("cocotb")
        if tuple(int(number) for number in re.findall(r"\d+", version)[:2]) < _OLDEST:
            raise ToolNotFound(f"cocotb {version} is installed; 2.1 or later is needed", hint=INSTALL_HINT)
        package = Path(next(iter(spec.submodule_search_locations))).resolve()
        names = (package / f"simulator{suffix}" for suffix in importlib.machinery.EXTENSION_SUFFIXES)
        simulator = next((path for path in names if path.is_file()), None)
        if simulator is None:
            raise ToolNotFound("cocotb is installed for another Python", hint=INSTALL_HINT)
        return cls(package, simulator, _libpython(), version)

    @property
    def libraries(self) -> Path:
        """Where the libraries lie that a simulator loads."""
        return self.package / "libs"

    @property
    def main(self) -> str:
        """The C++ of a Verilator simulation's entry: cocotb's own, for any design.

        Raises:
            ToolFailed: this cocotb's entry is another than the one known.
        """
        entry = (self.package / "share/lib/verilator/verilator.cpp").read_text(encoding="utf-8")
        general = entry.replace(_MODEL, _OUR_MODEL).replace(_HEADER, '#include "runtime.h"')
        if entry.count(_MODEL) != 1 or entry.count(_HEADER) != 1 or "Vtop" in general:
            raise ToolFailed(f"cocotb {self.version} starts Verilator in an unknown way", hint=INSTALL_HINT)
        return general

    def environment(
        self, testbench: CocotbTestbench, *, root: Path, results: Path, told: bool = False
    ) -> dict[str, str]:
        """What a simulation must find in its environment to run the tests and to write `results`.

        With `told` a failing assertion tells what it compared, for which every test module is compiled anew.
        """
        search_path = dict.fromkeys([*(root / path for path in testbench.search_path), root])
        return {
            "COCOTB_TEST_MODULES": testbench.module,
            "COCOTB_TOPLEVEL": testbench.design.toplevel,
            "COCOTB_RESULTS_FILE": str(results),
            "COCOTB_RANDOM_SEED": str(SEED),
            "COCOTB_ANSI_OUTPUT": "0",
            "TOPLEVEL_LANG": "verilog",
            "GPI_USERS": f"{self.libpython};{self.simulator},initialize",
            "GPI_EXTRA": "",
            "PYGPI_PYTHON_BIN": sys.executable,
            "PYTHONPATH": os.pathsep.join(map(str, search_path)),
            # A plugin of pytest's that happens to be installed is of no use to a test here, and some take long to load;
            # cocotb needs pytest for the messages of assertions alone.
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "COCOTB_REWRITE_ASSERTION_FILES": "*.py" if told else "",
            # Byte code would land beside the tests, which may be links to the user's own files.
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def _quiet_inputs(verilated: Path) -> str:
    """Statements that set the inputs to 0 whatever the start state.

    They are the stimulus, not the design's state: a clock that starts at 1 has no first rising edge.
    """
    inputs = _INPUT.findall((verilated / "Vtop.h").read_text(encoding="utf-8"))
    return "\n    ".join(f"std::memset(&model->top.{name}, 0, sizeof(model->top.{name}));" for name in inputs)


def _libpython() -> Path:
    import find_libpython  # cocotb's own dependency, absent without it

    found = find_libpython.find_libpython()
    if found is None:
        raise ToolNotFound(
            "this Python has no shared library, which cocotb needs",
            hint="install Python's shared library (Debian: apt-get install libpython3-dev)",
        )
    return Path(found)


def run_cocotb(
    testbench: CocotbTestbench,
    *,
    root: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    starts: Sequence[tuple[int, str]] = START_STATES,
    four_state: bool = True,
    until_red: bool = False,
) -> tuple[SimResult, ...]:
    """Runs a cocotb test module against the design: Verilator from each start state, then Icarus if there is one.

    A run that hangs ends the series: the others would hang as long, and the verdict is known. Of the first run that
    fails by a bare assertion the values that it compared are found out, which takes a second run.

    Args:
        testbench: what to run; its paths count from `root`.
        root: a private copy of a tree; simulations run there.
        scratch: an existing directory for builds.
        toolchain: the simulators.
        cancel: stops everything.
        starts: the start states of Verilator's runs; none: it runs none.
        four_state: whether Icarus runs it, where it is installed.
        until_red: the first run that fails ends the series, and only that it fails is asked.

    Raises:
        ToolNotFound: cocotb or a C++ compiler is missing.
        ToolFailed: no test could be collected, e.g. because a Python package is missing.
    """
    cocotb = Cocotb.find()
    results: list[SimResult] = []
    with tempfile.TemporaryDirectory(dir=scratch) as name:
        runs = _Runs(cocotb, testbench, root, Path(name), toolchain, cancel)
        for run in runs.all(starts, four_state=four_state):
            result = run(False)
            if not until_red and _BARE.search(result.reason) and all(one.passed for one in results):
                told = run(True)
                result = told if told.outcome is result.outcome else result
            results.append(result)
            if result.outcome is Outcome.TIMEOUT or (until_red and not result.passed):
                break
    return tuple(results)


def cover_cocotb(
    testbench: CocotbTestbench, written: Path, *, root: Path, scratch: Path, toolchain: Toolchain, cancel: CancelToken
) -> None:
    """Runs a test module once, from zeros, and has its coverage written; no file where it does not end by itself.

    Raises:
        ToolNotFound: cocotb or a C++ compiler is missing.
        ToolFailed: no test could be collected.
    """
    runs = _Runs(Cocotb.find(), testbench, root, scratch, toolchain, cancel, written)
    for run in runs.verilator(START_STATES[:1]):
        run(False)


@dataclass(frozen=True, slots=True)
class _Runs:
    cocotb: Cocotb
    testbench: CocotbTestbench
    root: Path
    directory: Path
    toolchain: Toolchain
    cancel: CancelToken
    coverage: Path | None = None
    """Where counts of what is met are written; none: nothing is counted."""

    def all(self, starts: Sequence[tuple[int, str]], *, four_state: bool) -> Iterator[_Run]:
        """The runs that there are, each made when it is called: plain, or with what its assertions compare told."""
        if starts:
            yield from self.verilator(starts)
        if four_state and self.toolchain.icarus is not None:
            yield self.icarus(self.toolchain.icarus)

    def verilator(self, starts: Sequence[tuple[int, str]]) -> Iterator[_Run]:
        libraries = self.cocotb.libraries
        verilated = self.directory / "verilated"
        verilated.mkdir()
        built = self.toolchain.verilator.build(
            self.testbench.design.rooted(self.root),
            verilated,
            cwd=self.root,
            cancel=self.cancel,
            features=Features(vpi=True, coverage=self.coverage is not None),
            arguments=["--vpi", "--public-flat-rw", *(LINE_COVERAGE if self.coverage is not None else ())],
            main=self.cocotb.main,
            prepared=_quiet_inputs,
            link=[f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lcocotbvpi_verilator"],
        )
        if isinstance(built, Rejected):
            yield functools.partial(_rejected, "verilator", "", built.diagnostics)
            return
        for reset, start in starts:
            yield functools.partial(self._verilator_run, built, reset, start)

    def _verilator_run(self, built: Binary, reset: int, start: str, told: bool) -> SimResult:
        results = self.directory / f"results-{reset}.xml"
        environment = self.cocotb.environment(self.testbench, root=self.root, results=results, told=told)
        results.unlink(missing_ok=True)
        done = self.toolchain.verilator.simulate(
            built,
            cwd=self.root,
            timeout_s=self.testbench.timeout_s,
            reset=reset,
            seed=SEED,
            plusargs=() if self.coverage is None else (coverage_file(self.coverage),),
            cancel=self.cancel,
            env={**environment, "COCOTB_TRUST_INERTIAL_WRITES": "1"},
            writable=(self.directory,),
        )
        return read_run(done, results, engine="verilator", start=start)

    def icarus(self, icarus: Icarus) -> _Run:
        binary = self.directory / "sim.vvp"
        design = self.testbench.design.rooted(self.root)
        errors = icarus.build(design, binary, cwd=self.root, cancel=self.cancel, timescale=FINE_TIMESCALE)
        if errors is not None:
            return functools.partial(_rejected, "icarus", "x", errors)
        return functools.partial(self._icarus_run, icarus, binary)

    def _icarus_run(self, icarus: Icarus, binary: Path, told: bool) -> SimResult:
        results = self.directory / "results-x.xml"
        results.unlink(missing_ok=True)
        done = icarus.simulate(
            binary,
            cwd=self.root,
            timeout_s=self.testbench.timeout_s,
            plusargs=["-none"],
            cancel=self.cancel,
            modules=[self.cocotb.libraries / "libcocotbvpi_icarus.so"],
            env=self.cocotb.environment(self.testbench, root=self.root, results=results, told=told),
        )
        return read_run(done, results, engine="icarus", start="x")


def _rejected(engine: str, start: str, diagnostics: tuple[Diagnostic, ...], told: bool) -> SimResult:
    reason = diagnostics[0].message if diagnostics else "rejected"
    return SimResult(outcome=Outcome.COMPILE_ERROR, engine=engine, start=start, diagnostics=diagnostics, reason=reason)


def read_run(done: Completed, results: Path, *, engine: str, start: str) -> SimResult:
    """What a finished simulation came to, by the result file that it wrote.

    Raises:
        ToolFailed: Python ended before a test was collected: not the design's fault.
    """
    outcome, reason, cases = _judge(done, results)
    return SimResult(
        outcome=outcome,
        engine=engine,
        start=start,
        checks=len(cases.passed) + len(cases.failed),
        failures=len(cases.failed),
        failing=(*cases.failed, *cases.words),
        passing=cases.passed,
        reason=f"{reason} (COCOTB_RANDOM_SEED={SEED})",
        wall_s=done.wall_s,
        cpu_s=done.cpu_s,
        log_tail=done.output[-_LOG_TAIL_CHARS:],
    )


def _judge(done: Completed, results: Path) -> tuple[Outcome, str, TestCases]:
    cases = read_cases([results] if results.is_file() else [])
    total = len(cases.passed) + len(cases.failed)
    if done.cut_off:
        return Outcome.TIMEOUT, f"the simulation {done.why_cut_off}", cases
    if cases.failed:
        first = f"{cases.failed[0]}: {cases.messages[0]}" if cases.messages else cases.failed[0]
        return Outcome.FAIL, f"{len(cases.failed)} of {total} tests failed, {first}", cases
    if not results.is_file():
        if not _COLLECTED.search(done.output):
            raise _not_collected(done)
        return Outcome.FAIL, f"the simulation broke off with exit code {done.returncode} and no results", cases
    if not total:
        return Outcome.FAIL, "no test ran", cases
    if done.returncode != 0:
        said = severity_lines(done.output)
        return Outcome.FAIL, said[0].strip() if said else f"exit code {done.returncode}", cases
    return Outcome.PASS, f"{total} of {total} tests passed", cases


def _not_collected(done: Completed) -> ToolFailed:
    errors = _PYTHON_ERROR.findall(done.output)
    why = errors[-1].strip() if errors else f"exit code {done.returncode}"
    package = _NO_MODULE.search(why)
    return ToolFailed(
        f"cocotb collected no test: {why}",
        output=done.output[-_LOG_TAIL_CHARS:],
        hint=f"install the package that holds {package[1]!r} beside cocotb, or add its folder to the search path"
        if package
        else "run the tests by hand: the test module cannot be used as it is",
    )
