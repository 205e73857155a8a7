"""SymbiYosys: what `.sby` files prove, and on which files."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from veriloop.assistant.project.model import Build, Findings, Test
from veriloop.assistant.project.reading import Context, in_directory, origin
from veriloop.assistant.project.tree import Tree

NAME = "formal"

_SECTION = re.compile(r"^\[(\w+)(?:\s[^\]]*)?\]\s*$")
_PREP = re.compile(r"(?:prep|hierarchy|synth)\b[^\n]*?-top\s+(\w+)")
_MOST = 400


def read(tree: Tree, context: Context) -> Findings:
    """Every `.sby` file as a build and a test."""
    builds: list[Build] = []
    tests: list[Test] = []
    for path in sorted(tree.files("*.sby"))[:_MOST]:
        build = _build(tree, path)
        builds.append(build)
        tests.append(
            Test(
                name=path.as_posix(),
                command=in_directory(path.parent, f"sby -f {shlex.quote(path.name)}"),
                origin=build.origin,
                verdict="sby",
                kind="formal",
                builds=(build,),
                toplevel=next(iter(build.toplevels), ""),
                simulator="sby",
                needs=context.programs(["sby"]),
            )
        )
    return Findings(tuple(builds), tuple(tests))


def _build(tree: Tree, path: Path) -> Build:
    section, files, script = "", list[str](), list[str]()
    for line in tree.text(path).splitlines():
        if match := _SECTION.match(line):
            section = match[1]
        elif section == "files" and line.strip():
            # `name = path` gives a file another name; `task: path` belongs to one task.
            files.append(line.split(":")[-1].split()[-1])
        elif section == "script":
            script.append(line)
    inside = [tree.relative(path.parent / name) for name in files if name.endswith((".v", ".sv"))]
    there = [one for one in inside if one is not None and tree.is_file(one)]
    return Build(
        name=path.as_posix(),
        origin=origin(NAME, path),
        kind="formal",
        toplevels=tuple(dict.fromkeys(_PREP.findall("\n".join(script)))),
        sources=tuple(there),
        absent=tuple(one.as_posix() for one in inside if one is not None and one not in there),
        tool="sby",
    )
