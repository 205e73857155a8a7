"""The one place that starts a program: own process group, limits, a clean environment, cancellable, confined.

A killed or cancelled program takes every process that it started with it. Nothing is ever run through a shell unless
the user's own command line asks for one.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import pty
import resource
import selectors
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from veriloop.assistant.errors import Cancelled, NoLicence, NotVerified, ToolFailed, ToolNotFound
from veriloop.assistant.events import CancelToken
from veriloop.assistant.isolation.confinement import (
    HOSTS_FILE,
    MEANS,
    SAYS,
    Confinement,
    Isolation,
    Means,
    confined,
    limited,
    seen_temporary,
)
from veriloop.assistant.isolation.relay import Relay
from veriloop.assistant.isolation.watch import Watch

OUTPUT_LIMIT_BYTES = 4_000_000
FILE_LIMIT_BYTES = 2_000_000_000
"""What one file of a program that runs under limits may grow to."""

_POLL_S = 0.05
_PROBE_S = 20.0
_HOLDERS = ("bwrap: ", "unshare: ", "prlimit: ", "veriloop: the network", "veriloop: the licence")
"""How the messages begin of what holds a program."""
_TRUE = shutil.which("true") or "/bin/true"


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
    stopped: str = ""
    """Which limit of its confinement it went over, where that ended it."""

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with exit code 0."""
        return self.returncode == 0 and not self.cut_off

    @property
    def cut_off(self) -> bool:
        """Whether it did not end by itself: out of time, or over another limit."""
        return self.timed_out or bool(self.stopped)

    @property
    def why_cut_off(self) -> str:
        """Why it did not end by itself, as the end of a sentence about it."""
        return f"was stopped: {self.stopped}" if self.stopped else f"did not end within {self.wall_s:.0f} s"


def cpu_seconds() -> float:
    """CPU seconds of this process and of all that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
    memory_limit_bytes: int | None = None,
    notice_s: float = 0.0,
    confine: Confinement | None = None,
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
        memory_limit_bytes: of its address space; none: as much as there is.
        notice_s: what a program of ours that starts others, in groups of their own, is given to end them after SIGTERM.
        confine: what a program that is not trusted may touch; none for tools.

    Raises:
        ToolNotFound: the program is not there.
        NotVerified: it is not trusted, and nothing here can cut off the network.
        ToolFailed: what holds it fails.
        NoLicence: it asked for a licence, and no licence host could be reached.
        Cancelled: the token was set; the process group is gone by then.
    """
    words = tuple(str(word) for word in argv)
    cancel.check()
    with contextlib.ExitStack() as stack:
        started_as, relay = words, None
        if confine is not None:
            cpu_s = _cpu_s(timeout_s, cpu_limit_s)
            relay = _relay(confine, stack)
            started_as, env = _hold(words, confine, cwd, dict(env or {}), cpu_s, relay, stack)
        done = _run(
            words,
            started_as,
            cwd=cwd,
            timeout_s=timeout_s,
            cancel=cancel,
            env=env,
            output_limit_bytes=output_limit_bytes,
            stdin=stdin,
            cpu_limit_s=cpu_limit_s,
            memory_limit_bytes=memory_limit_bytes,
            notice_s=notice_s,
            confine=confine,
            relay=relay,
        )
    if relay is not None and relay.unreached:
        # Whatever its exit code: a pipe hides that.
        raise NoLicence(f"no licence, because no licence host was reached: {relay.unreached}", hint="veriloop doctor")
    if confine is not None and done.returncode and done.output.startswith(_HOLDERS):
        # The program was never started: that says nothing about it.
        raise ToolFailed(f"what holds programs fails: {done.output.splitlines()[0]}", hint="veriloop doctor")
    return done


def _run(
    words: tuple[str, ...],
    started_as: tuple[str, ...],
    *,
    cwd: Path,
    timeout_s: float,
    cancel: CancelToken,
    env: Mapping[str, str] | None,
    output_limit_bytes: int,
    stdin: bytes,
    cpu_limit_s: int | None,
    memory_limit_bytes: int | None,
    notice_s: float,
    confine: Confinement | None,
    relay: Relay | None,
) -> Completed:
    """Runs a command, as it is or in what holds it."""
    started = time.monotonic()
    try:
        with _input(stdin) as source:
            process = subprocess.Popen(
                started_as,
                cwd=cwd,
                env=clean_environment(env),
                stdin=source,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=(relay.descriptor,) if relay else (),
            )
    except FileNotFoundError as error:
        if not cwd.is_dir():
            raise
        raise ToolNotFound(f"{words[0]} is not installed", hint="veriloop doctor") from error
    _limit(process.pid, timeout_s, cpu_limit_s, memory_limit_bytes)
    if relay is not None:
        relay.start()
    assert process.stdout is not None
    kept = _Kept(output_limit_bytes)
    watch = None if confine is None else Watch(process.pid, confine.isolation, confine.writable)
    timed_out = False
    stopped = ""
    try:
        timed_out = _pump(process, kept.add, deadline=started + timeout_s, cancel=cancel, watch=watch)
        stopped = watch.stopped if watch else ""
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
        returncode=process.returncode if confine is None else _signalled(process.returncode),
        output=kept.text(),
        wall_s=time.monotonic() - started,
        cpu_s=cpu_s,
        timed_out=timed_out,
        output_cut=kept.cut,
        stopped=stopped,
    )


@dataclass(frozen=True, slots=True)
class Hold:
    """What holds programs that are not trusted on this machine.

    Attributes:
        means: how.
        program: bubblewrap or unshare; none for what needs no program.
        files: whether it also guards files.
    """

    means: Means
    program: Path | None
    files: bool

    def __str__(self) -> str:
        return f"{self.means}: {SAYS[self.means]}" if self.files else f"{self.means}: no network; files are not guarded"


@functools.cache
def hold(allowed: tuple[Means, ...] = MEANS, *, network: bool = False) -> Hold | None:
    """The strongest means that works here, found by trying; none where none can cut the network."""
    for means in allowed:
        program = find_program({"bubblewrap": "bwrap", "namespaces": "unshare", "seccomp": "sh"}[means])
        if program is None:
            continue
        with tempfile.TemporaryDirectory(prefix="veriloop-") as name:
            place = Path(name)
            (place / "tmp").mkdir()
            confinement = Confinement(isolation=Isolation(network=network), writable=(place,))
            argv = confined(means, [_TRUE], confinement, program=program, cwd=place, temporary=place / "tmp")
            done = execute(argv, cwd=place, timeout_s=_PROBE_S, cancel=CancelToken(), env={"VERILOOP_PROBE": "1"})
        if done.ok:
            files = means == "bubblewrap" or done.output.startswith("landlock")
            return Hold(means, None if means == "seccomp" else program, files)
    return None


def _relay(confine: Confinement, stack: contextlib.ExitStack) -> Relay | None:
    """What lets just the licence hosts through, where they are wanted and the network is cut off.

    Raises:
        NotVerified: only bubblewrap hides the sockets that other programs have in the file system.
    """
    isolation = confine.isolation
    found = hold(isolation.means, network=isolation.network)
    if not (confine.licensed and isolation.licences.hosts) or isolation.network or found is None:
        return None
    if found.means != "bubblewrap":
        raise NotVerified(
            "only bubblewrap lets licence hosts through and nothing else, and it does not work here",
            hint="apt-get install bubblewrap    (or, to open the whole network: [isolation] network = true)",
        )
    relay = Relay(isolation.licences)
    stack.callback(relay.close)
    return relay


def _hold(
    words: tuple[str, ...],
    confine: Confinement,
    cwd: Path,
    env: dict[str, str],
    cpu_s: int,
    relay: Relay | None,
    stack: contextlib.ExitStack,
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The command line that holds a command, with its environment; its temporary directory goes with the stack."""
    confine = replace(
        confine,
        writable=tuple(path.absolute() for path in confine.writable),
        readable=tuple(path.absolute() for path in confine.readable),
    )
    cwd = cwd.absolute()
    isolation = confine.isolation
    if confine.licensed:
        variables = {**os.environ, **env}
        confine = replace(confine, readable=(*confine.readable, *isolation.licences.readable(variables)))
        env |= isolation.licences.inside(variables) if relay else {}
    found = hold(isolation.means, network=isolation.network)
    if found is None and isolation.required:
        raise NotVerified(
            "nothing on this machine can keep code that is not trusted from the network",
            hint="apt-get install bubblewrap    (or, to run it all the same: [isolation] required = false)",
        )
    # Beside what it may write, so that it goes with that if this process is killed.
    temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=confine.writable[-1], prefix=".tmp-")))
    argv: list[str] = list(words)
    seen = str(temporary)
    if found is not None:
        program = found.program or Path()
        names = None
        if relay is not None:
            argv = relay.command(words)
        if relay is not None and HOSTS_FILE.is_file():
            names = temporary / ".hosts"
            names.write_bytes(isolation.licences.names(HOSTS_FILE.read_bytes()))
        argv = confined(found.means, argv, confine, program=program, cwd=cwd, temporary=temporary, names=names)
        seen = seen_temporary(found.means, temporary)
    argv = limited(argv, isolation, cpu_s, find_program("prlimit"))
    return tuple(argv), {"TMPDIR": seen, "XDG_CACHE_HOME": seen, "CCACHE_DISABLE": "1", **env}


def _signalled(returncode: int) -> int:
    """Bubblewrap tells of a signal as a shell does, by 128 and its number."""
    return 128 - returncode if 128 < returncode <= 128 + 31 else returncode


def _cpu_s(timeout_s: float, cpu_limit_s: int | None) -> int:
    return int(timeout_s * (os.cpu_count() or 1)) + 10 if cpu_limit_s is None else cpu_limit_s


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


@dataclass(frozen=True, slots=True)
class InTerminal:
    """A program that runs in a terminal of its own, whose other side is a descriptor."""

    pid: int
    descriptor: int


@contextlib.contextmanager
def in_terminal(
    argv: Sequence[str | Path], *, cwd: Path, columns: int, rows: int, env: Mapping[str, str] | None = None
) -> Iterator[InTerminal]:
    """Starts a program in a pseudo-terminal of a size; its process group is killed in the end.

    Raises:
        ToolNotFound: the program is not there.
    """
    ours, theirs = pty.openpty()
    try:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        words = [str(word) for word in argv]
        variables = {"TERM": "xterm-256color", **clean_environment(env)}
        try:
            process = subprocess.Popen(
                words, cwd=cwd, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
            )
        except FileNotFoundError as error:
            raise ToolNotFound(f"{words[0]} is not installed", hint="veriloop doctor") from error
        try:
            yield InTerminal(process.pid, ours)
        finally:
            kill_with_descendants(process.pid)
            process.wait()
    finally:
        os.close(ours)
        os.close(theirs)


@contextlib.contextmanager
def _input(content: bytes) -> Iterator[IO[bytes]]:
    """What a program reads: a file, so that one that does not read it holds nobody up."""
    with tempfile.TemporaryFile() as stream:
        stream.write(content)
        stream.seek(0)
        yield stream


def _limit(pid: int, timeout_s: float, cpu_limit_s: int | None, memory_limit_bytes: int | None = None) -> None:
    """Limits that outlive us: should this process be killed, a hanging simulation still ends by its CPU limit."""
    cpu_s = _cpu_s(timeout_s, cpu_limit_s)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (FILE_LIMIT_BYTES, FILE_LIMIT_BYTES))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
        resource.prlimit(pid, resource.RLIMIT_CPU, (cpu_s, cpu_s))
        if memory_limit_bytes is not None:
            resource.prlimit(pid, resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))


def _pump(
    process: subprocess.Popen[bytes],
    keep: Callable[[bytes], None],
    *,
    deadline: float,
    cancel: CancelToken,
    watch: Watch | None = None,
) -> bool:
    """Reads the output until the program ends or goes over a limit; true if its time ran out first."""
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
            if watch is not None and watch.over():
                return False
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
