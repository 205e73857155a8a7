"""What is kept of files: found again by content, and by nobody but the Veriloop that has read them."""

from __future__ import annotations

import pytest

from veriloop.assistant.change import facts
from veriloop.assistant.change.facts import Facts
from veriloop.assistant.design.reach import file_facts

FILE = b"module a; b b (); endmodule\n"


@pytest.fixture
def reads(monkeypatch) -> list[bytes]:
    """The contents that were read, not remembered."""
    found: list[bytes] = []

    def read(content):
        found.append(content)
        return file_facts(content)

    monkeypatch.setattr(facts, "file_facts", read)
    return found


def read_once(tmp_path) -> None:
    known = Facts.of(tmp_path / "cache", tmp_path)
    assert known.read(FILE).declares == {"a"}
    known.write()


def test_a_file_is_read_once(tmp_path, reads):
    read_once(tmp_path)
    read_once(tmp_path)
    assert reads == [FILE]


def test_what_another_version_found_counts_for_nothing(tmp_path, reads, monkeypatch):
    read_once(tmp_path)
    monkeypatch.setattr(facts, "own_version", lambda: "another")
    read_once(tmp_path)
    assert reads == [FILE, FILE]


def test_a_spoilt_file_costs_time_only(tmp_path, reads):
    read_once(tmp_path)
    (kept,) = (tmp_path / "cache" / "facts").iterdir()
    kept.write_bytes(b'{"schema": ')
    read_once(tmp_path)
    assert reads == [FILE, FILE]
