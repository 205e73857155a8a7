"""What the screens look like, to the last cell. `VERILOOP_UPDATE=1` writes them anew; look at what has changed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.tui.conftest import DONE, STATUS
from tests.tui.test_app import play, say, until
from tests.tui.test_waves import record
from veriloop.assistant.session.change import Standing
from veriloop.tui import themes
from veriloop.tui.widgets.bars import Header
from veriloop.tui.widgets.prompt import Prompt

SNAPSHOTS = Path(__file__).parent / "snapshots"
MODELS = {
    "models": [{"name": "veriloop-small", "size_bytes": 2_343_072, "decode_tok_s": 0.0, "licence": "Apache-2.0"}],
    "used": {role: {"name": "veriloop-small", "why": "it comes with Veriloop"} for role in ("repair", "complete")},
    "catalogue": [{"name": "another-7b", "about": "writes Verilog with a chain of thought"}],
}


def plain(svg: str) -> str:
    """A picture without the names that its maker draws anew and without times, a line an element."""
    named = re.sub(r"terminal-\d+", "terminal", svg).replace("><", ">\n<")
    return re.sub(r"\d{4}-\d\d-\d\d&#160;\d\d:\d\d", "2026-01-01&#160;00:00", named)


def waves(script, folder: Path) -> None:
    """Answers what the screen of the waves asks for."""
    for name, values in (("seen", [0, 1, 3, 5, 5]), ("expected", [0, 1, 2, 3, 4])):
        (folder / f"{name}.vcd").write_text(record(values))
    parts = {"signal": "t.q", "expected": "4'b0010", "seen": "4'b0011", "cycle": 3, "at_fs": 20_000_000}
    told = {
        "seen": str(folder / "seen.vcd"),
        "expected": str(folder / "expected.vcd"),
        "divergence": parts,
        "signals": ["t.q", "t.clk"],
    }
    script.answer("waves --testbench tb.v", ("result", {"text": "", "data": told}), DONE)


@pytest.mark.parametrize(
    ("theme", "size", "shown"),
    [
        (themes.DARK, (80, 24), {"f9": "session", "f2": "change", "f3": "evidence", "f5": "project"}),
        (themes.LIGHT, (80, 24), {"f7": "models", "f8": "history", "f6": "jobs"}),
        (themes.MONO, (100, 30), {"f4": "waves"}),
    ],
)
def test_it_looks_as_it_did(app, script, tmp_path, theme, size, shown):
    script.propose()
    script.judge(lambda diff: b"+B" in diff and b"+E" in diff)
    script.answer("models", ("result", {"text": "", "data": MODELS}), DONE)
    # How long ago something was is not to be seen.
    tests = [{**one, "when": 0.0} for one in STATUS["tests"]]
    script.answer("status", ("result", {"text": "", "data": {**STATUS, "tests": tests}}), DONE)
    waves(script, tmp_path)
    app.tree_name = "tree"
    differ = []

    async def flow(pilot):
        app.theme = theme
        app.session.query_one(Prompt).cursor_blink = False
        await say(pilot, "it is wrong")
        await pilot.press("f2")
        await until(pilot, lambda: app.conversation.deciding.links.groups)
        assert app.conversation.deciding.verdict.standing is Standing.VERIFIED
        for key, name in shown.items():
            await pilot.press(key, *("G" if name == "jobs" else ""))
            await until(pilot, lambda: not [job for job in app.jobs.all if not job.is_over])
            for job in app.jobs.all:
                job.began, job.ended, job.stages = 1.0, 3.0, [("search", 1.0)]
            await pilot.pause()
            if name == "waves":
                await until(pilot, lambda: app.screen._window is not None)
            for header in app.screen.query(Header):
                header.refresh()
            if name in ("jobs", "models", "history"):
                app.screen.update_page()
            await pilot.pause()
            found, file = plain(app.export_screenshot(title="veriloop")), SNAPSHOTS / f"{name}.svg"
            if os.environ.get("VERILOOP_UPDATE"):
                file.write_text(found)
            if not file.exists() or found != file.read_text():
                (tmp_path / file.name).write_text(found)
                differ.append(str(tmp_path / file.name))

    play(app, flow, size)
    assert differ == [], "these differ from tests/tui/snapshots/"
