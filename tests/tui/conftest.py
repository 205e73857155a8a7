"""Terminals without a terminal: the application with requests that are answered from a script."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.assistant.session.conftest import proposal, report, root
from veriloop.assistant.session.request import Request
from veriloop.assistant.session.start import Opened, session
from veriloop.tui.app import VeriloopApp

__all__ = ["root"]

Message = tuple[str, Mapping[str, Any]]
DONE: Message = ("end", {"exit": 0, "seconds": 0.1})
STATUS: dict[str, Any] = {
    "tests": [
        {"name": "a_tb", "testbench": "tb/a_tb.v", "state": "failed", "passed": False, "when": 1.0, "modules": ["a"]},
        {"name": "b_tb", "testbench": "tb/b_tb.v", "state": "never", "passed": False, "when": 0.0, "modules": ["b"]},
    ],
    "hierarchy": [
        {"path": "top", "module": "top", "file": "rtl/top.v", "standing": "", "state": None},
        {
            "path": "top.u_a",
            "module": "a",
            "file": "rtl/a.v",
            "standing": "tests: 1 of 1 failed (a_tb)",
            "state": "failed",
        },
    ],
    "changed": ["rtl/a.v"],
}
REPORT = "--- a/rtl/a.v\n+++ b/rtl/a.v\n@@ -2 +2 @@\n-b\n+B\n\nverified: 1 of 1 tests pass; evidence: tests\n"


def full_report(*, passed: bool = True) -> dict[str, Any]:
    """A report with all that the screens look at."""
    run: dict[str, Any] = {
        "outcome": "pass" if passed else "fail",
        "engine": "verilator",
        "start": "random 1",
        "checks": 9,
        "failures": 0 if passed else 3,
        "failing": [],
        "reason": "0 of 9 samples mismatch",
        "diagnostics": [],
        "seconds": 0.1,
    }
    step = {"name": "tb.v", "passed": passed, "detail": "3 of 9 samples mismatch", "cached": False, "runs": [run]}
    return {
        **report(passed=passed),
        "tests": {"ran": 1, "passed": int(passed), "runs": 1, "checks": 9},
        "steps": [step],
        "unchecked": ["synthesis"],
        "tools": {"verilator": "5"},
        "tree": "2" * 40,
        "base": "1" * 40,
        "replay": "veriloop check --worktree --testbench tb.v",
        "broken": [],
    }


class Script:
    """Answers requests, each by the first rule whose beginning its words or its text have."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.rules: list[tuple[str, Callable[[Request], list[Message]]]] = []
        self.hold = threading.Event()
        """Set: a request that waits for it goes on."""
        self.answer("status", ("result", {"text": "", "data": STATUS}), DONE)
        self.answer("models", ("result", {"text": "", "data": {"models": [], "used": {}, "catalogue": []}}), DONE)

    def answer(self, beginning: str, *messages: Message) -> None:
        """Answers requests that begin so with these messages."""
        self.rules.insert(0, (beginning, lambda request: list(messages)))

    def judge(self, verdict: Callable[[bytes], bool]) -> None:
        """Answers the gate's requests by what a diff holds."""

        def answered(request: Request) -> list[Message]:
            passed = verdict(Path(request.words[1]).read_bytes())
            data = {**full_report(passed=passed), "applied": passed and request.words[-1] == "--apply"}
            return [("result", {"text": "", "data": data}), ("end", {"exit": 0 if passed else 1, "seconds": 0.1})]

        self.rules.insert(0, ("check", answered))

    def propose(self, text: str = "it is wrong") -> None:
        """Answers what is said with a change of two hunks."""
        data = {"status": "repaired", "operators": ["literal"], "candidates": 9, "report": full_report()}
        change = {**proposal(), "report": full_report()}
        self.answer(
            text,
            (
                "plan",
                {"words": ["repair", "--testbench", "tb.v"], "line": "repair --testbench tb.v", "why": "it fails"},
            ),
            ("stage", {"name": "search"}),
            ("tried", {"count": 9, "best": 0.5, "operator": "literal", "left_s": 50.0, "change": ""}),
            ("note", {"text": "a note"}),
            ("result", {"text": REPORT, "data": data}),
            ("change", change),
            DONE,
        )

    def messages(self, request: Request) -> list[Message]:
        """What a request is answered with."""
        self.asked.append(request)
        said = " ".join(request.words) or request.text
        for beginning, answered in self.rules:
            if said.startswith(beginning):
                return answered(request)
        return [("end", {"exit": 2, "seconds": 0, "message": f"no rule for {said}", "hint": ""})]


class Scripted:
    """Performs requests by a script; `wait` as a kind waits until it may go on, or is interrupted."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._interrupted = threading.Event()

    def start(self) -> None:
        """Is ready."""

    def run(self, request: Request, on_message: Callable[[str, Mapping[str, Any]], None]) -> None:
        """Tells the script's messages."""
        self._interrupted.clear()
        for kind, data in self._script.messages(request):
            while kind == "wait" and not self._script.hold.wait(0.01):
                if self._interrupted.is_set():
                    on_message("end", {"exit": 130, "seconds": 0, "message": "interrupted", "hint": ""})
                    return
            if kind != "wait":
                on_message(kind, data)

    def interrupt(self) -> None:
        """Stops it."""
        self._interrupted.set()

    def close(self) -> None:
        """Ends."""
        self._interrupted.set()
        self._script.hold.set()


@pytest.fixture
def script() -> Script:
    """What requests are answered with."""
    return Script()


@pytest.fixture
def opened(root: Path) -> Iterator[Opened]:
    """A new session."""
    with session(argparse.Namespace(resume=None), root) as found:
        yield found


@pytest.fixture
def app(opened: Opened, script: Script) -> VeriloopApp:
    """The application."""
    return VeriloopApp(opened, performer=lambda: Scripted(script))
