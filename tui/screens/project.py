"""The repository: its hierarchy with what is verified of it, its tests, and what has changed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from veriloop.assistant.standing.ago import ago
from veriloop.tui.lines import Line, Look, clean
from veriloop.tui.screens.base import Page
from veriloop.tui.survey import Survey
from veriloop.tui.widgets.choosing import Choosing
from veriloop.tui.widgets.text_view import TextView

_STATES: Mapping[str | None, tuple[str, Look]] = {
    "passed": ("passes", "good"),
    "failed": ("fails", "bad"),
    "stale": ("to run again", "warn"),
    "never": ("never ran here", "warn"),
    None: ("no test", "dim"),
}


@dataclass(frozen=True, slots=True)
class _Row:
    """A row and what it stands for."""

    line: Line
    kind: str
    """`module`, `test`, `file` or empty for a heading."""
    data: Mapping[str, Any]


class ProjectScreen(Page):
    """What is here and how it stands."""

    TITLE_TEXT = "project"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "repair", "Repair"),
        Binding("x", "run_tests", "Run tests"),
        Binding("c", "check", "Check changes"),
        Binding("m", "mention", "Mention"),
        Binding("l", "look", "Look again", show=False),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[_Row] = []

    def body(self) -> ComposeResult:
        """The list, and what is known of the marked row."""
        yield Choosing(id="rows")
        yield TextView(id="about")

    def on_mount(self) -> None:
        """Keys act on the list."""
        self.query_one(Choosing).focus()

    def update_page(self) -> None:
        """Lists what is known."""
        self._rows = list(self._listed())
        self.query_one(Choosing).rows([row.line for row in self._rows])
        self._about()

    def on_choosing_moved(self) -> None:
        """Another row is marked."""
        self._about()

    def on_choosing_taken(self) -> None:
        """Enter on a row."""
        self.action_explain()

    # --- rows ---

    def _listed(self) -> Iterator[_Row]:
        survey = self.veriloop.survey
        if not survey.known:
            yield _Row(Line("looking around ...", "dim"), "", {})
            return
        if survey.problem:
            yield _Row(Line(clean(survey.problem), "bad"), "", {})
            yield _Row(Line(clean(f"try: {survey.hint}"), "key"), "", {})
            return
        yield _Row(Line("tests", "head"), "", {})
        width = max((len(one["name"]) for one in survey.tests), default=0)
        for one in survey.tests:
            yield _Row(_with_state(f"  {one['name']:<{width}}", one["state"]), "test", one)
        if not survey.tests:
            yield _Row(Line("  none was found: [[testbench]] in veriloop.toml names them", "warn"), "", {})
        yield _Row(Line("hierarchy", "head"), "", {})
        width = max((len(_named(one)) for one in survey.hierarchy), default=0)
        for one in survey.hierarchy:
            yield _Row(_with_state(f"  {_named(one):<{width}}", one["state"]), "module", one)
        files = _files(survey)
        if files:
            yield _Row(Line("files", "head"), "", {})
        for path in files:
            changed = "  changed since the last commit" if path in survey.changed else ""
            spans: tuple[tuple[int, int, Look], ...] = ((len(path) + 4, len(path) + 2 + len(changed), "warn"),)
            yield _Row(Line(clean(f"  {path}{changed}"), "", spans if changed else ()), "file", {"file": path})

    def _about(self) -> None:
        view = self.query_one("#about", TextView)
        row = self._marked()
        view.put(list(_details(row)) if row is not None else [])

    def _marked(self) -> _Row | None:
        chosen = self.query_one(Choosing).chosen
        return self._rows[chosen] if chosen < len(self._rows) else None

    # --- keys ---

    def action_explain(self) -> None:
        """Explains the marked module."""
        row = self._marked()
        if row is not None and row.data.get("file"):
            self._say(f"/explain {_quoted(row.data['file'])}")

    def action_repair(self) -> None:
        """Looks for a repair: by the marked test, else by one that fails."""
        row = self._marked()
        if row is not None and row.kind == "test":
            self._say(f"/repair --testbench {_quoted(row.data['testbench'])}")
        else:
            self._say("/repair")

    def action_run_tests(self) -> None:
        """Runs the tests whose verdict is not known."""
        self._say("/test")

    def action_check(self) -> None:
        """Judges what has changed since the last commit."""
        self._say("/check")

    def action_mention(self) -> None:
        """Puts the marked file into the input."""
        row = self._marked()
        file = str(row.data.get("file") or row.data.get("testbench") or "") if row is not None else ""
        if file:
            self.veriloop.action_show("session")
            self.veriloop.session.write(f"@{_quoted(file)} ")

    def action_look(self) -> None:
        """Finds out anew."""
        self.veriloop.look()

    def _say(self, text: str) -> None:
        self.veriloop.action_show("session")
        self.veriloop.submit(text)


def _files(survey: Survey) -> list[str]:
    """What the hierarchy and the tests are read from, and what else has changed."""
    named = [str(one["file"]) for one in survey.hierarchy] + [str(one["testbench"]) for one in survey.tests]
    return sorted({path for path in named if PurePath(path).suffix} | set(survey.changed))


def _named(one: Mapping[str, Any]) -> str:
    path = str(one["path"])
    name = path.rpartition(".")[2]
    what = name if name == one["module"] else f"{name}: {one['module']}"
    return "  " * path.count(".") + what


def _with_state(text: str, state: str | None) -> Line:
    said, look = _STATES[state]
    start = len(text) + 2
    return Line(clean(f"{text}  {said}"), "", ((start, start + len(said), look),))


def _details(row: _Row) -> Iterator[Line]:
    data = row.data
    if row.kind == "module":
        yield Line(clean(f"{data['path']}: {data['module']}"), "head")
        yield Line(clean(data["file"] or "its file is nowhere in this tree"), "dim")
        yield Line(clean(data["standing"] or "no test exercises it"))
    elif row.kind == "test":
        yield Line(clean(data["name"]), "head")
        if data["when"]:
            last = "passed" if data["passed"] else "failed"
            yield Line(f"{last} {ago(time.time() - data['when'])}")
        exercises = ", ".join(data["modules"])
        yield Line(clean(f"exercises {exercises}" if exercises else "may exercise anything"), "dim")
    elif row.kind == "file":
        yield Line(clean(data["file"]), "head")


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path
