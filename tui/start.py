"""Starts the terminal; `cli/main.py` does so by this module's name."""

from __future__ import annotations

import argparse
import importlib.util

from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.session.start import session


def run(arguments: argparse.Namespace, caller: Session) -> int:
    """Holds a conversation in the terminal; 0.

    Raises:
        UsageError: the terminal's library is not installed.
    """
    if importlib.util.find_spec("textual") is None:
        raise UsageError(
            "the terminal is not installed", hint="pip install 'veriloop[tui]'    or, without it: veriloop --plain"
        )
    from veriloop.tui.app import VeriloopApp

    name, following = "", arguments.resume
    while True:
        arguments.resume = following
        with session(arguments, caller.cwd) as opened:
            name = opened.place.name
            following = VeriloopApp(opened).run()
        if not following:
            break
    caller.result(f"veriloop --resume {name} goes on with this session", {"session": name})
    return 0
