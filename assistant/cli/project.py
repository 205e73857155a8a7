"""`veriloop project`: what this repository is, by its own files, and where each answer comes from."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.places import REPOSITORY_FILE, find_root

if TYPE_CHECKING:
    from veriloop.assistant.project.model import Answer, BlackBox, Generated, Imported, Need, Test, Top

NAME = "project"
HELP = "show what this repository is: toplevels, files, tests, what they need"

_SHOWN = 8
_COMMAND_TIMEOUT_S = 120.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares its options."""
    parser.add_argument("--write", action="store_true", help=f"keep it as a {REPOSITORY_FILE}")
    parser.add_argument("--all", action="store_true", help="show everything, not the first of each")
    parser.add_argument(
        "--filelist-command",
        action="append",
        default=[],
        metavar="COMMAND",
        help="a command that prints a file list, such as 'bender script flist'; run at the root of the tree",
    )


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Imports, shows, and with `--write` keeps: 0; 2 where there is a `veriloop.toml` already."""
    from veriloop.assistant.project.imports import import_project
    from veriloop.assistant.project.printed import printed_list
    from veriloop.assistant.project.store import encode, known_project
    from veriloop.assistant.project.toml import as_toml
    from veriloop.assistant.repository.private import cache_home

    root = find_root(session.cwd)
    extra = [
        printed_list(root, command, timeout_s=_COMMAND_TIMEOUT_S, cancel=session.cancel)
        for command in arguments.filelist_command
    ]
    found = import_project(root, extra=extra) if extra else known_project(root, cache_home())
    data: dict[str, Any] = {**encode(found), "root": str(root)}
    text = "\n".join(_lines(found, None if arguments.all else _SHOWN))
    if arguments.write:
        target = root / REPOSITORY_FILE
        if target.exists():
            raise UsageError(f"{target} is there already", hint=f"veriloop project    or    rm {REPOSITORY_FILE}")
        _write(target, as_toml(found))
        data["written"] = str(target)
        text += f"\n\nwritten: {target}; its commands run once you have trusted them: veriloop trust"
    session.result(text, data)
    return 0


def _write(target: Path, text: str) -> None:
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error


def _lines(found: Imported, most: int | None) -> Iterator[str]:
    """The import as text."""
    what = f"{len(found.rtl)} files of the design, {len(found.bench_files)} that test, {len(found.headers)} headers"
    yield f"{found.root}: {what}, {found.lines} lines"
    yield f"read: {', '.join(found.readers) or 'nothing but the Verilog itself'}"
    yield from _section("toplevels", [_top(top) for top in found.tops], most)
    yield from _section("tests", [line for test in found.tests for line in _test(test)], most and 2 * most)
    yield from _section("include directories", [_answer(one) for one in found.include_dirs], most)
    yield from _section("defines", [_answer(one) for one in found.defines], most)
    missing = [need for need in found.needs if not need.present]
    yield from _section("missing here", [_need(need) for need in missing], most)
    yield from _section("generated, never patched", [_generated(one) for one in found.generated], most)
    yield from _section("black boxes, not checked", [_black_box(one) for one in found.black_boxes], most)
    yield from _section("could not tell", list(found.questions), most)


def _section(title: str, lines: Sequence[str], most: int | None) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield title
    shown = lines if most is None else lines[:most]
    yield from (f"  {line}" for line in shown)
    if len(shown) < len(lines):
        yield f"  ... and {len(lines) - len(shown)} more lines: --all"


def _top(top: Top) -> str:
    return f"{top.name}  ({top.path}, {len(top.files)} files, {top.lines} lines): {top.why}"


def _test(test: Test) -> Iterator[str]:
    yield test.command
    missing = [need.name for need in test.needs if not need.present]
    facts = [
        f"from {test.origin}",
        f"DUT {test.toplevel}" if test.toplevel else "",
        f"{len(test.modules)} modules" if test.modules else "",
        f"told by {test.verdict}",
        f"missing: {_few(missing)}" if missing else "",
        *test.notes,
    ]
    yield "    " + "; ".join(filter(None, facts))


def _answer(answer: Answer) -> str:
    return f"{answer.value}    {_few(answer.origins)}"


def _need(need: Need) -> str:
    how = f": {need.hint}" if need.hint else ""
    return (
        f"{need.name} ({need.kind}){how}    for {_few(need.wanted_by)}"
        if need.wanted_by
        else f"{need.name} ({need.kind}){how}"
    )


def _generated(one: Generated) -> str:
    return f"{one.path}: {one.why}{f'; by {one.generator}' if one.generator else ''}"


def _black_box(one: BlackBox) -> str:
    return f"{one.name}: {one.why}{f'; in {_few(one.used_by)}' if one.used_by else ''}"


def _few(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:3]) + (f" and {len(every) - 3} more" if len(every) > 3 else "")
