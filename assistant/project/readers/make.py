"""Makefiles: their targets that simulate, and cocotb's Makefiles. Read as text; `make -n` would execute."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from veriloop.assistant.project.licensed import STARTS
from veriloop.assistant.project.makefile import Makefile
from veriloop.assistant.project.model import Build, Findings, Need, Test
from veriloop.assistant.project.planning import MAKEFILES, Plan, Planner, is_cocotb
from veriloop.assistant.project.reading import Context, in_directory, origin
from veriloop.assistant.project.tools import compilation
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.words import Command

NAME = "make"

_SIMULATES = re.compile(
    r"\b(?:i?verilog|verilator|vvp|vlog|vsim|vcs|xrun|irun|ncverilog|sby|svutRun|pytest|fusesoc|qrun|dsim|tox|cocotb)\b",
    re.I,
)
_MOST_FILES = 300
_MOST_TARGETS = 60
_NOT_MADE = "nothing in this repository makes it"
_NO_TEST = re.compile(
    r"clean|install|^doc|^help$|^view|wave|^gui|^gtk|format|^program$|^flash$|^prog|synth|^bit|upload|load$|^tags$|archive",
    re.I,
)
_ELSEWHERE = ("doc", "docs", "sw", "software", "firmware", "third_party", "toolchain")


def read(tree: Tree, context: Context) -> Findings:
    """Every Makefile of the tree that compiles Verilog."""
    planner = Planner(tree, context)
    builds: list[Build] = []
    tests: list[Test] = []
    questions: list[str] = []
    paths = sorted(tree.files(*MAKEFILES, "Makefile.*"), key=lambda path: (len(path.parts), path))
    simulating = {path for path in paths if _SIMULATES.search(tree.text(path))}
    shared = {path.name for path in tree.files("*.mk", "*.inc", "*.include") if _SIMULATES.search(tree.text(path))}
    for path in paths[:_MOST_FILES]:
        if path.name.endswith((".am", ".in", ".py", ".md")) or path.parts[0] in _ELSEWHERE:
            continue
        if path not in simulating and not _leads_there(tree, path, simulating, shared):
            continue
        makefile = planner.makefile(path, {})
        if is_cocotb(makefile):
            found = _cocotb(makefile, tree, context)
            if found is not None:
                builds += found.builds
                tests.append(found)
                continue
        new_builds, new_tests = _targets(makefile, planner, context)
        builds += new_builds
        tests += new_tests
        questions += [f"{path}: make stops with: {text}" for text in makefile.errors[:2] if new_builds]
    return Findings(builds=tuple(_once(builds)), tests=tuple(tests), questions=tuple(questions))


def _leads_there(tree: Tree, path: Path, simulating: set[Path], shared: set[str]) -> bool:
    """Whether a Makefile that names no simulator starts one below, or includes a file that names one."""
    text = tree.text(path)
    if any(name in text for name in shared):
        return True
    starts = re.search(r"\$[({]MAKE[)}]|\bmake\b", text) is not None
    return starts and any(one.is_relative_to(path.parent) for one in simulating)


def _targets(makefile: Makefile, planner: Planner, context: Context) -> tuple[list[Build], list[Test]]:
    builds: list[Build] = []
    found: list[tuple[str, Plan]] = []
    for target in makefile.targets()[:_MOST_TARGETS]:
        if _NO_TEST.search(target) or "/" in target:
            continue
        plan = planner.target(makefile, target, NAME)
        builds += plan.builds
        if plan.runs and (plan.builds or plan.runner or plan.cocotb):
            found.append((target, plan))
    return builds, [_test(makefile, target, plan, context) for target, plan in _leaves(found)]


def _leaves(found: list[tuple[str, Plan]]) -> list[tuple[str, Plan]]:
    """Without targets that run exactly what another one runs; a named target rather than a file."""
    kept: dict[tuple[object, ...], tuple[str, Plan]] = {}
    for target, plan in found:
        mark = tuple((run.words, run.directory) for run in plan.runs)
        known = kept.get(mark)
        if known is None or ("." in known[0] and "." not in target):
            kept[mark] = (target, plan)
    return list(kept.values())


def _test(makefile: Makefile, target: str, plan: Plan, context: Context) -> Test:
    directory = makefile.directory or Path()
    words = ["make"]
    if directory != Path():
        words += ["-C", directory.as_posix()]
    if makefile.path.name not in MAKEFILES:
        words += ["-f", makefile.path.name]
    if target != makefile.default_target:
        words.append(target)
    needs = list(context.programs(["make", *plan.programs, *plan.tools]))
    needs += [Need(kind="file", name=name, hint=_NOT_MADE) for name in sorted(plan.missing)]
    line = next((rule.recipe[0][0] for rule in makefile.rules if target in rule.targets and rule.recipe), 0)
    return Test(
        name=f"{makefile.path.parent.as_posix()}: {target}" if directory != Path() else target,
        command=shlex.join(words),
        origin=origin(NAME, makefile.path, line),
        verdict="results.xml" if plan.cocotb else "pytest" if plan.runner in ("pytest", "tox") else "log",
        kind="cocotb" if plan.cocotb else plan.runner or "make",
        builds=tuple(plan.builds),
        simulator=next(iter(plan.tools), ""),
        needs=tuple(needs),
    )


def _cocotb(makefile: Makefile, tree: Tree, context: Context) -> Test | None:
    """A test by cocotb's Makefiles; none where it names no toplevel or no Verilog."""
    directory = makefile.directory or Path()

    def value(*names: str) -> str:
        return next((text for name in names if (text := makefile.expand(f"$({name})").strip())), "")

    toplevel = value("COCOTB_TOPLEVEL", "TOPLEVEL")
    sources = value("VERILOG_SOURCES")
    if not toplevel or (not sources and value("VHDL_SOURCES")):
        return None
    simulator = value("SIM").lower() or "icarus"
    words = ["verilator" if simulator == "verilator" else "iverilog"]
    words += value("COMPILE_ARGS").split() + value("EXTRA_ARGS").split()
    words += [f"-I{name}" for name in value("VERILOG_INCLUDE_DIRS").split()] + sources.split()
    place = origin("cocotb", makefile.path)
    found = compilation(Command(words=tuple(words), directory=directory), tree, place, environment=context.variables)
    modules = [name for name in re.split(r"[,\s]+", value("COCOTB_TEST_MODULES", "MODULE")) if name]
    imports = ["cocotb"]
    for module in modules:
        script = directory / f"{module.replace('.', '/')}.py"
        if tree.is_file(script):
            imports += context.script(script).imports
    program = "verilator" if simulator == "verilator" else "iverilog" if simulator == "icarus" else simulator
    program = STARTS.get(program, program)
    needs = (*context.programs(["make", program]), *context.packages(imports))
    builds: tuple[Build, ...] = ()
    if found is not None:
        builds = (_for_dut(found.build, toplevel),)
    where = directory.as_posix()
    name = f"{where}: {','.join(modules) or toplevel}" if directory != Path() else ",".join(modules) or toplevel
    command = "make" if directory == Path() else f"make -C {shlex.quote(where)}"
    if makefile.path.name not in MAKEFILES:
        command += f" -f {shlex.quote(makefile.path.name)}"
    return Test(
        name=name,
        command=command,
        origin=place,
        verdict="results.xml",
        kind="cocotb",
        builds=builds,
        toplevel=toplevel,
        simulator=simulator,
        needs=needs,
        notes=() if builds else (in_directory(directory, "its sources are named in a way that was not understood"),),
    )


def _for_dut(build: Build, toplevel: str) -> Build:
    from dataclasses import replace

    return replace(build, name=toplevel, toplevels=(toplevel,), kind="simulation")


def _once(builds: list[Build]) -> list[Build]:
    found: dict[tuple[object, ...], Build] = {}
    for build in builds:
        found.setdefault((build.sources, build.toplevels, build.defines, build.tool, build.kind), build)
    return list(found.values())
