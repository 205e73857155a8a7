"""A question that a result puts to the user, whose answer goes on with the work that asked it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from veriloop.assistant.session.plan import Plan


def asking(data: Mapping[str, Any], words: Sequence[str]) -> Plan | None:
    """The question of a result as a choice between command lines, each the one that ran with an answer; none if it
    asks nothing.

    Args:
        data: the result's.
        words: the command line that it came from.
    """
    asked = data.get("asked")
    if not asked or not words:
        return None
    return Plan(
        answer=str(asked["question"]),
        choices=tuple((*words, "--decide", asked["question"], option) for option in asked["options"]),
        labels=tuple(map(str, asked["options"])),
        is_open=True,
    )
