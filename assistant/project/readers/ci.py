"""CI workflows: GitHub's, GitLab's, Travis': the commands that they test with, and what they install for it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from veriloop.assistant.project import needs
from veriloop.assistant.project.model import Build, Findings, Need, Test, Verdict
from veriloop.assistant.project.planning import Plan, Planner
from veriloop.assistant.project.reading import Context, in_directory, origin
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.words import Command, Shell
from veriloop.assistant.project.yaml_files import load, table, texts

NAME = "CI"

_EXPRESSION = re.compile(r"\$\{\{[^}]*\}\}")
_WORKSPACE = re.compile(r"\$\{?GITHUB_WORKSPACE\}?|\$\{?CI_PROJECT_DIR\}?|\$\{?TRAVIS_BUILD_DIR\}?")
_TESTING = re.compile(
    r"^(?:make|gmake|pytest|tox|nox|fusesoc|sby|bazel|bazelisk|vvp|svutRun|iverilog|verilator|ctest|ninja)$"
)
_OPEN = "__of_the_matrix__"
"""Stands for an expression that only the CI knows."""
_PIP_WITH_ARGUMENT = frozenset(
    {"-r", "--requirement", "-c", "--constraint", "-e", "--editable", "-t", "--target", "-i", "--index-url"}
    | {"--extra-index-url", "--progress-bar", "--prefix", "--root", "--cache-dir", "-f", "--find-links", "--timeout"}
)
_PIP_ITSELF = frozenset({"pip", "setuptools", "wheel", "virtualenv", "build", "twine"})
_NO_TEST = re.compile(r"\b(?:clean|doc|docs|html|install|lint|format|setup|deps)\b")


def read(tree: Tree, context: Context) -> Findings:
    """Every workflow."""
    planner = Planner(tree, context)
    builds: list[Build] = []
    tests: list[Test] = []
    wanted: dict[tuple[str, str], Need] = {}
    for path in _workflows(tree):
        for directory, script, variables in _scripts(tree, path):
            shell = Shell(tree, directory, dict(variables), context.variables)
            for command in shell.script(script):
                for need in _installed(command, context):
                    wanted.setdefault((need.kind, need.name), need)
                test, plan = _test(path, command, planner, context)
                builds += plan.builds
                tests += [test] if test is not None else []
    return Findings(tuple(builds), tuple(tests), tuple(wanted.values()))


def _workflows(tree: Tree) -> list[Path]:
    found = [Path(name) for name in tree.names if re.match(r"\.github/workflows/[^/]+\.ya?ml$", name)]
    return [*found, *(Path(name) for name in (".gitlab-ci.yml", ".travis.yml") if tree.is_file(Path(name)))]


def _scripts(tree: Tree, path: Path) -> Iterator[tuple[Path, str, dict[str, str]]]:
    """Directory, text and variables of each step."""
    data = table(load(tree, path))
    common = _variables(data.get("env") or data.get("variables"))
    jobs = table(data.get("jobs")) or {name: one for name, one in data.items() if isinstance(one, dict)}
    for job in [table(one) for one in jobs.values()] + [data]:
        own = {**common, **_variables(job.get("env"))}
        default = table(table(job.get("defaults")).get("run")).get("working-directory", "")
        steps = job.get("steps")
        for step in [table(one) for one in steps] if isinstance(steps, list) else []:
            if isinstance(step.get("run"), str):
                where = _clean(str(step.get("working-directory") or default or "."))
                inside = tree.relative(Path(where)) if where else None
                variables = {**own, **_variables(step.get("env"))}
                place = inside if inside is not None and tree.is_dir(inside) else _below(tree, where)
                yield place, _clean(step["run"]), variables
        for key in ("before_script", "script", "install", "before_install"):
            lines = texts(job.get(key))
            if lines:
                yield Path(), _clean("\n".join(lines)), own


def _below(tree: Tree, where: str) -> Path:
    """A directory of a checkout that was made under a name of its own: `path: serv`, then `serv/sim`."""
    tail = Path(*Path(where).parts[1:]) if where else Path()
    inside = tree.relative(tail)
    return inside if inside is not None and tree.is_dir(inside) else Path()


def _clean(text: str) -> str:
    return _EXPRESSION.sub(_OPEN, _WORKSPACE.sub(".", text))


def _variables(value: Any) -> dict[str, str]:
    return {
        name: str(one) for name, one in table(value).items() if isinstance(one, str | int) and "${{" not in str(one)
    }


def _installed(command: Command, context: Context) -> Iterator[Need]:
    """What `apt-get install` and `pip install` bring, as far as it is known as a tool."""
    words = [word for word in command.words if not word.startswith("-")]
    if words[:2] in (["apt-get", "install"], ["apt", "install"]):
        known = {"iverilog", "verilator", "yosys", "ghdl", "gtkwave"}
        yield from context.programs(word for word in words[2:] if word in known)
    elif "install" in words and (words[0].startswith("pip") or words[:3] == ["python", "-m", "pip"]):
        for word in _packages(command.words):
            need = needs.python_package(word, context.python) if re.match(r"[A-Za-z]", word) else None
            if need is not None and "/" not in word and not word.endswith(".txt") and not needs.is_program(need.name):
                yield need


def _packages(words: tuple[str, ...]) -> Iterator[str]:
    """What `pip install` is asked for, without options and their values, and without pip's own tools."""
    rest = iter(words[words.index("install") + 1 :])
    for word in rest:
        if word in _PIP_WITH_ARGUMENT:
            next(rest, "")
        elif re.split(r"[=<>~!\[]", word)[0].lower() not in _PIP_ITSELF:
            yield word


def _test(path: Path, command: Command, planner: Planner, context: Context) -> tuple[Test | None, Plan]:
    program = command.program
    module = program.startswith("python") and "-m" in command.words
    runner = program.startswith("python") and any(word.endswith("run.py") for word in command.words)
    place = origin(NAME, path, command.line)
    if not (_TESTING.match(program) or runner or (module and "pytest" in command.words)):
        return None, Plan()
    if any(_OPEN in word for word in command.words):
        return None, Plan()
    line = shlex.join(word for word in command.words if word)
    if program == "fusesoc" and ("run" not in command.words or re.search(r"--target[= ](?!sim|tb|test)", line)):
        return None, Plan()
    plan = planner.line(line, command.directory, place, dict(command.environment))
    if program in ("verilator", "iverilog") and not plan.runs:
        return None, plan
    if _NO_TEST.search(line) or (program in ("make", "gmake") and not plan.runs):
        return None, plan
    verdict: Verdict = "results.xml" if plan.cocotb else "pytest" if "pytest" in line or program == "tox" else "log"
    test = Test(
        name=f"CI: {line[:80]}",
        command=in_directory(command.directory, line),
        origin=place,
        verdict=verdict,
        kind=NAME,
        builds=tuple(plan.builds),
        simulator=next(iter(plan.tools), ""),
        needs=context.programs([program, *plan.programs, *plan.tools]),
    )
    return test, plan
