"""`veriloop -p TEXT`: one turn of a conversation without a terminal, for scripts; with `--json` its events as lines."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import NotVerified, UsageError
from veriloop.assistant.session.change import Standing
from veriloop.assistant.session.own import Reply, reply
from veriloop.assistant.session.record import Entry
from veriloop.assistant.session.request import Request, perform
from veriloop.assistant.session.start import Opened, session
from veriloop.assistant.session.telling import event_of, plan_text, result_text


def run(arguments: argparse.Namespace, caller: Session) -> int:
    """Does what the text asks for; returns the exit code of what ran."""
    text = sys.stdin.read() if arguments.prompt == "-" else arguments.prompt
    if not text.strip():
        raise UsageError("there is nothing to do: the prompt is empty", hint='veriloop -p "repair rtl/fifo.sv"')
    with session(arguments, caller.cwd) as opened:
        return _Headless(opened, caller, apply=arguments.apply == "verified").turn(text.strip())


class _Headless:
    """One turn, shown on stdout and stderr."""

    def __init__(self, opened: Opened, caller: Session, *, apply: bool) -> None:
        self._opened = opened
        self._conversation = opened.conversation
        self._caller = caller
        self._apply = apply
        self._shown = len(opened.conversation.record.entries)
        self._printed: list[str] = []

    def turn(self, text: str) -> int:
        said = self._conversation.say(text)
        self._show()
        own = reply(self._conversation, text, cause=said.number, root=self._opened.root)
        if own is not None:
            return self._own(own, said)
        code = self._perform(self._conversation.ask(text, apply=self._apply), said.number)
        decision = self._conversation.decision
        is_new = decision is not None and decision.change.entry > said.number
        # What a text makes of itself is applied by what made it; a patch that was checked is applied here.
        if self._apply and is_new and decision is not None and decision.verdict.standing is Standing.VERIFIED:
            code = self._perform(self._conversation.apply(), said.number)
        self._finish(code)
        return code

    def _own(self, own: Reply, said: Entry) -> int:
        """A command of the conversation's own; writing is up to the policy."""
        if own.text:
            self._conversation.answer(own.text, cause=said.number)
            self._print(own.text)
        code = 0
        if own.apply and not self._apply:
            raise NotVerified("nothing is applied without --apply", hint="veriloop --resume -p /apply --apply")
        request = self._conversation.apply() if own.apply else own.request
        if request is not None:
            code = self._perform(request, said.number)
            decision = self._conversation.decision
            if decision is not None:
                self._print(decision.verdict.line)
        self._finish(code)
        return code

    def _perform(self, request: Request, cause: int) -> int:
        code = 0

        def emit(kind: str, data: Mapping[str, Any]) -> None:
            nonlocal code
            self._conversation.take(request, cause, kind, data)
            self._show()
            self._progress(kind, data)
            if kind == "plan":
                self._print(plan_text(data))
            elif kind == "result" and request.purpose != "verify":
                self._print(result_text(data) if request.purpose == "say" else str(data["text"]))
            elif kind == "end":
                code = int(data["exit"])
                if data.get("message"):
                    self._fail(data)

        perform(request, emit, cwd=self._caller.cwd, cancel=self._caller.cancel)
        return code

    def _progress(self, kind: str, data: Mapping[str, Any]) -> None:
        event = event_of(kind, data)
        if event is not None and not self._caller.json:
            self._caller.observe(event)

    def _show(self) -> None:
        """With `--json` every entry of the record, as it is kept."""
        entries = self._conversation.record.entries
        if self._caller.json:
            for entry in entries[self._shown :]:
                sys.stdout.write(entry.line() + "\n")
            sys.stdout.flush()
        self._shown = len(entries)

    def _print(self, text: str) -> None:
        if text and not self._caller.json:
            self._caller.result(text, {})

    def _fail(self, data: Mapping[str, Any]) -> None:
        if not self._caller.json:
            self._caller.close()
            hint = f"\n  try: {data['hint']}" if data.get("hint") else ""
            print(f"veriloop: {data['message']}{hint}", file=sys.stderr)

    def _finish(self, code: int) -> None:
        self._show()
        if self._caller.json:
            line = {"kind": "session", "session": self._opened.place.name, "exit": code}
            sys.stdout.write(json.dumps(line) + "\n")
        self._caller.close()
