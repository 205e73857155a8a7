"""Test runners over the whole tree: tox, nox, and pytest's own settings."""

from __future__ import annotations

import configparser
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

from veriloop.assistant.project import needs
from veriloop.assistant.project.model import Findings, Need, Test, Verdict
from veriloop.assistant.project.reading import Context, origin
from veriloop.assistant.project.tree import Tree

NAME = "runner"

_SETENV = re.compile(r"^\s*(\w+)\s*=\s*(.*?)\s*$")
_POSARGS = re.compile(r"\{posargs(?::([^}]*))?\}")
_HDL = re.compile(r"cocotb|vunit|myhdl|fusesoc|verilator|iverilog|pytest", re.I)


def surroundings(tree: Tree) -> dict[str, str]:
    """Variables that tox sets for the tests: `[testenv] setenv`."""
    found: dict[str, str] = {}
    for line in _ini(tree, Path("tox.ini")).get("testenv", {}).get("setenv", "").splitlines():
        if match := _SETENV.match(line):
            found[match[1]] = match[2].strip("\"'").replace("{toxinidir}", str(tree.root))
    return found


def read(tree: Tree, context: Context) -> Findings:
    """Each environment of tox, each session of nox, and pytest over the paths that its settings name."""
    tests: list[Test] = []
    for path in sorted(tree.files("tox.ini"), key=lambda path: len(path.parts))[:20]:
        tests += _tox(tree, path, context)
    for path in sorted(tree.files("noxfile.py"), key=lambda path: len(path.parts))[:5]:
        tests += _nox(tree, path, context)
    tests += _pytest(tree, context)
    return Findings((), tuple(tests))


def _tox(tree: Tree, path: Path, context: Context) -> list[Test]:
    ini = _ini(tree, path)
    found = []
    for section, table in ini.items():
        if section != "testenv" and not section.startswith("testenv:"):
            continue
        commands = [line.strip() for line in table.get("commands", "").splitlines() if line.strip()]
        if not commands or not _HDL.search(" ".join([*commands, table.get("deps", "")])):
            continue
        name = section.partition(":")[2]
        first = _POSARGS.sub(lambda match: match[1] or "", commands[-1]).strip()
        directory = path.parent.as_posix()
        options = [] if directory == "." else ["-c", path.as_posix()]
        found.append(
            Test(
                name=f"tox{': ' + name if name else ''}{'' if directory == '.' else f' in {directory}'}",
                command=shlex.join(["tox", *options, *(["-e", name] if name else [])]),
                origin=origin("tox", path),
                verdict="pytest" if "pytest" in first else "log",
                kind="tox",
                needs=(*context.programs(["tox"]), *_requirements(table.get("deps", ""), context)),
                notes=(f"without tox: {first}",),
            )
        )
    return found


def _requirements(text: str, context: Context) -> list[Need]:
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    found = (needs.python_package(line, context.python) for line in lines if line and not line.startswith("-"))
    return [need for need in found if need is not None]


def _nox(tree: Tree, path: Path, context: Context) -> list[Test]:
    script = context.script(path)
    options = [] if path.parent == Path() else ["-f", path.as_posix()]
    return [
        Test(
            name=f"nox: {name}",
            command=shlex.join(["nox", *options, "-s", name]),
            origin=origin("nox", path),
            verdict="pytest",
            kind="nox",
            needs=context.programs(["nox"]),
        )
        for name, decorators in script.functions.items()
        if any("session" in one for one in decorators) and re.search(r"test|sim", name)
    ]


def _pytest(tree: Tree, context: Context) -> list[Test]:
    """`pytest` at the root, where its settings say which paths hold tests, and these simulate."""
    for name, read_ in (
        ("pytest.ini", _pytest_ini),
        ("tox.ini", _pytest_ini),
        ("setup.cfg", _setup),
        ("pyproject.toml", _toml),
    ):
        if not tree.is_file(Path(name)) or not (paths := read_(tree, Path(name))):
            continue
        there = [one for one in paths if tree.is_dir(Path(one)) or tree.is_file(Path(one))]
        simulating = any(
            re.search(r"cocotb|get_runner|vunit|myhdl", tree.text(path), re.I)
            for path in tree.files("test_*.py", "*_test.py")
            if any(path.is_relative_to(one) for one in there)
        )
        if simulating:
            verdict: Verdict = "pytest"
            return [
                Test(
                    name="pytest",
                    command=f"python3 -m pytest {shlex.join(there)}",
                    origin=origin("pytest", Path(name)),
                    verdict=verdict,
                    kind="pytest",
                    needs=context.packages(["pytest"]),
                )
            ]
    return []


def _pytest_ini(tree: Tree, path: Path) -> list[str]:
    return _ini(tree, path).get("pytest", {}).get("testpaths", "").split()


def _setup(tree: Tree, path: Path) -> list[str]:
    return _ini(tree, path).get("tool:pytest", {}).get("testpaths", "").split()


def _toml(tree: Tree, path: Path) -> list[str]:
    try:
        data: Any = tomllib.loads(tree.text(path))
    except tomllib.TOMLDecodeError:
        return []
    paths = data.get("tool", {}).get("pytest", {}).get("ini_options", {}).get("testpaths", [])
    return [str(one) for one in paths] if isinstance(paths, list) else str(paths).split()


def _ini(tree: Tree, path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their case
    try:
        parser.read_string(tree.text(path))
    except (configparser.Error, ValueError):
        return {}
    return {name: {key: value or "" for key, value in parser.items(name)} for name in parser.sections()}
