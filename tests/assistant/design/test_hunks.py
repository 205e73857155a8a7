from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veriloop.assistant.design.hunks import FileVersions, assembled, hunks, lines, patch

TEXT = st.lists(st.sampled_from([b"a", b"b", b"c\r", b"", b"\xff"]), max_size=8).map(b"\n".join)


def versions(before: bytes | None, after: bytes | None, path: str = "rtl/a.v") -> FileVersions:
    return FileVersions(path=path, before=before, after=after)


def test_runs_of_changed_lines_are_hunks():
    found = hunks(versions(b"a\nb\nc\nd\ne\n", b"a\nB\nc\nd\nE\nf\n"))
    assert [(hunk.line, hunk.old, hunk.new) for hunk in found] == [
        (2, (b"b\n",), (b"B\n",)),
        (5, (b"e\n",), (b"E\n", b"f\n")),
    ]


@given(TEXT, TEXT)
def test_all_hunks_make_the_file_and_none_leaves_it(before, after):
    file = versions(before, after)
    found = hunks(file)
    assert assembled(file, {place: hunk.new for place, hunk in enumerate(found)}) == after
    assert assembled(file, {}) == before


@given(TEXT, TEXT, st.sets(st.integers(0, 7)))
def test_each_hunk_is_independent_of_the_others(before, after, chosen):
    file = versions(before, after)
    found = hunks(file)
    made = assembled(file, {place: hunk.new for place, hunk in enumerate(found) if place in chosen})
    assert made is not None
    assert b"".join(lines(made)) == made
    expected = list(lines(before))
    for place, hunk in reversed(list(enumerate(found))):
        if place in chosen:
            expected[hunk.line - 1 : hunk.line - 1 + len(hunk.old)] = hunk.new
    assert made == b"".join(expected)


def test_a_file_that_comes_or_goes_is_one_hunk():
    new, gone = versions(None, b"a\nb\n"), versions(b"a\nb\n", None)
    assert len(hunks(new)) == len(hunks(gone)) == 1
    assert assembled(new, {}) is None
    assert assembled(new, {0: (b"a\n", b"b\n")}) == b"a\nb\n"
    assert assembled(new, {0: (b"c\n",)}) == b"c\n"
    assert assembled(gone, {0: ()}) is None
    assert assembled(gone, {}) == b"a\nb\n"


@pytest.mark.needs("git")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\nb", b"a\nb\n"),
        (b"a\r\nb\r\n", b"a\r\nc\r\n"),
        (b"\xff\xfe\nb\n", b"\xff\xfe\nc"),
        (None, b"a\nb"),
        (b"a\n", None),
        (b"a\x0cb\nc\n", b"a\x0cb\nd\n"),
    ],
)
@pytest.mark.parametrize("path", ["a.v", "a file.v", "sub/ä.v"])
def test_git_takes_the_patch(tmp_path, before, after, path):
    target = tmp_path / path
    target.parent.mkdir(exist_ok=True)
    if before is not None:
        target.write_bytes(before)
    diff = patch([versions(before, after, path)])
    subprocess.run(["git", "apply", "-"], input=diff, cwd=tmp_path, check=True)
    assert (target.read_bytes() if target.exists() else None) == after


def test_nothing_changed_is_no_patch():
    assert patch([versions(b"a", b"a")]) == b""
