from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assistant.session.conftest import NEW, OLD, proposal, report, said
from veriloop.assistant.errors import UsageError
from veriloop.assistant.session.change import Choice, Standing
from veriloop.assistant.session.conversation import Conversation
from veriloop.assistant.session.own import described, reply
from veriloop.assistant.session.record import Record
from veriloop.assistant.session.sessions import begin, opened
from veriloop.assistant.session.why import why


@contextlib.contextmanager
def resumed(path, root) -> Iterator[Conversation]:
    """A conversation that goes on with a record."""
    with Record(path) as record:
        yield Conversation(record, root, None)


def judged(conversation, request, *, passed: bool) -> None:
    """The gate answers a request."""
    data = {**report(passed=passed), "applied": request.purpose == "apply"}
    conversation.take(request, 0, "result", {"text": "", "data": data})
    conversation.take(request, 0, "end", {"exit": 0 if passed else 1, "seconds": 0.1})


def standing(conversation: Conversation) -> Standing:
    return conversation.deciding.verdict.standing


def test_a_proposed_change_is_verified_as_it_came(conversation):
    said(conversation)
    decision = conversation.deciding
    assert len(decision.change.hunks) == 2
    assert standing(conversation) is Standing.VERIFIED
    assert conversation.verify() is None


def test_a_subset_is_not_verified_until_the_gate_has_said_so(conversation):
    said(conversation)
    conversation.choose([1], Choice(accepted=False))
    assert standing(conversation) is Standing.UNKNOWN
    with pytest.raises(UsageError, match="only what is verified is applied"):
        conversation.apply()
    request = conversation.verify()
    assert request is not None
    assert request.words[0] == "check"
    assert request.words[2:] == ("--testbench", "tb.v")
    assert Path(request.words[1]).read_bytes().count(b"\n+") == 2  # the header's, and one line
    judged(conversation, request, passed=False)
    assert standing(conversation) is Standing.REFUTED
    with pytest.raises(UsageError, match="3 of 9 samples mismatch"):
        conversation.apply()
    # Back to what is known: nothing has to run.
    conversation.choose([1], Choice(accepted=True))
    assert conversation.verify() is None
    assert standing(conversation) is Standing.VERIFIED


def test_hunks_that_pass_only_together_are_found_by_asking_the_gate(conversation):
    said(conversation)
    while (choices := conversation.deciding.probe()) is not None:
        request = conversation.verify(choices)
        judged(conversation, request, passed=False)
    assert conversation.deciding.links.groups == (frozenset({0, 1}),)
    assert "hunks 1, 2 pass only together" in described(conversation.deciding)


def test_what_is_applied_is_what_was_accepted(conversation, root):
    said(conversation)
    conversation.choose([0], Choice(accepted=False))
    judged(conversation, conversation.verify(), passed=True)
    request = conversation.apply()
    assert request.words[-1] == "--apply"
    judged(conversation, request, passed=True)
    applied = conversation.record.entries[-1]
    assert applied.kind == "applied"
    assert applied.data["hunks"] == ["rejected", "accepted"]
    assert "+E" in applied.data["diff"]
    assert "+B" not in applied.data["diff"]
    kinds = [one.kind for one in conversation.record.causes(applied)]
    assert kinds == ["verdict", "applying", "verdict", "choice", "change", "said"]
    with pytest.raises(UsageError, match="applied already"):
        conversation.apply()


def test_an_edited_hunk_is_another_choice(conversation):
    said(conversation)
    conversation.edit(0, "Q")
    decision = conversation.deciding
    assert standing(conversation) is Standing.UNKNOWN
    assert b"+Q\n" in decision.change.diff(decision.choices)
    judged(conversation, conversation.verify(), passed=True)
    assert decision.links.groups == ()
    conversation.choose([0], Choice(accepted=False))
    conversation.choose([0], Choice(accepted=True))
    assert b"+Q\n" in decision.change.diff(decision.choices)


def test_nothing_accepted_is_nothing_to_verify(conversation):
    said(conversation)
    conversation.choose([0, 1], Choice(accepted=False))
    assert standing(conversation) is Standing.EMPTY
    assert conversation.verify() is None


def test_a_gate_that_breaks_leaves_the_question_open(conversation):
    said(conversation)
    conversation.choose([0], Choice(accepted=False))
    request = conversation.verify()
    conversation.take(request, 0, "end", {"exit": 3, "seconds": 0, "message": "no compiler", "hint": "apt-get"})
    assert standing(conversation) is Standing.OPEN
    assert "no compiler (apt-get)" in conversation.deciding.verdict.line
    assert conversation.verify() is not None
    conversation.take(request, 0, "end", {"exit": 130, "seconds": 0, "message": "interrupted", "hint": ""})
    assert standing(conversation) is Standing.OPEN


def test_everything_is_as_it_was_when_the_session_is_resumed(conversation, root):
    (root / "spec.md").write_text("words")
    conversation.take_in("spec.md")
    said(conversation)
    conversation.edit(0, "Q")
    conversation.choose([1], Choice(accepted=False))
    with resumed(conversation.record.path, root) as again:
        assert again.deciding.choices == conversation.deciding.choices
        assert again.deciding.verdicts.keys() == conversation.deciding.verdicts.keys()
        assert [one.path for one in again.context] == ["spec.md"]
    conversation.choose([0], Choice(accepted=False))
    conversation.leave_out("spec.md")
    with resumed(conversation.record.path, root) as again:
        assert standing(again) is Standing.EMPTY
        assert again.context == []


@pytest.mark.parametrize("written", [True, False])
def test_a_process_that_died_while_applying_is_found_to_have_applied_or_not(conversation, root, written):
    said(conversation)
    conversation.apply()
    if written:
        (root / "rtl/a.v").write_text(NEW)
    with resumed(conversation.record.path, root) as again:
        assert again.deciding.applied is written
        assert (again.record.entries[-1].kind == "applied") is written
        assert ("I changed rtl/a.v" in why(again.record)) is written


def test_undoing_lets_it_be_applied_again(conversation):
    number = said(conversation)
    judged(conversation, conversation.apply(), passed=True)
    request = conversation.ask("undo")
    conversation.take(request, number, "result", {"text": "", "data": {"restored": ["rtl/a.v"]}})
    assert not conversation.deciding.applied
    assert conversation.apply() is not None


def test_why_is_answered_from_the_record(conversation):
    number = said(conversation, "the counter is stuck")
    conversation.choose([0], Choice(accepted=False), said=number)
    judged(conversation, conversation.verify(), passed=True)
    judged(conversation, conversation.apply(), passed=True)
    text = why(conversation.record, "rtl/a.v", 5)
    for line in (
        "I changed rtl/a.v, 1 of 2 hunks",
        "the counter is stuck",
        "(a reason)",
        "rejected hunk 1",
        "verified: ",
    ):
        assert line in text
    assert "Nothing in this session" in why(conversation.record, "rtl/a.v", 99)
    assert "Nothing in this session" in why(conversation.record, "other.v")
    own = reply(conversation, "why did you change a.v:5?", cause=0, root=conversation.cwd)
    assert own is not None
    assert "rejected hunk 1" in own.text


def test_what_a_model_was_shown_can_be_seen(conversation):
    model = {"saw": "lines 3 to 5 of the 9 of rtl/a.v; the rest did not fit", "prompt": "<|repair|>signal q\n<|0|>b"}
    conversation.record.add("result", {"text": "", "data": {"model": model}})
    conversation.record.add("result", {"text": "", "data": {"model": None}})
    own = reply(conversation, "/context", cause=1, root=conversation.cwd)
    assert own is not None
    assert own.text.splitlines()[-3:] == [f"the model was last shown {model['saw']}:", "<|repair|>signal q", "<|0|>b"]


@pytest.mark.parametrize(
    ("text", "said_back"),
    [
        ("/hunks", "hunk 2, rtl/a.v:5, accepted"),
        ("/context", "No file is taken into account"),
        ("/why", "Nothing in this session"),
        ("/evidence", ""),
        ("/help", "/repair"),
        ("/history", "it is wrong"),
    ],
)
def test_commands_of_the_conversation_s_own(conversation, text, said_back):
    said(conversation)
    own = reply(conversation, text, cause=1, root=conversation.cwd)
    assert own is not None
    assert said_back in own.text


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("/accept 9", "there is no hunk 9"),
        ("/accept", "name the hunks"),
        ("/reject x", "x is no hunk's number"),
        ("/edit 1", "give the number"),
        ("/add none.md", "no such file"),
        ("/drop none.md", "is not taken into account"),
    ],
)
def test_commands_that_cannot_be_done_say_so(conversation, text, error):
    said(conversation)
    with pytest.raises(UsageError, match=error):
        reply(conversation, text, cause=1, root=conversation.cwd)


def test_commands_about_a_change_say_that_there_is_none(conversation):
    for text in ("/hunks", "/accept 1", "/reject all", "/apply"):
        with pytest.raises(UsageError, match="no change"):
            reply(conversation, text, cause=0, root=conversation.cwd)


def test_a_number_chooses_among_what_was_offered(conversation):
    entry = conversation.say("hm")
    choices = [["status", "--run"], ["undo"]]
    conversation.take(conversation.ask("hm"), entry.number, "plan", {"words": [], "choices": choices, "answer": "?"})
    own = reply(conversation, "2", cause=0, root=conversation.cwd)
    assert own is not None
    assert own.request is not None
    assert own.request.words == ("undo",)
    with pytest.raises(UsageError, match="2 to choose from"):
        reply(conversation, "3", cause=0, root=conversation.cwd)


def test_candidates_are_kept_now_and_then_and_a_long_text_is_cut(conversation):
    request = conversation.ask("x")
    for count in range(100):
        conversation.take(request, 1, "tried", {"count": count, "best": 0.5, "operator": "literal"})
    assert sum(entry.kind == "tried" for entry in conversation.record.entries) < 10
    entry = conversation.take(request, 1, "result", {"text": "x" * 300_000, "data": {}})
    assert len(entry.data["text"]) < 210_000
    assert "are left out here" in entry.data["text"]


def test_bytes_that_are_no_text_survive_the_record(root):
    place = begin(root)
    odd = b"a\xff\nb\n".decode(errors="surrogateescape")
    with opened(place, root, "0") as record:
        conversation = Conversation(record, root, place)
        conversation.take(conversation.ask(""), 1, "change", proposal(odd, OLD))
        with resumed(place.record, root) as again:
            assert again.deciding.change.files[0].before == b"a\xff\nb\n"
    assert all(json.loads(line) for line in place.record.read_bytes().decode(errors="surrogateescape").splitlines())
    place.close()
