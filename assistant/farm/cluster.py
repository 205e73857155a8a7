"""From what the user names to a farm: this machine, a scheduler's address, or a batch system's queue."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import shlex
import shutil
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster

from veriloop.assistant.config import FarmSettings
from veriloop.assistant.errors import ConfigError, NotVerified, ToolNotFound, UsageError
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.farm import Farm
from veriloop.assistant.farm.job import Tools
from veriloop.assistant.repository.private import cache_home

QUEUES = {"slurm": "sbatch", "lsf": "bsub", "sge": "qsub", "pbs": "qsub"}
"""Batch systems, and the program that each is asked with."""

_CONFIGURATION = {
    # A job that has ended three workers is reported, not tried for ever.
    "distributed.scheduler.allowed-failures": 2,
    # Jobs are not moved once they have been handed out: each is a minute's work, and a moved one starts anew.
    "distributed.scheduler.work-stealing": False,
    # The workers' own memory says nothing about the programs that they start.
    "distributed.worker.memory.terminate": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.target": False,
    # A worker that has died is started anew; without this it is given up where it dies again while it starts.
    "distributed.deploy.lost-worker-timeout": "24h",
    "distributed.admin.tick.limit": "30s",
    "distributed.logging.distributed": "critical",
}


@contextlib.contextmanager
def connect(
    name: str,
    settings: FarmSettings,
    *,
    tools: Tools,
    cancel: CancelToken,
    workers: int | None = None,
    tell: Callable[[str], None] = lambda line: None,
) -> Iterator[Farm]:
    """Opens the farm that a user names, and closes what was started for it.

    Args:
        name: `local`, `tcp://HOST:PORT`, `tls://HOST:PORT`, or `slurm`, `lsf`, `sge`, `pbs`.
        settings: `[farm]` of the user's configuration.
        tools: this machine's tools.
        cancel: stops the wait for workers.
        workers: how many to start; by default one a processor here, `farm.workers` in a queue.
        tell: is told what the user should know.

    Raises:
        UsageError: no such kind of farm.
        ConfigError: the connection would be open to others on the network.
        NotVerified: no scheduler answers, or no worker comes.
        ToolNotFound: the batch system's program is not installed.
    """
    with dask.config.set(_CONFIGURATION), warnings.catch_warnings(), contextlib.ExitStack() as stack:
        # Dask warns of a slow disk and the like, in many lines; what matters to the user is said by `tell`.
        warnings.simplefilter("ignore")
        if name == "local":
            cluster = stack.enter_context(_local(workers or os.cpu_count() or 1))
            client = stack.enter_context(_client(cluster))
        elif name in QUEUES:
            cluster = stack.enter_context(_queue(name, settings, workers or settings.workers))
            client = stack.enter_context(_client(cluster))
        elif "://" in name:
            _require_private(name, settings)
            client = stack.enter_context(_client(name))
        else:
            raise UsageError(
                f"no such farm: {name!r}", hint=f"--farm local, tcp://HOST:PORT, tls://HOST:PORT, {', '.join(QUEUES)}"
            )
        farm = Farm(client, tools=tools, wait_s=settings.wait_s, timeout_s=settings.timeout_s, tell=tell)
        farm.wait(cancel)
        yield farm


@contextlib.contextmanager
def _client(target: Any) -> Iterator[Client]:
    try:
        client = Client(target, timeout=10, set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise NotVerified(
            f"no scheduler answers at {target}: {_short(error)}",
            hint="start one: dask scheduler; and look at the address, and at the certificates for tls://",
        ) from error
    except ValueError as error:
        raise UsageError(f"{target}: {_short(error)}") from error
    except RuntimeError as error:
        raise ConfigError(f"{target}: {_short(error)}", hint="veriloop farm certificates DIR") from error
    try:
        yield client
    finally:
        with contextlib.suppress(OSError, TimeoutError, RuntimeError):
            client.close(timeout=2)


def _local(workers: int) -> contextlib.AbstractContextManager[Any]:
    cluster: contextlib.AbstractContextManager[Any] = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        worker_dashboard_address=None,
        silence_logs=60,
    )
    return cluster


@contextlib.contextmanager
def _queue(name: str, settings: FarmSettings, workers: int) -> Iterator[Any]:
    program = QUEUES[name]
    if shutil.which(program) is None:
        raise ToolNotFound(
            f"{program} is not on the PATH, so nothing can be given to {name}",
            hint="run this on a login host of the farm, or --farm local",
        )
    import dask_jobqueue

    kinds = {
        "slurm": dask_jobqueue.SLURMCluster,
        "lsf": dask_jobqueue.LSFCluster,
        "sge": dask_jobqueue.SGECluster,
        "pbs": dask_jobqueue.PBSCluster,
    }
    given: dict[str, Any] = {
        "cores": settings.cores,
        "processes": settings.cores,
        "memory": settings.memory,
        "walltime": settings.walltime,
        "queue": settings.queue or None,
        "account": settings.account or None,
        "interface": settings.interface or None,
        "python": sys.executable,
        "job_script_prologue": [*_environment(), *settings.setup],
        "job_extra_directives": list(settings.directives),
        "scheduler_options": {"dashboard_address": None},
        "log_directory": str(_directory("logs")),
        "local_directory": settings.scratch or None,
        "worker_extra_args": ["--no-dashboard"],
    }
    if settings.tls:
        given |= {"security": True, "protocol": "tls://", "shared_temp_directory": str(_directory("certificates"))}
    cluster = kinds[name](**{key: value for key, value in given.items() if value is not None})
    try:
        cluster.scale(jobs=workers)
        yield cluster
    finally:
        # Takes back what waits in the queue as well as what runs.
        with contextlib.suppress(OSError, TimeoutError, RuntimeError):
            cluster.close(timeout=10)


def _environment() -> list[str]:
    """Where a worker finds the same Veriloop and its cache; a job of a queue starts with a bare environment."""
    own = {name: os.environ[name] for name in ("VERILOOP_CACHE", "PYTHONPATH") if os.environ.get(name)}
    return [f"export {name}={shlex.quote(value)}" for name, value in own.items()]


def _directory(name: str) -> Path:
    """Below the user's cache, which the farm's machines share where homes are shared; readable for the user alone."""
    directory = cache_home() / "farm" / name
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return directory


def _require_private(address: str, settings: FarmSettings) -> None:
    """Whoever reaches a scheduler may run programs as its user: an open one must be on this machine, or wanted."""
    scheme, _, rest = address.partition("://")
    if scheme != "tcp" or settings.open_tcp:
        return
    host = rest.rsplit(":", 1)[0].strip("[]")
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise NotVerified(f"{address}: {error.strerror or error}", hint="look at the address") from error
    if not all(ipaddress.ip_address(one).is_loopback for one in map(str, addresses)):
        raise ConfigError(
            f"{address} is neither encrypted nor on this machine: whoever reaches it may run programs as you",
            hint="tls:// with `veriloop farm certificates DIR`, or farm.open_tcp = true in your config.toml",
        )


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__
