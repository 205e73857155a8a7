"""A conversation: what is said, what it leads to, and the change that is being decided about.

It knows no screen and runs nothing itself. A front end asks it for a `Request`, has that performed (here or in another
process), and hands every message back to `take`, which keeps it and works out what it means.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from veriloop.assistant.errors import UsageError
from veriloop.assistant.session.change import Choice, Standing, Verdict, edited, shown
from veriloop.assistant.session.decision import Decision, verdict_of
from veriloop.assistant.session.files import Taken, taken
from veriloop.assistant.session.proposed import change_of
from veriloop.assistant.session.record import Entry, Record
from veriloop.assistant.session.request import Request
from veriloop.assistant.session.sessions import Place

_TRIED_INTERVAL_S = 0.5
"""Candidates are kept no more often than this."""
_KEPT_BYTES = 200_000
"""Of a result's text."""


class Conversation:
    """One session.

    Args:
        record: where everything is kept; what it holds already is taken up again.
        cwd: where the user stands.
        place: where diffs are kept that the gate is asked about; none: nothing can be verified or applied.
    """

    def __init__(self, record: Record, cwd: Path, place: Place | None) -> None:
        self.record = record
        self.cwd = cwd
        self.place = place
        self.context: list[Taken] = []
        self.decision: Decision | None = None
        self._asked: dict[str, tuple[Choice, ...]] = {}
        self._last_tried_at = 0.0
        self._chosen = 0
        self._pending: Entry | None = None
        for entry in list(record.entries):
            self._restore(entry)
        self._settle()

    # --- what the user does ---

    def say(self, text: str) -> Entry:
        """Keeps what the user has typed."""
        return self.record.add("said", {"text": text})

    def ask(self, text: str, *, apply: bool = False, budget_s: float = 0.0) -> Request:
        """What has to run for a text that is no command of the conversation's own."""
        context = tuple(one.path for one in self.context)
        return Request(purpose="say", text=text, context=context, apply=apply, budget_s=budget_s)

    def answer(self, text: str, *, cause: int) -> Entry:
        """Keeps what the assistant itself says."""
        return self.record.add("answer", {"text": text}, cause=cause)

    def take_in(self, path: str, *, cause: int = 0) -> Taken:
        """Takes a file into account from now on.

        Raises:
            UsageError: it is not there.
        """
        found, missing = taken([path], self.cwd)
        if missing:
            raise UsageError(f"no such file: {path}")
        self.context = [one for one in self.context if one.path != path] + [found[0]]
        self.record.add("context", {"add": path}, cause=cause)
        return found[0]

    def leave_out(self, path: str, *, cause: int = 0) -> None:
        """Takes a file into account no more.

        Raises:
            UsageError: it was not.
        """
        if path not in {one.path for one in self.context}:
            raise UsageError(f"{path} is not taken into account", hint="/context")
        self.context = [one for one in self.context if one.path != path]
        self.record.add("context", {"drop": path}, cause=cause)

    def choose(self, hunks: Sequence[int], choice: Choice, *, said: int = 0) -> Entry:
        """Accepts, rejects or edits hunks, which count from 0; `said` is the entry of the words that asked for it.

        Raises:
            UsageError: there is no such hunk.
        """
        decision = self.deciding
        for hunk in hunks:
            if not 0 <= hunk < len(decision.choices):
                raise UsageError(f"there is no hunk {hunk + 1}", hint=f"the change has {len(decision.choices)}: /hunks")
        for hunk in hunks:
            kept = decision.choices[hunk].text if choice.text is None else choice.text
            decision.choices[hunk] = replace(choice, text=kept)
        data: dict[str, Any] = {"hunks": [hunk + 1 for hunk in hunks], "accepted": choice.accepted}
        if choice.text is not None:
            data["text"] = shown(choice.text)
        if said:
            data["said"] = said
        entry = self.record.add("choice", data, cause=decision.change.entry)
        self._chosen = entry.number
        return entry

    def edit(self, hunk: int, text: str, *, said: int = 0) -> Entry:
        """Gives a hunk another text.

        Raises:
            UsageError: there is no such hunk, or the text is none.
        """
        decision = self.deciding
        if not 0 <= hunk < len(decision.choices):
            raise UsageError(f"there is no hunk {hunk + 1}", hint=f"the change has {len(decision.choices)}: /hunks")
        decision.choices[hunk] = Choice()
        return self.choose([hunk], edited(decision.change.hunks[hunk], text), said=said)

    # --- what follows from it ---

    @property
    def deciding(self) -> Decision:
        """The change that is being decided about.

        Raises:
            UsageError: there is none.
        """
        if self.decision is None:
            raise UsageError("there is no change to decide about yet", hint="say what is wrong, or /repair")
        return self.decision

    def verify(self, choices: Sequence[Choice] | None = None) -> Request | None:
        """What has to run to have a choice judged; none where its verdict is known or it changes nothing."""
        decision = self.deciding
        chosen = tuple(decision.choices if choices is None else choices)
        diff = decision.change.diff(chosen)
        key = decision.change.key(chosen)
        known = decision.verdicts.get(key)
        if not diff or (known is not None and known.standing is not Standing.OPEN):
            return None
        self._asked[key] = chosen
        words = ("check", self._patch(diff, key), *decision.change.judge)
        return Request(purpose="verify", words=words, key=key)

    def measure(self) -> Request:
        """What has to run to measure how much of the change the tests meet.

        Raises:
            UsageError: nothing is chosen.
        """
        decision = self.deciding
        chosen = tuple(decision.choices)
        diff, key = decision.change.diff(chosen), decision.change.key(chosen)
        if not diff:
            raise UsageError("nothing is accepted, so there is nothing to measure", hint="/accept all")
        self._asked[key] = chosen
        words = ("check", self._patch(diff, key), *decision.change.judge, "--coverage")
        return Request(purpose="verify", words=words, key=key)

    def apply(self) -> Request:
        """What has to run to write what is chosen.

        Raises:
            UsageError: nothing is chosen, or the gate has not passed it.
        """
        decision = self.deciding
        verdict = decision.verdict
        if decision.applied:
            raise UsageError("this change is applied already", hint="/undo takes it back")
        if verdict.standing is not Standing.VERIFIED:
            raise UsageError(f"only what is verified is applied, and this is not: {verdict.line}", hint="/hunks")
        key = decision.key
        diff = decision.change.diff(decision.choices)
        self._asked[key] = tuple(decision.choices)
        made = [self._said(place) for place in range(len(decision.choices))]
        files = [
            {"path": file.path, "sha256": _digest(file.after)}
            for file in decision.change.chosen(decision.choices)
            if file.before != file.after
        ]
        self._pending = self.record.add(
            "applying",
            {"key": key, "hunks": made, "files": files, "diff": diff.decode("utf-8", errors="surrogateescape")},
            cause=verdict.entry or decision.change.entry,
        )
        words = ("check", self._patch(diff, key), *decision.change.judge, "--apply")
        return Request(purpose="apply", words=words, key=key)

    def take(self, request: Request, cause: int, kind: str, data: Mapping[str, Any]) -> Entry | None:
        """Keeps a message of a request that is running; none where it is not worth keeping.

        Args:
            request: what is running.
            cause: the entry because of which it runs.
            kind: the message's.
            data: the message's.
        """
        if request.purpose in ("look", "prepare"):
            return None
        if request.purpose in ("verify", "apply"):
            return self._heard(request, kind, data)
        entry = self.record.add(kind, _short(data), cause=cause) if self._is_kept(kind, data) else None
        if kind == "change" and entry is not None:
            self._restore(entry)
        if kind == "result" and entry is not None:
            self._after(entry)
        return entry

    # --- how ---

    def _is_kept(self, kind: str, data: Mapping[str, Any]) -> bool:
        if kind != "tried" or data.get("change"):
            return True
        now = time.time()
        if now - self._last_tried_at < _TRIED_INTERVAL_S:
            return False
        self._last_tried_at = now
        return True

    def _after(self, entry: Entry) -> None:
        """What a result says about the work tree."""
        data = entry.data.get("data", {})
        if "restored" in data:
            if self.decision is not None:
                self.decision.applied = False
            self.record.add("undone", {"paths": data["restored"]}, cause=entry.number)
        elif data.get("applied"):
            report = data.get("report") or data
            self.record.add(
                "applied",
                {"paths": report.get("paths", []), "diff": data.get("diff", ""), "evidence": report.get("evidence")},
                cause=entry.number,
            )

    def _heard(self, request: Request, kind: str, data: Mapping[str, Any]) -> Entry | None:
        choices = self._asked.get(request.key)
        decision = self.decision
        if decision is None or choices is None or kind not in ("result", "end"):
            return None
        if kind == "result":
            verdict = verdict_of(data["data"])
        elif data.get("message"):
            hint = f" ({data['hint']})" if data.get("hint") else ""
            verdict = Verdict(standing=Standing.OPEN, line=f"{data['message']}{hint}")
            if data.get("exit") == 130:
                return None
        else:
            return None
        hunks = [place + 1 for place, choice in enumerate(choices) if choice.accepted]
        entry = self.record.add(
            "verdict",
            {
                "key": request.key,
                "hunks": hunks,
                "edited": [place + 1 for place, choice in enumerate(choices) if choice.text is not None],
                "standing": verdict.standing.value,
                "line": verdict.line,
                "report": verdict.data,
            },
            cause=self._because(request, decision),
        )
        if request.purpose == "apply":
            return self._applied(request, data, kind, entry)
        decision.heard(choices, replace(verdict, entry=entry.number))
        return entry

    def _because(self, request: Request, decision: Decision) -> int:
        """The entry that a verdict follows from: the wish to apply, the last choice, or the change itself."""
        if request.purpose == "apply" and self._pending is not None:
            return self._pending.number
        return self._chosen or decision.change.entry

    def _applied(self, request: Request, data: Mapping[str, Any], kind: str, entry: Entry) -> Entry:
        decision = self.deciding
        if kind == "result" and data["data"].get("applied"):
            decision.applied = True
            pending = self._pending.data if self._pending is not None else {}
            paths = [file["path"] for file in pending.get("files", ())]
            self._pending = None
            return self.record.add(
                "applied",
                {
                    "key": request.key,
                    "paths": paths,
                    "hunks": pending.get("hunks", []),
                    "diff": pending.get("diff", ""),
                    "evidence": data["data"].get("evidence", ""),
                },
                cause=entry.number,
            )
        if kind == "result":
            decision.heard(self._asked[request.key], replace(verdict_of(data["data"]), entry=entry.number))
        return entry

    def _settle(self) -> None:
        """Finds out whether a change was written that a process was killed over.

        The files are changed all or none, so any of them tells.
        """
        last = next((one for one in reversed(self.record.entries) if one.kind in ("applying", "applied")), None)
        if last is None or last.kind == "applied" or self.decision is None:
            return
        root = next((one for one in (self.cwd, *self.cwd.parents) if (one / ".git").exists()), self.cwd)
        made = all(
            _bytes(root / file.path) == file.after for file in self.decision.change.chosen(self.decision.choices)
        )
        self.decision.applied = made
        if made:
            paths = [file["path"] for file in last.data["files"]]
            found = {**last.data, "paths": paths, "found": "when the session was resumed"}
            self.record.add("applied", found, cause=last.number)

    def _said(self, place: int) -> str:
        choice = self.deciding.choices[place]
        if not choice.accepted:
            return "rejected"
        return "accepted" if choice.text is None else "edited"

    def _patch(self, diff: bytes, key: str) -> str:
        if self.place is None:
            raise UsageError("nothing is kept of this session, so nothing can be verified hunk by hunk")
        path = self.place.directory / f"{key[:16]}.diff"
        if not path.exists():
            temporary = path.with_suffix(".new")
            temporary.write_bytes(diff)
            temporary.replace(path)
        return str(path)

    def _restore(self, entry: Entry) -> None:
        """What an entry means for what is being decided, whether it comes now or is read again."""
        data = entry.data
        if entry.kind == "change":
            change = change_of(data, entry.number)
            self.decision, self._chosen = Decision(change), 0
            verdict = replace(verdict_of(data["report"]), entry=entry.number)
            self.decision.heard(change.everything, verdict)
        elif entry.kind == "context":
            if "add" in data:
                self.context += [one for one in taken([data["add"]], self.cwd)[0] if one not in self.context]
            else:
                self.context = [one for one in self.context if one.path != data.get("drop")]
        elif self.decision is None:
            return
        elif entry.kind == "choice":
            self._chosen = entry.number
            for number in data["hunks"]:
                hunk = self.decision.change.hunks[number - 1]
                choice = edited(hunk, data["text"]) if "text" in data else Choice(accepted=data["accepted"])
                kept = self.decision.choices[number - 1].text if choice.text is None else choice.text
                self.decision.choices[number - 1] = replace(choice, accepted=data["accepted"], text=kept)
        elif entry.kind == "verdict" and not data.get("edited"):
            accepted = {number - 1 for number in data["hunks"]}
            choices = [Choice(accepted=place in accepted) for place in range(len(self.decision.choices))]
            standing = Standing(data["standing"])
            verdict = Verdict(standing=standing, line=data["line"], data=data.get("report", {}), entry=entry.number)
            self.decision.heard(choices, verdict)
        elif entry.kind in ("applied", "undone"):
            self.decision.applied = entry.kind == "applied"


def _short(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message as it is kept: a text of endless length is cut, and says so."""
    text = data.get("text")
    if isinstance(text, str) and len(text) > _KEPT_BYTES:
        cut = len(text) - _KEPT_BYTES
        return {**data, "text": f"{text[:_KEPT_BYTES]}\n[{cut} characters are left out here]\n"}
    return data


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _digest(content: bytes | None) -> str:
    return "" if content is None else hashlib.sha256(content).hexdigest()
