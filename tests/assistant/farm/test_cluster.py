from __future__ import annotations

import stat
from dataclasses import replace

import dask
import pytest
import yaml
from distributed import LocalCluster

from veriloop.assistant.config import FarmSettings
from veriloop.assistant.errors import ConfigError, NotVerified, ToolNotFound, UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.certificates import write_certificates
from veriloop.assistant.farm.cluster import QUEUES, connect

pytestmark = pytest.mark.filterwarnings("ignore")

QUIET = {"dashboard_address": None, "worker_dashboard_address": None, "silence_logs": 60, "processes": False}
SETTINGS = FarmSettings(wait_s=0.5)


def open_farm(name: str, settings: FarmSettings = SETTINGS) -> None:
    with connect(name, settings, tools=(), cancel=CancelToken()):
        pass


def test_an_unknown_kind_of_farm_is_named():
    with pytest.raises(UsageError, match="no such farm: 'condor'"):
        open_farm("condor")


def test_where_no_scheduler_answers_that_is_said(unused_tcp_port):
    with pytest.raises(NotVerified, match=r"no scheduler answers at tcp://127\.0\.0\.1"):
        open_farm(f"tcp://127.0.0.1:{unused_tcp_port}")


def test_an_open_scheduler_elsewhere_is_refused_unless_it_is_wanted():
    # A documentation address: nothing is asked of it, for it is refused before.
    with pytest.raises(ConfigError, match="neither encrypted nor on this machine"):
        open_farm("tcp://192.0.2.1:8786")


@pytest.mark.parametrize("name", QUEUES)
def test_a_batch_system_that_is_not_here_is_named(name, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolNotFound, match=f"{QUEUES[name]} is not on the PATH"):
        open_farm(name)


def test_a_queue_that_starts_nothing_is_waited_for_only_so_long():
    nobody = pytest.raises(NotVerified, match="no worker has come within 0 s")
    with LocalCluster(n_workers=0, host="127.0.0.1", protocol="tcp://", **QUIET) as cluster, nobody:
        open_farm(cluster.scheduler_address, replace(SETTINGS, wait_s=0.3))


def test_certificates_are_for_the_user_alone_and_are_not_overwritten(tmp_path):
    files = write_certificates(tmp_path / "here")
    assert [stat.S_IMODE(path.stat().st_mode) for path in files] == [0o600] * 3
    configuration = yaml.safe_load(files[2].read_text())
    assert configuration["distributed"]["comm"]["require-encryption"] is True
    with pytest.raises(UsageError, match="is there already"):
        write_certificates(tmp_path / "here")


def test_only_who_has_the_certificate_gets_in(tmp_path):
    files = [write_certificates(tmp_path / name)[2] for name in ("right", "wrong")]
    right, wrong = (dask.config.merge(dask.config.config, yaml.safe_load(path.read_text())) for path in files)
    with dask.config.set(right), LocalCluster(n_workers=1, host="tls://127.0.0.1", protocol="tls://", **QUIET) as one:
        open_farm(one.scheduler_address, replace(SETTINGS, wait_s=60))
        with dask.config.set(wrong), pytest.raises(NotVerified, match="no scheduler answers at tls://"):
            open_farm(one.scheduler_address)


@pytest.fixture
def unused_tcp_port():
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
