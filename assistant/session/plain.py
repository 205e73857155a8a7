"""The conversation line by line: nothing moves on the screen, so that a screen reader and a simple terminal follow."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

from veriloop.assistant.cli.main import stoppable
from veriloop.assistant.cli.progress import PlainProgress
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.session.own import Reply, described, reply
from veriloop.assistant.session.request import PATIENCE_S, Request, perform
from veriloop.assistant.session.sessions import typed
from veriloop.assistant.session.start import Opened, session
from veriloop.assistant.session.telling import event_of, plan_text, result_text

_PROMPT = "> "
_WELCOME = "Say what is wrong, or type /help. Ctrl-C stops what runs, Ctrl-D leaves."


def run(arguments: argparse.Namespace, caller: Session) -> int:
    """Talks until the user leaves; 0."""
    with session(arguments, caller.cwd) as opened:
        _Plain(opened, caller).talk()
    return 0


class _Plain:
    """One conversation on stdin and stdout."""

    def __init__(self, opened: Opened, caller: Session) -> None:
        self._opened = opened
        self._conversation = opened.conversation
        self._caller = caller
        self._left_s: float | None = None
        self._progress = PlainProgress(sys.stdout, lambda: self._left_s)

    def talk(self) -> None:
        resumed = sum(entry.kind == "said" for entry in self._conversation.record.entries)
        print(f"veriloop in {self._opened.root}, session {self._opened.place.name}")
        print(f"going on after {resumed} turns" if resumed else _WELCOME)
        with _remembering(typed(self._opened.root)):
            while (text := _read()) is not None:
                if text.strip() and self._turn(text.strip()):
                    break
        print(f"veriloop --resume {self._opened.place.name} goes on with this session")

    def _turn(self, text: str) -> bool:
        """Does what a line asks for; whether the user leaves."""
        said = self._conversation.say(text)
        try:
            own = reply(self._conversation, text, cause=said.number, root=self._opened.root)
            if own is not None:
                self._own(own, said.number)
                return own.leave
        except UsageError as error:
            self._conversation.answer(error.message, cause=said.number)
            print(error.message + (f"\n  try: {error.hint}" if error.hint else ""))
            return False
        self._perform(self._conversation.ask(text, budget_s=PATIENCE_S), said.number)
        self._offer()
        return False

    def _own(self, own: Reply, said: int) -> None:
        if own.text:
            self._conversation.answer(own.text, cause=said)
            print(own.text)
        request = self._conversation.apply() if own.apply else own.request
        if request is not None:
            self._perform(request, said)
            if request.purpose != "say":
                print(self._decided())

    def _decided(self) -> str:
        """How the change stands now."""
        decision = self._conversation.deciding
        if not decision.applied:
            return decision.verdict.line
        paths = ", ".join(file.path for file in decision.change.chosen(decision.choices) if file.before != file.after)
        return f"applied to the work tree: {paths}; /undo takes it back"

    def _offer(self) -> None:
        """Says how to go on with a change that has just come."""
        decision = self._conversation.decision
        if decision is None or decision.applied or decision.change.entry < self._last_said():
            return
        print(described(decision).splitlines()[-1])
        print("/apply writes it into the work tree; /hunks shows its parts, /reject 1 leaves one out")

    def _last_said(self) -> int:
        return max(entry.number for entry in self._conversation.record.entries if entry.kind == "said")

    def _perform(self, request: Request, cause: int) -> None:
        token = CancelToken()

        def emit(kind: str, data: Mapping[str, Any]) -> None:
            self._left_s = data.get("left_s", self._left_s)
            self._conversation.take(request, cause, kind, data)
            event = event_of(kind, data)
            if event is not None:
                self._progress.show(event)
            elif kind == "plan":
                print(plan_text(data))
            elif kind == "result" and request.purpose == "say":
                print(result_text(data))
            elif kind == "end" and data.get("message"):
                print(data["message"] + (f"\n  try: {data['hint']}" if data.get("hint") else ""))

        self._left_s = None
        with stoppable(token):
            perform(request, emit, cwd=self._caller.cwd, cancel=token)


def _read() -> str | None:
    """A line; an empty one for Ctrl-C, none at the end or for a second Ctrl-C soon after the first."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input(_PROMPT)
    except EOFError:
        print()
        return None
    except KeyboardInterrupt:
        print("\nCtrl-C again leaves")
    finally:
        signal.signal(signal.SIGINT, before)
    return _after_interrupt()


def _after_interrupt() -> str | None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        time.sleep(1)
    except KeyboardInterrupt:
        return None
    finally:
        signal.signal(signal.SIGINT, before)
    return ""


@contextlib.contextmanager
def _remembering(texts: list[str]) -> Iterator[None]:
    """Lets the arrow keys find what was typed before, where the system can."""
    with contextlib.suppress(ImportError):
        import readline

        readline.clear_history()
        for text in texts:
            readline.add_history(text.replace("\n", " "))
    yield
