"""Which addresses a program and all that it starts have connected, bound or sent to, as strace saw their system calls.

What strace sees are the calls themselves, of every process and whatever its language; a call that fails counts like one
that works. What asks a daemon of this machine by a socket in the file system (a name service, for instance) is local.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_CALLS = "connect,bind,sendto,sendmsg,sendmmsg"
_FAMILY = re.compile(r"sa_family=(AF_\w+)")
_ADDRESS = re.compile(
    r"sin_port=htons\((\d+)\), sin_addr=inet_addr\(\"([^\"]+)\"\)"
    r"|sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, \"([^\"]+)\""
)
_CALL = re.compile(r"^(?:\d+ +)?(?:[\d.]+ +)?(\w+)\(")
_LOCAL = frozenset({"AF_UNIX", "AF_LOCAL", "AF_NETLINK", "AF_UNSPEC", "AF_ALG"})
"""Families that never leave this machine."""


@dataclass(frozen=True, slots=True, order=True)
class Contact:
    """An address that a system call named."""

    call: str
    address: str
    """With its port; the family alone, where it is none of the Internet's."""
    loopback: bool


def traced(strace: Path, argv: Sequence[str | Path], log: Path) -> list[str | Path]:
    """The command line that runs a program and everything that it starts under observation.

    `--seccomp-bpf` stops a process at these calls alone, so that compilers run at nearly their own speed.
    """
    options: list[str | Path] = ["-f", "-qq", "--seccomp-bpf", "-e", f"trace={_CALLS}", "-e", "signal=none", "-o", log]
    return [strace, *options, "--", *argv]


def contacts(log: Path) -> tuple[Contact, ...]:
    """What a log of strace holds, each address once."""
    found = set()
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if contact := _contact(line):
                found.add(contact)
    return tuple(sorted(found))


def _contact(line: str) -> Contact | None:
    call, family = _CALL.search(line), _FAMILY.search(line)
    if call is None or family is None or family[1] in _LOCAL:
        return None
    address = _ADDRESS.search(line)
    if address is None:
        # A family that is not known to stay here counts as one that leaves.
        return Contact(call[1], family[1], loopback=False)
    port, host = address[1] or address[3], address[2] or address[4]
    return Contact(call[1], f"{host}:{port}", loopback=_is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool(found.is_loopback or (mapped is not None and mapped.is_loopback))
