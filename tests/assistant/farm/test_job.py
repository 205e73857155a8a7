from __future__ import annotations

import os
from dataclasses import replace

import pytest

from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.calls import CALL, RESULT, call_job, returned
from veriloop.assistant.farm.job import Done, Job, differences, digest
from veriloop.assistant.farm.store import ContentStore
from veriloop.assistant.farm.worker import run

JOB = Job(argv=("/bin/cat", "a"), inputs=(("a", digest(b"x")),), outputs=("b",), tools=(("verilator", "5"),))


def double(number: int, cancel: CancelToken) -> int:
    return 2 * number


def break_off(number: int, cancel: CancelToken) -> int:
    os._exit(number)


def test_equal_jobs_have_one_key_and_every_part_counts():
    assert replace(JOB).key == JOB.key
    others = [
        replace(JOB, argv=("/bin/cat", "b")),
        replace(JOB, inputs=(("a", digest(b"y")),)),
        replace(JOB, outputs=()),
        replace(JOB, timeout_s=1.0),
        replace(JOB, tools=(("verilator", "6"),)),
    ]
    assert len({JOB.key, *(one.key for one in others)}) == len(others) + 1


def test_a_verdict_says_nothing_of_where_and_when():
    done = Done(returncode=0, outputs=(("b", b"1"),), host="one", worker="1", started_s=1.0, wall_s=2.0, cpu_s=3.0)
    assert done.verdict == Done(returncode=0, outputs=(("b", b"1"),)).verdict
    assert done.verdict != replace(done, outputs=(("b", b"2"),)).verdict


def test_differences_are_phrases():
    wanted, found = (("verilator", "5.48"), ("icarus", "11.0")), (("verilator", "5.30"),)
    assert differences(wanted, wanted) == ()
    assert differences(wanted, found) == (
        "icarus is absent there and 11.0 here",
        "verilator is 5.30 there and 5.48 here",
    )


def test_a_function_is_called_in_a_process_of_its_own():
    job, contents = call_job(double, 21, tools=(), timeout_s=60)
    assert returned(run(job, contents, CancelToken())) == 42


def test_a_call_that_breaks_off_is_a_tool_that_failed():
    job, contents = call_job(break_off, 7, tools=(), timeout_s=60)
    with pytest.raises(ToolFailed, match="ended with exit code 7"):
        returned(run(job, contents, CancelToken()))


def test_only_functions_that_a_module_names_can_be_called_elsewhere():
    with pytest.raises(TypeError):
        call_job(lambda item, cancel: item, 1, tools=(), timeout_s=60)


def test_only_what_was_asked_for_comes_back():
    job = Job(argv=("/bin/sh", "-c", "cat a a >b; echo c >c"), inputs=(("a", digest(b"x")),), outputs=("b", "none"))
    done = run(job, {digest(b"x"): b"x"}, CancelToken())
    assert done.outputs == (("b", b"xx"),)


def test_a_call_and_its_result_have_names_of_their_own():
    assert CALL != RESULT


class TestContentStore:
    def test_keeps_and_gives_back(self, tmp_path):
        store = ContentStore(tmp_path / "store")
        name = digest(b"content")
        assert store.missing([name]) == (name,)
        store.keep({name: b"content"})
        assert (store.missing([name]), store.get(name)) == ((), b"content")

    def test_what_is_not_what_its_name_says_is_not_given(self, tmp_path):
        store = ContentStore(tmp_path)
        name = digest(b"content")
        store.keep({name: b"content"})
        (tmp_path / name[:2] / name).write_bytes(b"conten")
        assert store.get(name) is None
        assert store.missing([name]) == (name,)

    def test_what_was_used_longest_ago_goes_first(self, tmp_path):
        store = ContentStore(tmp_path, limit_bytes=250)
        contents = {digest(bytes([i]) * 100): bytes([i]) * 100 for i in range(3)}
        names = list(contents)
        for i, name in enumerate(names[:2]):
            store.keep({name: contents[name]})
            os.utime(tmp_path / name[:2] / name, (i, i))
        store.get(names[0])
        store.keep({names[2]: contents[names[2]]})
        assert store.missing(names) == (names[1],)
