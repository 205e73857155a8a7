"""Looking back: earlier sessions, going on with one, undo and why."""

from __future__ import annotations

import argparse

import pytest

from tests.tui.conftest import DONE, Script, Scripted
from tests.tui.test_app import play, say, talk, text_of, until
from veriloop.assistant.session.start import session
from veriloop.tui.app import VeriloopApp


@pytest.fixture
def earlier(root):
    """The name of a session in which a change was proposed and one hunk of it rejected."""
    script = Script()
    script.propose()
    script.judge(lambda diff: True)
    with session(argparse.Namespace(resume=None), root) as opened:
        app = VeriloopApp(opened, performer=lambda: Scripted(script))

        async def flow(pilot):
            await say(pilot, "it is wrong")
            await say(pilot, "/reject 2")

        play(app, flow)
        return opened.place.directory.name


def test_an_earlier_session_is_shown_and_gone_on_with(earlier, app, script, root):
    async def flow(pilot):
        await pilot.press("f8")
        await until(pilot, lambda: "it is wrong" in text_of(app, "#rows"))
        assert "2 turns" in text_of(app, "#rows")
        about = text_of(app, "#about")
        assert "> it is wrong" in about
        assert "verified" in about
        await pilot.press("enter")
        await until(pilot, lambda: app.return_value)

    play(app, flow)
    assert app.return_value == earlier
    with session(argparse.Namespace(resume=earlier), root) as opened:
        again = VeriloopApp(opened, performer=lambda: Scripted(script))

        async def going_on(pilot):
            assert "> it is wrong" in talk(again)
            assert [choice.accepted for choice in again.conversation.deciding.choices] == [True, False]
            await pilot.press("f2")
            await until(pilot, lambda: "[rejected]" in text_of(again, "#hunks"))

        play(again, going_on)


def test_this_session_is_open_and_cannot_be_gone_on_with(app, script):
    script.answer("one", DONE)

    async def flow(pilot):
        await say(pilot, "one")
        await pilot.press("f8")
        await until(pilot, lambda: "this one" in text_of(app, "#rows"))
        await pilot.press("enter")
        await pilot.pause()
        assert app.is_running
        assert app.current_mode == "history"

    play(app, flow)


def test_what_was_applied_is_undone_and_explained(app, script):
    script.propose()
    script.judge(lambda diff: True)
    script.answer("/undo", ("result", {"text": "restored rtl/a.v", "data": {"restored": ["rtl/a.v"]}}), DONE)

    async def flow(pilot):
        await say(pilot, "it is wrong")
        await say(pilot, "/apply")
        await until(pilot, lambda: app.conversation.deciding.applied)
        await pilot.press("f8")
        await until(pilot, lambda: "1 applied" in text_of(app, "#rows"))
        await pilot.press("w")
        await until(pilot, lambda: "You had said: it is wrong" in talk(app))
        await pilot.press("f8", "u")
        await until(pilot, lambda: "restored rtl/a.v" in talk(app))
        assert app.conversation.record.entries[-2].kind == "undone"
        assert not app.conversation.deciding.applied
        await pilot.press("f8")
        await until(pilot, lambda: "taken back" in text_of(app, "#about"))

    play(app, flow)
