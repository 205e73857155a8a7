"""A process of its own in which requests are performed, so that a screen answers whatever they do.

An interrupt reaches it as Ctrl-C reaches a command line. What has not ended soon after is killed with everything that
it has started, and the next request gets a new process. It ends by itself when the process that started it is gone.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeAlias

from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import kill_with_descendants
from veriloop.assistant.session.request import INTERRUPTED, Request, perform

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_END_S = 0.85
"""How long a request may take to end once it is interrupted; everything has to stop within a second."""
_POLL_S = 0.05
_NICENESS = 5
"""Of what runs in it: the screen, and what else the user does, come first."""
_LAST_S = 2.0

OnMessage: TypeAlias = Callable[[str, Mapping[str, Any]], None]


class Worker:
    """One such process; it starts with the first request, or with `start`. One request at a time."""

    def __init__(self, cwd: Path) -> None:
        self._cwd = cwd
        self._process: Any = None
        self._connection: Connection | None = None
        self._interrupted_at = 0.0
        self._starting = threading.Lock()

    @property
    def process_id(self) -> int | None:
        """The process; none while there is none."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def start(self) -> None:
        """Starts the process, which then loads what most requests need."""
        with self._starting:
            if self._connection is not None and self.process_id is not None:
                return
            self._end()
            # Imported here because the first prompt comes before the first process.
            from multiprocessing import get_context, resource_tracker

            context = get_context("spawn")
            # A terminal's library puts something else in the place of stderr, which has no descriptor to hand on.
            with contextlib.redirect_stderr(sys.__stderr__):
                resource_tracker.ensure_running()
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=serve, args=(theirs, self._cwd), name="veriloop-worker")
            self._process.start()
            theirs.close()

    def run(self, request: Request, on_message: OnMessage) -> None:
        """Performs a request up to its `end` message; each message is told in the calling thread."""
        self._interrupted_at = 0.0
        self.start()
        connection = self._connection
        assert connection is not None
        try:
            connection.send(request)
            while True:
                if self._is_late():
                    self._end()
                    on_message("end", INTERRUPTED)
                    return
                if not connection.poll(_POLL_S):
                    continue
                kind, data = connection.recv()
                on_message(kind, data)
                if kind == "end":
                    return
        except (EOFError, OSError):
            self._end()
            said = "interrupted" if self._interrupted_at else "the process that did the work was killed"
            on_message("end", {**INTERRUPTED, "exit": 130 if self._interrupted_at else 3, "message": said})

    def interrupt(self) -> None:
        """Stops the request that is running, within a second; safe to call from any thread."""
        if self._interrupted_at:
            return
        self._interrupted_at = time.monotonic()
        process_id = self.process_id
        if process_id is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process_id, signal.SIGINT)

    def close(self) -> None:
        """Ends the process and everything that it has started."""
        with self._starting:
            self._end()

    def _is_late(self) -> bool:
        return bool(self._interrupted_at) and time.monotonic() - self._interrupted_at > _END_S

    def _end(self) -> None:
        # Another thread may be ending it as well.
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection is not None:
            connection.close()
        if process is not None:
            if process.is_alive():
                kill_with_descendants(process.pid)
            process.join(_LAST_S)
            if not process.is_alive():
                process.close()


# --- The other side ---


def serve(connection: Connection, cwd: Path) -> None:
    """What the process does: performs requests, one after another, until the other side is gone."""
    # Nobody else's terminal: no key reaches it, and nothing that a verb prints is seen.
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    # While nothing runs, an interrupt that comes late interrupts nothing.
    signal.signal(signal.SIGINT, _nothing)
    os.chdir(cwd)
    requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, requests), daemon=True).start()
    _load()
    while (request := requests.get()) is not None:
        _serve(request, connection, cwd)


def _serve(request: Request, connection: Connection, cwd: Path) -> None:
    # Imported here as everything that a screen needs not.
    from veriloop.assistant.cli.main import stoppable

    def emit(kind: str, data: Mapping[str, Any]) -> None:
        with contextlib.suppress(OSError):
            connection.send((kind, dict(data)))

    cancel = CancelToken()
    with stoppable(cancel):
        perform(request, emit, cwd=cwd, cancel=cancel)


def _listen(connection: Connection, requests: queue.SimpleQueue[Request | None]) -> None:
    """Takes requests in; when the other side is gone, stops what is running and ends."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            requests.put(connection.recv())
    requests.put(None)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(_LAST_S)
    kill_with_descendants(os.getpid())


def _load() -> None:
    """Loads what most requests need, while the user is still typing."""
    import veriloop.assistant.cli.check
    import veriloop.assistant.cli.repair
    import veriloop.assistant.cli.status
    import veriloop.assistant.cli.subject
    import veriloop.assistant.session.understanding  # noqa: F401 - loaded to be there


def _nothing(number: int, frame: FrameType | None) -> None:
    """Takes a signal and does nothing about it."""
