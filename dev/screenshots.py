"""Pictures of every screen of the terminal, for the README: `python dev/screenshots.py DIRECTORY`.

A real repair of `examples/fifo` in a throw-away repository, at 80x24 and 160x48, on dark and on light ground. Needs
what the terminal needs, and `resvg-py` (the extra `dev`).
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import resvg_py
from textual.pilot import Pilot

from veriloop.assistant.session.start import session
from veriloop.tui import themes
from veriloop.tui.app import VeriloopApp
from veriloop.tui.widgets.choosing import Choosing

SIZES = ((80, 24), (160, 48))
SCREENS = ("session", "change", "evidence", "waves", "project", "jobs", "models", "history")
ROOT = Path(__file__).resolve().parent.parent


async def until(pilot: Pilot[str], true: Callable[[], object], seconds: float = 600) -> None:
    """Waits for something."""
    for _ in range(int(seconds * 20)):
        if true():
            return
        await pilot.pause(0.05)
    raise SystemExit("the terminal did not come to that")


async def take(app: VeriloopApp, target: Path) -> None:
    """Repairs, and draws every screen in every size and theme."""
    async with app.run_test(size=SIZES[0]) as pilot:
        await until(pilot, lambda: app.survey.known)
        # With time enough for a machine that is busy.
        app.submit("repair tb/fifo_tb.sv --spec docs/fifo.md --budget 600")
        await until(pilot, lambda: app.conversation.decision is not None and app.jobs.front is None)
        await until(pilot, lambda: not app.jobs.running)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            for theme in (themes.DARK, themes.LIGHT):
                app.theme = theme
                for screen in (*SCREENS, "help"):
                    app.action_show("change" if screen == "help" else screen)
                    if screen == "help":
                        app.action_help()
                    await pilot.pause(1.0)
                    await until(pilot, lambda: not [job for job in app.jobs.all if not job.is_over])
                    if screen == "waves":
                        await until(pilot, lambda: "recording" not in app.screen.query_one(Choosing).lines[0].text)
                    await pilot.pause(0.2)
                    name = f"{screen}-{size[0]}x{size[1]}-{theme.removeprefix('veriloop-')}"
                    draw(app.export_screenshot(title="veriloop"), target / f"{name}.png")
        app.exit()


def draw(svg: str, target: Path) -> None:
    """A picture of a screen."""
    # The drawing names fonts by address; what is installed will do.
    plain = svg.replace("Fira Code", "DejaVu Sans Mono")
    target.write_bytes(bytes(resvg_py.svg_to_bytes(svg_string=plain, font_family="DejaVu Sans Mono")))


def main() -> None:
    """Makes the pictures."""
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots").resolve()
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name, "fifo")
        shutil.copytree(ROOT / "examples/fifo", root)
        for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "A FIFO that fails")):
            who = ["-c", "user.name=demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false"]
            subprocess.run(["git", *who, *words], cwd=root, check=True)
        with session(argparse.Namespace(resume=None), root) as opened:
            asyncio.run(take(VeriloopApp(opened), target))


if __name__ == "__main__":
    main()
