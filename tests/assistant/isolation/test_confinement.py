"""Attacks on what holds code that is not trusted, by each means of this machine; each is bounded if it gets out."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from veriloop.assistant.errors import NotVerified, ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, execute, hold
from veriloop.assistant.isolation.confinement import MEANS, Confinement, Isolation, Means


@pytest.fixture(params=MEANS)
def means(request) -> Means:
    found: Means = request.param
    if hold((found,)) is None:
        pytest.skip(f"{found} does not work here")
    return found


def test_something_holds_it_here():
    assert hold() is not None


@pytest.fixture
def place(tmp_path) -> Path:
    own: Path = tmp_path / "own"
    own.mkdir()
    return own


def held(code: str, place: Path, means: Means, *, timeout_s: float = 60, **limits) -> Completed:
    isolation = Isolation(means=(means,), **limits)
    return execute(
        [sys.executable, "-c", code],
        cwd=place,
        timeout_s=timeout_s,
        cancel=CancelToken(),
        confine=Confinement(isolation=isolation, writable=(place,)),
    )


def test_it_runs_as_it_would_alone(means, place):
    code = "import os, sys; open('kept', 'w').write('x'); print(os.getcwd()); sys.exit(7)"
    done = held(code, place, means)
    assert (done.returncode, done.output.strip()) == (7, str(place))
    assert (place / "kept").read_text() == "x"
    assert held("import os; os.kill(os.getpid(), 11)", place, means).returncode == -11
    # The temporary directory is its own, and gone.
    assert held("import tempfile; print(tempfile.mkdtemp())", place, means).ok
    assert sorted(path.name for path in place.iterdir()) == ["kept"]


def test_what_it_uses_of_the_processor_is_counted(means, place):
    work = "import time\nwhile time.process_time() < 0.5: pass"
    assert held(work, place, means).cpu_s >= 0.5
    # Also of what it has started and waited for, as a simulation that forks does.
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    assert held(inner, place, means).cpu_s >= 0.5


def test_no_listener_of_this_machine_is_reached(means, place):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        code = f"import socket; socket.create_connection(('127.0.0.1', {listener.getsockname()[1]}), 2)"
        done = held(code, place, means)
        assert done.returncode == 1
        with pytest.raises(TimeoutError):
            listener.accept()


def test_no_socket_in_the_file_system_is_reached(means, place, tmp_path):
    path = Path("/tmp", f"veriloop-{os.getpid()}.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        try:
            listener.bind(str(path))
            listener.listen()
            listener.settimeout(0.2)
            code = f"import socket; socket.socket(socket.AF_UNIX).connect({str(path)!r})"
            assert held(code, place, means).returncode == 1
            with pytest.raises(TimeoutError):
                listener.accept()
        finally:
            path.unlink(missing_ok=True)


@pytest.mark.parametrize("target", ["home", "repository"])
def test_nothing_outside_is_written(means, place, tmp_path, monkeypatch, target):
    outside = tmp_path / target
    outside.mkdir()
    (outside / "file").write_text("mine")
    monkeypatch.setenv("HOME", str(outside))
    code = f"""
import os
for act in (lambda: open({str(outside / "file")!r}, "a").write("x"), lambda: open({str(outside / "new")!r}, "w"),
            lambda: os.remove({str(outside / "file")!r}), lambda: os.rename({str(outside / "file")!r}, "here")):
    try:
        act()
        print("got out")
    except OSError:
        pass
"""
    done = held(code, place, means)
    assert done.ok
    # Where its place is hidden, it writes into what is its own and goes away.
    assert (outside / "file").read_text() == "mine"
    assert [path.name for path in outside.iterdir()] == ["file"]


def test_keys_in_the_home_directory_are_not_read(means, place, tmp_path, monkeypatch):
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh/id").write_text("a secret")
    (home / ".netrc").write_text("a secret")
    monkeypatch.setenv("HOME", str(home))
    for name in (".ssh/id", ".netrc"):
        assert "a secret" not in held(f"print(open({str(home / name)!r}).read())", place, means).output


def test_it_cannot_fork_without_end(means, place):
    # A hundred processes for twenty seconds, if nothing holds it.
    child = "if os.fork() == 0:\n        time.sleep(20); os._exit(0)"
    code = f"import os, time\nfor _ in range(100):\n    {child}\ntime.sleep(20)"
    done = held(code, place, means, processes=30)
    assert done.stopped == "more than 30 processes at once"
    assert not done.ok
    assert done.wall_s < 15


def test_it_cannot_leave_processes_behind(means, place):
    code = """
import os, sys, time
if os.fork() == 0:
    try:
        os.setsid()
    except OSError:
        pass
    time.sleep(0.5)
    open("late", "w")
    time.sleep(5)
"""
    assert held(code, place, means).ok
    assert not (place / "late").exists()


def test_it_cannot_take_all_memory(means, place):
    code = "kept = []\nfor _ in range(30):\n    kept.append(bytearray(10_000_000))\n    import time; time.sleep(0.02)"
    done = held(code, place, means, memory_bytes=150_000_000)
    assert not done.ok
    assert done.stopped == "more than 150 MB of memory" or "MemoryError" in done.output


def test_one_file_cannot_grow_without_end(means, place):
    code = "with open('big', 'wb') as file:\n    for _ in range(20):\n        file.write(bytes(1_000_000))"
    assert not held(code, place, means, file_bytes=3_000_000).ok
    assert (place / "big").stat().st_size <= 3_000_000


def test_a_small_disk_is_not_filled(means, tmp_path):
    small = Path("/dev/shm") / f"veriloop-{os.getpid()}"
    if hold(("namespaces",)) is None or os.geteuid() != 0:
        pytest.skip("a small disk takes root")
    small.mkdir()
    try:
        mounted = os.system(f"mount -t tmpfs -o size=20m veriloop {small}")
        if mounted != 0:
            pytest.skip("a small disk cannot be mounted here")
        code = "import time\nfor i in range(40):\n    open(f'f{i}', 'wb').write(bytes(1_000_000)); time.sleep(0.02)"
        done = held(code, small, means)
        assert done.stopped == "the disk is nearly full" or "No space left" in done.output
    finally:
        os.system(f"umount {small} 2>/dev/null")
        small.rmdir()


def test_what_cannot_be_held_says_nothing_about_the_program(place):
    if hold(("bubblewrap",)) is None:
        pytest.skip("bubblewrap does not work here")
    confine = Confinement(isolation=Isolation(means=("bubblewrap",)), writable=(place / "nowhere", place))
    with pytest.raises(ToolFailed, match="bwrap"):
        execute(["true"], cwd=place, timeout_s=20, cancel=CancelToken(), confine=confine)


def test_relative_places_are_where_this_process_runs(means, place, monkeypatch):
    monkeypatch.chdir(place)
    confine = Confinement(isolation=Isolation(means=(means,)), writable=(Path(),))
    argv = [sys.executable, "-c", "open('here', 'w')"]
    assert execute(argv, cwd=Path(), timeout_s=60, cancel=CancelToken(), confine=confine).ok
    assert (place / "here").exists()


def test_where_nothing_holds_it_it_is_refused(place):
    isolation = Isolation(means=())
    confine = Confinement(isolation=isolation, writable=(place,))
    with pytest.raises(NotVerified, match="from the network"):
        execute(["true"], cwd=place, timeout_s=5, cancel=CancelToken(), confine=confine)
    free = Confinement(isolation=Isolation(means=(), required=False), writable=(place,))
    assert execute(["true"], cwd=place, timeout_s=5, cancel=CancelToken(), confine=free).ok


def test_the_network_is_there_where_the_user_says_so(means, place):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = f"import socket; socket.create_connection(('127.0.0.1', {listener.getsockname()[1]}), 5)"
        assert held(code, place, means, network=True).ok
