"""What runs: sent behind, stopped, looked at, forgotten."""

from __future__ import annotations

from tests.tui.conftest import DONE, Message
from tests.tui.test_app import play, say, talk, text_of, until
from veriloop.tui.jobs import State

SLOW: tuple[Message, ...] = (
    ("stage", {"name": "search"}),
    ("tried", {"count": 3, "best": 0.25, "operator": "literal", "change": "--- a/x\n+++ b/x\n-1\n+2\n"}),
    ("wait", {}),
    DONE,
)


def test_a_job_is_sent_behind_and_is_told_when_it_is_over(app, script):
    script.answer("slow", *SLOW[:-1], ("result", {"text": "slow is done", "data": {}}), DONE)

    async def flow(pilot):
        await pilot.press(*"slow", "enter", "f6")
        await until(pilot, lambda: "3 candidates, the best fails 25.0%" in text_of(app, "#about"))
        assert "search" in text_of(app, "#about")
        assert "+2" in text_of(app, "#about")
        await pilot.press("b")
        await until(pilot, lambda: "running behind" in text_of(app, "#rows"))
        assert app.jobs.front is None
        script.hold.set()
        await until(pilot, lambda: "done" in text_of(app, "#rows"))
        assert "slow is done" in talk(app)
        await pilot.press("d")
        await until(pilot, lambda: "Nothing has run yet." in text_of(app, "#rows"))

    play(app, flow)


def test_a_job_is_stopped_on_its_screen_and_what_waited_for_it_begins(app, script):
    script.answer("slow", *SLOW)
    script.answer("quick", ("result", {"text": "quick is done", "data": {}}), DONE)

    async def flow(pilot):
        await pilot.press(*"slow", "enter", *"quick", "enter", "f6")
        await until(pilot, lambda: "waiting" in text_of(app, "#rows"))
        await pilot.press("j", "x")
        slow = next(job for job in app.jobs.all if job.title == "slow")
        await until(pilot, lambda: slow.state is State.INTERRUPTED)
        await until(pilot, lambda: "quick is done" in talk(app))
        assert "Nothing on disk was changed" in talk(app)
        assert "interrupted" in text_of(app, "#rows")

    play(app, flow)


def test_what_waits_is_taken_back(app, script):
    script.answer("slow", *SLOW)

    async def flow(pilot):
        await pilot.press(*"slow", "enter", *"quick", "enter", "f6")
        await until(pilot, lambda: "waiting" in text_of(app, "#rows"))
        await pilot.press("x")
        quick = next(job for job in app.jobs.all if job.title == "quick")
        await until(pilot, lambda: quick.state is State.INTERRUPTED)
        assert app.jobs.front is not None
        script.hold.set()
        await until(pilot, lambda: app.jobs.front is None)
        await pilot.press("s")
        await say(pilot, "/context")
        assert "No file is taken into account" in talk(app)

    play(app, flow)
