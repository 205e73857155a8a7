"""What a confined program may touch, and the command line that holds it to that, for each means that a machine has.

    bubblewrap          namespaces: no network, own processes, own /tmp, the rest read-only
    namespaces          `unshare`: no network, own processes; files by Landlock where the kernel has it
    seccomp             no sockets; files by Landlock where the kernel has it

The means are kept by others: bubblewrap, util-linux, and the Python packages `landlock` and `pyseccomp`.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from veriloop.assistant.isolation.licences import Licences

Means = Literal["bubblewrap", "namespaces", "seccomp"]
MEANS: tuple[Means, ...] = ("bubblewrap", "namespaces", "seccomp")
"""Strongest first."""

SAYS: dict[Means, str] = {
    "bubblewrap": "no network, own processes, own /tmp, everything else read-only",
    "namespaces": "no network, own processes; only its own directories can be written",
    "seccomp": "no sockets; only its own directories can be written",
}

_MEMORY_BYTES = 4_000_000_000
_PROCESSES = 256
_FILE_BYTES = 2_000_000_000
_ADDRESSES = 4
"""How much more than its memory a process may address: many reserve what they never use."""

_NO_LICENCES = Licences()
_HIDDEN = ("/tmp", "/var/tmp", "/run", "/dev/shm")
"""Where other programs' files and sockets lie. A socket can be connected to on a read-only mount, too."""
_SECRETS = (
    *(".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".git-credentials", ".pypirc", ".npmrc"),
    *(".password-store", ".mozilla", ".config/gh", ".config/gcloud", ".config/git/credentials", ".config/veriloop"),
    *(".local/share/keyrings", ".local/state/veriloop", ".bash_history", ".python_history"),
)
"""In the home directory: what no test needs and nobody wants to see in its log."""
HOSTS_FILE = Path("/etc/hosts")
_SECOND = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
"""The first process of a space of its own ignores signals that would end another one, so the command is the second."""
_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """How code that is not trusted is held, by the user's settings.

    Attributes:
        required: refuse it where nothing can cut the network.
        network: let it use the network.
        memory_bytes: of all its processes together.
        processes: of it at once.
        file_bytes: that one file of it may grow to.
        writable: further directories that it may write to, a compiler's cache for instance.
        means: those that may be used.
        licences: what tests of licensed simulators get.
    """

    required: bool = True
    network: bool = False
    memory_bytes: int = _MEMORY_BYTES
    processes: int = _PROCESSES
    file_bytes: int = _FILE_BYTES
    writable: tuple[Path, ...] = ()
    means: tuple[Means, ...] = MEANS
    licences: Licences = _NO_LICENCES


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """One confined run.

    Attributes:
        isolation: the user's settings.
        writable: the directories that it may change; they exist.
        readable: what it needs of places that are hidden otherwise.
        licensed: whether it gets what the user lets through to licensed simulators.
    """

    isolation: Isolation
    writable: tuple[Path, ...]
    readable: tuple[Path, ...] = ()
    licensed: bool = False


def limited(argv: Sequence[str], isolation: Isolation, cpu_s: int, prlimit: Path | None) -> list[str]:
    """The command under limits that hold before its first instruction; as it is where `prlimit` is not installed."""
    if prlimit is None:
        return list(argv)
    addresses = isolation.memory_bytes * _ADDRESSES
    limits = [f"--fsize={isolation.file_bytes}", f"--as={addresses}", f"--cpu={cpu_s}", "--core=0"]
    return [str(prlimit), *limits, "--", *argv]


def confined(
    means: Means,
    argv: Sequence[str],
    confinement: Confinement,
    *,
    program: Path,
    cwd: Path,
    temporary: Path,
    names: Path | None = None,
) -> list[str]:
    """The command line that runs a command by a means.

    Args:
        means: how.
        argv: the command.
        confinement: what it may touch.
        program: bubblewrap or unshare; not used by `seccomp`.
        cwd: where it runs.
        temporary: a directory of its own that it sees as its temporary one.
        names: the file that it sees as the system's `hosts`, where the means can do that.
    """
    if means == "bubblewrap":
        return _bubblewrap(argv, confinement, program, cwd, temporary, names)
    launched = _launched(argv, confinement, temporary, sockets=confinement.isolation.network)
    if means == "seccomp":
        return launched
    network = [] if confinement.isolation.network else ["--net"]
    spaces = ["--user", "--map-root-user", *network, "--ipc", "--pid", "--fork", "--kill-child"]
    return [str(program), *spaces, "--", *_SECOND, *launched]


def seen_temporary(means: Means, temporary: Path) -> str:
    """What the temporary directory is called in there."""
    return "/tmp" if means == "bubblewrap" else str(temporary)


def _bubblewrap(
    argv: Sequence[str], confinement: Confinement, program: Path, cwd: Path, temporary: Path, names: Path | None
) -> list[str]:
    isolation = confinement.isolation
    words = [str(program), "--die-with-parent", "--unshare-user-try", "--unshare-ipc", "--unshare-pid"]
    # A first process of bubblewrap's own would be left behind unwaited for, and its CPU time with it.
    words += ["--as-pid-1", "--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL"]
    words += [] if isolation.network else ["--unshare-net"]
    words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for place in _HIDDEN:
        if place not in ("/tmp", "/dev/shm") and Path(place).is_dir() and not Path(place).is_symlink():
            words += ["--tmpfs", place]
    words += ["--bind", str(temporary), "/tmp"]
    for secret in _secrets():
        words += ["--tmpfs", str(secret)] if secret.is_dir() else ["--ro-bind", "/dev/null", str(secret)]
    for path in _needed(confinement):
        words += ["--ro-bind", str(path), str(path)]
    for path in (*confinement.writable, *_existing(isolation.writable)):
        words += ["--bind", str(path), str(path)]
    words += ["--ro-bind", str(names), str(HOSTS_FILE.resolve())] if names else []
    return [*words, "--chdir", str(cwd), "--", *_SECOND, *argv]


def _launched(argv: Sequence[str], confinement: Confinement, temporary: Path, *, sockets: bool) -> list[str]:
    """The command behind the launcher, which takes from itself what the command may not have."""
    writable = [*confinement.writable, *_existing(confinement.isolation.writable), temporary]
    hidden = [*map(Path, _HIDDEN), *_secrets()]
    order = {
        "packages": sorted(_package_places()),
        "writable": [str(path) for path in writable],
        "hidden": [str(path) for path in hidden],
        "readable": [str(path) for path in _needed(confinement)],
        "sockets": sockets,
    }
    return [sys.executable, "-I", "-S", str(_LAUNCHER), json.dumps(order), *argv]


def _package_places() -> Iterator[str]:
    """Where the launcher finds the packages that it needs: it starts without any."""
    for name in ("landlock", "pyseccomp"):
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.origin:
            own = Path(spec.origin).parent
            yield str(own.parent if spec.submodule_search_locations else own)


def _secrets() -> list[Path]:
    home = Path(os.environ.get("HOME") or Path.home())
    return [path for name in _SECRETS if not (path := home / name).is_symlink() and path.exists()]


def _existing(paths: Sequence[Path]) -> list[Path]:
    return [path for path in paths if path.exists()]


def _needed(confinement: Confinement) -> list[Path]:
    """What would be hidden, but has to be seen: this Python, the tools of the PATH, what the run itself names."""
    search = (Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder.startswith("/"))
    wanted = [*confinement.readable, Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).parent, *search]
    hidden = [*map(Path, _HIDDEN), *_secrets()]
    found = [path for path in wanted if any(path.is_relative_to(place) for place in hidden) and path.exists()]
    return list(dict.fromkeys(path for path in found if path not in hidden))
