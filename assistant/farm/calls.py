"""A function of ours as a job: the call is its input, what it returns its output."""

from __future__ import annotations

import functools
import pickle
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from veriloop.assistant.errors import ToolFailed
from veriloop.assistant.events import CancelToken
from veriloop.assistant.farm.job import PYTHON, Done, Job, Tools, digest

CALL, RESULT = "call.pickle", "result.pickle"

_TAIL_BYTES = 2000

Item = TypeVar("Item")
Result = TypeVar("Result")


def call_job(
    work: Callable[[Item, CancelToken], Result],
    item: Item,
    *,
    tools: Tools,
    timeout_s: float,
    files: Mapping[str, bytes] | None = None,
) -> tuple[Job, dict[str, bytes]]:
    """The job that calls a function of a module with an item, and the contents that it needs by their digests.

    Args:
        work: the function; called in the job's directory.
        item: what it is called with.
        tools: what it must be run by.
        timeout_s: wall seconds that it may take.
        files: what else is to lie in the job's directory, by path.

    Pickles are read only by processes of the same user, on workers that are told what to run anyway.

    Raises:
        TypeError: the function is not one that a module names, so that another process would not find it.
    """
    plain = work.func if isinstance(work, functools.partial) else work
    if "<" in getattr(plain, "__qualname__", "<"):
        raise TypeError(f"{plain} is no function of a module")
    content = pickle.dumps((work, item))
    beside = files or {}
    name = digest(content)
    job = Job(
        argv=(PYTHON, "-m", "veriloop.assistant.farm.call", CALL, RESULT),
        inputs=((CALL, name), *((path, digest(data)) for path, data in beside.items())),
        outputs=(RESULT,),
        timeout_s=timeout_s,
        tools=tools,
    )
    return job, {name: content, **{digest(data): data for data in beside.values()}}


def returned(done: Done) -> Any:
    """What the function returned.

    Raises:
        ToolFailed: its process ended without an answer; the message says where it ran.
    """
    written = dict(done.outputs).get(RESULT)
    if written is None or done.returncode != 0:
        how = "ran out of time" if done.timed_out else f"ended with exit code {done.returncode}"
        raise ToolFailed(f"a job on {done.host or 'a worker'} {how}", output=done.log_tail[-_TAIL_BYTES:])
    return pickle.loads(written)
