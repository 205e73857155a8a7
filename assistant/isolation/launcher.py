"""Run by itself, as a program: takes the right to write, to read and to connect from itself, then becomes the command.

`launcher.py ORDER COMMAND...`; the order is JSON, made by `confinement.py`. Where it cannot do what the order says it
ends with 126, and the command is not started.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import Any

_REFUSED = 126
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty")


def main() -> int:
    """Becomes the command; returns only where it cannot."""
    order: dict[str, Any] = json.loads(sys.argv[1])
    sys.path += order["packages"]
    landlocked = _restrict_files(order)
    if not order["sockets"]:
        try:
            _forbid_sockets()
        except (ImportError, OSError, RuntimeError) as error:
            print(f"veriloop: the network cannot be cut off: {error}", file=sys.stderr)
            return _REFUSED
    if os.environ.get("VERILOOP_PROBE"):
        print("landlock" if landlocked else "no landlock")
        return 0
    os.execvp(sys.argv[2], sys.argv[2:])
    return _REFUSED


def _restrict_files(order: dict[str, Any]) -> bool:
    """Only the directories that are named can be written, and what is hidden not even read; false without Landlock."""
    try:
        from landlock import FSAccess, LandlockError, Ruleset
    except ImportError:
        return False
    try:
        rules = Ruleset()
    except (LandlockError, OSError):
        return False
    reading = FSAccess.READ_FILE | FSAccess.EXECUTE
    for path in _visible("/", set(order["hidden"])):
        _allow(rules, path, reading | FSAccess.READ_DIR, reading)
    for path in order["readable"]:
        _allow(rules, path, reading | FSAccess.READ_DIR, reading)
    for path in order["writable"]:
        _allow(rules, path, FSAccess.all(), FSAccess.all_file())
    for path in _DEVICES:
        _allow(rules, path, FSAccess.all_file(), FSAccess.all_file())
    rules.apply()
    return True


def _allow(rules: Any, path: str, directory: Any, file: Any) -> None:
    try:
        is_directory = stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - nothing is imported that is not needed
        rules.allow(path, rules=directory if is_directory else file)
    except OSError:
        # What cannot be opened here cannot be opened by the command either.
        return


def _visible(folder: str, hidden: set[str]) -> list[str]:
    """The directories and files that hold nothing hidden, as few as possible; links are left to what they lead to."""
    found: list[str] = []
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return found
    for entry in entries:
        if entry.is_symlink() or entry.path in hidden:
            continue
        if any(place.startswith(f"{entry.path}/") for place in hidden):
            found += _visible(entry.path, hidden)
        else:
            found.append(entry.path)
    return found


def _forbid_sockets() -> None:
    """No socket, and no way out of the process group by which everything is ended."""
    import errno

    import pyseccomp

    rules = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
    for call in ("socket", "io_uring_setup"):
        rules.add_rule(pyseccomp.ERRNO(errno.EACCES), call)
    for call in ("setsid", "setpgid"):
        rules.add_rule(pyseccomp.ERRNO(errno.EPERM), call)
    rules.load()


if __name__ == "__main__":
    sys.exit(main())
