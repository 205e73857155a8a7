from __future__ import annotations

import pytest

from veriloop.assistant.standing.ago import ago
from veriloop.assistant.standing.summary import Change, summary
from veriloop.assistant.standing.verdicts import Standing, State, first_difference


def one(name: str, state: State, passed: bool) -> Standing:
    return Standing(name=name, modules=frozenset({"m"}), state=state, passed=passed, when=880.0)


@pytest.mark.parametrize(
    ("tests", "change", "text"),
    [
        ([], None, ""),
        ([("a", "never", False)], None, "tests: 1 test never ran here"),
        ([("a", "passed", True)], None, "tests: 1 passed, 2 min ago"),
        ([("a", "passed", True), ("b", "never", False)], None, "tests: 1 passed, 2 min ago, 1 never ran here"),
        ([("a", "failed", False), ("b", "passed", True)], None, "tests: 1 of 2 failed (a), 2 min ago"),
        ([("a", "stale", True)], Change("m.sv", 88), "tests: 1 passed, 2 min ago, stale since line 88"),
        ([("a", "stale", True)], Change("c.sv", 3), "tests: 1 passed, 2 min ago, stale since c.sv:3"),
        ([("a", "stale", True)], None, "tests: 1 passed, 2 min ago, stale"),
    ],
)
def test_one_line_says_how_a_module_stands(tests, change, text):
    known = [one(name, state, passed) for name, state, passed in tests]
    assert summary(known, "m", 1000.0, change, "m.sv") == text
    assert summary(known, "other", 1000.0, change, "m.sv") == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "just now"),
        (61, "1 min ago"),
        (7300, "2 h ago"),
        (86400, "1 day ago"),
        (200000, "2 days ago"),
    ],
)
def test_time_is_told_in_words(seconds, text):
    assert ago(seconds) == text


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (b"a\nb\n", b"a\nb\n", None),
        (b"a\nb\n", b"a\nc\n", 2),
        (b"a\n", b"a\nb\n", 2),
        (b"", b"a", 1),
        (b"a\r\n", b"a\n", None),
    ],
)
def test_the_first_line_that_differs(before, after, line):
    assert first_difference(before, after) == line
