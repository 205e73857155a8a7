"""A session that is killed, wherever it is: the files are as they were or as a whole changed, and it goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from veriloop.assistant.session.record import read
from veriloop.assistant.session.sessions import directory_of

pytestmark = pytest.mark.needs("verilator", "c++", "git")

DEV = Path(__file__).resolve().parents[3] / "dev"
BEFORE = {"rtl/a.txt": b"one\n", "rtl/b.txt": b"one\n"}
AFTER = {"rtl/a.txt": b"two\n", "rtl/b.txt": b"two\n"}
TYPED = ["check ../fix.patch --test 'grep -q two rtl/a.txt'", *["/apply", "undo"] * 6]


def start(clone, *words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "veriloop.assistant.cli.main", "--plain", *words],
        cwd=clone.root,
        env={**os.environ, "PYTHONPATH": str(DEV)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def on_disk(clone) -> dict[str, bytes]:
    return {path: (clone.root / path).read_bytes() for path in BEFORE}


def said(clone) -> list[str]:
    records = sorted(directory_of(clone.root).glob("*/record.jsonl"))
    return [entry.data["text"] for path in records for entry in read(path) if entry.kind == "said"]


def test_killed_at_ten_points(clone):
    clone.commit(BEFORE)
    for path, content in AFTER.items():
        (clone.root / path).write_bytes(content)
    (clone.root.parent / "fix.patch").write_text(clone.git("diff"))
    clone.git("checkout", "-q", ".")
    script = ("\n".join(TYPED) + "\n").encode()
    started = time.monotonic()
    process = start(clone)
    process.communicate(script, timeout=300)
    whole_s = time.monotonic() - started
    assert process.returncode == 0
    assert on_disk(clone) == BEFORE
    points = random.Random(1)
    for _ in range(10):
        clone.git("checkout", "-q", ".")
        before = len(said(clone))
        process = start(clone)
        assert process.stdin is not None
        process.stdin.write(script)
        process.stdin.flush()
        time.sleep(points.uniform(0.2, 1.0) * whole_s)
        process.kill()
        output, _ = process.communicate(timeout=60)
        # Whatever it was doing: the next one finds whole files, and everything that was answered.
        again = start(clone, "--resume")
        text, _ = again.communicate(b"/context\nquit\n", timeout=60)
        assert on_disk(clone) in (BEFORE, AFTER)
        answered = output.count(b"> ") - 1
        if answered > 0:
            assert b"going on after" in text
            assert len(said(clone)) - before >= answered
        assert again.returncode == 0 or b"no session to resume" in text
