"""`veriloop undo`: takes back the last change that was applied."""

from __future__ import annotations

import argparse

from veriloop.assistant.cli.session import Session
from veriloop.assistant.cli.tree import open_repository
from veriloop.assistant.repository.undo import undo

NAME = "undo"
HELP = "take back the last change that was applied"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has no options of its own."""


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Restores the files byte for byte, only if nothing else has touched them since."""
    change = undo(open_repository(session))
    session.result("\n".join(f"restored {path}" for path in change.paths), {"restored": list(change.paths)})
    return 0
