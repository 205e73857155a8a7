"""The one place that starts a program: own process group, limits, a clean environment, cancellable.

A killed or cancelled program takes every process that it started with it. Nothing is ever run through a shell unless
the user's own command line asks for one.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from veriloop.assistant.errors import Cancelled, ToolNotFound
from veriloop.assistant.events import CancelToken

OUTPUT_LIMIT_BYTES = 4_000_000
FILE_LIMIT_BYTES = 2_000_000_000
"""What one file of a program that runs under limits may grow to."""

_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a program did.

    `returncode` is negative for a signal, as in `subprocess`. `output` is stdout and stderr together, decoded with
    replacement and cut in the middle to the output limit.
    """

    argv: tuple[str, ...]
    returncode: int
    output: str
    wall_s: float
    cpu_s: float
    timed_out: bool = False
    output_cut: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.returncode == 0 and not self.timed_out


def find_program(name: str) -> Path | None:
    """The program's path, from the user's PATH; none where it is not installed."""
    found = shutil.which(name)
    return Path(found) if found else None


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for tools: what this process has, without what git, make and Python hand down to children."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("GIT_", "MAKE", "VERILATOR_", "COCOTB_"))
        and name not in {"MFLAGS", "PYTHONPATH", "PYTHONHOME", "LD_PRELOAD", "TOPLEVEL", "MODULE"}
    }
    return {**inherited, "LC_ALL": "C.UTF-8", **(extra or {})}


def execute(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    timeout_s: float,
    cancel: CancelToken,
    env: Mapping[str, str] | None = None,
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES,
    stdin: bytes = b"",
    cpu_limit_s: int | None = None,
    notice_s: float = 0.0,
) -> Completed:
    """Runs a program to its end, its time limit or its cancellation, and kills its whole process group in each case.

    Args:
        argv: the program and its arguments; no shell is involved.
        cwd: where it runs.
        timeout_s: wall seconds until it is killed; the result then says `timed_out`.
        cancel: polled every 50 ms.
        env: added to `clean_environment()`.
        output_limit_bytes: how much of its output is kept: the first half and the last half of the limit.
        stdin: what it reads; nothing by default, so that a program that asks for input ends.
        cpu_limit_s: whole CPU seconds after which a signal kills it, however loaded the machine is.
        notice_s: what a program of ours that starts others, in groups of their own, is given to end them after SIGTERM.

    Raises:
        ToolNotFound: the program is not there.
        Cancelled: the token was set; the process group is gone by then.
    """
    words = tuple(str(word) for word in argv)
    cancel.check()
    started = time.monotonic()
    try:
        with _input(stdin) as source:
            process = subprocess.Popen(
                words,
                cwd=cwd,
                env=clean_environment(env),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
    except FileNotFoundError as error:
        if not cwd.is_dir():
            raise
        raise ToolNotFound(f"{words[0]} is not installed", hint="veriloop doctor") from error
    _limit(process.pid, timeout_s, cpu_limit_s)
    assert process.stdout is not None
    kept = _Kept(output_limit_bytes)
    timed_out = False
    try:
        timed_out = _pump(process, kept.add, deadline=started + timeout_s, cancel=cancel)
        if notice_s and (timed_out or cancel.cancelled):
            _give_notice(process, kept.add, notice_s)
    finally:
        _kill_group(process)
        process.stdout.close()
        cpu_s = _reap(process)
    if cancel.cancelled:
        raise Cancelled
    return Completed(
        argv=words,
        returncode=process.returncode,
        output=kept.text(),
        wall_s=time.monotonic() - started,
        cpu_s=cpu_s,
        timed_out=timed_out,
        output_cut=kept.cut,
    )


@dataclass(frozen=True, slots=True)
class Talk:
    """A program that is running and is talked to."""

    pid: int
    stdin: IO[bytes]
    stdout: IO[bytes]


@contextlib.contextmanager
def talking(argv: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None) -> Iterator[Talk]:
    """Starts a program to talk to; what it writes to stderr is dropped. Its process group is killed in the end.

    Raises:
        ToolNotFound: the program is not there.
    """
    words = [str(word) for word in argv]
    try:
        process = subprocess.Popen(
            words,
            cwd=cwd,
            env=clean_environment(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise ToolNotFound(f"{words[0]} is not installed", hint="veriloop doctor") from error
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Talk(process.pid, process.stdin, process.stdout)
    finally:
        _kill_group(process)
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        process.wait()


def start_detached(argv: Sequence[str | Path], *, cwd: Path, stdout: Path, stderr: Path, exit_code: Path) -> int:
    """Starts a program that outlives this one, in a session of its own, and returns its process.

    Args:
        argv: the program and its arguments.
        cwd: where it runs.
        stdout: the file for its output.
        stderr: the file for its messages.
        exit_code: the file that holds its exit code once it has ended.
    """
    # A shell in between, because somebody has to be there still to see it end.
    script = 'cd "$0" || exit; code=$1; shift; "$@"; echo $? >"$code.part"; mv "$code.part" "$code"'
    words = ["/bin/sh", "-c", script, str(cwd), str(exit_code), *map(str, argv)]
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    files = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(stdout), write, 0o600),
        (os.POSIX_SPAWN_OPEN, 2, str(stderr), write, 0o600),
    ]
    # Not by `subprocess`, which expects that its programs are waited for.
    return os.posix_spawn(words[0], words, os.environ, file_actions=files, setsid=True)


@contextlib.contextmanager
def _input(content: bytes) -> Iterator[IO[bytes]]:
    """What a program reads: a file, so that one that does not read it holds nobody up."""
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        stream.seek(0)
        yield stream


def _limit(pid: int, timeout_s: float, cpu_limit_s: int | None) -> None:
    """Limits that outlive us: should this process be killed, a hanging simulation still ends by its CPU limit."""
    cpu_s = int(timeout_s * (os.cpu_count() or 1)) + 10 if cpu_limit_s is None else cpu_limit_s
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (FILE_LIMIT_BYTES, FILE_LIMIT_BYTES))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        resource.prlimit(pid, resource.RLIMIT_CPU, (cpu_s, cpu_s))


def _pump(
    process: subprocess.Popen[bytes], keep: Callable[[bytes], None], *, deadline: float, cancel: CancelToken
) -> bool:
    """Reads the output until the program ends; true if its time ran out first."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    os.set_blocking(descriptor, False)
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        open_output = True
        while True:
            if cancel.cancelled:
                return False
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            if open_output and selector.select(min(_POLL_S, left)):
                data = os.read(descriptor, 65536)
                if data:
                    keep(data)
                    continue
                # A closed pipe reads empty; a program may close its output and go on.
                open_output = False
                selector.unregister(descriptor)
            if _ended(process):
                _drain(descriptor, keep)
                return False
            if not open_output:
                time.sleep(min(0.002, left))


def _ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether the program has ended, leaving it for `_reap`, which reads what it used."""
    status = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return status is not None


def _drain(descriptor: int, keep: Callable[[bytes], None]) -> None:
    # A grandchild may hold the pipe open for ever, so only what is there already is read.
    with contextlib.suppress(BlockingIOError):
        while data := os.read(descriptor, 65536):
            keep(data)


def _give_notice(process: subprocess.Popen[bytes], keep: Callable[[bytes], None], notice_s: float) -> None:
    """Asks a program to end and waits until it has, or has had its time."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGTERM)
    # Its output is read on: a full pipe must not keep it from ending.
    _pump(process, keep, deadline=time.monotonic() + notice_s, cancel=CancelToken())


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _reap(process: subprocess.Popen[bytes]) -> float:
    """Waits for the program and returns the CPU seconds that it and its reaped children used."""
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def kill_with_descendants(process_id: int) -> None:
    """Kills a process and all that it has started, in whatever process groups.

    For a process that does not end by itself any more. What had left its family before is not found.
    """
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                # proc(5): the name, in parentheses, may hold anything; the parent comes second behind it.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found = [process_id]
    for one in found:
        found += children.get(one, ())
    own = os.getpid()
    for one in [*(one for one in found if one != own), *([own] if own in found else [])]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(one, signal.SIGKILL)


class _Kept:
    """The first and the last half of a limit of bytes."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.cut = False

    def add(self, data: bytes) -> None:
        room = self._half - len(self._head)
        self._head += data[: max(0, room)]
        self._tail += data[max(0, room) :]
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]
            self.cut = True

    def text(self) -> str:
        tail = self._tail
        if len(tail) > self._half:
            tail = tail[-self._half :]
            self.cut = True
        middle = b"\n[... output cut ...]\n" if self.cut else b""
        return (bytes(self._head) + middle + bytes(tail)).decode("utf-8", errors="replace")
