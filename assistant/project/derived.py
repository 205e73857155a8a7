"""Commands for testbenches that nothing in the repository runs: what they instantiate is there, so a simulator can."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.project.graph import Declared, Graph
from veriloop.assistant.project.model import Build, Findings, Test
from veriloop.assistant.project.reading import Context, origin
from veriloop.assistant.project.tree import Tree

NAME = "derived"

_MOST = 60
_MOST_FILES = 200
_MOST_QUESTIONS = 5
_NOTE = "nothing in the repository says how it is run: derived from what it instantiates"


def derived_tests(
    tree: Tree, context: Context, graph: Graph, known: Iterable[Test], builds: Sequence[Build]
) -> Findings:
    """A test for each testbench in Verilog that no known test compiles and whose modules are all there.

    What keeps the others from being run is asked. A list of files that names a testbench is taken as it is.
    """
    lists = [build for build in builds if build.kind == "files" and not build.absent]
    compiled = {path for test in known for build in test.builds for path in build.sources}
    benches = [path for path in sorted(graph.benches) if path not in compiled]
    tests: list[Test] = []
    questions: list[str] = []
    for one in graph.roots(benches):
        if one.unit.ports or not one.unit.instantiates or not graph.facts[one.path].drives or len(tests) == _MOST:
            continue
        listed = next((build for build in lists if one.path in build.sources), None)
        found = _build(tree, graph, one) if listed is None else _of_list(listed, one)
        if isinstance(found, Build):
            tests.append(_test(found, context))
        elif found and len(questions) < _MOST_QUESTIONS:
            questions.append(found)
    return Findings(tests=tuple(tests), questions=tuple(questions))


def _build(tree: Tree, graph: Graph, bench: Declared) -> Build | str:
    """What the testbench needs; else what keeps it from being run, or nothing where it judges nothing of the design."""
    files = graph.files([bench])
    alone = f"{bench.unit.name} ({bench.path}) is run by nothing here"
    if missing := graph.missing(files):
        return f"{alone}, and no file declares {next(iter(missing))}"
    if len(files) > _MOST_FILES or all(path in graph.benches for path in files):
        return ""
    directories: dict[Path, None] = {}
    for path in files:
        for name in graph.facts[path].includes:
            place = _header(tree, path, name)
            if place is None:
                return f"{alone}, and {name}, which {path} includes, is not there"
            directories[place] = None
    return Build(
        name=bench.unit.name,
        origin=origin(NAME, bench.path),
        kind="simulation",
        toplevels=(bench.unit.name,),
        sources=tuple(files),
        include_dirs=tuple(directories),
        tool=_tool(files),
    )


def _of_list(listed: Build, bench: Declared) -> Build:
    return replace(
        listed, name=bench.unit.name, kind="simulation", toplevels=(bench.unit.name,), tool=_tool(listed.sources)
    )


def _tool(files: Iterable[Path]) -> str:
    # Icarus knows less of SystemVerilog.
    return "verilator" if any(path.suffix == ".sv" for path in files) else "iverilog"


def _header(tree: Tree, path: Path, name: str) -> Path | None:
    """The directory that an `include` has to be looked for in."""
    beside = tree.relative(path.parent / name)
    if beside is not None and tree.is_file(beside):
        return path.parent
    places = [one for one in tree.files(Path(name).name) if one.as_posix().endswith(name.lstrip("./"))]
    if len(places) != 1:
        return None
    depth = len(Path(name).parts)
    return Path(*places[0].parts[:-depth]) if depth < len(places[0].parts) else Path()


def _test(build: Build, context: Context) -> Test:
    (toplevel,) = build.toplevels
    files = [f"-I{directory.as_posix()}" for directory in build.include_dirs]
    files += [f"-D{name}={value}" if value else f"-D{name}" for name, value in build.defines]
    files += [path.as_posix() for path in build.sources]
    # No file of the tree is written: the program lies where the machine keeps what is temporary.
    if build.tool == "verilator":
        words = ["verilator", "--binary", "--timing", "--assert", "-Wno-fatal", "--top-module", toplevel, *files]
        command = f'made=$(mktemp -d) && {shlex.join(words)} -Mdir "$made" -o sim && "$made/sim"'
        programs = ["verilator", "make", "g++"]
    else:
        words = ["iverilog", "-g2012", "-s", toplevel, *files]
        command = f'made=$(mktemp) && {shlex.join(words)} -o "$made" && vvp -n "$made"'
        programs = ["iverilog", "vvp"]
    return Test(
        name=build.name,
        command=command,
        origin=build.origin,
        verdict="log",
        kind=NAME,
        builds=(build,),
        simulator=build.tool,
        needs=context.programs(programs),
        notes=(_NOTE,),
    )
