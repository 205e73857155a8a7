"""`veriloop explain`: what RTL does, in sentences, with what cannot be told from it."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import re
from pathlib import Path
from typing import Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.config import load_config
from veriloop.assistant.design.editing.analysis import Analysis
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish
from veriloop.assistant.explain.workflow import Explanation, explain
from veriloop.assistant.places import find_root
from veriloop.models.named import opened
from veriloop.models.store import Store, data_home

NAME = "explain"
HELP = "say what a module, a block or a line does, and what is unsure about it"

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what is asked about."""
    parser.add_argument("place", metavar="FILE[:A[-B]]", help="a file, or its lines from A to B, which count from 1")
    parser.add_argument("--model", metavar="NAME", help="also ask this model for its own words, which nobody checks")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Explains: 0; 3 where there was nothing to explain."""
    path, lines = _place(arguments.place, session)
    root = find_root(path.parent)
    analysis = Analysis({root: load_config(root).repository.design})
    source = analysis.source(path)
    count = len(source.lines)
    if lines is not None and not 1 <= lines[0] <= lines[1] <= count:
        raise UsageError(f"{arguments.place}: the file has {count} lines", hint=f"veriloop explain FILE:1-{count}")
    with contextlib.ExitStack() as stack:
        model = None
        if arguments.model:
            model = stack.enter_context(opened(arguments.model, Store(data_home(os.environ)), cwd=session.cwd))
        found = finish(explain(analysis, source, lines=lines, model=model, cancel=session.cancel), session.observe)
    session.result(_text(found), _json(found))
    return 0 if found.remarks else 3


def _place(text: str, session: Session) -> tuple[Path, tuple[int, int] | None]:
    whole = session.cwd / text
    if whole.is_file():
        return whole.absolute(), None
    match = _PLACE.fullmatch(text)
    path = session.cwd / match["file"] if match is not None else whole
    if match is None or not path.is_file():
        raise UsageError(f"no such file: {text}", hint="veriloop explain FILE[:A-B]")
    if match["first"] is None:
        return path.absolute(), None
    first = int(match["first"])
    return path.absolute(), (first, int(match["last"] or first))


def _text(found: Explanation) -> str:
    lines: list[str] = []
    for remark in found.remarks:
        span = f"{remark.first_line}-{remark.last_line}" if remark.last_line > remark.first_line else remark.first_line
        lines.append(f"{found.path.name}:{span}  {remark.code}")
        lines += [f"  {says}" for says in remark.says]
    if found.words:
        lines += [
            "",
            f"{found.model} says, and nobody has checked it:",
            *(f"  {one}" for one in found.words.splitlines()),
        ]
    if found.unsure:
        lines += ["", "unsure:", *(f"  {line}" for line in found.unsure)]
    return "\n".join(lines) + "\n"


def _json(found: Explanation) -> dict[str, Any]:
    return {**dataclasses.asdict(found), "path": str(found.path)}
