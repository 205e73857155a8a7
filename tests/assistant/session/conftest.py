"""Repositories in which a conversation is held, and conversations without any tool behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.assistant.repair.conftest import Clone, cache, clone
from veriloop.assistant.session.conversation import Conversation
from veriloop.assistant.session.sessions import begin, opened

__all__ = ["cache", "clone"]

OLD = "a\nb\nc\nd\ne\n"
NEW = "a\nB\nc\nd\nE\n"


def report(*, passed: bool = True, cached: bool = False) -> dict[str, Any]:
    """What `veriloop check --json` says of a change, as far as a conversation looks at it."""
    step = {"name": "tb.v", "passed": passed, "detail": "" if passed else "3 of 9 samples mismatch"}
    return {
        "passed": passed,
        "evidence": "tests" if passed else "none",
        "tests": {"ran": 1, "passed": int(passed)},
        "fixed": ["tb.v"] if passed else [],
        "steps": [{**step, "cached": cached, "runs": [{"outcome": "pass", "reason": "", "engine": "e", "start": ""}]}],
        "baseline": [],
        "paths": ["rtl/a.v"],
    }


def proposal(before: str = OLD, after: str = NEW) -> Mapping[str, Any]:
    """A change of two hunks, as the record holds it."""
    return {
        "base": "1" * 40,
        "tree": "2" * 40,
        "judge": ["--testbench", "tb.v"],
        "title": "literal",
        "files": [{"path": "rtl/a.v", "before": before, "after": after}],
        "report": report(),
    }


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory whose sessions are kept beside it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    found = tmp_path / "tree"
    (found / "rtl").mkdir(parents=True)
    (found / ".git").mkdir()
    (found / "rtl/a.v").write_text(OLD)
    return found


@pytest.fixture
def conversation(root: Path) -> Iterator[Conversation]:
    """A new conversation."""
    place = begin(root)
    with opened(place, root, "0") as record:
        yield Conversation(record, root, place)
    place.close()


def said(conversation: Conversation, text: str = "it is wrong") -> int:
    """Something was said and a change of two hunks came of it; the number of what was said."""
    entry = conversation.say(text)
    request = conversation.ask(text)
    for kind, data in (
        ("plan", {"words": ["repair"], "line": "repair", "why": "a reason"}),
        (
            "result",
            {"text": "", "data": {"status": "repaired", "operators": ["literal"], "candidates": 9, "report": report()}},
        ),
        ("change", proposal()),
        ("end", {"exit": 0, "seconds": 1.0}),
    ):
        conversation.take(request, entry.number, kind, data)
    return entry.number


__all__ += ["Clone"]
