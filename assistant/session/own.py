"""The commands that only a conversation has: deciding about hunks, asking why, files that count."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant.errors import UsageError
from veriloop.assistant.session.change import Choice, Standing
from veriloop.assistant.session.commands import help_text
from veriloop.assistant.session.conversation import Conversation
from veriloop.assistant.session.decision import Decision
from veriloop.assistant.session.intent import Intent, guess
from veriloop.assistant.session.request import Request
from veriloop.assistant.session.sessions import past
from veriloop.assistant.session.why import why

_PLACE = re.compile(r"(?P<path>[^\s:]+?)(?::(?P<line>\d+))?$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a command of the conversation's own leads to."""

    text: str = ""
    request: Request | None = None
    """What has to run now."""
    apply: bool = False
    """Whether the choice is to be written, which the front end asks the conversation for where it may."""
    leave: bool = False


def reply(conversation: Conversation, text: str, *, cause: int, root: Path) -> Reply | None:
    """What a text leads to without a verb being run; none where it is none of these commands.

    Raises:
        UsageError: the command cannot be done as given.
    """
    words = _words(text)
    if not words:
        return Reply()
    name = words[0].removeprefix("/")
    chosen = _chosen(conversation, text.strip())
    if chosen is not None:
        return chosen
    if words[0].startswith("/") and name in _COMMANDS:
        return _COMMANDS[name](conversation, words[1:], cause, root)
    if text.strip().lower() in ("quit", "exit", ":q"):
        return Reply(leave=True)
    if not words[0].startswith("/") and guess(text).intent is Intent.WHY:
        return Reply(text=_why_in_words(conversation, text))
    return None


def _chosen(conversation: Conversation, text: str) -> Reply | None:
    """One of the command lines that were offered last: by its number, or by what it is called."""
    plan = next((entry for entry in reversed(conversation.record.entries) if entry.kind == "plan"), None)
    choices = plan.data.get("choices", ()) if plan is not None else ()
    labels = plan.data.get("labels", ()) if plan is not None else ()
    if text in labels:
        return Reply(request=Request(purpose="say", words=tuple(choices[labels.index(text)])))
    if not choices or not text.isdigit():
        return None
    if labels:
        raise UsageError(f"{text} is none of the answers", hint=" or ".join(labels))
    if not 1 <= int(text) <= len(choices):
        raise UsageError(f"there are {len(choices)} to choose from", hint="1")
    return Reply(request=Request(purpose="say", words=tuple(choices[int(text) - 1])))


def described(decision: Decision) -> str:
    """The change hunk by hunk, with what is known of each and of the choice."""
    found = decision.links
    count = len(decision.change.hunks)
    lines = [f"{decision.change.title}: {count} hunk{'' if count == 1 else 's'}"]
    for place, (hunk, choice) in enumerate(zip(decision.change.hunks, decision.choices, strict=True)):
        state = "rejected" if not choice.accepted else "accepted" if choice.text is None else "accepted, edited"
        lines.append(f"hunk {place + 1}, {hunk.path}:{hunk.line}, {state}{role(decision, place)}")
        new = hunk.new if choice.text is None else choice.text
        lines += [f"  - {line}" for line in _shown(hunk.old)] + [f"  + {line}" for line in _shown(new)]
    for group in found.groups:
        numbers = ", ".join(str(place + 1) for place in sorted(group))
        lines.append(f"hunks {numbers} pass only together")
    verdict = decision.verdict
    lines.append(f"what is accepted: {verdict.line}" + (" (known already)" if verdict.cached else ""))
    return "\n".join(lines)


def role(decision: Decision, place: int) -> str:
    """What is known of what one hunk is for, to be put behind its name."""
    found = decision.links
    if place in found.spare:
        return ", the tests pass without it"
    if place in found.needed:
        return ", needed"
    return ""


def _decide(accepted: bool) -> Callable[[Conversation, Sequence[str], int, Path], Reply]:
    def command(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
        decision = conversation.deciding
        hunks = _numbers(words, len(decision.choices))
        conversation.choose(hunks, Choice(accepted=accepted), said=cause)
        request = conversation.verify()
        return Reply(text="" if request else decision.verdict.line, request=request)

    return command


def _edit(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    """The number, then the text: all after it, with `\\n` for the ends of lines."""
    if len(words) < 2:
        raise UsageError("give the number of the hunk and its new text", hint="/edit 2 'q <= q + 1;'")
    (hunk,) = _numbers(words[:1], len(conversation.deciding.choices))
    conversation.edit(hunk, " ".join(words[1:]).replace("\\n", "\n"), said=cause)
    request = conversation.verify()
    return Reply(text="" if request else conversation.deciding.verdict.line, request=request)


def _hunks(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    return Reply(text=described(conversation.deciding))


def _apply(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    request = conversation.verify()
    if request is not None and conversation.deciding.verdict.standing is Standing.UNKNOWN:
        return Reply(text="What is accepted is verified first; then /apply again.", request=request)
    return Reply(apply=True)


def _evidence(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    for entry in reversed(conversation.record.entries):
        if entry.kind == "result":
            return Reply(text=str(entry.data.get("text", "")).rstrip())
    return Reply(text="Nothing has run in this session yet.")


def _why(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    if not words:
        return Reply(text=why(conversation.record))
    match = _PLACE.fullmatch(words[0].removeprefix("@"))
    if match is None:
        raise UsageError("name a file, or a line of one", hint="/why rtl/fifo.sv:65")
    return Reply(text=why(conversation.record, match["path"], int(match["line"] or 0)))


def _why_in_words(conversation: Conversation, text: str) -> str:
    known = {path for entry in conversation.record.entries if entry.kind == "applied" for path in entry.data["paths"]}
    for word in _words(text):
        match = _PLACE.fullmatch(word.strip("@`'\",?!."))
        if match and any(path == match["path"] or path.endswith(f"/{match['path']}") for path in known):
            return why(conversation.record, match["path"], int(match["line"] or 0))
    return why(conversation.record)


def _context(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    shown = _shown_to_the_model(conversation)
    if not conversation.context:
        text = "No file is taken into account yet. @FILE in what you say names one for once, /add for good."
        return Reply(text="\n".join([text, *shown]))
    lines = [
        f"  {one.path}  {one.role}, {one.size_bytes} bytes, about {one.tokens} tokens" for one in conversation.context
    ]
    return Reply(text="\n".join(["taken into account, whole:", *lines, "/drop FILE leaves one out", *shown]))


def _shown_to_the_model(conversation: Conversation) -> list[str]:
    """What a model was shown last, word for word."""
    for entry in reversed(conversation.record.entries):
        model = entry.data.get("data", {}).get("model") if entry.kind == "result" else None
        if model:
            return ["", f"the model was last shown {model['saw']}:", *str(model["prompt"]).splitlines()]
    return []


def _add(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    if not words:
        raise UsageError("name a file", hint="/add docs/fifo.md")
    found = [conversation.take_in(word.removeprefix("@"), cause=cause) for word in words]
    return Reply(text="\n".join(f"{one.path} counts from now on, as {one.role}" for one in found))


def _drop(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    if not words:
        raise UsageError("name a file", hint="/context shows those that count")
    for word in words:
        conversation.leave_out(word.removeprefix("@"), cause=cause)
    return Reply(text="\n".join(f"{word.removeprefix('@')} counts no more" for word in words))


def _history(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    lines = []
    for one in past(root):
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.began))
        open_here = " (open)" if one.is_open else ""
        lines.append(f"  {one.name}  {when}  {one.turns} turns, {one.applied} applied{open_here}  {one.first[:60]}")
    return Reply(text="\n".join([*lines, "veriloop --resume NAME goes on with one"]) if lines else "No session yet.")


def _help(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    return Reply(text=help_text())


def _quit(conversation: Conversation, words: Sequence[str], cause: int, root: Path) -> Reply:
    return Reply(leave=True)


_COMMANDS: Mapping[str, Callable[[Conversation, Sequence[str], int, Path], Reply]] = {
    "hunks": _hunks,
    "accept": _decide(True),
    "reject": _decide(False),
    "edit": _edit,
    "apply": _apply,
    "evidence": _evidence,
    "why": _why,
    "context": _context,
    "add": _add,
    "drop": _drop,
    "history": _history,
    "help": _help,
    "quit": _quit,
}


def _numbers(words: Sequence[str], count: int) -> list[int]:
    """Hunks as they are named, from 0: numbers from 1, ranges, or `all`."""
    if not words:
        raise UsageError("name the hunks", hint="/accept 1 3, or /accept all")
    found: list[int] = []
    for word in words:
        first, dash, last = word.strip(",").partition("-")
        if word == "all":
            found += range(count)
        elif first.isdigit() and (last.isdigit() if dash else True):
            found += range(int(first) - 1, int(last or first))
        else:
            raise UsageError(f"{word} is no hunk's number", hint="/accept 1 3, or /accept all")
    return found


def _shown(lines: Sequence[bytes]) -> list[str]:
    return [line.decode("utf-8", errors="replace").rstrip("\r\n") for line in lines]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
