"""`veriloop doctor --airgap`: goes through every door under observation, and says which addresses were named."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path

from veriloop.assistant.airgap.doors import DOORS, EDIT, FILES, Door
from veriloop.assistant.airgap.trial import Trial, observes, tried
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import NotVerified, ToolNotFound
from veriloop.assistant.events import Stage
from veriloop.assistant.execute import execute, find_program
from veriloop.assistant.repository.create import create
from veriloop.assistant.repository.private import cache_home

REFUTED_EXIT = 1
NOT_VERIFIED_EXIT = 3

BY_REQUEST = {"bundle": "asks pip, which asks where the user has configured it to"}
"""Verbs that are there to fetch what the user asks for."""

OBSERVED = "strace: the system calls of every process that a door starts, simulations and compilers among them"


def airgap(session: Session, verbs: Collection[str], doors: Sequence[Door] = DOORS) -> int:
    """Tries the doors: 0 none named an address but loopback, 1 one did, 3 not every door was gone through.

    Args:
        session: shows the result.
        verbs: all that there are; one without a door is told.
        doors: what to try.

    Raises:
        ToolNotFound: strace is not installed.
        NotVerified: it sees nothing here.
    """
    strace = find_program("strace")
    if strace is None:
        raise ToolNotFound(
            "strace is not installed, and nothing else here sees the sockets of every process",
            hint="apt-get install strace    (RHEL: dnf install strace)",
        )
    with tempfile.TemporaryDirectory(prefix="veriloop-airgap-") as name:
        root, own = Path(name, "design"), Path(name, "own")
        own.mkdir()
        if not observes(strace, own=own, cancel=session.cancel):
            raise NotVerified(
                "strace does not see a socket here that it is shown", hint="sysctl kernel.yama.ptrace_scope"
            )
        create(root, FILES, cache=cache_home())
        path, content = EDIT
        (root / path).write_bytes(content)
        execute(["git", "add", "--all"], cwd=root, timeout_s=60, cancel=session.cancel)
        found = []
        for door in doors:
            session.observe(Stage(f"airgap: {door.name}"))
            found.append(tried(door, strace, root=root, own=own, cancel=session.cancel))
            if session.json:
                session.result("", {"type": "door", **asdict(found[-1])})
    without = sorted(set(verbs) - BY_REQUEST.keys() - {door.words[0] for door in doors if door.words})
    return _said(session, found, without)


def _said(session: Session, found: Sequence[Trial], without: Sequence[str]) -> int:
    outside = sum(len(one.outside) for one in found)
    missed = [one for one in found if not one.through]
    lines = [f"observed by {OBSERVED}"]
    lines += [_line(one) for one in found]
    lines += [f"not tried  {verb}: it has no example" for verb in without]
    lines += [f"by request {verb}: {why}" for verb, why in BY_REQUEST.items()]
    holds = not outside and not missed and not without
    word = "no socket outside loopback" if not outside else f"{outside} addresses outside loopback"
    checked = sum(one.through for one in found)
    lines.append(f"{word}; {checked} of {len(found) + len(without)} doors gone through")
    summary = {
        "airgap": holds,
        "sockets_outside_loopback": outside,
        "checked": [one.door for one in found if one.through],
    }
    session.result("\n".join(lines), summary)
    if outside:
        return REFUTED_EXIT
    return 0 if holds else NOT_VERIFIED_EXIT


def _line(one: Trial) -> str:
    if one.outside:
        return f"OUTSIDE    {one.door}: " + ", ".join(f"{each.call} {each.address}" for each in one.outside)
    if not one.through:
        return f"not tried  {one.door}: {one.why}"
    local = len(one.contacts)
    return f"ok         {one.door}" + (f": {local} addresses of this machine" if local else "")
