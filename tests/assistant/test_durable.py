"""Files that are whole or not there, and commands on disks that take nothing."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from veriloop.assistant.durable import write_whole

ROOT = Path(__file__).resolve().parents[2]
RTL = "module inv(input a, output y);\n  assign y = ~a;\nendmodule\n"


def test_what_is_written_is_there_and_nothing_beside_it(tmp_path):
    path = tmp_path / "state.json"
    for content in (b"", b"one", "zwei \N{GREEK SMALL LETTER ALPHA}", bytes(100_000)):
        write_whole(path, content)
        assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
        assert [one.name for one in tmp_path.iterdir()] == ["state.json"]


def test_two_writers_never_mix(tmp_path):
    path = tmp_path / "state"
    texts = [letter.encode() * 50_000 for letter in "abcd"]
    write_whole(path, texts[0])
    done = threading.Event()
    seen = set()

    def read() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()

    def write(text: bytes) -> None:
        for _ in range(10):
            write_whole(path, text)

    writers = [threading.Thread(target=write, args=(text,)) for text in texts]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    done.set()
    reader.join()
    assert seen <= set(texts)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_file_that_may_not_grow_leaves_what_was_there(tmp_path):
    path = tmp_path / "state"
    write_whole(path, b"before")
    pid = os.fork()
    if pid == 0:
        code = 9
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
            write_whole(path, bytes(5000))
        except OSError as error:
            code = 0 if error.errno == errno.EFBIG else 8
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert path.read_bytes() == b"before"
    assert [one.name for one in tmp_path.iterdir()] == ["state"]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of 400 kB, of which 4 kB are free."""
    if os.geteuid() != 0:
        pytest.skip("a small disk takes root")
    place = Path("/dev/shm") / f"veriloop-disk-{os.getpid()}"
    place.mkdir()
    try:
        if subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=400k", "veriloop", place], capture_output=True
        ).returncode:
            pytest.skip("a small disk cannot be mounted here")
        with (place / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(bytes(4096))
        with (place / "filler").open("r+b") as filler:
            filler.truncate((place / "filler").stat().st_size - 4096)
        yield place
    finally:
        subprocess.run(["umount", "-l", place], capture_output=True)
        place.rmdir()


@pytest.fixture
def clone(tmp_path) -> Path:
    root: Path = tmp_path / "clone"
    (root / "rtl").mkdir(parents=True)
    (root / "rtl/inv.v").write_text(RTL)
    run = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*run, *words], cwd=root, check=True)
    (root / "rtl/inv.v").write_text(RTL.replace("~a", "!a"))
    return root


VERBS = (("check", "--level", "lint"), ("status",), ("undo",), ("explain", "rtl/inv.v"), ("config",), ("trust",))


def veriloop(words: tuple[str, ...], root: Path, home: Path, *before: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "VERILOOP_", "GIT_"))}
    env = {**kept, "HOME": str(home), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    argv = [*before, sys.executable, "-m", "veriloop.assistant.cli.main", "--json", *words]
    return subprocess.run(argv, cwd=root, env=env, capture_output=True, text=True, timeout=300)


def said_in_a_line(done: subprocess.CompletedProcess[str]) -> bool:
    """An answer, or one line with what to try: never a bug of ours."""
    if done.returncode in (0, 1):
        return True
    last = json.loads(done.stdout.splitlines()[-1])
    return done.returncode in (2, 3) and bool(last["error"]) and "bug" not in last["error"]


@pytest.mark.needs("git")
@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_full_disk_at_home_harms_nothing(small_disk, clone, words):
    done = veriloop(words, clone, small_disk)
    assert said_in_a_line(done), done.stdout + done.stderr
    if words[0] == "check":
        assert "No space left" in done.stdout
        assert "VERILOOP_CACHE" in done.stdout
    assert (clone / "rtl/inv.v").read_text() == RTL.replace("~a", "!a")
    assert [path.name for path in clone.iterdir() if path.name != ".git"] == ["rtl"]


@pytest.mark.needs("git", "bubblewrap")
@pytest.mark.parametrize("words", VERBS, ids=lambda words: words[0])
def test_a_home_that_is_read_only_harms_nothing(clone, tmp_path, words):
    home = tmp_path / "home"
    home.mkdir()
    program = shutil.which("bwrap")
    assert program is not None
    # Where this checkout and its Python lie there, they stay visible.
    needed = [str(Path(path).resolve()) for path in (str(ROOT), sys.prefix, sys.base_prefix, *sys.path) if path]
    hidden = [path for path in dict.fromkeys((*needed, sys.prefix)) if path.startswith("/tmp/") and Path(path).exists()]
    ours = [word for path in hidden for word in ("--ro-bind", path, path)]
    before = (
        *(program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", *ours),
        *("--bind", str(clone), str(clone), "--ro-bind", str(home), str(home), "--chdir", str(clone), "--"),
    )
    if subprocess.run([*before, "true"], capture_output=True).returncode:
        pytest.skip("bubblewrap does not work here")
    done = veriloop(words, clone, home, *before)
    assert said_in_a_line(done), done.stdout + done.stderr
    if words[0] == "check":
        assert "VERILOOP_CACHE" in done.stdout
    assert not list(home.iterdir())
    assert (clone / "rtl/inv.v").read_text() == RTL.replace("~a", "!a")
