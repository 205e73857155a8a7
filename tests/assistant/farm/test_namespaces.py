"""Workers in three network namespaces, each with an address and a cache of its own, behind a scheduler with TLS.

Nothing is shared but the network between them, so what a job needs has to travel.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dask
import pytest
import yaml

from tests.assistant.farm.parity import check_says_the_same, commands, mutants_are_the_same, repairs_are_the_same
from veriloop.assistant.config import FarmSettings
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.certificates import write_certificates
from veriloop.assistant.farm.cluster import connect
from veriloop.assistant.farm.farm import Farm
from veriloop.assistant.farm.job import Job, digest
from veriloop.assistant.farm.worker import run
from veriloop.assistant.verify.toolchain import Toolchain

pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.needs("verilator", "c++", "iproute2")]

NAMES = ("a", "b", "c")


@dataclass(frozen=True, slots=True)
class Network:
    """A scheduler on a bridge, and workers behind it."""

    address: str
    configuration: Path
    workers: tuple[str, ...]
    """Their hosts."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def start(argv: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextlib.contextmanager
def bridged(number: int) -> Iterator[tuple[str, dict[str, str]]]:
    """A bridge with an address, and three namespaces with one each; yields them."""
    bridge, net = f"vlb{number}", f"10.213.{number % 250}"
    names = {name: f"vl{number}{name}" for name in NAMES}
    try:
        try:
            ip("link", "add", bridge, "type", "bridge")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network may be made here: {error.stderr.decode().strip()}")
        ip("addr", "add", f"{net}.1/24", "dev", bridge)
        ip("link", "set", bridge, "up")
        for place, (name, space) in enumerate(names.items(), start=2):
            outer, inner = f"vlo{number}{name}", f"vli{number}{name}"
            ip("netns", "add", space)
            ip("link", "add", outer, "type", "veth", "peer", "name", inner)
            ip("link", "set", inner, "netns", space)
            ip("link", "set", outer, "master", bridge, "up")
            ip("-n", space, "addr", "add", f"{net}.{place}/24", "dev", inner)
            ip("-n", space, "link", "set", inner, "up")
            ip("-n", space, "link", "set", "lo", "up")
        yield f"{net}.1", {space: f"{net}.{place}" for place, space in enumerate(names.values(), start=2)}
    finally:
        for space in names.values():
            subprocess.run(["ip", "netns", "del", space], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", bridge], check=False, capture_output=True)


@pytest.fixture(scope="module")
def network(tmp_path_factory, cache) -> Iterator[Network]:
    directory = tmp_path_factory.mktemp("network")
    # Each cache starts with a copy of Verilator's runtime, which this is not about.
    Toolchain.find(cache=cache, cancel=CancelToken()).verilator.prepare(CancelToken())
    *_, configuration = write_certificates(directory / "certificates")
    started = []
    with bridged(os.getpid()) as (host, spaces):
        environment = {**os.environ, "DASK_CONFIG": str(configuration)}
        found = directory / "scheduler.json"
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", host, "--port", "0"]
        try:
            argv = [*command, "--no-dashboard", "--scheduler-file", str(found)]
            started.append(start(argv, environment))
            wait_for(found.exists)
            address = json.loads(found.read_text())["address"]
            for space, own in spaces.items():
                kept = directory / space
                shutil.copytree(cache / "runtime", kept / "runtime")
                argv = [sys.executable, "-m", "distributed.cli.dask_worker", address, "--host", own, "--no-dashboard"]
                argv = ["ip", "netns", "exec", space, *argv, "--nthreads", "1", "--local-directory", str(kept)]
                started.append(start(argv, {**environment, "VERILOOP_CACHE": str(kept)}))
            yield Network(address, configuration, tuple(spaces.values()))
        finally:
            for process in reversed(started):
                process.kill()
                process.wait(30)


@pytest.fixture
def farm(network, tools) -> Iterator[Farm]:
    own = yaml.safe_load(network.configuration.read_text())
    settings = FarmSettings(wait_s=120)
    with (
        dask.config.set(dask.config.merge(dask.config.config, own)),
        connect(network.address, settings, tools=tools, cancel=CancelToken()) as farm,
    ):
        wait_for(lambda: len(farm.workers()) == len(NAMES))
        yield farm


def wait_for(condition) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_each_has_its_own_address_and_what_lacks_is_sent_there(farm, network):
    hosts = sorted(address.removeprefix("tls://").rsplit(":", 1)[0] for address in farm.workers())
    assert hosts == sorted(network.workers)
    large = os.urandom(300_000)
    line = "sha256sum <large | cut -c1-64 >out; sleep 0.2; hostname -I | tr -d ' \\n' >where; echo $0; exit $0"
    jobs = [
        Job(
            argv=("/bin/sh", "-c", line, str(number)),
            inputs=(("large", digest(large)),),
            outputs=("out",),
            tools=farm.tools,
        )
        for number in range(9)
    ]
    there = dict(farm.run([(job, {digest(large): large}) for job in jobs], cancel=CancelToken()))
    here = [run(job, {digest(large): large}, CancelToken()) for job in jobs]
    assert [there[number].verdict for number in range(9)] == [one.verdict for one in here]
    assert len({one.worker for one in there.values()}) == len(NAMES)
    # Once to each, not once with each job.
    assert farm.counts.shipped_bytes == len(NAMES) * len(large)


def test_mutants_are_judged_there_as_they_are_here(farm):
    mutants_are_the_same(farm)


@pytest.mark.needs("git", "iverilog")
def test_check_and_repairs_say_there_what_they_say_here(network, tmp_path, cache):
    environment = {"DASK_CONFIG": str(network.configuration)}
    here, there = commands(tmp_path, cache, environment, "--farm", network.address)
    check_says_the_same(here, there, tmp_path / "check")
    repairs_are_the_same(here, there, tmp_path / "repairs")
