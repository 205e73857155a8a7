from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.assistant.repair.conftest import COUNTER, COUNTER_TB
from veriloop.assistant.execute import kill_with_descendants
from veriloop.assistant.session.request import Request
from veriloop.assistant.session.worker import Worker

pytestmark = pytest.mark.needs("git")

DEV = Path(__file__).resolve().parents[3] / "dev"


def run(worker: Worker, *words: str, text: str = "") -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    worker.run(Request(purpose="say", words=words, text=text), lambda kind, data: found.append((kind, dict(data))))
    return found


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def sleeping(mark: str) -> bool:
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if entry.read_bytes().split(b"\0")[:2] == [b"sleep", mark.encode()]:
                return True
    return False


def wait_until(true, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.02)
    return bool(true())


def test_requests_one_after_another_in_one_process(clone):
    worker = Worker(clone.root)
    try:
        assert run(worker, "config")[-1][1]["exit"] == 0
        first = worker.process_id
        assert run(worker, "undo")[-1] == (
            "end",
            {
                "exit": 2,
                "seconds": pytest.approx(0, abs=60),
                "message": "there is nothing to undo: no applied change is left here",
                "hint": "",
            },
        )
        assert run(worker, text="/nothing")[-1][1]["message"] == "there is no /nothing"
        assert worker.process_id == first
    finally:
        worker.close()
    assert worker.process_id is None


@pytest.mark.needs("verilator", "c++", "iverilog")
@pytest.mark.parametrize("listens", [True, False])
def test_an_interrupt_ends_it_and_all_that_it_started_within_a_second(clone, listens):
    ignore = "" if listens else "trap '' INT TERM HUP; "
    clone.commit({"rtl/counter.v": COUNTER, "tb/counter_tb.v": COUNTER_TB})
    worker = Worker(clone.root)
    # A command is held: it can write nowhere else, and does not know its own number out here.
    mark = f"{600 + random.random():.6f}"
    command = f"{ignore}sleep {mark}"
    found: list[tuple[str, dict[str, Any]]] = []
    request = Request(purpose="say", words=("repair", "rtl/counter.v", "--test", command))
    thread = threading.Thread(target=worker.run, args=(request, lambda *message: found.append(message)))
    try:
        thread.start()
        assert wait_until(lambda: sleeping(mark), 120)
        started = time.monotonic()
        worker.interrupt()
        thread.join(20)
        assert time.monotonic() - started < 1.5
        assert found[-1][0] == "end"
        assert found[-1][1]["exit"] == 130
        assert wait_until(lambda: not sleeping(mark))
        assert run(worker, "config")[-1][1]["exit"] == 0
    finally:
        worker.close()
        thread.join(20)


def test_a_process_that_is_killed_costs_one_request(clone):
    worker = Worker(clone.root)
    try:
        run(worker, "config")
        kill_with_descendants(worker.process_id or 0)
        assert wait_until(lambda: worker.process_id is None)
        assert run(worker, "config")[-1][1]["exit"] == 0
    finally:
        worker.close()


def test_it_ends_when_the_one_who_started_it_is_killed(clone):
    code = (
        "import sys, time; from pathlib import Path; from veriloop.assistant.session.worker import Worker\n"
        "worker = Worker(Path(sys.argv[1])); worker.start(); print(worker.process_id, flush=True); time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(clone.root)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(DEV)},
    ) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.kill()
    assert wait_until(lambda: not alive(pid))
