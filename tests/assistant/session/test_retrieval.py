from __future__ import annotations

from veriloop.assistant.session.files import mentioned, role_of, taken
from veriloop.assistant.session.retrieval import Index, Text, terms

TEXTS = [
    Text(
        key="rtl/sync_fifo.sv", names=("sync_fifo",), words="// a queue of words\nmodule sync_fifo (input push, pop);"
    ),
    Text(key="rtl/uartTx.v", names=("uartTx",), words="module uartTx (input baudTick, output txd); // serial line"),
    Text(key="rtl/arbiter.v", names=("arbiter",), words="module arbiter (input [3:0] req, output [3:0] grant);"),
]


def best(query: str) -> str:
    found = Index(TEXTS).search(query)
    return max(found, key=lambda key: found[key], default="")


def test_names_are_taken_apart():
    assert terms("wrPtr_next is the baudTick_q") == ["wr", "ptr", "next", "baud", "tick"]
    assert terms("dropped words, dropping") == ["dropp", "word", "dropp"]


def test_what_fits_best():
    assert best("the FIFO drops words") == "rtl/sync_fifo.sv"
    assert best("two grants at once") == "rtl/arbiter.v"
    assert best("txd is low while idle on the serial line") == "rtl/uartTx.v"
    assert best("the weather") == ""
    assert Index([]).search("x") == {}


def test_files_that_are_mentioned(tmp_path):
    (tmp_path / "a b.md").write_text("x")
    text, paths = mentioned('fix @rtl/fifo.sv, by @"a b.md" and mail a@b.c')
    assert text == "fix rtl/fifo.sv, by a b.md and mail a@b.c"
    assert paths == ("rtl/fifo.sv", "a b.md")
    found, missing = taken(paths, tmp_path)
    assert [(one.path, one.role, one.size_bytes) for one in found] == [("a b.md", "specification", 1)]
    assert missing == ("rtl/fifo.sv",)


def test_what_a_file_is_for():
    names = {"rtl/a.sv": "design", "tb/a.sv": "test", "t/test_a.py": "test", "x.patch": "patch", "d.fst": "waveform"}
    assert {name: role_of(name) for name in names} == names
    assert role_of("Makefile") == "other"
