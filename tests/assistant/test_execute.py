from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from veriloop.assistant.errors import Cancelled, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, clean_environment, execute, find_program

PARENT_OF_A_SLEEPER = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("pid").write_text(str(child.pid))
print("started", flush=True)
time.sleep({parent_s})
"""


def python(code: str, cwd: Path, *, timeout_s: float = 20, cancel: CancelToken | None = None, **more) -> Completed:
    argv = [sys.executable, "-c", code]
    return execute(argv, cwd=cwd, timeout_s=timeout_s, cancel=cancel or CancelToken(), **more)


def assert_gone(pid: int) -> None:
    """A killed process may stay a zombie until its new parent has waited for it; it no longer runs then."""
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {pid} still runs")


def test_output_and_exit_code(tmp_path):
    done = python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)", tmp_path)
    assert sorted(done.output.split()) == ["err", "out"]
    assert (done.returncode, done.ok, done.timed_out, done.output_cut) == (7, False, False, False)
    assert done.argv[0] == sys.executable


def test_success_is_ok(tmp_path):
    assert python("", tmp_path).ok


def test_a_signal_is_a_negative_code(tmp_path):
    assert python("import os; os.kill(os.getpid(), 9)", tmp_path).returncode == -9


def test_a_limit_of_cpu_seconds_kills_what_computes_and_not_what_waits(tmp_path):
    argv = [sys.executable, "-c", "while True: pass"]
    done = execute(argv, cwd=tmp_path, timeout_s=60, cancel=CancelToken(), cpu_limit_s=1)
    assert (done.returncode < 0, done.timed_out) == (True, False)
    assert done.cpu_s < 5
    argv = [sys.executable, "-c", "import time; time.sleep(2)"]
    assert execute(argv, cwd=tmp_path, timeout_s=60, cancel=CancelToken(), cpu_limit_s=1).ok


def test_cpu_seconds_are_counted(tmp_path):
    code = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
    assert python(code, tmp_path).cpu_s >= 0.3


def test_input_is_empty_unless_given(tmp_path):
    code = "import sys; print(repr(sys.stdin.read()))"
    assert python(code, tmp_path).output == "''\n"
    assert python(code, tmp_path, stdin=b"module m;").output == "'module m;'\n"


def test_a_program_need_not_read_its_input(tmp_path):
    started = time.monotonic()
    done = python("import time; time.sleep(5)", tmp_path, timeout_s=0.5, stdin=b"x" * 1_000_000)
    assert done.timed_out
    assert time.monotonic() - started < 3


def test_timeout_kills_grandchildren(tmp_path):
    started = time.monotonic()
    done = python(PARENT_OF_A_SLEEPER.format(parent_s=60), tmp_path, timeout_s=1.5)
    assert done.timed_out
    assert not done.ok
    assert done.output == "started\n"
    assert time.monotonic() - started < 5
    assert_gone(int((tmp_path / "pid").read_text()))


def test_what_a_program_leaves_behind_is_killed(tmp_path):
    started = time.monotonic()
    done = python(PARENT_OF_A_SLEEPER.format(parent_s=0), tmp_path)
    assert done.ok
    assert time.monotonic() - started < 10
    assert_gone(int((tmp_path / "pid").read_text()))


def test_cancel_ends_within_a_second(tmp_path):
    cancel = CancelToken()
    pid_file = tmp_path / "pid"

    def press_once_started() -> None:
        while not pid_file.exists() or not pid_file.read_text():
            time.sleep(0.01)
        cancel.cancel()

    presser = threading.Thread(target=press_once_started)
    presser.start()
    with pytest.raises(Cancelled):
        python(PARENT_OF_A_SLEEPER.format(parent_s=60), tmp_path, timeout_s=60, cancel=cancel)
    ended = time.monotonic()
    presser.join()
    assert time.monotonic() - ended < 1
    assert_gone(int(pid_file.read_text()))


def test_cancelled_before_it_starts(tmp_path):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        python("open('made', 'w')", tmp_path, cancel=cancel)
    assert not (tmp_path / "made").exists()


def test_long_output_keeps_both_ends(tmp_path):
    done = python("print('first'); print('x' * 1_000_000); print('last')", tmp_path, output_limit_bytes=1000)
    assert done.output.startswith("first\n")
    assert done.output.endswith("last\n")
    assert "output cut" in done.output
    assert len(done.output) < 1100
    assert done.output_cut


def test_output_at_the_limit_is_whole(tmp_path):
    done = python("print('x' * 999)", tmp_path, output_limit_bytes=1000)
    assert done.output == "x" * 999 + "\n"
    assert not done.output_cut


def test_endless_output_ends_by_its_time(tmp_path):
    done = python("while True: print('y' * 1000)", tmp_path, timeout_s=1, output_limit_bytes=10_000)
    assert done.timed_out
    assert len(done.output) < 11_000


def test_closed_output_does_not_end_the_wait(tmp_path):
    code = "import os, time; os.close(1); os.close(2); time.sleep(0.5); open('late', 'w')"
    done = python(code, tmp_path)
    assert done.ok
    assert (tmp_path / "late").exists()


def test_closed_output_still_times_out(tmp_path):
    assert python("import os, time; os.close(1); os.close(2); time.sleep(60)", tmp_path, timeout_s=0.5).timed_out


def test_output_that_is_no_utf8_is_replaced(tmp_path):
    assert python(r"import sys; sys.stdout.buffer.write(b'a\xffb')", tmp_path).output == "a\ufffdb"


def test_missing_program_names_the_next_command(tmp_path):
    with pytest.raises(ToolNotFound, match="no-such-tool") as caught:
        execute(["no-such-tool"], cwd=tmp_path, timeout_s=1, cancel=CancelToken())
    assert caught.value.hint == "veriloop doctor"


def test_missing_directory_is_no_missing_program(tmp_path):
    with pytest.raises(FileNotFoundError):
        execute([sys.executable, "--version"], cwd=tmp_path / "none", timeout_s=1, cancel=CancelToken())


def test_what_a_hook_or_make_hands_down_is_not_passed_on(tmp_path, monkeypatch):
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "MAKEFLAGS", "MFLAGS", "PYTHONPATH", "VERILATOR_ROOT", "COCOTB_X"):
        monkeypatch.setenv(name, "inherited")
    monkeypatch.setenv("LM_LICENSE_FILE", "kept")
    environment = clean_environment({"VERILATOR_ROOT": "/given"})
    assert "inherited" not in environment.values()
    assert environment["LM_LICENSE_FILE"] == "kept"
    assert environment["VERILATOR_ROOT"] == "/given"
    assert python("import os; print(os.environ.get('GIT_DIR'))", tmp_path).output == "None\n"


def test_find_program():
    assert find_program("sh") is not None
    assert find_program("no-such-tool") is None


def test_it_is_the_leader_of_its_own_session(tmp_path):
    done = python("import os; print(os.getsid(0) == os.getpid())", tmp_path)
    assert done.output == "True\n"


ENDS_WHAT_IT_STARTED = """
import pathlib, signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
pathlib.Path("pid").write_text(str(child.pid))
def stop(number, frame):
    child.kill()
    child.wait()
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("started", flush=True)
time.sleep(60)
"""


def test_a_program_that_is_given_notice_can_end_what_it_started_in_other_groups(tmp_path):
    done = python(ENDS_WHAT_IT_STARTED, tmp_path, timeout_s=3, notice_s=10)
    assert done.timed_out
    assert_gone(int((tmp_path / "pid").read_text()))


def test_notice_does_not_keep_a_deaf_program_alive(tmp_path):
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(1, flush=True)\ntime.sleep(60)"
    started = time.monotonic()
    assert python(code, tmp_path, timeout_s=2, notice_s=0.5).returncode == -9
    assert time.monotonic() - started < 20


def test_a_program_that_wants_more_memory_than_it_is_given_fails(tmp_path):
    argv = [sys.executable, "-c", "import time; time.sleep(0.3); bytearray(1 << 30); print('held')"]
    limits = {"timeout_s": 60.0, "cwd": tmp_path, "cancel": CancelToken()}
    assert "held" in execute(argv, **limits).output
    done = execute(argv, memory_limit_bytes=1 << 29, **limits)
    assert done.returncode
    assert "MemoryError" in done.output
