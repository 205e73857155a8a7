"""The terminal, killed while it writes files: they are as they were or wholly changed, and the session goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assistant.repair.conftest import Clone, cache, clone
from veriloop.assistant.bench.terminal import Screen
from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import in_terminal
from veriloop.assistant.session.record import Entry, read
from veriloop.assistant.session.sessions import directory_of

__all__ = ["cache", "clone"]

pytestmark = pytest.mark.needs("git")

DEV = Path(__file__).resolve().parents[2] / "dev"
POINTS = int(os.environ.get("VERILOOP_KILLS", "3"))
BEFORE = {"rtl/a.txt": b"one\n", "rtl/b.txt": b"one\n"}
AFTER = {"rtl/a.txt": b"two\n", "rtl/b.txt": b"two\n"}
READY = "ay what is wrong, or /"


@contextlib.contextmanager
def terminal(clone: Clone, *words: str) -> Iterator[tuple[int, Screen]]:
    """The terminal in the repository, at its first prompt; what is left of it is killed in the end."""
    command = [sys.executable, "-m", "veriloop.assistant.cli.main", *words]
    kept = {name: os.environ[name] for name in ("VERILOOP_CACHE", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    environment = {**kept, "PYTHONPATH": str(DEV)}
    with in_terminal(command, cwd=clone.root, columns=80, rows=24, env=environment) as started:
        screen = Screen(started, CancelToken())
        screen.wait(READY)
        yield started.pid, screen


def on_disk(clone: Clone) -> dict[str, bytes]:
    return {path: (clone.root / path).read_bytes() for path in BEFORE}


def entries(clone: Clone) -> list[Entry]:
    """The record of the one session that there is."""
    (path,) = directory_of(clone.root).glob("*/record.jsonl")
    return list(read(path))


def test_killed_while_it_writes(clone):
    clone.commit(BEFORE)
    for path, content in AFTER.items():
        (clone.root / path).write_bytes(content)
    (clone.root.parent / "fix.patch").write_text(clone.git("diff"))
    clone.git("checkout", "-q", ".")
    with terminal(clone) as (_, screen):
        screen.press(b"check ../fix.patch --test 'grep -q two rtl/a.txt'\r")
        screen.wait("Type /apply")
        started = time.monotonic()
        screen.press(b"/apply\r")
        screen.wait("applied to the work tree")
        writing_s = time.monotonic() - started
    assert on_disk(clone) == AFTER
    points = random.Random(int(os.environ.get("VERILOOP_FUZZ_SEED", "1")))
    told = len(entries(clone))
    for _ in range(POINTS):
        is_applied = on_disk(clone) == AFTER
        command, done = (b"/undo\r", "taken back") if is_applied else (b"/apply\r", "applied to the work tree")
        with terminal(clone, "--resume") as (pid, screen):
            # What the killed one left half made was put right before the first prompt.
            assert on_disk(clone) in (BEFORE, AFTER)
            screen.press(command)
            is_seen = False
            with contextlib.suppress(ToolFailed):
                screen.wait(done, seconds=points.uniform(0.1, 1.1) * writing_s)
                is_seen = True
            os.kill(pid, signal.SIGKILL)
        found = entries(clone)
        assert len(found) >= told
        told = len(found)
        if is_seen:
            assert found[-1].kind in ("undone" if is_applied else "applied", "end", "note")
            assert on_disk(clone) == (BEFORE if is_applied else AFTER)
    with terminal(clone, "--resume"):
        assert on_disk(clone) in (BEFORE, AFTER)
    assert any(entry.kind == "said" and "fix.patch" in entry.data["text"] for entry in entries(clone))
