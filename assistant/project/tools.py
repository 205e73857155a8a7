"""What a command line of a simulator, linter or synthesiser says about the design."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from veriloop.assistant.design.filelist import FileList, read_words
from veriloop.assistant.design.project import HEADER_SUFFIXES, SOURCE_SUFFIXES
from veriloop.assistant.project.model import Build, BuildKind, Origin
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.words import Command

_WITH_ARGUMENT: Mapping[str, frozenset[str]] = {
    "iverilog": frozenset({"-o", "-l", "-m", "-M", "-N", "-p", "-t", "-W", "-Y", "-B", "-L"}),
    "verilator": frozenset(
        {"-o", "-j", "-O", "-Mdir", "--Mdir", "-CFLAGS", "--CFLAGS", "-LDFLAGS", "--LDFLAGS", "-MAKEFLAGS", "--prefix"}
        | {"--threads", "--build-jobs", "--verilate-jobs", "--x-assign", "--x-initial", "--clk", "--trace-depth"}
        | {"--trace-threads", "--timescale", "--timescale-override", "--language", "--default-language", "--mod-prefix"}
        | {"--unroll-count", "--unroll-stmts", "--output-split", "--threads-dpi", "--pins-bv", "--error-limit"}
        | {"--waiver-output", "--compiler", "--trace-max-array", "--trace-max-width", "--coverage-max-width"}
    ),
    "vlog": frozenset({"-work", "-l", "-L", "-timescale", "-svinputport", "-suppress", "-error", "-modelsimini"}),
    "vcs": frozenset({"-o", "-l", "-Mdir", "-cm", "-cm_dir", "-timescale", "-CFLAGS", "-LDFLAGS", "-P", "-j"}),
    "xrun": frozenset({"-l", "-xmlibdirname", "-timescale", "-input", "-access", "-covfile", "-covworkdir", "-log"}),
    "xvlog": frozenset({"-work", "-L", "--work", "-log"}),
    "slang": frozenset({"-o", "--std", "-j", "--threads"}),
}
_ALIASES = {
    **dict.fromkeys(("irun", "ncverilog", "xmverilog"), "xrun"),
    **dict.fromkeys(("vlogan", "vericom"), "vlog"),
    "verilator_bin": "verilator",
    "iverilog-vpi": "",
}
_SWITCHES = re.compile(
    r"-(?:g\d{4}(?:-\w+)?|gno-\w+|gsupported-\w+|g\w+|W[\w,=-]*|sv\w*|full64|R|q|n|c|nc|licqueue|lca|kdb|64|64bit)$"
    r"|--?(?:cc|sc|exe|build|binary|lint-only|trace\S*|timing|no-timing|assert|coverage\S*|Wno-\S+|Wall|Wpedantic"
    r"|stats|savable|vpi|public\S*|quiet\S*|autoflush|x-assign\S*|MMD|MP|O\d|noassert|relative-includes|sv|bbox\S*)$"
    r"|\+(?:acc\S*|v2k|1364-\S+|1800-\S+|verilog\w*ext\+\S+|systemverilogext\+\S+|access\S*|nc\S*|fsdb\S*|vpi\S*|notimingcheck\S*|lint\S*)$"
)
_CPP = re.compile(r"\.(?:cpp|cc|cxx|c|o|a|so|hpp|vlt)$")
_OPTIONS = re.compile(r"-(?:Wl,|O|std=|std\b)|--(?:std|language|default-language|x-assign|x-initial|threads|prefix)=")
_TOP = {
    "iverilog": frozenset({"-s"}),
    "verilator": frozenset({"--top-module", "--top", "-top-module", "-top"}),
    "vcs": frozenset({"-top"}),
    "xrun": frozenset({"-top"}),
    "slang": frozenset({"--top", "-top"}),
}
_SIMULATORS = frozenset({"vvp", "vsim", "xsim", "simv", "qrun", "svutRun", "dsim", "metrics", "xmsim", "ncsim"})
_BUILDS_TO = frozenset({"-o", "-Mdir", "--Mdir", "--prefix"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compilation:
    """What one command line compiles, and into which files."""

    build: Build
    outputs: tuple[str, ...] = ()
    """Base names of what it makes: `sim.vvp`, `Vtop`."""
    runs: bool = False
    """Whether the same command simulates as well."""


@dataclass(frozen=True, slots=True)
class _Arguments:
    words: list[str]
    toplevels: list[str] = field(default_factory=list)
    parameters: list[tuple[str, str]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    """Sources in C++."""


def tool_name(command: Command) -> str:
    """Which tool a command starts; `iverilog` for `iverilog-v12` and for `/opt/x/bin/iverilog`."""
    program = _ALIASES.get(command.program, command.program)
    for tool in (*_WITH_ARGUMENT, "vsim"):
        if re.fullmatch(rf"{tool}(?:[-_.]?v?\d[\w.]*|_bin)?", program):
            return tool
    return program


def compilation(
    command: Command, tree: Tree, origin: Origin, *, environment: Mapping[str, str] | None = None
) -> Compilation | None:
    """What a command compiles; none where it is no compiler of Verilog, or names no file."""
    tool = tool_name(command)
    if tool not in _WITH_ARGUMENT:
        return _yosys(command, tree, origin) if tool in ("yosys", "read_verilog") else None
    taken = _take(tool, command.words[1:])
    listed = read_words(
        taken.words, base=tree.root / command.directory, place=str(origin), environment=environment or {}
    )
    build = from_filelist(listed, tree, origin, name=_name(command, taken), base=command.directory)
    build = replace(
        build,
        kind=_kind(tool, command.words),
        toplevels=tuple(dict.fromkeys([*build.toplevels, *taken.toplevels])),
        parameters=tuple(taken.parameters),
        tool=tool,
    )
    if not build.sources and not build.absent:
        return None
    outputs = taken.outputs or ([f"V{top}" for top in build.toplevels] if tool == "verilator" else _default(tool))
    if tool == "verilator" and not build.toplevels:
        outputs = [*outputs, *(f"V{path.stem}" for path in build.sources[:1])]
    return Compilation(
        build=build,
        outputs=tuple(Path(name).name for name in outputs),
        runs=tool == "xrun" or (tool == "vcs" and "-R" in command.words),
    )


def from_filelist(listed: FileList, tree: Tree, origin: Origin, *, name: str, base: Path = Path()) -> Build:
    """A file list's content, with what is not there told apart."""
    sources, absent = _present(listed.sources, tree, base)
    libraries, gone = _present(listed.library_files, tree, base)
    return Build(
        name=name,
        origin=origin,
        toplevels=(listed.toplevel,) if listed.toplevel else (),
        sources=tuple(sources),
        include_dirs=tuple(_directories(listed.include_dirs, tree)),
        defines=listed.defines,
        library_dirs=tuple(_directories(listed.library_dirs, tree)),
        library_files=tuple(libraries),
        absent=(*absent, *gone),
    )


def is_run(command: Command, outputs: frozenset[str] = frozenset()) -> bool:
    """Whether a command simulates: a simulator's own runner, or a program that a compilation before it has made."""
    if tool_name(command) in _SIMULATORS or command.program in outputs:
        return True
    # A program of the build: `./sim.vvp`, `obj_dir/Vtop`, `./build/tb_fifo`.
    made = "/" in command.words[0] and not command.words[0].endswith((".sh", ".py", ".pl", ".tcl"))
    return made and bool(re.search(r"(?:^|/)V\w+$|\.(?:sim|vvp|out|exe)$|obj_dir/", command.words[0]))


def _take(tool: str, words: Sequence[str]) -> _Arguments:
    """Drops what says nothing of the design, and takes what the reader of file lists does not know."""
    taken = _Arguments([])
    rest = iter(words)
    for word in rest:
        if word in _TOP.get(tool, ()):
            taken.toplevels.append(next(rest, ""))
        elif tool == "iverilog" and word == "-P":
            _parameter(taken, next(rest, "").partition(".")[2])
        elif tool == "iverilog" and word.startswith("-P"):
            _parameter(taken, word[2:].partition(".")[2])
        elif tool == "iverilog" and word.startswith("-s") and len(word) > 2:
            taken.toplevels.append(word[2:])
        elif tool == "iverilog" and word.startswith("-o") and len(word) > 2:
            taken.outputs.append(word[2:])
        elif tool == "iverilog" and word in ("-c", "-f"):
            taken.words.extend(["-f", next(rest, "")])
        elif re.match(r"-G\w+=", word) or re.match(r"-(?:pvalue\+|g)\w+=", word):
            _parameter(taken, re.sub(r"^-(?:G|pvalue\+|g)", "", word))
        elif word in _WITH_ARGUMENT[tool]:
            value = next(rest, "")
            if word in _BUILDS_TO and value:
                taken.outputs.append(value)
        elif _CPP.search(word):
            taken.other.append(word)
        elif not word or _SWITCHES.match(word) or _OPTIONS.match(word):
            continue
        else:
            taken.words.append(word)
    return taken


def _parameter(taken: _Arguments, text: str) -> None:
    name, _, value = text.partition("=")
    if name:
        taken.parameters.append((name, value))


def _kind(tool: str, words: Sequence[str]) -> BuildKind:
    if tool == "slang" or any(word in ("--lint-only", "-tnull", "--xml-only", "--json-only") for word in words):
        return "lint"
    return "simulation"


def _name(command: Command, taken: _Arguments) -> str:
    where = command.directory.as_posix()
    what = next(iter(taken.toplevels or taken.outputs), command.program)
    return what if where == "." else f"{where}: {what}"


def _default(tool: str) -> list[str]:
    return {"iverilog": ["a.out"], "vcs": ["simv"]}.get(tool, [])


def _present(paths: Sequence[Path], tree: Tree, base: Path) -> tuple[list[Path], list[str]]:
    """The paths that are there, patterns expanded, and those that are not."""
    there: list[Path] = []
    absent: list[str] = []
    for path in paths:
        inside = tree.relative(path)
        if inside is None:
            absent.append(str(path))
        elif tree.is_file(inside):
            there.append(inside)
        elif any(mark in inside.as_posix() for mark in "*?["):
            found = [one for one in tree.glob(inside.as_posix()) if tree.is_file(one)]
            there += found
            absent += [] if found else [inside.as_posix()]
        elif _names_source(inside) and not tree.is_dir(inside):
            absent.append(inside.as_posix())
    return list(dict.fromkeys(there)), list(dict.fromkeys(absent))


def _names_source(path: Path) -> bool:
    return path.suffix.lower() in SOURCE_SUFFIXES | HEADER_SUFFIXES or not path.suffix


def _directories(paths: Sequence[Path], tree: Tree) -> Iterator[Path]:
    for path in dict.fromkeys(paths):
        inside = tree.relative(path)
        if inside is not None and tree.is_dir(inside):
            yield inside


_READ = re.compile(r"read_verilog\s+([^;]*)")
_SYNTH = re.compile(r"(?:synth\w*|hierarchy|prep)\s+[^;]*?-top\s+(\w+)")


def _yosys(command: Command, tree: Tree, origin: Origin) -> Compilation | None:
    """A Yosys command line: `-p "read_verilog a.v; synth -top a"`, and files after it."""
    text = " ; ".join(command.words[1:]) if command.program == "yosys" else " ".join(command.words)
    words = [word for found in _READ.findall(text) for word in found.split() if not word.startswith("-")]
    words += [word for word in command.words[1:] if word.endswith((".v", ".sv")) and " " not in word]
    sources, absent = _present([tree.root / command.directory / word for word in words], tree, command.directory)
    if not sources:
        return None
    tops = tuple(dict.fromkeys(_SYNTH.findall(text)))
    name = tops[0] if tops else command.program
    build = Build(
        name=name,
        origin=origin,
        kind="synthesis",
        toplevels=tops,
        sources=tuple(sources),
        absent=tuple(absent),
        tool="yosys",
    )
    return Compilation(build=build)
