"""A real Slurm on this machine: a controller and a node, started by the test, on the loopback interface."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.assistant.farm.parity import check_says_the_same, commands, mutants_are_the_same, repairs_are_the_same
from veriloop.assistant.config import FarmSettings
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.cluster import connect
from veriloop.assistant.farm.job import Job
from veriloop.assistant.farm.worker import run
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.needs("slurm")]

SETTINGS = FarmSettings(workers=1, memory="1GB", interface="lo", wait_s=120)
"""Scheduler and worker talk over the loopback interface, with TLS."""
CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={munge}/socket
CryptoType=crypto/munge
StateSaveLocation={directory}/state
SlurmdSpoolDir={directory}/spool
SlurmctldPidFile={directory}/controller.pid
SlurmdPidFile={directory}/node.pid
SlurmctldLogFile={directory}/controller.log
SlurmdLogFile={directory}/node.log
SlurmctldPort={controller_port}
SlurmdPort={node_port}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
NodeName={host} NodeAddr=127.0.0.1 CPUs=1 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@pytest.fixture(scope="module")
def slurm(tmp_path_factory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("slurm")
    munge = directory / "munge"
    for path in (directory / "state", directory / "spool", munge):
        path.mkdir()
    # munged refuses a directory that others may write above its socket.
    for path in (directory, *directory.parents[:2]):
        path.chmod(0o755)
    (munge / "key").write_bytes(os.urandom(128))
    (munge / "key").chmod(0o400)
    ports = dict(zip(("controller_port", "node_port"), free_ports(2), strict=True))
    configuration = directory / "slurm.conf"
    host = socket.gethostname().split(".")[0]
    configuration.write_text(CONFIGURATION.format(host=host, munge=munge, directory=directory, **ports))
    daemons = [
        ["munged", "--foreground", "--force", *(f"--{name}={munge / file}" for name, file in MUNGE_FILES)],
        ["slurmctld", "-D", "-f", str(configuration)],
        ["slurmd", "-D", "-f", str(configuration)],
    ]
    started = []
    try:
        for argv in daemons:
            started.append(subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            wait_for(lambda: (munge / "socket").exists(), "munged does not answer")
        wait_for(lambda: "idle" in ask(configuration, "sinfo", "-h", "-o", "%t"), "the node does not come up")
        yield configuration
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


MUNGE_FILES = (
    ("key-file", "key"),
    ("socket", "socket"),
    ("pid-file", "pid"),
    ("log-file", "log"),
    ("seed-file", "seed"),
)


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def ask(configuration: Path, *argv: str) -> str:
    environment = {**os.environ, "SLURM_CONF": str(configuration)}
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False).stdout


def wait_for(condition, otherwise: str) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.2)


@pytest.mark.needs("verilator", "c++", "iverilog", "git")
def test_commands_say_there_what_they_say_here(slurm, tools, cache, tmp_path, monkeypatch):
    Toolchain.find(cache=cache, cancel=CancelToken()).verilator.prepare(CancelToken())
    (tmp_path / "config" / "veriloop").mkdir(parents=True)
    lines = ["[farm]", "workers = 1", 'memory = "1GB"', 'interface = "lo"', "wait_s = 120"]
    (tmp_path / "config" / "veriloop" / "config.toml").write_text("\n".join(lines) + "\n")
    environment = {"SLURM_CONF": str(slurm), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    here, there = commands(tmp_path, cache, environment, "--farm", "slurm")
    check_says_the_same(here, there, tmp_path / "check")
    repairs_are_the_same(here, there, tmp_path / "repairs")
    monkeypatch.setenv("SLURM_CONF", str(slurm))
    with connect("slurm", SETTINGS, tools=tools, cancel=CancelToken()) as farm:
        mutants_are_the_same(farm)
    del farm
    gc.collect()
    wait_for(lambda: not ask(slurm, "squeue", "-h").strip(), "a job stays in the queue")


def test_jobs_in_a_queue_come_to_what_they_come_to_here_and_leave_it_empty(slurm, tools, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", str(slurm))
    jobs = [Job(argv=("/bin/sh", "-c", f"echo {i} >out; exit {i}"), outputs=("out",), tools=tools) for i in range(3)]
    with connect("slurm", SETTINGS, tools=tools, cancel=CancelToken()) as farm:
        assert all(address.startswith("tls://127.0.0.1:") for address in farm.workers())
        assert "dask" in ask(slurm, "squeue", "-h", "-o", "%j")
        there = dict(farm.run([(job, {}) for job in jobs], cancel=CancelToken()))
    # dask-jobqueue leaves files open; what they warn of when they go is ignored here and nowhere else.
    del farm
    gc.collect()
    assert [there[i].verdict for i in range(3)] == [run(job, {}, CancelToken()).verdict for job in jobs]
    wait_for(lambda: not ask(slurm, "squeue", "-h").strip(), "a job stays in the queue")
