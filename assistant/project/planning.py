"""What a command of the repository would run in the end: Makefiles are followed, nothing is executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.project.makefile import Makefile
from veriloop.assistant.project.model import Build, Origin
from veriloop.assistant.project.reading import Context
from veriloop.assistant.project.tools import Compilation, compilation, is_run, tool_name
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.words import Command, Shell

MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
_MAX_DEPTH = 4
_MAX_COMMANDS = 500
_IMPLICIT = (".o", ".a", ".d", ".mk", ".so")
"""What make's own rules, or `vpath`, may find after all."""
_RUNNERS = {"pytest": "pytest", "py.test": "pytest", "tox": "tox", "nox": "nox", "sby": "sby", "fusesoc": "fusesoc"}
_LINKS_VERILATED = re.compile(r"__ALL\.a$|verilated(?:_\w+)?\.(?:o|cpp)$|obj_dir/V\w+")
"""What a compiler is given that makes a simulation of what Verilator wrote."""
_MAKE_WITH_ARGUMENT = frozenset({"-f", "--file", "-C", "--directory", "-I", "-j", "-l", "-o", "-W"})


@dataclass(slots=True, kw_only=True)
class Plan:
    """What a command comes to."""

    made: dict[tuple[object, ...], Build] = field(default_factory=dict)
    """What is compiled, each once."""
    runs: list[Command] = field(default_factory=list)
    """Commands that simulate, or that run tests in another way."""
    programs: dict[str, None] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    """Files that it needs, that are not there and that nothing makes."""
    commands: int = 0
    """How many commands were looked at."""
    cocotb: bool = False
    """Whether a Makefile of cocotb's is in play."""
    simulator: str = ""
    """Which simulator such a Makefile names."""

    @property
    def builds(self) -> list[Build]:
        """What is compiled, in order."""
        return list(self.made.values())

    @property
    def tools(self) -> list[str]:
        """The tools that compile, each once."""
        return list(dict.fromkeys(build.tool for build in self.made.values() if build.tool))

    @property
    def runner(self) -> str:
        """Who runs the tests, where that is not a simulator."""
        return next((_RUNNERS[run.program] for run in self.runs if run.program in _RUNNERS), "")


class Planner:
    """Follows commands; each Makefile is read once for the same variables."""

    def __init__(self, tree: Tree, context: Context) -> None:
        self._tree = tree
        self._context = context
        self._makefiles: dict[tuple[Path, Path, tuple[tuple[str, str], ...]], Makefile] = {}

    def makefile(self, path: Path, overrides: dict[str, str], directory: Path | None = None) -> Makefile:
        """A Makefile as a command line with such variables reads it, started in a directory."""
        here = directory if directory is not None else path.parent
        key = (path, here, tuple(sorted(overrides.items())))
        if key not in self._makefiles:
            fallback = _Rootlike(self._context)
            self._makefiles[key] = Makefile(self._tree, path, overrides=overrides, fallback=fallback, directory=here)
        return self._makefiles[key]

    def target(self, makefile: Makefile, target: str, reader: str) -> Plan:
        """What making a target comes to."""
        plan = Plan()
        outputs: set[str] = set()
        self._make(makefile, target, plan, outputs, reader, 0)
        return plan

    def line(self, text: str, directory: Path, origin: Origin, variables: dict[str, str] | None = None) -> Plan:
        """What a shell's command line comes to."""
        plan = Plan()
        shell = Shell(self._tree, directory, dict(variables or {}), self._context.variables)
        self._commands(shell.script(text), plan, set(), origin, 0)
        return plan

    def script(self, path: Path, directory: Path, reader: str) -> Plan:
        """What a shell script comes to."""
        plan = Plan()
        shell = Shell(self._tree, directory, {}, self._context.variables)
        self._commands(shell.script(self._tree.text(path)), plan, set(), Origin(path=path, reader=reader), 0)
        return plan

    def _make(self, makefile: Makefile, target: str, plan: Plan, outputs: set[str], reader: str, depth: int) -> None:
        if is_cocotb(makefile):
            plan.cocotb = True
            plan.simulator = plan.simulator or makefile.expand("$(SIM)").strip()
        directory = makefile.directory or Path()
        shell = Shell(self._tree, directory, {}, self._context.variables)
        for line, text in makefile.plan(target):
            shell.directory = directory
            origin = Origin(path=makefile.path, reader=reader, line=line)
            self._commands(shell.line(text, line=line), plan, outputs, origin, depth)
        for name in makefile.needs(target):
            inside = self._tree.relative(directory / name)
            there = inside is None or self._tree.is_file(inside) or self._tree.is_dir(inside)
            if (
                not there
                and "." in name
                and not name.endswith(_IMPLICIT)
                and name not in makefile.variables.get(".PHONY", "")
            ):
                plan.missing.add((directory / name).as_posix())

    def _commands(self, commands: Iterator[Command], plan: Plan, outputs: set[str], origin: Origin, depth: int) -> None:
        for command in commands:
            plan.commands += 1
            if plan.commands > _MAX_COMMANDS or "()" in command.words:
                return
            if command.program in ("make", "gmake") and depth < _MAX_DEPTH:
                plan.programs["make"] = None
                self._recurse(command, plan, outputs, origin, depth)
                continue
            self._command(command, plan, outputs, origin, depth)

    def _command(self, command: Command, plan: Plan, outputs: set[str], origin: Origin, depth: int) -> None:
        place = (
            origin
            if not command.line or origin.line
            else Origin(path=origin.path, reader=origin.reader, line=command.line)
        )
        found = compilation(command, self._tree, place, environment=self._context.variables)
        if found is not None:
            _add(plan, found, outputs)
            plan.programs[tool_name(command)] = None
            if found.runs:
                plan.runs.append(command)
            return
        outputs |= _linked(command)
        if is_run(command, frozenset(outputs)) or command.program in _RUNNERS or _is_python_runner(command):
            plan.runs.append(command)
        inner = self._script_of(command)
        if inner is not None and depth < _MAX_DEPTH:
            shell = Shell(self._tree, command.directory, {}, self._context.variables)
            self._commands(
                shell.script(self._tree.text(inner)), plan, outputs, Origin(path=inner, reader=origin.reader), depth + 1
            )
        elif command.program not in outputs and not command.words[0].startswith(("./", "../", "$")):
            plan.programs[command.words[0]] = None

    def _script_of(self, command: Command) -> Path | None:
        """The shell script of the tree that a command runs."""
        words = command.words[1:] if command.program in ("sh", "bash", "source", ".") else command.words
        name = next((word for word in words if not word.startswith("-")), "")
        inside = self._tree.relative(command.directory / name) if name.endswith(".sh") else None
        return inside if inside is not None and self._tree.is_file(inside) else None

    def _recurse(self, command: Command, plan: Plan, outputs: set[str], origin: Origin, depth: int) -> None:
        directory, name, targets, overrides = command.directory, "", list[str](), dict[str, str]()
        words = iter(command.words[1:])
        for word in words:
            if word in ("-C", "--directory"):
                directory = directory / next(words, "")
            elif word.startswith("--directory="):
                directory = directory / word.partition("=")[2]
            elif word.startswith("-C"):
                directory = directory / word[2:]
            elif word in ("-f", "--file"):
                name = next(words, "")
            elif word in _MAKE_WITH_ARGUMENT:
                next(words, "")
            elif "=" in word and not word.startswith("-"):
                overrides[word.partition("=")[0]] = word.partition("=")[2]
            elif not word.startswith("-"):
                targets.append(word)
        inside = self._tree.relative(directory)
        path = _makefile_in(self._tree, inside, name) if inside is not None else None
        if path is None or inside is None:
            # A Makefile that a tool writes, Verilator's for instance.
            return
        makefile = self.makefile(path, overrides, inside)
        for target in targets or [makefile.default_target]:
            self._make(makefile, target, plan, outputs, origin.reader, depth + 1)


class _Rootlike(dict[str, str]):
    """Variables of the environment that a Makefile expects: the root, where their name says so."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]  # as narrow as it is used
        if name in self._context.environment:
            return self._context.environment[name]
        return self._context.variables.get(name, default)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._context.environment or name in self._context.variables)

    def __getitem__(self, name: str) -> str:
        return self.get(name)


def is_cocotb(makefile: Makefile) -> bool:
    """Whether a Makefile includes cocotb's."""
    return any("$cocotb" in name or "cocotb/makefiles" in name or "/Makefile.sim" in name for name in makefile.included)


def _makefile_in(tree: Tree, directory: Path, name: str) -> Path | None:
    for candidate in [name] if name else MAKEFILES:
        inside = tree.relative(directory / candidate)
        if inside is not None and tree.is_file(inside):
            return inside
    return None


def _add(plan: Plan, found: Compilation, outputs: set[str]) -> None:
    outputs |= set(found.outputs)
    build = found.build
    plan.made.setdefault((build.sources, build.toplevels, build.defines, build.tool), build)


def _is_python_runner(command: Command) -> bool:
    """`python -m pytest`, `python run.py`."""
    if not command.program.startswith("python"):
        return False
    rest = [word for word in command.words[1:] if not word.startswith("-") or word == "-m"]
    return rest[:2] == ["-m", "pytest"] or bool(rest and rest[0].rpartition("/")[2] in ("run.py", "runner.py"))


def _linked(command: Command) -> set[str]:
    """The base name of the simulation that a C++ compiler makes of Verilator's output, if it does."""
    words = command.words
    if "-o" not in words[:-1] or not any(_LINKS_VERILATED.search(word) for word in words[1:]):
        return set()
    made = words[words.index("-o") + 1]
    return set() if made.endswith((".o", ".a", ".so")) else {made.rpartition("/")[2]}
