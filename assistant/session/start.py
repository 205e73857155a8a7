"""Beginning a session, or going on with one: what the terminal, its lines and a single turn have in common."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from veriloop.assistant import __version__
from veriloop.assistant.places import find_root
from veriloop.assistant.session.conversation import Conversation
from veriloop.assistant.session.sessions import Place, begin, opened, resume


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that is open."""

    conversation: Conversation
    place: Place
    root: Path
    """The tree whose sessions it is among."""


@contextlib.contextmanager
def session(arguments: argparse.Namespace, cwd: Path) -> Iterator[Opened]:
    """Opens the session that a command line asks for, and closes it.

    Raises:
        UsageError: the one to go on with is not there, or open elsewhere.
        ConfigError: it cannot be kept.
    """
    _recover(cwd)
    root = find_root(cwd)
    place = begin(root) if arguments.resume is None else resume(root, arguments.resume)
    try:
        with opened(place, root, __version__) as record:
            yield Opened(Conversation(record, cwd, place), place, root)
    finally:
        place.close()


def _recover(cwd: Path) -> None:
    """Takes back at once what a process that was killed left half made; where nothing is, nothing is loaded for it."""
    found = next((folder / ".git" for folder in (cwd, *cwd.parents) if (folder / ".git").exists()), None)
    if found is None or (found.is_dir() and not (found / "veriloop" / "journal.json").exists()):
        return
    # Imported here because git's library takes longer to load than a terminal to open.
    from veriloop.assistant.repository.journal import recover
    from veriloop.assistant.repository.repository import Repository

    recover(Repository.open(cwd))
