"""Doors under observation: what names an address is seen, whoever does it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from veriloop.assistant.airgap.doors import DOORS
from veriloop.assistant.airgap.sockets import Contact, contacts, traced
from veriloop.assistant.cli.airgap import airgap
from veriloop.assistant.cli.main import VERBS
from veriloop.assistant.cli.session import Session
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute

CALLS = """\
12 connect(3, {sa_family=AF_UNIX, sun_path="/run/nscd"}, 110) = -1 ENOENT
12 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("192.0.2.7")}, 16) = -1 EINPROGRESS
13 bind(4, {sa_family=AF_INET, sin_port=htons(0), sin_addr=inet_addr("127.0.0.1")}, 16) = 0
13 sendto(4, "x", 1, 0, {sa_family=AF_INET6, sin6_port=htons(53), sin6_flowinfo=htonl(0), \
inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = 1
14 connect(5, {sa_family=AF_INET6, sin6_port=htons(8), inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6_addr)}, 28) = 0
15 bind(5, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0
16 connect(3, {sa_family=AF_VSOCK, svm_cid=0x2, svm_port=0x1}, 16) = 0
17 +++ exited with 0 +++
"""


def test_the_log_of_system_calls_is_read(tmp_path):
    log = tmp_path / "log"
    log.write_text(CALLS)
    assert contacts(log) == (
        Contact("bind", "127.0.0.1:0", loopback=True),
        Contact("connect", "192.0.2.7:80", loopback=False),
        Contact("connect", "::ffff:127.0.0.1:8", loopback=True),
        Contact("connect", "AF_VSOCK", loopback=False),
        Contact("sendto", "2001:db8::1:53", loopback=False),
    )


@pytest.mark.needs("strace")
def test_what_a_child_of_a_child_does_is_seen(tmp_path):
    code = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('198.51.100.9', 7))"
    argv = ["sh", "-c", f'sh -c \'"$0" -c "{code.replace(chr(39), chr(92) + chr(34))}" & wait\' {sys.executable}']
    log = tmp_path / "log"
    execute(traced(Path("strace"), argv, log), cwd=tmp_path, timeout_s=60, cancel=CancelToken())
    assert contacts(log) == (Contact("connect", "198.51.100.9:7", loopback=False),)


@pytest.mark.needs("strace", "git")
def test_the_answer_says_what_was_gone_through(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("VERILOOP_CACHE", str(tmp_path / "cache"))
    session = Session(json=True, cancel=CancelToken())
    doors = [door for door in DOORS if door.name in ("config", "trust", "lsp")]
    code = airgap(session, ("config", "trust", "bundle"), doors)
    *rows, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(row["door"], row["through"], row["contacts"]) for row in rows] == [
        ("trust", True, []),
        ("config", True, []),
        ("lsp", True, []),
    ]
    assert summary == {"airgap": True, "sockets_outside_loopback": 0, "checked": ["trust", "config", "lsp"]}
    assert code == 0
    # A verb that has no example is not passed over.
    assert airgap(session, ("config", "trust", "lsp", "another"), doors[:1]) == 3
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["airgap"] is False


def test_every_door_is_a_verb_of_ours():
    assert {door.words[0] for door in DOORS if door.words and not door.words[0].startswith("-")} <= VERBS.keys()
