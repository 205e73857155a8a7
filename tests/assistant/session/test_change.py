from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from veriloop.assistant.design.hunks import FileVersions, Hunk
from veriloop.assistant.errors import UsageError
from veriloop.assistant.session.change import Change, Choice, Links, edited, judge_options, links, probes, shown


def change() -> Change:
    files = [
        FileVersions(path="b.v", before=b"1\n2\n3\n4\n", after=b"1\n2\nx\n4\n"),
        FileVersions(path="a.v", before=b"1\n2\n3\n4\n", after=b"0\n2\n3\n5\n"),
        FileVersions(path="same.v", before=b"1\n", after=b"1\n"),
    ]
    return Change.of(files, base="", tree="")


def test_hunks_of_all_files_in_order():
    found = change()
    assert [(hunk.path, hunk.line) for hunk in found.hunks] == [("a.v", 1), ("a.v", 4), ("b.v", 3)]
    assert found.everything == (Choice(), Choice(), Choice())


def test_a_choice_makes_the_files_that_it_says():
    made = change().chosen([Choice(accepted=False), Choice(text=(b"7\n", b"8\n")), Choice()])
    assert [(file.path, file.after) for file in made] == [("a.v", b"1\n2\n3\n7\n8\n"), ("b.v", b"1\n2\nx\n4\n")]


def test_rejecting_everything_changes_nothing():
    assert change().diff([Choice(accepted=False)] * 3) == b""


def test_choices_that_make_the_same_files_are_the_same():
    found = change()
    same = [Choice(), Choice(text=(b"5\n",)), Choice()]
    assert found.key(same) == found.key(found.everything)
    assert found.key([Choice(accepted=False), Choice(), Choice()]) != found.key(found.everything)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_an_edit_keeps_the_file_s_ends_of_lines(ending):
    hunk = Hunk(path="a.v", line=1, old=(f"a{ending}".encode(),), new=(f"b{ending}".encode(),))
    assert edited(hunk, "c\nd").text == (f"c{ending}".encode(), f"d{ending}".encode())
    assert edited(hunk, shown(hunk.new)).text is None
    assert edited(hunk, "").text == ()
    with pytest.raises(UsageError):
        edited(hunk, "a\0")


def test_a_last_line_without_an_end_keeps_none():
    hunk = Hunk(path="a.v", line=1, old=(b"a",), new=(b"b",))
    assert edited(hunk, "c").text == (b"c",)


@given(st.lists(st.binary(max_size=4).filter(lambda line: b"\n" not in line and b"\r" not in line), max_size=4))
def test_what_is_shown_can_be_taken_back(content):
    made = tuple(line + b"\n" for line in content)
    hunk = Hunk(path="a.v", line=1, old=(b"x\n",), new=made)
    assert "\0" in shown(made) or edited(hunk, shown(made)).text is None


@pytest.mark.parametrize(
    ("replay", "options"),
    [
        ("veriloop check --worktree --testbench 'tb/a b.v'", ("--testbench", "tb/a b.v")),
        ("veriloop check --staged --test 'make test'", ("--test", "make test")),
        ("veriloop check x.diff --testbench t.v --top t", ("--testbench", "t.v", "--top", "t")),
        ("veriloop check --worktree", ()),
        ("", ()),
    ],
)
def test_what_judges_is_read_from_the_command_that_judges_again(replay, options):
    assert judge_options(replay) == options


def known(count: int, passes) -> dict[frozenset[int], bool]:
    return {chosen: passes(chosen) for chosen in (frozenset(range(count)), *probes(count))}


def test_hunks_that_pass_only_together_are_linked():
    found = links(3, known(3, lambda chosen: {0, 2} <= chosen))
    assert found.needed == {0, 2}
    assert found.spare == {1}
    assert found.groups == (frozenset({0, 2}),)
    assert found.group(0) == 0
    assert found.group(1) is None


def test_one_that_is_needed_alone_is_linked_with_none():
    found = links(2, known(2, lambda chosen: 0 in chosen))
    assert found == Links(frozenset({0}), frozenset({1}), ())


def test_nothing_is_said_of_what_nothing_is_known_of():
    assert links(3, {}) == links(3, {frozenset({0, 1, 2}): False})
    assert links(3, {frozenset({0, 1, 2}): True}).groups == ()
    assert list(probes(1)) == list(probes(9)) == []


@given(st.integers(2, 5), st.data())
def test_no_group_is_contradicted_by_what_is_known(count, data):
    passing = data.draw(st.sets(st.frozensets(st.integers(0, count - 1))))
    said = {chosen: chosen in passing for chosen in data.draw(st.sets(st.frozensets(st.integers(0, count - 1))))}
    found = links(count, said)
    for group in found.groups:
        assert all(group <= chosen or not group & chosen for chosen, passed in said.items() if passed)
    for one in found.needed:
        assert all(one in chosen for chosen, passed in said.items() if passed)
    assert not found.needed & found.spare
