"""What happens on a worker: a job in a directory of its own, until it ends or nobody wants it any more."""

from __future__ import annotations

import functools
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from distributed import Worker, get_worker
from distributed.diagnostics.plugin import WorkerPlugin

from veriloop.assistant.config import load_config
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import cpu_seconds, execute
from veriloop.assistant.farm.job import PYTHON, Done, Job, Tools, differences
from veriloop.assistant.farm.store import ContentStore
from veriloop.assistant.farm.tools import tools_here
from veriloop.assistant.repository.private import cache_home

_ENDINGS = frozenset({"cancelled", "released", "forgotten", "error"})
_LOG_BYTES = 100_000
_NOTICE_S = 0.8
"""What a job's program is given to end what it has started itself."""


@dataclass(frozen=True, slots=True)
class Lacks:
    """The worker has not got these contents yet."""

    worker: str
    digests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker's tools are not those of the job."""

    worker: str
    host: str
    differences: tuple[str, ...]


class _Tokens:
    """The tokens of the jobs that run in this process, by their tasks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, CancelToken] = {}

    def add(self, key: str) -> CancelToken:
        token = CancelToken()
        with self._lock:
            self._tokens[key] = token
        return token

    def drop(self, key: str) -> None:
        with self._lock:
            self._tokens.pop(key, None)

    def cancel(self, key: str) -> None:
        with self._lock:
            token = self._tokens.get(key)
        if token is not None:
            token.cancel()

    def cancel_all(self) -> None:
        with self._lock:
            tokens = list(self._tokens.values())
        for token in tokens:
            token.cancel()


_TOKENS = _Tokens()


class Stopper(WorkerPlugin):  # type: ignore[misc]  # Dask is untyped
    """Ends a job's processes when its task is cancelled, its client has gone, or the worker closes.

    Dask itself lets a running task go on in its thread.
    """

    name = "veriloop-stopper"

    def transition(self, key: Any, start: str, finish: str, **kwargs: Any) -> None:
        """A task of this worker changes its state."""
        if start == "executing" and finish in _ENDINGS:
            _TOKENS.cancel(str(key))

    def teardown(self, worker: Worker) -> None:
        """The worker closes."""
        _TOKENS.cancel_all()


def perform(job: Job, contents: Mapping[str, bytes]) -> Done | Lacks | Refused:
    """Runs a job here.

    Args:
        job: what to run.
        contents: small inputs that came with it; the others are in this machine's store, or lack.
    """
    worker = get_worker()
    here = tools_of_worker()
    if job.tools and job.tools != here:
        return Refused(worker.address, socket.gethostname(), differences(job.tools, here))
    store = ContentStore(cache_home() / "farm" / "contents")
    found = dict(contents)
    lacking = []
    for _, name in job.inputs:
        if name not in found:
            content = store.get(name)
            if content is None:
                lacking.append(name)
            else:
                found[name] = content
    if lacking:
        return Lacks(worker.address, tuple(lacking))
    key = str(worker.get_current_task())
    token = _TOKENS.add(key)
    try:
        return run(job, found, token)
    finally:
        _TOKENS.drop(key)


def run(job: Job, contents: Mapping[str, bytes], cancel: CancelToken) -> Done:
    """Lays out the inputs in a new directory, runs the program, and reads the outputs.

    Raises:
        Cancelled: the token was set; the program and what it started are gone.
        OSError: this machine cannot hold the job, for instance because its disk is full.
    """
    with tempfile.TemporaryDirectory(prefix="veriloop-job-") as name:
        directory = Path(name)
        for path, content in job.inputs:
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(contents[content])
        started_s = time.time()
        argv = [sys.executable if word == PYTHON else word for word in job.argv]
        done = execute(
            argv,
            cwd=directory,
            timeout_s=job.timeout_s,
            cancel=cancel,
            env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            output_limit_bytes=_LOG_BYTES,
            notice_s=_NOTICE_S,
        )
        outputs = tuple((path, (directory / path).read_bytes()) for path in job.outputs if (directory / path).is_file())
        return Done(
            returncode=done.returncode,
            outputs=outputs,
            log_tail=done.output,
            timed_out=done.timed_out,
            host=socket.gethostname(),
            worker=str(os.getpid()),
            started_s=started_s,
            wall_s=done.wall_s,
            cpu_s=done.cpu_s,
        )


def keep(contents: Mapping[str, bytes]) -> None:
    """Puts contents into this machine's store."""
    ContentStore(cache_home() / "farm" / "contents").keep(contents)


@functools.cache
def tools_of_worker() -> Tools:
    """This machine's tools, by the user's configuration here; they are looked for once a process."""
    configured = load_config(Path(tempfile.gettempdir())).user.tools
    return tools_here(cache_home(), cancel=CancelToken(), configured=configured)


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What a worker says of itself."""

    host: str
    tools: Tools
    cpu_s: float
    """CPU seconds that it and its jobs have used."""


def describe() -> Described:
    """This worker."""
    return Described(
        host=socket.gethostname(),
        tools=tools_of_worker(),
        cpu_s=round(cpu_seconds(), 3),
    )
