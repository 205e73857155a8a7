"""How well places fit a report's words, by SQLite's full-text search (FTS5, BM25): https://sqlite.org/fts5.html."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Sequence

from veriloop.assistant.locate.places import Place
from veriloop.assistant.locate.words import identifiers, parts

_WEIGHTS = (6.0, 3.0, 1.0)
"""What a place drives, where it stands, what else its text says."""
_MOST_WORDS = 300
_WORD = re.compile(r"\w+")


def fitting(places: Sequence[Place], words: Sequence[str]) -> dict[int, float]:
    """The places that share a word with a report, by their index, from above 0 to 1 for the best."""
    wanted = [word for word in words if _WORD.fullmatch(word)][:_MOST_WORDS]
    if not places or not wanted:
        return {}
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        base.execute("CREATE VIRTUAL TABLE place USING fts5(drives, stands, says, tokenize='unicode61')")
        rows = ((index, *_columns(place)) for index, place in enumerate(places))
        base.executemany("INSERT INTO place(rowid, drives, stands, says) VALUES (?, ?, ?, ?)", rows)
        query = " OR ".join(f'"{word}"' for word in dict.fromkeys(wanted))
        found = base.execute(
            "SELECT rowid, bm25(place, ?, ?, ?) FROM place WHERE place MATCH ?", (*_WEIGHTS, query)
        ).fetchall()
    # BM25 is negative in SQLite: the smaller, the better.
    best = min((score for _, score in found), default=0.0)
    return {index: score / best for index, score in found if best < 0 and score < 0}


def _columns(place: Place) -> tuple[str, str, str]:
    drives = " ".join(parts(place.targets))
    stands = " ".join(parts([place.module, *identifiers(place.path)]))
    return drives, stands, " ".join(parts(identifiers(place.text)))
