"""What can be typed with a slash before it: the verbs, and what only a conversation has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from veriloop.assistant.cli.main import SUMMARIES, VERBS

OWN: Mapping[str, str] = {
    "hunks": "show the change hunk by hunk, and what is known of each",
    "accept": "accept hunks of the change: /accept 1 3, or all",
    "reject": "reject hunks of the change: /reject 2, or all",
    "edit": "give a hunk another text: /edit 2, then the lines",
    "apply": "write the accepted hunks into the work tree, once the gate has passed them",
    "evidence": "show what ran for the last result, and what was not checked",
    "why": "tell why a file or a line was changed: /why rtl/fifo.sv:65",
    "context": "show the files that the assistant takes into account",
    "add": "take a file into account: /add docs/fifo.md",
    "drop": "leave a file out again: /drop docs/fifo.md",
    "test": "run the tests whose verdict is not known",
    "history": "show the sessions of this repository",
    "help": "show what can be typed",
    "quit": "leave; the session can be resumed",
}
"""What is no verb of the command line."""

_NOT_HERE = frozenset({"lsp", "lsp-query", "bench", "train"})
"""Verbs that make no sense inside a conversation: they serve another program, or run for hours."""


def verbs() -> tuple[str, ...]:
    """The verbs that run in a conversation."""
    return tuple(name for name in VERBS if name not in _NOT_HERE)


def commands() -> Mapping[str, str]:
    """Every command with what it does, in the order in which they are shown."""
    return {**{name: SUMMARIES[name] for name in verbs()}, **OWN}


def nearest(name: str) -> str:
    """The command that was probably meant; empty: none is near."""
    close = difflib.get_close_matches(name, commands(), n=1)
    return close[0] if close else ""


ABILITIES = (
    "I can repair a failing test, say who is wrong where one fails, run and check tests, judge a patch, generate a "
    "module from a specification's tables, write a testbench, explain RTL, show how the repository stands, and undo."
)
LARGER = "For open questions install a larger model: veriloop models pull NAME"


def help_text() -> str:
    """What can be said, for a first look."""
    lines = [ABILITIES, "Say it in your own words, or type:"]
    lines += [f"  /{name:<10} {what}" for name, what in commands().items()]
    return "\n".join(lines)
