from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from veriloop.assistant.errors import Cancelled, ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
from veriloop.assistant.farm.job import PYTHON, Job, digest
from veriloop.assistant.farm.worker import run

# Dask's own event loop lives in this process: a warning of a slow disk, made an error, would end a worker's restart.
pytestmark = pytest.mark.filterwarnings("ignore")


def shell(line: str, **more) -> Job:
    return Job(argv=("/bin/sh", "-c", line), **more)


def square(number: int, cancel: CancelToken) -> tuple[int, int]:
    return number * number, os.getpid()


def sleep_in_a_group_of_its_own(path: str, cancel: CancelToken) -> None:
    """As a simulation does, which a job's program starts."""
    code = f"import os, pathlib, time; pathlib.Path({path!r}).write_text(str(os.getpid())); time.sleep(120)"
    execute([sys.executable, "-c", code], cwd=Path("/"), timeout_s=120, cancel=cancel)


def wait_for(path: Path) -> int:
    for _ in range(600):
        if path.is_file() and (text := path.read_text()):
            return int(text)
        time.sleep(0.1)
    return pytest.fail(f"nothing has written {path}")


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while runs(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not runs(pid)


def test_jobs_come_to_what_they_come_to_here(farm, tools):
    jobs = [shell(f"echo {i} >out; exit {i % 3}", outputs=("out",), tools=tools) for i in range(12)]
    there = dict(farm.run([(job, {}) for job in jobs], cancel=CancelToken()))
    here = [run(job, {}, CancelToken()) for job in jobs]
    assert [there[i].verdict for i in range(12)] == [one.verdict for one in here]
    assert {there[i].worker for i in range(12)} <= {str(pid) for pid in farm.client.run(os.getpid).values()}


def test_each_call_has_a_process_of_its_own(farm):
    answers = list(farm.map(square, range(4), cancel=CancelToken()))
    assert sorted(number for number, _ in answers) == [0, 1, 4, 9]
    assert len({process for _, process in answers}) == 4


def test_what_is_large_is_shipped_once(farm, tools, monkeypatch):
    content = os.urandom(300_000)
    job = shell("wc -c <big", inputs=(("big", digest(content)),), tools=tools)
    before = farm.counts.shipped_bytes
    for _ in range(2):
        (first, second) = farm.run([(job, {digest(content): content})] * 2, cancel=CancelToken())
        assert (first[1].log_tail.strip(), second[1].log_tail.strip()) == ("300000", "300000")
    # Both workers are on this machine and share its store; two that ask at the same moment may both be sent it.
    assert len(content) <= farm.counts.shipped_bytes - before <= 2 * len(content)


def test_a_worker_with_other_tools_is_named_and_not_used(farm):
    told: list[str] = []
    farm._tell = told.append
    job = shell("true", tools=(("verilator", "4.0"),))
    with pytest.raises(ToolFailed, match=r"no worker has this machine's tools.*verilator is .* there and 4\.0 here"):
        list(farm.run([(job, {})], cancel=CancelToken()))
    assert all("is not used" in line for line in told)
    farm._refused.clear()


def test_cancel_takes_every_process_along(farm, tmp_path):
    cancel = CancelToken()
    caught = []

    def work() -> None:
        try:
            list(farm.map(sleep_in_a_group_of_its_own, [str(tmp_path / "pid")], cancel=cancel))
        except Cancelled:
            caught.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    pid = wait_for(tmp_path / "pid")
    cancel.cancel()
    thread.join(60)
    assert caught
    # Two seconds on a machine that has time; this one may be busy.
    wait_until_gone(pid, 30)


def test_a_killed_worker_takes_its_program_along_and_its_job_runs_elsewhere(farm, tmp_path, tools):
    flag = tmp_path / "flag"
    # The first run of the job waits for ever; the second one finds the flag.
    line = f"[ -e {flag} ] && exit 0; echo $$ >{flag}; sleep 600"
    before = farm.counts.again
    done = []
    thread = threading.Thread(
        target=lambda: done.extend(farm.run([(shell(line, tools=tools), {})], cancel=CancelToken()))
    )
    thread.start()
    shell_pid = wait_for(flag)
    os.kill(int(Path(f"/proc/{shell_pid}/stat").read_text().rsplit(")", 1)[1].split()[1]), signal.SIGKILL)
    thread.join(120)
    assert [one.returncode for _, one in done] == [0]
    # Dask itself hands a lost task out anew.
    assert farm.counts.again - before <= 1
    assert farm.counts.differing == 0


def test_a_job_that_ends_its_workers_is_reported(farm, tools):
    with pytest.raises(ToolFailed, match="a job ended 3 workers and is not tried again"):
        list(farm.run([(shell("kill -9 $PPID", tools=tools), {})], cancel=CancelToken()))
    assert next(iter(farm.map(square, [3], cancel=CancelToken())))[0] == 9


WORKER = """
import os, pathlib, sys
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute
words = [sys.executable, "-m", "veriloop.assistant.farm.call", "call", "result"]
pathlib.Path("worker").write_text(str(os.getpid()))
env = {"PYTHONPATH": os.environ["PYTHONPATH"]}
execute(words, cwd=pathlib.Path.cwd(), timeout_s=100, cancel=CancelToken(), env=env)
"""


def test_a_program_ends_with_the_worker_that_wants_its_answer(tmp_path):
    """It watches for its parent, which a signal may take without a word."""
    (tmp_path / "call").write_bytes(pickle.dumps((sleep_in_a_group_of_its_own, str(tmp_path / "pid"))))
    env = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    argv = [sys.executable, "-c", WORKER]

    def kill() -> None:
        wait_for(tmp_path / "pid")
        os.kill(wait_for(tmp_path / "worker"), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    done = execute(argv, cwd=tmp_path, timeout_s=100, cancel=CancelToken(), env=env)
    killer.join()
    assert done.returncode == -signal.SIGKILL
    wait_until_gone(wait_for(tmp_path / "pid"), 30)


def test_python_is_the_workers_own(farm, tools):
    ((_, done),) = farm.run(
        [(Job(argv=(PYTHON, "-c", "import sys; print(sys.prefix)"), tools=tools), {})], cancel=CancelToken()
    )
    assert done.log_tail.strip() == sys.prefix
