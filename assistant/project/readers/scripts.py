"""Shell scripts and Windows batch files that start a simulator themselves."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from veriloop.assistant.project.model import Build, Findings, Test
from veriloop.assistant.project.planning import Plan, Planner
from veriloop.assistant.project.reading import Context, in_directory, origin
from veriloop.assistant.project.tree import Tree

NAME = "script"

_MOST = 200
_STARTS = re.compile(r"\b(?:iverilog|verilator|vvp|vlog|vsim|vcs|xrun|svutRun|sby|slang)\b")
_BATCH = re.compile(r"^\s*(?:@?\s*(?:del|pause|echo|cls|rem|exit)\b.*|)$", re.I)


def read(tree: Tree, context: Context) -> Findings:
    """Every script that compiles Verilog."""
    planner = Planner(tree, context)
    builds: list[Build] = []
    tests: list[Test] = []
    for path in sorted(tree.files("*.sh", "*.bash", "*.bat", "*.do", "run"))[:_MOST]:
        text = tree.text(path)
        if path.parts[0] == ".github" or not _STARTS.search(text):
            continue
        is_batch = path.suffix == ".bat"
        found = _batch(tree, path, planner, context) if is_batch else _shell(path, planner, context)
        if found is not None:
            builds += found[0]
            tests += found[1]
    return Findings(builds=tuple(builds), tests=tuple(tests))


def _shell(path: Path, planner: Planner, context: Context) -> tuple[list[Build], list[Test]] | None:
    # Whether a script is meant to be started beside itself or at the root shows in which paths are there.
    plans = [planner.script(path, place, NAME) for place in dict.fromkeys((path.parent, Path()))]
    at, plan = max(enumerate(plans), key=lambda pair: _found(pair[1]))
    if not plan.builds and not plan.runs:
        return None
    place = (path.parent, Path())[at]
    name = path.name if place == path.parent else path.as_posix()
    return plan.builds, [
        _test(path, in_directory(place, f"sh {shlex.quote(name)}"), plan, context)
    ] if plan.runs else []


def _batch(tree: Tree, path: Path, planner: Planner, context: Context) -> tuple[list[Build], list[Test]] | None:
    """A batch file's commands as one line of a POSIX shell."""
    lines = [line.strip().replace("\\", "/") for line in tree.text(path).splitlines() if not _BATCH.match(line)]
    command = " && ".join(line.removeprefix("call ").removeprefix("@") for line in lines if line)
    if not re.fullmatch(r"[\w ./*+=:,&$-]*", command):
        return None
    plan = planner.line(command, path.parent, origin(NAME, path))
    if not plan.builds:
        return None
    return plan.builds, [_test(path, in_directory(path.parent, command), plan, context)] if plan.runs else []


def _test(path: Path, command: str, plan: Plan, context: Context) -> Test:
    return Test(
        name=path.as_posix(),
        command=command,
        origin=origin(NAME, path),
        verdict="log",
        kind="script",
        builds=tuple(plan.builds),
        simulator=next(iter(plan.tools), ""),
        needs=context.programs([*plan.programs, *plan.tools]),
    )


def _found(plan: Plan) -> int:
    return sum(len(build.sources) - len(build.absent) for build in plan.builds)
