"""An import as a `veriloop.toml` to keep."""

from __future__ import annotations

import json
from collections.abc import Iterator

from veriloop.assistant.project.model import Build, Imported, Test

_MOST_TESTS = 40
_TIMEOUT_S = 600


def as_toml(found: Imported) -> str:
    """The file's text: the design, and each test as a command, those that can run here first."""
    return "\n".join([*_design(found), *_tests(found)]) + "\n"


def _design(found: Imported) -> Iterator[str]:
    yield "# What `veriloop project` found in this repository. Change what is wrong; delete what is found anyway."
    yield ""
    yield "[design]"
    if not found.tops:
        return
    top = found.tops[0]
    yield f"toplevel = {_text(top.name)}    # {top.why}"
    others = [one.name for one in found.tops[1:6]]
    if others:
        yield f"# also at the top of something: {', '.join(others)}{' ...' if len(found.tops) > 6 else ''}"
    builds = [build for build in found.builds if top.name in build.toplevels and build.kind != "formal"]
    yield from _list("include_dirs", _common(builds, lambda build: [str(path) for path in build.include_dirs]))
    defines = _common(builds, lambda build: [f"{name}={value}" if value else name for name, value in build.defines])
    yield from _list("defines", defines)


def _common(builds: list[Build], of: object) -> list[str]:
    """What every build of the toplevel has: a macro that one test sets is no part of the design."""
    assert callable(of)
    lists = [of(build) for build in builds]
    return [value for value in lists[0] if all(value in one for one in lists)] if lists else []


def _tests(found: Imported) -> Iterator[str]:
    names: set[str] = set()
    for test in found.tests[:_MOST_TESTS]:
        name = test.name
        while name in names:
            name += "'"
        names.add(name)
        yield ""
        yield f"# {test.origin}{_needs(test)}"
        yield "[[testbench]]"
        yield f"name = {_text(name)}"
        yield 'kind = "command"'
        yield f"command = {_text(test.command)}"
        yield f"timeout_s = {_TIMEOUT_S}"


def _needs(test: Test) -> str:
    missing = [need.name for need in test.needs if not need.present]
    return f"; missing here: {', '.join(missing[:6])}" if missing else ""


def _list(name: str, values: list[str]) -> Iterator[str]:
    if values:
        yield f"{name} = [{', '.join(map(_text, values))}]"


def _text(value: str) -> str:
    # A JSON string is a basic string of TOML, except for DEL.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
