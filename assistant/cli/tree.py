"""The repository that a verb works on, tidied after whatever died in it before."""

from __future__ import annotations

from veriloop.assistant.cli.session import Session
from veriloop.assistant.events import Note
from veriloop.assistant.repository.journal import recover
from veriloop.assistant.repository.private import clean_up
from veriloop.assistant.repository.repository import Repository


def open_repository(session: Session) -> Repository:
    """The work tree that the verb was started in.

    Removes the private copies of processes that are dead, and takes back a change that one of them left half made.

    Raises:
        RepositoryError: it was started in none.
    """
    repository = Repository.open(session.cwd)
    clean_up(repository.cache)
    recovered = recover(repository)
    if recovered:
        for path in recovered.restored:
            session.observe(Note(f"{path} is as it was: a veriloop that was killed had left it half changed"))
        for path in recovered.left:
            session.observe(
                Note(f"{path} was edited after a veriloop was killed; what it was: .git/veriloop/unfinished.json")
            )
    return repository
