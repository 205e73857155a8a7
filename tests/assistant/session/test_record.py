from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from veriloop.assistant.errors import ConfigError, UsageError
from veriloop.assistant.session.record import Record, read
from veriloop.assistant.session.sessions import begin, directory_of, opened, past, resume, typed

DEV = Path(__file__).resolve().parents[3] / "dev"


def test_what_is_added_is_read_again(tmp_path):
    with Record(tmp_path / "r.jsonl") as record:
        said = record.add("said", {"text": "a \N{SNOWMAN} b\nc"})
        record.add("plan", {"words": ["repair"]}, cause=said.number)
    with Record(tmp_path / "r.jsonl") as again:
        assert [(one.number, one.kind, one.cause, one.data) for one in again.entries] == [
            (1, "said", 0, {"text": "a \N{SNOWMAN} b\nc"}),
            (2, "plan", 1, {"words": ["repair"]}),
        ]
        assert again.add("end").number == 3
    assert len(read(tmp_path / "r.jsonl")) == 3


@settings(max_examples=30)
@given(cut=st.integers(0, 400), texts=st.lists(st.text(max_size=20), min_size=1, max_size=6))
def test_a_file_that_was_cut_off_anywhere_loses_only_the_line_that_was_being_written(tmp_path_factory, cut, texts):
    path = tmp_path_factory.mktemp("record") / "r.jsonl"
    with Record(path) as record:
        for text in texts:
            record.add("said", {"text": text})
    content = path.read_bytes()[:cut]
    path.write_bytes(content)
    whole = content.count(b"\n")
    with Record(path) as again:
        # A line whose newline alone is missing is there as a whole.
        assert whole <= len(again.entries) <= whole + 1
        assert [one.data["text"] for one in again.entries] == texts[: len(again.entries)]
        again.add("said", {"text": "later"})
    assert read(path)[-1].data["text"] == "later"


@pytest.mark.parametrize("line", [b"{", b"[]", b"null", b'{"n": "x"}', b"\xff\xfe", b'{"n": 1, "kind": "said"}'])
def test_a_line_that_is_none_is_skipped_and_counted(tmp_path, line):
    (tmp_path / "r.jsonl").write_bytes(line + b'\n{"n": 7, "kind": "said", "cause": 0, "at": 1}\n')
    with Record(tmp_path / "r.jsonl") as record:
        assert [one.number for one in record.entries] == [7]
        assert record.skipped == 1


def test_causes_lead_back_and_never_round(tmp_path):
    (tmp_path / "r.jsonl").write_text(
        "".join(json.dumps({"n": n, "kind": "said", "cause": c, "at": 0}) + "\n" for n, c in [(1, 2), (2, 1), (3, 2)])
    )
    with Record(tmp_path / "r.jsonl") as record:
        assert [one.number for one in record.causes(record.entries[2])] == [2, 1]


def test_a_place_that_cannot_be_written_is_said_so(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        Record(tmp_path / "file" / "r.jsonl")


def test_a_process_that_is_killed_loses_nothing_that_it_has_added(tmp_path):
    code = (
        "import sys; from pathlib import Path; from veriloop.assistant.session.record import Record\n"
        "record = Record(Path(sys.argv[1]))\n"
        "for number in range(10**6): record.add('tried', {'count': number}); print(number, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "r.jsonl")],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(DEV)},
    ) as process:
        assert process.stdout is not None
        seen = [int(process.stdout.readline()) for _ in range(50)]
        process.send_signal(signal.SIGKILL)
    with Record(tmp_path / "r.jsonl") as record:
        assert record.entries[-1].data["count"] >= seen[-1]


def test_a_session_where_there_are_no_locks(root, monkeypatch):
    def no_locks(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(ConfigError, match="No locks available"):
        begin(root)


def test_sessions_are_found_and_one_at_a_time_holds_each(root):
    assert past(root) == ()
    with pytest.raises(UsageError, match="no session"):
        resume(root)
    first = begin(root)
    with opened(first, root, "0") as record:
        record.add("said", {"text": "one"})
    assert [(one.first, one.turns, one.is_open) for one in past(root)] == [("one", 1, True)]
    with pytest.raises(UsageError, match="open in another terminal"):
        resume(root)
    first.close()
    again = resume(root, first.name[:10])
    assert again.directory == first.directory
    again.close()
    with pytest.raises(UsageError, match="no session nothing"):
        resume(root, "nothing")


def test_the_newest_session_is_resumed_and_empty_ones_are_not(root):
    for text in ("one", "two", ""):
        place = begin(root)
        with opened(place, root, "0") as record:
            if text:
                record.add("said", {"text": text})
        place.close()
        time.sleep(0.01)
    found = resume(root)
    assert read(found.record)[-1].data["text"] == "two"
    found.close()
    assert typed(root) == ["one", "two"]
    assert directory_of(root).stat().st_mode & 0o777 == 0o700 or directory_of(root).exists()


def test_what_was_typed_twice_is_remembered_where_it_was_typed_last(root):
    place = begin(root)
    with opened(place, root, "0") as record:
        for text in ("a", "b", "a"):
            record.add("said", {"text": text})
    place.close()
    assert typed(root) == ["b", "a"]
