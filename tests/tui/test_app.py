from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual import events
from textual.pilot import Pilot

from tests.tui.conftest import DONE, STATUS, full_report
from veriloop.assistant.session.change import Standing
from veriloop.tui.app import VeriloopApp
from veriloop.tui.jobs import State
from veriloop.tui.screens.session import SessionScreen
from veriloop.tui.widgets.activity import Activity
from veriloop.tui.widgets.offers import Offers
from veriloop.tui.widgets.prompt import Prompt
from veriloop.tui.widgets.text_view import TextView

Flow = Callable[[Pilot[Any]], Awaitable[None]]


def play(app: VeriloopApp, flow: Flow, size: tuple[int, int] = (80, 24)) -> None:
    """Runs a flow of keys in a terminal of a size."""

    async def run() -> None:
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: app.survey.known)
            await flow(pilot)

    asyncio.run(run())


async def until(pilot: Pilot[Any], true: Callable[[], object]) -> None:
    for _ in range(2000):
        if true():
            return
        await pilot.pause(0.01)
    raise AssertionError("it never came to that")


async def say(pilot: Pilot[Any], text: str) -> None:
    app = pilot.app
    assert isinstance(app, VeriloopApp)
    await pilot.press(*("space" if letter == " " else "slash" if letter == "/" else letter for letter in text), "enter")
    await until(pilot, lambda: all(job.is_over for job in app.jobs.all))
    await pilot.pause()


def talk(app: VeriloopApp) -> str:
    return "\n".join(line.text for line in app.session.query_one("#talk", TextView).lines)


def text_of(app: VeriloopApp, selector: str) -> str:
    return "\n".join(line.text for line in app.screen.query_one(selector, TextView).lines)


def test_the_first_screen_says_what_is_here_and_what_to_type(app):
    async def flow(pilot):
        said = talk(app)
        assert "tb/a_tb.v: failed" in said
        assert "repair" in said
        assert "Nothing in your files changes" in said
        assert isinstance(app.focused, Prompt)
        assert app.standing == ("tests: 1 of 2 fail", "bad")

    play(app, flow)


def test_from_a_sentence_to_an_applied_change(app, script):
    script.propose()
    script.judge(lambda diff: True)

    async def flow(pilot):
        await say(pilot, "it is wrong")
        said = talk(app)
        for line in (
            "> it is wrong",
            "veriloop repair --testbench tb.v",
            "because it fails",
            "a note",
            "verified: 1 of 1",
        ):
            assert line in said
        assert "Type /apply" in said
        await say(pilot, "/apply")
        assert "applied to the work tree: rtl/a.v" in talk(app)
        assert app.conversation.deciding.applied
        await say(pilot, "why did you change a.v")
        assert "You had said: it is wrong" in talk(app)

    play(app, flow)


def test_a_question_is_answered_by_its_answer(app, script):
    words = ["generate", "spec.md", "--decide", "is it 0 or 1?"]
    asked = {
        "words": [],
        "line": "",
        "answer": "is it 0 or 1?",
        "choices": [[*words, "0"], [*words, "1"]],
        "labels": ["0", "1"],
    }
    nothing = ("result", {"text": "nothing was made", "data": {"status": "abstained"}})
    script.answer("/generate", nothing, ("plan", asked), ("end", {"exit": 3, "seconds": 0.1}))
    script.answer("generate spec.md --decide", ("result", {"text": "made", "data": {"status": "generated"}}), DONE)

    async def flow(pilot):
        await say(pilot, "/generate spec.md")
        for line in ("is it 0 or 1?", "  0", "  1", "Type one of them."):
            assert line in talk(app)
        await say(pilot, "1")
        assert [one.words for one in script.asked if one.words[:1] == ("generate",)] == [(*words, "1")]
        assert "made" in talk(app)

    play(app, flow)


def test_a_part_is_verified_before_it_may_be_applied(app, script):
    script.propose()
    script.judge(lambda diff: b"+B" in diff)

    async def flow(pilot):
        await say(pilot, "it is wrong")
        await pilot.press("f2")
        assert app.current_mode == "change"
        await until(pilot, lambda: app.conversation.deciding.links.spare == {1})
        await pilot.press("r")
        await until(pilot, lambda: app.conversation.deciding.verdict.standing is Standing.REFUTED)
        await pilot.press("w")
        await pilot.pause()
        assert not app.conversation.deciding.applied
        await pilot.press("k", "a", "r")
        await until(pilot, lambda: app.conversation.deciding.verdict.standing is Standing.VERIFIED)
        assert [choice.accepted for choice in app.conversation.deciding.choices] == [True, False]
        assert "the tests pass without it" in text_of(app, "#hunks")
        await pilot.press("w")
        await until(pilot, lambda: app.conversation.deciding.applied)
        diff = app.conversation.record.entries[-1].data["diff"]
        assert "+B" in diff
        assert "+E" not in diff

    play(app, flow)


def test_hunks_that_pass_only_together_are_shown_linked(app, script):
    script.propose()
    script.judge(lambda diff: b"+B" in diff and b"+E" in diff)

    async def flow(pilot):
        await say(pilot, "it is wrong")
        await pilot.press("f2")
        await until(pilot, lambda: app.conversation.deciding.links.groups)
        await pilot.pause()
        assert "passes only together with 2" in text_of(app, "#hunks")

    play(app, flow)


def test_a_hunk_is_edited_and_the_edit_is_verified(app, script):
    script.propose()
    script.judge(lambda diff: b"+Q" in diff)

    async def flow(pilot):
        await say(pilot, "it is wrong")
        await pilot.press("f2", "e")
        await pilot.pause()
        await pilot.press("delete", "Q", "ctrl+s")
        await until(pilot, lambda: app.conversation.deciding.choices[0].text == (b"Q\n",))
        await until(pilot, lambda: app.conversation.deciding.verdict.standing is Standing.VERIFIED)
        await pilot.press("e", "X", "escape")
        await pilot.pause()
        assert app.conversation.deciding.choices[0].text == (b"Q\n",)

    play(app, flow)


@pytest.mark.parametrize("size", [(80, 24), (160, 48)])
def test_side_by_side_and_the_whole_file(app, script, size):
    script.propose()
    script.judge(lambda diff: True)

    async def flow(pilot):
        await say(pilot, "it is wrong")
        await pilot.press("f2", "t")
        await pilot.pause()
        assert ("\N{BOX DRAWINGS LIGHT VERTICAL}" in text_of(app, "#hunks")) is (size[0] == 160)
        await pilot.press("f", "y")
        await pilot.pause()
        assert app.clipboard.startswith("diff --git a/rtl/a.v b/rtl/a.v")

    play(app, flow, size)


def test_escape_stops_what_runs_and_says_what_is_kept(app, script):
    script.answer(
        "slow",
        ("stage", {"name": "search"}),
        ("tried", {"count": 3, "best": 0.25, "operator": "literal", "change": "--- a/x\n+++ b/x\n-1\n+2\n"}),
        ("wait", {}),
        DONE,
    )

    async def flow(pilot):
        await pilot.press(*"slow", "enter")
        await until(pilot, lambda: app.jobs.front is not None and app.jobs.front.tried == 3)
        await pilot.press("escape")
        await until(pilot, lambda: app.jobs.front is None)
        await until(pilot, lambda: "fails 25.0%" in talk(app))
        assert "Nothing on disk was changed. Kept:" in talk(app)
        assert app.jobs.all[-1].state in (State.INTERRUPTED, State.RUNNING, State.DONE)

    play(app, flow)


def test_how_fast_a_model_writes_is_shown(app, script):
    script.answer("slow", ("note", {"text": "3 of 8 answers", "tokens_per_s": 41.4}), ("wait", {}), DONE)

    async def flow(pilot):
        await pilot.press(*"slow", "enter")
        await until(pilot, lambda: app.jobs.front is not None and app.jobs.front.rate)
        await pilot.pause()
        assert "41 tokens/s" in app.session.query_one(Activity).render().plain
        script.hold.set()
        await until(pilot, lambda: app.jobs.front is None)

    play(app, flow)


def test_one_waits_for_the_other_unless_it_is_sent_behind(app, script):
    script.answer("slow", ("wait", {}), DONE)
    script.answer("quick", ("result", {"text": "quick is done", "data": {}}), DONE)

    async def flow(pilot):
        await pilot.press(*"slow", "enter")
        await until(pilot, lambda: app.jobs.front is not None)
        await pilot.press(*"quick", "enter")
        await until(pilot, lambda: "waits until" in talk(app))
        assert "quick is done" not in talk(app)
        await pilot.press("ctrl+b")
        await until(pilot, lambda: "quick is done" in talk(app))
        await pilot.press("f6")
        await pilot.pause()
        assert "running behind" in text_of(app, "#rows")
        slow = next(job for job in app.jobs.all if job.title == "slow")
        while app.screen.query_one("#rows").chosen != [
            j for j in reversed(app.jobs.all) if j.request.purpose != "look"
        ].index(slow):
            await pilot.press("j")
        await pilot.press("x")
        await until(pilot, lambda: slow.state is State.INTERRUPTED)

    play(app, flow)


def test_commands_and_files_are_completed(app, root):
    async def flow(pilot):
        prompt = app.session.query_one(Prompt)
        await pilot.press("slash", "r", "e", "p")
        await pilot.pause()
        assert app.session.query_one(Offers).display
        await pilot.press("tab")
        assert prompt.text == "/repair "
        await pilot.press("at", "r", "t", "l", "tab")
        await until(pilot, lambda: prompt.text == "/repair @rtl/a.v ")
        await pilot.press("slash", "escape")
        assert not app.session.query_one(Offers).display

    play(app, flow)


def test_what_was_typed_before_comes_back_and_a_line_can_be_added(app, script):
    script.answer("one", DONE)
    script.answer("two", DONE)

    async def flow(pilot):
        prompt = app.session.query_one(Prompt)
        await say(pilot, "one")
        await say(pilot, "two")
        await pilot.press(*"draft", "up")
        assert prompt.text == "two"
        await pilot.press("up")
        assert prompt.text == "one"
        await pilot.press("down", "down")
        assert prompt.text == "draft"
        await pilot.press("ctrl+j", "x")
        assert prompt.text == "draft\nx"

    play(app, flow)


@pytest.mark.parametrize(
    ("key", "mode", "selector", "said"),
    [
        ("f2", "change", "#hunks", "There is no change yet."),
        ("f3", "evidence", "#evidence", "Nothing has run"),
        ("f5", "project", "#rows", "u_a: a"),
        ("f6", "jobs", "#rows", "Nothing has run yet."),
        ("f7", "models", "#rows", "no model is installed"),
        ("f8", "history", "#rows", "No session was held here yet."),
    ],
)
def test_every_screen_has_a_key_and_a_way_back(app, key, mode, selector, said):
    async def flow(pilot):
        await pilot.press(key)
        await until(pilot, lambda: app.current_mode == mode)
        await until(pilot, lambda: said in text_of(app, selector))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, SessionScreen))
        assert isinstance(app.focused, Prompt)

    play(app, flow)


@pytest.mark.parametrize("key", ["f2", "f3", "f4", "f5", "f6", "f7", "f8"])
def test_no_key_of_a_screen_is_taken_by_what_has_the_focus(app, script, key):
    script.propose()

    async def flow(pilot):
        await say(pilot, "it is wrong")
        await pilot.press(key)
        await pilot.pause()
        assert app.focused is not None
        own = set(app.screen._bindings.key_to_bindings) - {"tab", "shift+tab", "ctrl+c", "super+c", "escape"}
        assert not own & set(app.focused._bindings.key_to_bindings)

    play(app, flow)


def test_evidence_says_what_ran_and_what_was_not_checked(app, script):
    script.propose()

    async def flow(pilot):
        await say(pilot, "it is wrong")
        await pilot.press("f3")
        await pilot.pause()
        found = text_of(app, "#evidence")
        for line in (
            "1 of 1 tests pass",
            "random bits, seed 1",
            "0 of 9 checks fail",
            "synthesis",
            "c measures it",
        ):
            assert line in found
        await pilot.press("y")
        assert app.clipboard == "veriloop check --worktree --testbench tb.v"

    play(app, flow)


def test_coverage_is_measured_by_a_key(app, script):
    script.propose()
    met = {"line": {"met": 9, "points": 10}, "branch": {"met": 4, "points": 4}, "missed": ["63 block"]}
    covered = {**full_report(), "coverage": {"rtl/a.v": met}, "applied": False}
    asked = []

    def measured(request):
        asked.append(request.words)
        return [("result", {"text": "", "data": covered}), DONE]

    script.rules.insert(0, ("check", measured))

    async def flow(pilot):
        await say(pilot, "it is wrong")
        await pilot.press("f3", "c")
        await until(pilot, lambda: "rtl/a.v: 9 of 10 blocks, 4 of 4 branches" in text_of(app, "#evidence"))
        found = text_of(app, "#evidence")
        assert "not met, by line: 63 block" in found
        assert "c measures it" not in found
        assert [words[-1] for words in asked] == ["--coverage"]
        assert app.conversation.deciding.verdict.standing is Standing.VERIFIED

    play(app, flow)


def test_what_is_built_once_is_built_while_one_reads(app, script):
    script.answer("status", ("result", {"text": "", "data": {**STATUS, "prepared": False}}), DONE)
    script.answer("doctor --prepare", ("wait", {}), DONE)
    script.answer("quick", ("result", {"text": "quick is done", "data": {}}), DONE)

    async def flow(pilot):
        await pilot.press(*"quick", "enter")
        await until(pilot, lambda: "quick is done" in talk(app))
        await pilot.press("f6")
        await until(pilot, lambda: "build Verilator's runtime" in text_of(app, "#rows"))
        assert [job.state for job in app.jobs.all if job.request.purpose == "prepare"] == [State.RUNNING]
        script.hold.set()
        await until(pilot, lambda: not app.jobs.running)

    play(app, flow)


def test_the_project_s_rows_do_things(app, script):
    script.answer("/explain rtl/a.v", ("result", {"text": "it counts", "data": {}}), DONE)
    script.answer("/repair --testbench tb/a_tb.v", ("result", {"text": "repairing", "data": {}}), DONE)

    async def flow(pilot):
        await pilot.press("f5", "r")
        await until(pilot, lambda: "repairing" in talk(app))
        await pilot.press("f5", "j", "j", "j", "enter")
        await until(pilot, lambda: "it counts" in talk(app))

    play(app, flow)


def test_help_and_palette_name_every_key(app):
    async def flow(pilot):
        await pilot.press("f2", "f1")
        await pilot.pause()
        found = text_of(app, "#help")
        for what in ("Accept all", "Side by side", "Whole file", "/repair", "Keys while typing"):
            assert what in found
        await pilot.press("escape")
        names = [command.title for command in app.get_system_commands(app.screen)]
        for what in ("Accept  (a)", "Apply  (w)", "/undo", "Evidence  (F3)"):
            assert what in names

    play(app, flow)


def test_themes_and_leaving(app):
    async def flow(pilot):
        first = app.theme
        await pilot.press("ctrl+t")
        assert app.theme != first
        await pilot.press("ctrl+t", "ctrl+t")
        assert app.theme == first
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert app.is_running
        await pilot.press("ctrl+c")
        await pilot.pause()

    play(app, flow)


def test_what_cannot_be_done_is_said_with_what_to_try(app, script):
    async def flow(pilot):
        await say(pilot, "/apply")
        assert "there is no change to decide about yet" in talk(app)
        await say(pilot, "nonsense")
        assert "no rule for nonsense" in talk(app)

    play(app, flow)


def test_what_is_typed_at_once_is_sent_as_typed(app):
    """A burst of keys, as over a slow line: Enter comes before what is offered for the first letters is known."""

    async def flow(pilot):
        prompt = app.session.query_one(Prompt)
        await pilot.press("slash")
        await until(pilot, lambda: app.session.query_one(Offers).display)
        for letter in "context":
            prompt.post_message(events.Key(letter, letter))
        prompt.post_message(events.Key("enter", "\r"))
        await until(pilot, lambda: "> /context" in talk(app))
        assert not prompt.text

    play(app, flow)
