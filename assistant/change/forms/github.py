"""GitHub's workflow commands, which show a line of a log beside the line of the change."""

from __future__ import annotations

from collections.abc import Iterable

from veriloop.assistant.change.forms.marks import Mark

_WORDS = {"error": "error", "warning": "warning", "note": "notice"}
_MOST = 50
"""More are shown for no step anyway."""


def workflow_commands(marks: Iterable[Mark]) -> str:
    """A command a mark."""
    return "".join(f"{_command(mark)}\n" for mark in list(marks)[:_MOST])


def _command(mark: Mark) -> str:
    facts = {"file": mark.path, "line": mark.line or "", "col": mark.column or "", "title": f"veriloop: {mark.rule}"}
    said = ",".join(f"{name}={_property(str(value))}" for name, value in facts.items() if value)
    return f"::{_WORDS[mark.level]} {said}::{_escaped(mark.text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
