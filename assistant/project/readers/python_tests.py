"""Runner scripts in Python: cocotb's runner, cocotb-test, VUnit, MyHDL co-simulation; and who runs them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from veriloop.assistant.design.filelist import FileList
from veriloop.assistant.project.model import Build, Findings, Test
from veriloop.assistant.project.pyvalues import UNKNOWN, Call, Script, strings
from veriloop.assistant.project.reading import Context, in_directory, origin
from veriloop.assistant.project.tools import from_filelist
from veriloop.assistant.project.tree import Tree

NAME = "python"

_MOST = 600
_RUNS = re.compile(r"cocotb_test|cocotb\.runner|cocotb_tools\.runner|get_runner|VUnit|myhdl|iverilog|verilator", re.I)
_VERILOG = (".v", ".sv", ".vh", ".svh")


def read(tree: Tree, context: Context) -> Findings:
    """Every script that builds a simulation."""
    builds: list[Build] = []
    tests: list[Test] = []
    for path in sorted(tree.files("*.py"))[: 20 * _MOST]:
        if not _RUNS.search(tree.text(path)) or len(tests) >= _MOST:
            continue
        found = _script(tree, path, context)
        if found is not None:
            builds += found.builds
            tests.append(found)
    return Findings(tuple(builds), tuple(tests))


def _script(tree: Tree, path: Path, context: Context) -> Test | None:
    text = tree.text(path)
    if re.search(r"\bVUnit(?:CLI)?\b", text) and re.search(r"from vunit|import vunit", text):
        return _vunit(tree, path, context.script(path), context)
    if re.search(r"cocotb_test|get_runner", text):
        return _cocotb(tree, path, context.script(path), context)
    if re.search(r"^(?:from|import) myhdl", text, re.M):
        return _myhdl(tree, path, text, context)
    return None


def _cocotb(tree: Tree, path: Path, script: Script, context: Context) -> Test | None:
    """cocotb's own runner and cocotb-test: both name sources, toplevel and test module."""
    builds = []
    toplevel, simulator, modules = "", "", list[str]()
    for call in script.calls:
        last = call.name.rpartition(".")[2]
        keys = call.keywords
        if last == "get_runner" and call.arguments and isinstance(call.arguments[0], str):
            simulator = call.arguments[0]
        if last in ("run", "build") and ({"verilog_sources", "sources", "hdl_toplevel", "toplevel"} & set(keys)):
            build = _build(tree, path, call)
            builds += [build] if build is not None else []
            toplevel = toplevel or _text(keys.get("hdl_toplevel")) or _text(keys.get("toplevel"))
        if last in ("run", "test"):
            modules += strings([keys.get("test_module"), keys.get("module")])
    if not builds and not toplevel:
        return None
    tests = [name for name, decorators in script.functions.items() if name.startswith("test")]
    by_pytest = bool(tests) and not any("cocotb.test" in one for name in tests for one in script.functions[name])
    by_pytest = by_pytest or path.name.startswith("test_") or path.stem.endswith("_test")
    imports = [*script.imports, *(["pytest"] if by_pytest else [])]
    for module in modules:
        near = path.parent / f"{module.replace('.', '/')}.py"
        if near != path and tree.is_file(near):
            imports += context.script(near).imports
    simulator = simulator or context.environment.get("SIM", "icarus")
    program = {"icarus": "iverilog"}.get(simulator, simulator)
    name = path.as_posix()
    return Test(
        name=name,
        command=f"python3 -m pytest {shlex.quote(name)}"
        if by_pytest
        else in_directory(path.parent, f"python3 {shlex.quote(path.name)}"),
        origin=origin("cocotb-test" if "cocotb_test" in " ".join(script.imports) else "cocotb", path),
        verdict="pytest" if by_pytest else "results.xml",
        kind="cocotb",
        builds=tuple(builds),
        toplevel=toplevel,
        simulator=simulator,
        needs=(*context.programs([program]), *context.packages(imports)),
        notes=() if any(build.sources for build in builds) else ("its sources are not told by the script's text",),
    )


def _build(tree: Tree, path: Path, call: Call) -> Build | None:
    keys = call.keywords
    given = [keys.get("verilog_sources"), keys.get("sources"), *call.arguments[:1]]
    names = [name for name in strings(given) if name.endswith(_VERILOG)]
    includes = list(strings([keys.get("includes"), keys.get("include_dirs")]))
    here = tree.root / path.parent

    def place(name: str) -> Path:
        # A runner may be started beside the script or at the root.
        near = here / name
        return near if near.exists() or not (tree.root / name).exists() else tree.root / name

    listed = FileList(
        sources=tuple(place(name) for name in names),
        include_dirs=tuple(place(name) for name in includes),
        defines=tuple(_pairs(keys.get("defines"))),
    )
    toplevel = _text(keys.get("hdl_toplevel")) or _text(keys.get("toplevel"))
    build = from_filelist(listed, tree, origin("cocotb", path, call.line), name=toplevel or path.as_posix())
    if not build.sources and not toplevel:
        return None
    return _with(build, toplevel, tuple(_pairs(keys.get("parameters"))))


def _with(build: Build, toplevel: str, parameters: tuple[tuple[str, str], ...]) -> Build:
    from dataclasses import replace

    return replace(
        build, kind="simulation", toplevels=(toplevel,) if toplevel else (), parameters=parameters, tool="cocotb"
    )


def _pairs(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, one in value.items():
            if one is not UNKNOWN and isinstance(one, str | int | float | bool):
                yield str(name), str(int(one) if isinstance(one, bool) else one)
    elif isinstance(value, list | tuple):
        for one in value:
            if isinstance(one, str):
                yield one.partition("=")[0], one.partition("=")[2]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _vunit(tree: Tree, path: Path, script: Script, context: Context) -> Test | None:
    """VUnit's `run.py`: https://vunit.github.io/py/vunit.html."""
    names: list[Path] = []
    for call in script.calls:
        if call.name.rpartition(".")[2] in ("add_source_files", "add_source_file"):
            given = [*call.arguments[:1], call.keywords.get("pattern"), call.keywords.get("file_name")]
            for pattern in strings(given):
                inside = tree.relative(Path(pattern) if pattern.startswith("/") else path.parent / pattern)
                if inside is not None:
                    names += tree.glob(inside.as_posix())
    verilog = tuple(name for name in names if name.suffix.lower() in (".v", ".sv"))
    if not verilog:
        return None
    build = Build(name=path.as_posix(), origin=origin("VUnit", path), kind="simulation", sources=verilog, tool="vunit")
    notes = ("VUnit runs SystemVerilog with ModelSim, Questa, Riviera-PRO or Active-HDL only",)
    return Test(
        name=path.as_posix(),
        command=f"python3 {shlex.quote(path.as_posix())} --xunit-xml results.xml",
        origin=origin("VUnit", path),
        verdict="VUnit",
        kind="VUnit",
        builds=(build,),
        simulator="vsim",
        needs=(*context.programs(["vsim"]), *context.packages(["vunit", *script.imports])),
        notes=notes,
    )


_COMPILE = re.compile(r"iverilog\b[^\n]*")


def _myhdl(tree: Tree, path: Path, text: str, context: Context) -> Test | None:
    """MyHDL's co-simulation: a script that lists sources and starts Icarus with MyHDL's VPI module."""
    script = context.script(path)
    names = [name for name in strings(script.values.get("srcs")) if name.endswith(_VERILOG)]
    if not names or not _COMPILE.search(text):
        return None
    listed = FileList(sources=tuple(tree.root / path.parent / name for name in names))
    build = from_filelist(listed, tree, origin("MyHDL", path), name=path.as_posix(), base=path.parent)
    bench = _text(script.values.get("testbench"))
    return Test(
        name=path.as_posix(),
        command=in_directory(path.parent, f"python3 {shlex.quote(path.name)}"),
        origin=origin("MyHDL", path),
        verdict="exit code",
        kind="MyHDL",
        builds=(_with(build, bench, ()),),
        simulator="icarus",
        needs=(*context.programs(["iverilog"]), *context.packages(script.imports)),
        notes=("needs myhdl.vpi, built from MyHDL's cosimulation/icarus",),
    )
