"""What a few screens look like, to the last cell. `VERILOOP_UPDATE=1` writes them anew; look at what has changed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.tui.test_app import play, say, until
from veriloop.assistant.session.change import Standing
from veriloop.tui import themes

SNAPSHOTS = Path(__file__).parent / "snapshots"


def plain(svg: str) -> str:
    """A picture without the names that its maker draws anew, a line an element."""
    return re.sub(r"terminal-\d+", "terminal", svg).replace("><", ">\n<")


@pytest.mark.parametrize(
    ("name", "keys", "theme"),
    [("session", ["f9"], themes.DARK), ("change", ["f2"], themes.LIGHT), ("evidence", ["f3"], themes.MONO)],
)
def test_it_looks_as_it_did(app, script, name, keys, theme):
    script.propose()
    script.judge(lambda diff: b"+B" in diff and b"+E" in diff)

    async def flow(pilot):
        app.theme = theme
        await say(pilot, "it is wrong")
        await pilot.press("f2")
        await until(pilot, lambda: app.conversation.deciding.links.groups)
        await pilot.press("f9", *keys)
        await until(pilot, lambda: not app.jobs.running)
        assert app.conversation.deciding.verdict.standing is Standing.VERIFIED
        app.tree_name = "tree"
        await pilot.pause(1.2)
        found = plain(app.export_screenshot(title="veriloop"))
        file = SNAPSHOTS / f"{name}.svg"
        if os.environ.get("VERILOOP_UPDATE"):
            file.write_text(found)
        assert found == file.read_text()

    play(app, flow)
