"""Which Veriloop a bench has measured."""

from __future__ import annotations

from pathlib import Path

from veriloop.assistant import __version__
from veriloop.assistant.errors import RepositoryError
from veriloop.assistant.repository.repository import Repository


def provenance() -> dict[str, str]:
    """The keys that every summary carries: `version`, and `commit`, which is empty for an installed package."""
    return {"version": __version__, "commit": _commit()}


def _commit() -> str:
    here = Path(__file__).resolve()
    try:
        repository = Repository.open(here.parent)
        return repository.commit() if repository.entry(repository.head_tree(), "assistant/cli/bench.py") else ""
    except RepositoryError:
        return ""
