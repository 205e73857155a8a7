"""FuseSoC: the targets of the tree's `.core` files, and EDAM files (`*.eda.yml`) that a run has left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from veriloop.assistant.project.capi2 import Core, Cores, Resolved
from veriloop.assistant.project.model import Build, BuildKind, Findings, Need, Test
from veriloop.assistant.project.needs import LICENSED
from veriloop.assistant.project.reading import Context, origin
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.yaml_files import load, table, texts

NAME = "fusesoc"

_SIMULATORS = {
    "icarus": "iverilog",
    "verilator": "verilator",
    "modelsim": "vsim",
    "questaformal": "vsim",
    "xcelium": "xrun",
    "vcs": "vcs",
    "xsim": "xsim",
    "rivierapro": "vsim",
    "ghdl": "ghdl",
    "dsim": "dsim",
    "isim": "xsim",
}
_FORMAL = ("symbiyosys", "jaspergold")
_LINT = ("verilator_lint", "ascentlint", "veriblelint", "spyglass", "slang", "svlint")
_MOST_TARGETS = 600
_TEST_NAMES = ("sim", "tb", "test", "bench", "verif")


def read(tree: Tree, context: Context) -> Findings:
    """Every target of every core, and the EDAM files."""
    cores = Cores(tree)
    builds: list[Build] = list(_edam(tree))
    tests: list[Test] = []
    missing: dict[str, list[str]] = {}
    pairs = [(core, name) for core in cores.all for name in core.targets][:_MOST_TARGETS]
    for core, name in pairs:
        resolved = cores.resolve(core, name)
        build = _build(tree, core, name, resolved)
        if build is None:
            continue
        builds.append(build)
        for wanted in resolved.missing:
            missing.setdefault(wanted, []).append(f"{core.name.name}:{name}")
        if build.kind == "simulation":
            tests.append(_test(core, name, build, resolved, context))
    needs = [
        Need(kind="core", name=name, hint="fusesoc library add ...", wanted_by=tuple(dict.fromkeys(wanted)))
        for name, wanted in missing.items()
    ]
    questions = [f"{path}: is in the first format of core files, which fusesoc reads no more" for path in cores.old]
    return Findings(tuple(builds), tuple(tests), tuple(needs), tuple(questions))


def _build(tree: Tree, core: Core, target: str, resolved: Resolved) -> Build | None:
    sources, includes, absent = [], dict[Path, None](), []
    for path, about in resolved.files:
        kind = str(about.get("file_type", ""))
        # `verilogSource-2005`, `systemVerilogSource`, or nothing.
        if ("erilog" not in kind) if kind else (path.suffix.lower() not in (".v", ".sv", ".svh", ".vh")):
            continue
        if not tree.is_file(path):
            absent.append(path.as_posix())
        elif about.get("is_include_file") or path.suffix.lower() in (".vh", ".svh"):
            place = about.get("include_path")
            directory = tree.relative(core.path.parent / str(place)) if place else path.parent
            includes[directory or path.parent] = None
        else:
            sources.append(path)
    if not sources and not absent:
        return None
    data = core.target(target)
    defines = tuple((name, value) for name, (kind, value) in resolved.parameters.items() if kind == "vlogdefine")
    parameters = tuple(
        (name, value) for name, (kind, value) in resolved.parameters.items() if kind == "vlogparam" and value
    )
    return Build(
        name=f"{core.name.name}:{target}",
        origin=origin(NAME, core.path),
        kind=_kind(core, target, data),
        toplevels=tuple(resolved.toplevels),
        sources=tuple(dict.fromkeys(sources)),
        include_dirs=tuple(includes),
        defines=tuple(
            (name, "" if value == "True" else value) for name, value in defines if value not in ("", "False")
        ),
        parameters=parameters,
        absent=tuple(absent),
        tool=_tool(core, target),
        notes=tuple(f"files of the generator {one} are not there before it has run" for one in resolved.generators),
    )


def _tool(core: Core, target: str) -> str:
    data = core.target(target)
    options = table(data.get("flow_options"))
    named = data.get("default_tool") or options.get("tool") or next(iter(table(data.get("tools"))), "")
    return _SIMULATORS.get(str(named), str(named))


def _kind(core: Core, target: str, data: dict[str, object]) -> BuildKind:
    tool, flow = _tool(core, target), str(data.get("flow") or "")
    options = {**table(table(data.get("tools")).get("verilator")), **table(data.get("flow_options"))}
    if flow == "lint" or target == "lint" or options.get("mode") == "lint-only" or tool in _LINT:
        return "lint"
    if tool in _FORMAL or flow == "formal":
        return "formal"
    if flow == "sim" or tool in _SIMULATORS.values():
        return "simulation"
    if tool or flow:
        return "synthesis"
    return "simulation" if _is_test_name(target) else "files"


def _is_test_name(name: str) -> bool:
    return any(word in name.lower() for word in _TEST_NAMES)


def _test(core: Core, target: str, build: Build, resolved: Resolved, context: Context) -> Test:
    programs = ["fusesoc"]
    if build.tool:
        programs.append("verilator" if build.tool == "verilator" else build.tool)
    needs = [*context.programs(programs)]
    needs += [
        Need(kind="core", name=name, hint="fusesoc library add ...", present=False, wanted_by=(build.name,))
        for name in resolved.missing
    ]
    notes = [f"{build.tool} needs a licence"] if build.tool in LICENSED else []
    return Test(
        name=build.name,
        command=f"fusesoc --cores-root=. run --target={target} {core.name}",
        origin=build.origin,
        verdict="log",
        kind=NAME,
        builds=(build,),
        simulator=build.tool,
        needs=tuple(needs),
        notes=(*notes, *build.notes),
    )


def _edam(tree: Tree) -> Iterator[Build]:
    """What edalize calls EDAM: https://edalize.readthedocs.io/en/latest/edam/api.html."""
    for path in tree.files("*.eda.yml", "*.eda.yaml", "*.edam.yml", "*.edam.yaml"):
        data = table(load(tree, path))
        files = [table(one) for one in data.get("files") or () if isinstance(one, dict)]
        sources, includes, absent = [], dict[Path, None](), []
        for one in files:
            inside = tree.relative(path.parent / str(one.get("name", "")))
            if inside is None or "erilog" not in str(one.get("file_type", "")):
                continue
            if not tree.is_file(inside):
                absent.append(inside.as_posix())
            elif one.get("is_include_file"):
                includes[inside.parent] = None
            else:
                sources.append(inside)
        if sources:
            yield replace(
                Build(name=str(data.get("name", path.stem)), origin=origin("EDAM", path), kind="files"),
                toplevels=tuple(texts(data.get("toplevel"))),
                sources=tuple(sources),
                include_dirs=tuple(includes),
                absent=tuple(absent),
            )
