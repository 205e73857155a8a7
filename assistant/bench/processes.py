"""One fresh process an item, some at once, so that what an item used of the CPU is told by its process alone."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Generator, Sequence
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, TypeVar, cast

from veriloop.assistant.errors import Cancelled, ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.elsewhere import Elsewhere

_POLL_S = 0.1
_NOTICE_S = 0.3
"""How long a worker that is told to stop may take to look at its token; then it is stopped wherever it is."""
_END_S = 0.4
"""How long it may take after that."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def everywhere(
    work: Callable[[Item, CancelToken], Result],
    items: Sequence[Item],
    *,
    jobs: int,
    farm: Elsewhere | None,
    cancel: CancelToken,
) -> Generator[Result, None, None]:
    """Works on every item: on a farm where there is one, else as `in_processes` does."""
    return farm.map(work, items, cancel=cancel) if farm else in_processes(work, items, jobs=jobs, cancel=cancel)


def in_processes(
    work: Callable[[Item, CancelToken], Result], items: Sequence[Item], *, jobs: int, cancel: CancelToken
) -> Generator[Result, None, None]:
    """Works on every item in a process of its own; yields the results in the order in which they are ready.

    Where this ends early, so do the processes, and with them the programs that they have started.

    Args:
        work: a function of a module, called with the item and a token that is set when the process shall stop.
        items: what is worked on; they are handed over by pickling.
        jobs: processes at once.
        cancel: stops everything.

    Raises:
        ToolFailed: a process was killed from outside.
        RuntimeError: a process ended by an exception, which is a bug of `work`.
    """
    running: dict[Connection, SpawnProcess] = {}
    waiting = list(reversed(items))
    try:
        while waiting or running:
            cancel.check()
            while waiting and len(running) < jobs:
                receiver, process = _start(work, waiting.pop())
                running[receiver] = process
            for ready in wait(list(running), timeout=_POLL_S):
                receiver = cast(Connection, ready)
                result: Result = _received(receiver, running.pop(receiver))
                yield result
    finally:
        _stop(list(running.values()))


def _start(work: Callable[[Item, CancelToken], Result], item: Item) -> tuple[Connection, SpawnProcess]:
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(work, item, sender))
    # Ctrl-C reaches the whole group. The parent hears it and tells the workers, those included that are only loading.
    # (The tracker of `multiprocessing` is started first because doing so unblocks the signal.)
    resource_tracker.ensure_running()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    # Only the worker's end stays open, so that its death is seen here.
    sender.close()
    return receiver, process


def _received(receiver: Connection, process: SpawnProcess) -> Any:
    with receiver:
        try:
            result = receiver.recv()
        except EOFError:
            process.join()
            if (process.exitcode or 0) < 0:
                raise ToolFailed("the process of a case was killed", hint="veriloop bench ... --resume") from None
            raise RuntimeError("a case's process broke off; it has written its traceback to stderr") from None
    process.join()
    return result


def _stop(processes: Sequence[SpawnProcess]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _NOTICE_S + _END_S
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def _serve(work: Callable[[Item, CancelToken], Result], item: Item, sender: Connection) -> None:
    token = CancelToken()

    def notice(number: int, frame: FrameType | None) -> None:
        token.cancel()
        signal.setitimer(signal.ITIMER_REAL, _NOTICE_S)

    def break_off(number: int, frame: FrameType | None) -> None:
        # As an exception, so that what the worker has started is stopped on the way out.
        raise Cancelled

    signal.signal(signal.SIGALRM, break_off)
    signal.signal(signal.SIGTERM, notice)
    # A handler, because programs inherit what is ignored or blocked.
    signal.signal(signal.SIGINT, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    try:
        sender.send(work(item, token))
    except Cancelled:
        os._exit(1)
