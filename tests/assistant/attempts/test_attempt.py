"""What is kept of attempts."""

from __future__ import annotations

from pathlib import Path

import pytest

from veriloop.assistant.attempts.attempt import Attempt, Attempts, attempt_key, limited, training_row
from veriloop.assistant.errors import UsageError


def attempt(name: str, key: str = "k", *marks: bytes) -> Attempt:
    places = (("a.v:1-2 (process)", 1.5, ("words",)),)
    return Attempt(
        id=name, time=1.0, report="# r", test="make", base="t", status="not found", places=places, key=key,
        refuted=limited(marks),
    )  # fmt: skip


def test_what_is_kept_comes_back(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    assert attempts.all() == []
    attempts.keep(attempt("2", "k", b"\x01\x02"))
    attempts.keep(attempt("1", "k", b"\x03"))
    attempts.keep(attempt("3", "other", b"\x04"))
    assert [one.id for one in attempts.all()] == ["1", "2", "3"]
    assert attempts.get("2") == attempt("2", "k", b"\x01\x02")
    assert attempts.refuted("k") == {b"\x01\x02", b"\x03"}
    assert attempts.last("k") == "2"
    assert (tmp_path / ".veriloop/.gitignore").read_text() == "*\n"
    assert training_row(attempts.get("1"))["places"] == ["a.v:1-2 (process)"]


def test_a_damaged_file_costs_itself_only(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    attempts.keep(attempt("1"))
    (tmp_path / ".veriloop/attempts/2.json").write_text("{")
    (tmp_path / ".veriloop/attempts/3.json").write_text('{"id": "3"}')
    assert [one.id for one in attempts.all()] == ["1"]


def test_an_id_that_is_none_or_several(tmp_path: Path) -> None:
    attempts = Attempts(tmp_path)
    attempts.keep(attempt("11"))
    attempts.keep(attempt("12"))
    for name in ("1", "2"):
        with pytest.raises(UsageError, match="attempts begin with"):
            attempts.get(name)


def test_another_tree_or_test_is_another_key() -> None:
    assert len({attempt_key("a", "b"), attempt_key("a", "c"), attempt_key("b", "b"), attempt_key("", "ab")}) == 4
