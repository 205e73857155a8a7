"""What is kept of an import."""

from __future__ import annotations

import time
from pathlib import Path

from tests.assistant.project.conftest import DESIGN, write
from veriloop.assistant.project.imports import import_project
from veriloop.assistant.project.model import Imported
from veriloop.assistant.project.store import decode, encode, known_project

MAKEFILE = "test:\n\tiverilog -o x tb/counter_tb.v rtl/counter.v && vvp x\n"


def test_what_is_kept_is_what_was_found_until_a_file_changes(tmp_path: Path) -> None:
    root, cache = write(tmp_path / "tree", {**DESIGN, "Makefile": MAKEFILE}), tmp_path / "cache"
    found = known_project(root, cache)
    assert decode(Imported, encode(found)) == found == import_project(root)
    kept = next((cache / "imports").iterdir())
    before = kept.stat().st_mtime_ns
    assert known_project(root, cache) == found
    assert kept.stat().st_mtime_ns == before
    time.sleep(0.01)
    write(root, {"rtl/more.v": "module more(input a); endmodule\n"})
    assert {top.name for top in known_project(root, cache).tops} == {"counter", "more"}


def test_what_is_damaged_is_made_again(tmp_path: Path) -> None:
    root, cache = write(tmp_path / "tree", DESIGN), tmp_path / "cache"
    found = known_project(root, cache)
    kept = next((cache / "imports").iterdir())
    for text in ("", "{", '{"mark": 1}', kept.read_text().replace('"tops"', '"stop"')):
        kept.write_text(text)
        assert known_project(root, cache) == found


def test_nothing_is_kept_without_a_place(tmp_path: Path) -> None:
    root = write(tmp_path / "tree", DESIGN)
    (tmp_path / "file").write_text("")
    assert known_project(root, None) == known_project(root, tmp_path / "file")
