"""What tests of licensed simulators can reach: a toy licence server of the test's own, and nothing beside it."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from veriloop.assistant.errors import NoLicence, NotVerified
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import Completed, execute, hold
from veriloop.assistant.isolation.confinement import Confinement, Isolation
from veriloop.assistant.isolation.licences import LicenceHost, Licences, licence_hosts


def test_hosts_are_written_as_flexlm_writes_them():
    assert licence_hosts(["27000@lic1", "lic-2.example.com:1717", "27000@lic1", "5280@10.0.0.7"]) == (
        LicenceHost(27000, "lic1"),
        LicenceHost(1717, "lic-2.example.com"),
        LicenceHost(5280, "10.0.0.7"),
    )


@pytest.mark.parametrize("word", ["lic1", "27000", "@lic1", "27000@", "27000@a@b", "27000@a b", "27000@a\n", "٣٣٣٣@a"])
def test_what_is_no_host_is_named(word):
    with pytest.raises(ValueError, match="is not PORT@HOST"):
        licence_hosts([word])
    for port in (0, 80, 65536):
        with pytest.raises(ValueError, match="from 1024 to 65535"):
            licence_hosts([f"{port}@a"])


LICENCES = Licences(
    variables=("SNPSLMD_LICENSE_FILE", "LM_LICENSE_FILE", "VCS_HOME", "UNSET"),
    hosts=licence_hosts(["27000@lic1", "27001@lic1", "27000@lic2.example.com", "1717@localhost", "5280@10.0.0.7"]),
)


def test_addresses_in_variables_are_those_in_there():
    surroundings = {
        "SNPSLMD_LICENSE_FILE": "27000@LIC1:27000@lic2.example.com:/opt/l.dat:1@other",
        "LM_LICENSE_FILE": "27000@lic1,27001@lic1,@10.0.0.7;1717@localhost",
        "VCS_HOME": "/opt/vcs",
        "MORE": "27000@lic1",
    }
    assert LICENCES.inside(surroundings) == {
        "SNPSLMD_LICENSE_FILE": "27000@127.0.1.1:27000@127.0.1.2:/opt/l.dat:1@other",
        "LM_LICENSE_FILE": "27000@127.0.1.1,27001@127.0.1.1,@127.0.1.4;1717@127.0.0.1",
        "VCS_HOME": "/opt/vcs",
    }
    assert LICENCES.readable(surroundings) == (Path("/opt/l.dat"), Path("/opt/vcs"))


def test_names_lead_to_the_same_addresses():
    present = b"127.0.0.1 localhost\n10.0.0.3 lic1 db  # both\n10.0.0.4 lic1x\n"
    assert LICENCES.names(present).decode().splitlines() == [
        "127.0.0.1 localhost",
        "10.0.0.4 lic1x",
        "127.0.1.1 lic1",
        "127.0.1.2 lic2.example.com lic2",
    ]


@contextlib.contextmanager
def server(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Answers each that asks, on loopback; gives the port and what was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    # To the end of what it sends: one direction ends before the other.
                    with connection, connection.makefile("rb") as stream:
                        asked.append(stream.read())
                        connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1], asked
        listener.shutdown(socket.SHUT_RDWR)


_CLIENT = """
import os, socket, sys
def ask(host, port, what):
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(what)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))
port, _, host = os.environ["SNPSLMD_LICENSE_FILE"].partition("@")
"""


def held(code: str, place: Path, licences: Licences, *, licensed: bool = True, **isolation) -> Completed:
    confine = Confinement(isolation=Isolation(licences=licences, **isolation), writable=(place,), licensed=licensed)
    argv = [sys.executable, "-c", _CLIENT + code]
    return execute(argv, cwd=place, timeout_s=60, cancel=CancelToken(), confine=confine)


@pytest.mark.needs("bubblewrap")
def test_the_licence_hosts_are_reached_and_nothing_else(tmp_path, monkeypatch):
    vendor = bytes(range(256)) * 4000
    with (
        server(b"vendor's daemon") as (port, asked),
        server(vendor) as (second, _),
        server(b"secret") as (third, heard),
    ):
        monkeypatch.setenv("SNPSLMD_LICENSE_FILE", f"{port}@localhost")
        licences = Licences(
            variables=("SNPSLMD_LICENSE_FILE",), hosts=licence_hosts([f"{port}@localhost", f"{second}@localhost"])
        )
        code = f"""
print(ask(host, port, b"checkout " * 20000).decode())
print(len(ask("localhost", {second}, b"")))
for there in (("localhost", {third}), ("192.0.2.1", {port})):
    try:
        ask(*there, b"")
        print("got out")
    except OSError:
        print("cut off")
"""
        done = held(code, tmp_path, licences)
        assert done.output.split("\n") == ["vendor's daemon", str(len(vendor)), *2 * ["cut off"], ""], done.output
        assert asked == [b"checkout " * 20000]
        assert not heard
        # Whatever else is confined has no network at all.
        alone = held(code, tmp_path, licences, licensed=False)
        assert "ConnectionRefusedError" in alone.output
        assert len(asked) == 1
    assert not [thread for thread in threading.enumerate() if thread.name == "licences"]


@pytest.mark.needs("bubblewrap")
def test_a_server_is_found_by_the_name_that_it_gives_back(tmp_path, monkeypatch):
    name, known = "server.test", socket.getaddrinfo

    def told(host, *others, **more):
        return known("127.0.0.1" if host == name else host, *others, **more)

    # As a company's name server would; what is in there has a file of its own for it.
    monkeypatch.setattr(socket, "getaddrinfo", told)
    with server(b"granted") as (port, _):
        monkeypatch.setenv("SNPSLMD_LICENSE_FILE", "27000@nobody.invalid")
        hosts = licence_hosts([f"{port}@{name}", f"{port}@nobody.invalid"])
        licences = Licences(variables=("SNPSLMD_LICENSE_FILE",), hosts=hosts)
        # What is asked for first does not answer: FlexLM asks the next.
        code = f"""
assert ask("nobody", {port}, b"") == b""
print(ask({name!r}, {port}, b"").decode())
sys.exit(3)
"""
        done = held(code, tmp_path, licences)
        assert (done.returncode, done.output) == (3, "granted\n")


@pytest.mark.needs("bubblewrap")
def test_without_any_licence_host_nothing_is_said_about_the_design(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("SNPSLMD_LICENSE_FILE", f"{port}@localhost")
    licences = Licences(variables=("SNPSLMD_LICENSE_FILE",), hosts=licence_hosts([f"{port}@localhost"]))
    with pytest.raises(NoLicence, match=f"{port}@localhost"):
        held("ask(host, port, b'')\nsys.exit(1)", tmp_path, licences)
    # A command that fails without having asked for one has failed.
    assert held("sys.exit(1)", tmp_path, licences).returncode == 1


def test_where_only_the_whole_network_could_be_opened_it_is_refused(tmp_path, monkeypatch):
    if hold(("seccomp",)) is None:
        pytest.skip("seccomp does not work here")
    monkeypatch.setenv("SNPSLMD_LICENSE_FILE", "27000@localhost")
    licences = Licences(variables=("SNPSLMD_LICENSE_FILE",), hosts=licence_hosts(["27000@localhost"]))
    with pytest.raises(NotVerified, match="only bubblewrap"):
        held("", tmp_path, licences, means=("seccomp",))
    # With the network open there is nothing to let through, and the variables stay as they are.
    assert held("print(host)", tmp_path, licences, means=("seccomp",), network=True).output == "localhost\n"
