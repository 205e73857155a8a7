"""`veriloop lsp-query`: every question that an editor can ask, asked from the command line."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.complete.filler import Filler
from veriloop.assistant.complete.suggest import Suggester, Suggestion
from veriloop.assistant.config import load_config
from veriloop.assistant.design.editing import definition, uses
from veriloop.assistant.design.editing.analysis import Analysis, Place
from veriloop.assistant.design.editing.autos import expand_autos
from veriloop.assistant.design.editing.coloring import color
from veriloop.assistant.design.editing.completion import complete
from veriloop.assistant.design.editing.cones import cone, drivers
from veriloop.assistant.design.editing.expand import expand
from veriloop.assistant.design.editing.folding import folds, selections
from veriloop.assistant.design.editing.formatting import formatted
from veriloop.assistant.design.editing.hierarchy import above, below, unit_at
from veriloop.assistant.design.editing.hints import hints
from veriloop.assistant.design.editing.hover import hover
from veriloop.assistant.design.editing.links import links
from veriloop.assistant.design.editing.names import Name, document_names, workspace_names
from veriloop.assistant.design.editing.rename import Replacement, renamable, rename
from veriloop.assistant.design.editing.signature import signature
from veriloop.assistant.design.symbols.outline import DESIGN_UNITS
from veriloop.assistant.design.symbols.source import Source
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note
from veriloop.assistant.places import find_root
from veriloop.assistant.standing.summary import told
from veriloop.assistant.standing.verdicts import context_of, standings
from veriloop.assistant.verify.lint import lint, without_repeats
from veriloop.models.store import Store, data_home

NAME = "lsp-query"
HELP = "ask what the language server knows, from the command line"

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>\d+)(?::(?P<column>\d+))?)?")


@dataclasses.dataclass(frozen=True, slots=True)
class _Query:
    """What is asked about: a file, a byte of it, and further words."""

    analysis: Analysis
    source: Source
    at: int
    session: Session
    text: str


def _file_end(query: _Query) -> int:
    return len(query.source.content)


QUESTIONS: Mapping[str, Callable[[_Query], Any]] = {
    "definition": lambda q: definition.definition(q.analysis, q.source, q.at),
    "declaration": lambda q: definition.declaration(q.analysis, q.source, q.at),
    "type-definition": lambda q: definition.type_definition(q.analysis, q.source, q.at),
    "implementation": lambda q: definition.implementation(q.analysis, q.source, q.at),
    "references": lambda q: uses.find_references(q.analysis, q.source, q.at, cancel=q.session.cancel),
    "highlight": lambda q: [place for place, _ in uses.highlight(q.analysis, q.source, q.at)],
    "hover": lambda q: hover(q.analysis, q.source, q.at),
    "completion": lambda q: [item.label for item in complete(q.analysis, q.source, q.at).items],
    "signature": lambda q: signature(q.analysis, q.source, q.at),
    "prepare-rename": lambda q: renamable(q.analysis, q.source, q.at),
    "rename": lambda q: rename(q.analysis, q.source, q.at, q.text, q.session.cancel),
    "symbols": lambda q: document_names(q.source),
    "workspace-symbols": lambda q: workspace_names(q.analysis, q.text, q.session.cancel),
    "semantic-tokens": lambda q: list(color(q.analysis, q.source, cancel=q.session.cancel)),
    "hints": lambda q: hints(q.analysis, q.source, 0, _file_end(q)),
    "folding": lambda q: folds(q.source),
    "selection": lambda q: [Place(q.source.path, *place) for place in selections(q.source, q.at)],
    "links": lambda q: [target or place for place, target in links(q.analysis, q.source)],
    "hierarchy": lambda q: _hierarchy(q),
    "format": lambda q: formatted(q.source, q.session.cancel).decode("utf-8", errors="replace"),
    "expand-autos": lambda q: expand_autos(q.analysis, q.source),
    "expand-macro": lambda q: expand(q.analysis, q.source, q.at),
    "drivers": lambda q: drivers(q.analysis, q.source, q.at),
    "driver-cone": lambda q: cone(q.analysis, q.source, q.at, "drivers"),
    "load-cone": lambda q: cone(q.analysis, q.source, q.at, "loads"),
    "diagnostics": lambda q: _diagnostics(q),
    "verification": lambda q: _verification(q),
    "inline": lambda q: _inline(q),
}
"""Each question of an editor."""
_WITH_TEXT = {"rename": "the new name", "workspace-symbols": "a part of a name"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares what is asked, and where."""
    parser.add_argument("question", choices=sorted(QUESTIONS), metavar="QUESTION", help=", ".join(sorted(QUESTIONS)))
    parser.add_argument("place", metavar="FILE[:LINE[:COL]]", help="where; lines and columns count from 1")
    parser.add_argument("text", nargs="?", default="", metavar="TEXT", help="rename: the new name; or a part of a name")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Answers one question: 0, also where the answer is that there is nothing."""
    if bool(arguments.text) != (arguments.question in _WITH_TEXT):
        wanted = _WITH_TEXT.get(arguments.question)
        raise UsageError(f"{arguments.question} needs {wanted}" if wanted else f"{arguments.question} takes no TEXT")
    match = _PLACE.fullmatch(arguments.place)
    path = (session.cwd / (match["file"] if match else arguments.place)).absolute()
    if match is None or not path.is_file():
        raise UsageError(f"no such file: {arguments.place}", hint="FILE:LINE:COL")
    root = find_root(path.parent)
    analysis = Analysis({root: load_config(root).repository.design})
    source = analysis.source(path)
    line, column = int(match["line"] or 1), int(match["column"] or 1)
    if line < 1 or line > len(source.lines) or column < 1:
        raise UsageError(f"{arguments.place}: the file has {len(source.lines)} lines; both count from 1")
    query = _Query(analysis, source, source.lines.at(line - 1, column - 1), session, arguments.text)
    found = QUESTIONS[arguments.question](query)
    session.result(_text(analysis, session, found), {"question": arguments.question, "result": _plain(analysis, found)})
    return 0


def _hierarchy(query: _Query) -> Any:
    unit = unit_at(query.analysis, query.source, query.at)
    if unit is None:
        return None
    source = query.analysis.source(unit.at.path)
    parts = {"unit": unit, "below": below(query.analysis, source, unit.at.start)}
    return {**parts, "above": above(query.analysis, source, unit.at.start)}


def _diagnostics(query: _Query) -> Any:
    """Slang's and Verilator's, as an editor shows them for a file that is saved."""
    found = query.analysis.live.diagnostics(query.source)
    project = query.analysis.workspace.project_of(query.source.path)
    return without_repeats(found, lint(query.source.path, project, query.session.cancel))


def _verification(query: _Query) -> list[str]:
    """How each module of the file stands, as an editor shows it; nothing is run."""
    context, tests = context_of(query.source.path, query.session.cancel)
    known = standings(context, tests)
    found = []
    for one in query.source.outline.declarations:
        if one.kind in DESIGN_UNITS:
            text = told(context.repository, known, one.name, query.source.path, query.source.content, time.time())
            found.append(f"{one.name}: {text or 'no test exercises it'}")
    return found


def _inline(query: _Query) -> list[Suggestion]:
    """What an editor would suggest: what needs no model, and before it what a model makes of it."""
    query.analysis.workspace.index()
    suggester = Suggester(query.analysis)
    at_once = suggester.at_once(query.source, query.at, query.session.cancel)
    found = [at_once]
    question = suggester.question(query.source, query.at)
    if question is not None and (at_once is None or at_once.origin == "lines"):
        filler = Filler(Store(data_home(os.environ)))
        try:
            told: Future[str] = Future()
            told.set_result(at_once.text if at_once is not None else "")
            texts = filler.fill(question, told, stop=lambda: query.session.cancel.cancelled)
        finally:
            filler.close()
        own = suggester.checked(query.source, query.at, texts, query.session.cancel)
        if own is not None and (at_once is None or own.text != at_once.text):
            found.insert(0, own)
        if filler.complaint:
            query.session.observe(Note(filler.complaint))
    return [one for one in found if one is not None]


def _plain(analysis: Analysis, value: Any) -> Any:
    """An answer as JSON: places with 1-based lines and columns, in code points."""
    if isinstance(value, Place):
        return _place(analysis, value)
    if isinstance(value, Replacement):
        return {**_place(analysis, value.at), "text": value.text}
    if isinstance(value, Name):
        inner = [_plain(analysis, one) for one in value.inner]
        return {"name": value.name, "kind": value.kind, **_place(analysis, value.at), "inner": inner}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(analysis, getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(analysis, one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(analysis, one) for one in value]
    return str(value) if isinstance(value, Path) else value


def _place(analysis: Analysis, place: Place) -> dict[str, Any]:
    source = analysis.source(place.path)
    line, column = source.lines.position(place.start)
    end_line, end_column = source.lines.position(place.end)
    ends = {"end_line": end_line + 1, "end_column": end_column + 1}
    return {"path": str(place.path), "line": line + 1, "column": column + 1, **ends}


def _text(analysis: Analysis, session: Session, value: Any) -> str:
    """An answer for people: a line a place, else the values by name."""
    if value is None or value == []:
        return "nothing"
    if isinstance(value, str):
        return value
    if isinstance(value, Place):
        where = _place(analysis, value)
        path = Path(where["path"])
        shown = path.relative_to(session.cwd) if path.is_relative_to(session.cwd) else path
        source = analysis.source(value.path)
        text = source.lines.text(where["line"] - 1).decode("utf-8", errors="replace").strip()
        return f"{shown}:{where['line']}:{where['column']}: {text}"
    if isinstance(value, Replacement):
        return f"{_text(analysis, session, value.at)}\n  -> {value.text}"
    if isinstance(value, Name):
        lines = [f"{value.kind} {value.name}", *(_text(analysis, session, one) for one in value.inner)]
        return "\n  ".join("\n".join(lines).splitlines())
    if isinstance(value, list | tuple):
        return "\n".join(_text(analysis, session, one) for one in value)
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_text(analysis, session, one)}" for name, one in value.items())
    if dataclasses.is_dataclass(value) and not hasattr(value, "severity"):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return "\n".join(
            f"{name}: {_text(analysis, session, one)}" for name, one in fields.items() if one not in ("", None)
        )
    return str(value)
