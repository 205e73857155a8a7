"""Tests of a repository that need a licensed simulator: a stub `vcs`, and a licence server of the test's own.

The stub fetches its licence as FlexLM does, from a server that names a second port, and simulates by Icarus. What a
real simulator does beyond that is not tried here.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assistant.repair.conftest import Clone
from veriloop.assistant.cli.main import main

pytestmark = pytest.mark.needs("git", "verilator", "c++", "make", "iverilog", "bubblewrap")

RIGHT = b"module inv(input a, output y);\n  assign y = ~a;\nendmodule\n"
WRONG = RIGHT.replace(b"~a", b"a")
OLD = b"  wire w;\n  tran (w, a);\nendmodule"
"""What simulators take and Verilator does not."""
BENCH = b"""module inv_tb;
  reg a; wire y; integer bad = 0;
  inv dut(.a(a), .y(y));
  initial begin
    a = 0; #1 if (y !== 1) bad = bad + 1;
    a = 1; #1 if (y !== 0) bad = bad + 1;
    $display("Mismatches: %0d in 2 samples", bad);
    $finish;
  end
endmodule
"""
MAKEFILE = b"sim:\n\tvcs -full64 -R rtl/inv.v tb/inv_tb.v\n"
STUB = """#!{python}
import os, socket, subprocess, sys

def ask(host, port):
    with socket.create_connection((host, int(port)), 10) as connection:
        return connection.recv(99).decode()

try:
    assert os.path.isfile(os.environ["VCS_HOME"] + "/key")
    port, _, host = os.environ["SNPSLMD_LICENSE_FILE"].partition("@")
    daemon = ask(host, port).split()
    assert ask(*daemon) == "granted"
except (OSError, AssertionError, KeyError):
    sys.exit("Failed to obtain 'VCSRuntime_Net' license")
try:
    ask(host, {closed})
    print("Mismatches: 9 in 9 samples, got out")
except OSError:
    files = [word for word in sys.argv[1:] if word.endswith(".v")]
    subprocess.run(["{iverilog}", "-g2012", "-o", "/tmp/simv", *files], check=True)
    sys.exit(subprocess.run(["{vvp}", "-n", "/tmp/simv"]).returncode)
"""


@contextlib.contextmanager
def serving(answer: str, asked: list[str]) -> Iterator[int]:
    """Says one thing to each that connects, and counts them; gives the port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        asked.append(answer)
                        connection.sendall(answer.encode())

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


class Site:
    """A repository whose test needs the simulator, the simulator, and its licence server."""

    def __init__(self, clone: Clone, stub: Path, config: Path, ports: tuple[int, int], asked: list[str]):
        self.clone = clone
        self.stub = stub
        self.config = config
        self.ports = ports
        self.asked = asked

    def lets_through(self, *ports: int) -> None:
        """Writes the user's configuration."""
        hosts = ", ".join(f'"{port}@localhost"' for port in ports)
        self.config.parent.mkdir(exist_ok=True, parents=True)
        self.config.write_text(f'[licences]\nvariables = ["SNPSLMD_LICENSE_FILE", "VCS_HOME"]\nhosts = [{hosts}]\n')


@pytest.fixture
def site(clone: Clone, runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("VERILOOP_CACHE", str(runtime))
    clone.commit({"rtl/inv.v": WRONG, "tb/inv_tb.v": BENCH, "Makefile": MAKEFILE})
    asked: list[str] = []
    elsewhere: list[str] = []
    with (
        serving("granted", asked) as daemon,
        serving(f"localhost {daemon}", asked) as port,
        serving("got out", elsewhere) as closed,
    ):
        home = tmp_path / "vcs"
        (home / "bin").mkdir(parents=True)
        (home / "key").write_text("")
        stub = home / "bin/vcs"
        stub.write_text(
            STUB.format(
                python=sys.executable, closed=closed, iverilog=shutil.which("iverilog"), vvp=shutil.which("vvp")
            )
        )
        stub.chmod(0o755)
        monkeypatch.setenv("PATH", f"{home / 'bin'}:{os.environ['PATH']}")
        monkeypatch.setenv("VCS_HOME", str(home))
        monkeypatch.setenv("SNPSLMD_LICENSE_FILE", f"{port}@localhost")
        yield Site(clone, stub, tmp_path / "xdg_config_home/veriloop/config.toml", (port, daemon), asked)
        assert not elsewhere


BESIDE = "judged by VCS alone; Verilator only lints and elaborates the design"


def test_it_repairs_and_names_the_simulator_with_verilator_beside_it(site, capsys):
    site.lets_through(*site.ports)
    assert main(["repair", "rtl/inv.v", "--test", "make -s sim", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["status"] == "repaired"
    report = data["report"]
    assert [(step["name"], step["passed"]) for step in report["steps"]] == [
        ("parse", True),
        ("lint inv", True),
        ("elaborate inv", True),
        ("make -s sim", True),
    ]
    assert [run["engine"] for run in report["steps"][-1]["runs"]] == ["VCS"]
    assert BESIDE in report["unchecked"]
    # The unchanged tree, each candidate, and the gate's word.
    assert site.asked.count("granted") > data["candidates"]


def test_check_says_the_same_and_refuses_what_verilator_does_not_take(site, capsys):
    site.lets_through(*site.ports)
    (site.clone.root / "rtl/inv.v").write_bytes(RIGHT)
    assert main(["check", "--full", "--test", "make -s sim"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("verified: 1 of 1 tests pass by VCS, 1 of them failed before; evidence: tests\n")
    assert BESIDE in text
    assert "ok   lint inv" in text
    (site.clone.root / "rtl/inv.v").write_bytes(RIGHT.replace(b"endmodule", OLD))
    assert main(["check", "--test", "make -s sim"]) == 1
    said = capsys.readouterr().out
    assert said.startswith("refuted: lint inv\n")
    assert "left out: make -s sim (the change is refuted already)" in said


def test_a_repair_that_verilator_does_not_take_is_not_offered(site, capsys):
    below = b"module sub(input a, output y); assign y = a; endmodule\n"
    above = b"module inv(input a, output y);\n  wire n;\n  sub u(.a(a), .y(n));\n  assign y = n;\nendmodule\n"
    site.clone.commit({"rtl/sub.v": below, "rtl/inv.v": above})
    # A simulator that is content with an output connected to an expression.
    site.stub.write_text("#!/bin/sh\ngrep -q 'y((~n))' rtl/inv.v\n")
    assert main(["repair", "rtl/inv.v", "--test", "vcs -R rtl/inv.v", "--json"]) == 3
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert (data["status"], data["plausible"], data["report"]) == ("not found", 1, None)
    assert "the gate refuses a candidate: elaborate inv: " in captured.err


def test_without_a_licence_nothing_is_said_about_the_design(site, capsys):
    for ports in ((), site.ports[:1]):
        site.lets_through(*ports)
        assert main(["repair", "rtl/inv.v", "--test", "make -s sim"]) == 3
        assert "VCS got no licence: Failed to obtain 'VCSRuntime_Net' license" in capsys.readouterr().err
    assert "granted" not in site.asked


def test_only_tests_of_licensed_simulators_get_through(site, capsys):
    site.lets_through(*site.ports)
    code = f"import socket; socket.create_connection(('localhost', {site.ports[0]}), 5)"
    assert main(["check", "--test", f'{sys.executable} -c "{code}"']) == 0
    (site.clone.root / "rtl/inv.v").write_bytes(RIGHT)
    assert main(["check", "--test", f'{sys.executable} -c "{code}"', "--json"]) == 1
    assert not site.asked


def test_doctor_names_what_is_let_through(site, capsys):
    site.lets_through(*site.ports, 1024)
    main(["doctor", "--json"])
    findings = {one["name"]: one for one in json.loads(capsys.readouterr().out)["findings"]}
    assert findings["licences"]["detail"] == (
        f"variables SNPSLMD_LICENSE_FILE, VCS_HOME; hosts {site.ports[0]}@localhost (answers), "
        f"{site.ports[1]}@localhost (answers), 1024@localhost (does not answer: Connection refused)"
    )
    site.config.unlink()
    main(["doctor", "--json"])
    assert "licences" not in {one["name"] for one in json.loads(capsys.readouterr().out)["findings"]}
