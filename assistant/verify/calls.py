"""Which simulators a test command starts, and with which arguments: so that its testbench can be run without it.

Small programs of our own stand before the simulators on the command's PATH; each notes its arguments and becomes the
simulator that it stands for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from veriloop.assistant.design.elaborate import elaborate
from veriloop.assistant.design.model import Design
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import find_program
from veriloop.assistant.isolation.confinement import Isolation
from veriloop.assistant.project.model import Origin
from veriloop.assistant.project.tools import compilation
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.words import Command
from veriloop.assistant.verify.command import run_command
from veriloop.assistant.verify.results import SimResult
from veriloop.assistant.verify.testbench import CommandTest, VerilogTestbench

_TOOLS = ("iverilog", "vvp", "verilator")
_MOST = 12
_STAND_IN = """#!/bin/sh
printf '%s\\0' "$#" "$$" "$PWD" {tool} "$@" >> '{log}'
env -0 > '{log}.'$$
exec '{real}' "$@"
"""
_COMPILER = """#!/bin/sh
printf '%s\\0' "$#" "$$" "$PWD" {tool} "$@" >> '{log}'
env -0 > '{log}.'$$
'{real}' "$@"
status=$?
[ $status = 0 ] || printf '%s\\0' "$#" "$$" "$PWD" {tool} "$@" >> '{log}.refused'
exit $status
"""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A program that was started: its name, its arguments, where; whether it was a compiler that refused its files.

    `environment` holds the variables that it had, without the directory of our stand-ins on its PATH.
    """

    tool: str
    arguments: tuple[str, ...]
    directory: Path
    refused: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)


def recorded_calls(
    test: CommandTest, *, root: Path, scratch: Path, isolation: Isolation, cancel: CancelToken
) -> tuple[SimResult, tuple[ToolCall, ...]]:
    """Runs a test command and tells which simulators it started. One that it starts by an absolute path is not seen.

    Args:
        test: the command.
        root: a private copy of the tree.
        scratch: an empty directory.
        isolation: what the command is held in.
        cancel: stops it.

    Raises:
        ToolNotFound: the command's program is not there.
    """
    log = scratch / "calls"
    programs = scratch / "bin"
    programs.mkdir()
    for tool in _TOOLS:
        real = find_program(tool)
        if real is not None:
            stand_in = programs / tool
            text = _STAND_IN if tool == "vvp" else _COMPILER
            stand_in.write_text(text.format(tool=tool, log=log, real=real))
            stand_in.chmod(0o755)
    result = run_command(test, root=root, scratch=scratch, isolation=isolation, cancel=cancel, programs=programs)
    refused = {number for number, _ in _read(log.with_name(f"{log.name}.refused"))}
    return result, tuple(
        replace(call, refused=number in refused, environment=_environment(log, number, programs))
        for number, call in _read(log)
    )


def _read(log: Path) -> Iterator[tuple[str, ToolCall]]:
    """The calls, each with the number of its process."""
    fields = _fields(log)
    at = 0
    while at + 3 < len(fields):
        count = int(fields[at]) if fields[at].isdigit() else 0
        arguments = tuple(fields[at + 4 : at + 4 + count])
        yield fields[at + 1], ToolCall(fields[at + 3], arguments, Path(fields[at + 2]))
        at += 4 + count


def _environment(log: Path, number: str, programs: Path) -> dict[str, str]:
    pairs = (one.partition("=") for one in _fields(log.with_name(f"{log.name}.{number}")) if "=" in one)
    # What makefiles have found of our stand-ins is nowhere else.
    found = {name: value for name, _, value in pairs if name == "PATH" or str(programs) not in value}
    places = (place for place in found.get("PATH", "").split(os.pathsep) if place != str(programs))
    return {**found, "PATH": os.pathsep.join(places)} if found else {}


def _fields(log: Path) -> list[str]:
    return log.read_bytes().decode("utf-8", errors="surrogateescape").split("\0") if log.exists() else []


def testbenches_of(calls: Sequence[ToolCall], *, root: Path, timeout_s: float) -> tuple[VerilogTestbench, ...]:
    """The testbenches in Verilog alone that a command has compiled, each once.

    None is told where a simulation loads a module of another language (cocotb, MyHDL), because that drives it.
    """
    if any(call.tool == "vvp" and any(word.startswith(("-m", "-M")) for word in call.arguments) for call in calls):
        return ()
    plusargs = tuple(
        dict.fromkeys(word for call in calls if call.tool == "vvp" for word in call.arguments if word.startswith("+"))
    )
    tree = Tree(root)
    found: dict[Design, VerilogTestbench] = {}
    for call in calls:
        design = _design(call, tree)
        if design is not None and design not in found and len(found) < _MOST:
            bench = VerilogTestbench(name=design.toplevel, design=design, plusargs=plusargs, timeout_s=timeout_s)
            found[design] = bench
    return tuple(found.values())


def _design(call: ToolCall, tree: Tree) -> Design | None:
    inside = tree.relative(call.directory.resolve())
    if call.tool == "vvp" or inside is None or any(word.endswith((".cpp", ".cc", ".cxx")) for word in call.arguments):
        return None
    command = Command(words=(call.tool, *call.arguments), directory=inside)
    made = compilation(command, tree, Origin(path=Path(), reader="recorded"))
    if made is None or made.build.kind != "simulation" or made.build.absent:
        return None
    build = made.build
    design = Design(
        toplevel="",
        sources=build.sources,
        include_dirs=tuple(dict.fromkeys([*build.include_dirs, inside])),
        defines=build.defines,
        parameters=build.parameters,
        library_dirs=build.library_dirs,
        library_files=build.library_files,
    )
    tops = build.toplevels or tuple(elaborate(design.rooted(tree.root)).tops)
    ports = elaborate(design.rooted(tree.root)).modules
    benches = [name for name in tops if name in ports and not ports[name].ports]
    return replace(design, toplevel=benches[0]) if len(benches) == 1 else None
