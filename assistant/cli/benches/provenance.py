"""Which Veriloop a bench has measured, and where its rows are kept."""

from __future__ import annotations

import argparse
from pathlib import Path

from veriloop.assistant import __version__
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import RepositoryError
from veriloop.assistant.repository.repository import Repository

OUT = "veriloop-bench"
_SHORT_COMMIT = 12


def provenance() -> dict[str, str]:
    """The keys that every summary carries: `version`, and `commit`, which is empty for an installed package."""
    return {"version": __version__, "commit": _commit()}


def kept_at(arguments: argparse.Namespace, session: Session, *more: str) -> Path:
    """Where rows are kept. Those of different commits, or with other answers, must not meet in one table."""
    name = "-".join(filter(None, [arguments.suite, *more, provenance()["commit"][:_SHORT_COMMIT]]))
    return session.cwd / (arguments.out or Path(OUT, name))


def _commit() -> str:
    here = Path(__file__).resolve()
    try:
        repository = Repository.open(here.parent)
        return repository.commit() if repository.entry(repository.head_tree(), "assistant/cli/bench.py") else ""
    except RepositoryError:
        return ""
