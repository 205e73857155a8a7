"""The process in which a local model runs: it answers one call after the other, and dies with its parent."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from veriloop.models.errors import ModelError, ModelFailed, Stopped
from veriloop.models.model import Loading

if TYPE_CHECKING:
    from veriloop.models.llama import Engine

_FOLLOW_S = 0.5
PIECE, DONE, FAILED = "piece", "done", "failed"
"""What the worker sends: any number of pieces, then one of the other two."""


def serve(connection: Connection, loading: Loading, stopped: Any) -> None:
    """Loads a model and answers calls until the pipe is closed.

    A call is `(method of Engine, arguments)`. The first message that is sent says how the loading went.

    Args:
        connection: to the parent.
        loading: the model.
        stopped: a shared flag that the parent sets to stop the present call.
    """
    _prepare()

    def stop() -> bool:
        return bool(stopped.value)

    def open_engine() -> Engine:
        from veriloop.models.llama import Engine

        return Engine(loading, stop)

    engine = _answer(connection, open_engine, lambda engine: engine.info())
    while engine is not None:
        try:
            method, arguments = connection.recv()
        except (EOFError, OSError):
            return

        def piece(number: int, text: str) -> None:
            connection.send((PIECE, number, text))

        more = (piece,) if method in {"complete", "chat", "infill"} else ()
        _answer(connection, functools.partial(getattr(engine, method), *arguments, *more))


def _answer(connection: Connection, work: Callable[[], Any], shown: Callable[[Any], Any] = lambda value: value) -> Any:
    """Does a piece of work and sends what came of it; none where it failed."""
    try:
        value = work()
        connection.send((DONE, shown(value)))
    except (ModelError, Stopped) as error:
        connection.send((FAILED, error))
        return None
    except MemoryError:
        connection.send((FAILED, ModelFailed("there is not enough memory", hint="a smaller model: veriloop models")))
        return None
    except ImportError as error:
        hint = "pip install 'veriloop[model]'"
        connection.send((FAILED, ModelFailed(f"llama.cpp cannot be loaded: {error}", hint=hint)))
        return None
    return value


def _prepare() -> None:
    # Ctrl-C reaches the whole group; the parent hears it and says what is to be stopped.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Not prctl(PR_SET_PDEATHSIG): that is about the thread that started this process, which may be a short one.
    threading.Thread(target=_follow, args=(os.getppid(),), daemon=True).start()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        # Nothing that llama.cpp prints may reach a language server's stdout.
        os.dup2(nowhere, stream)


def _follow(parent: int) -> None:
    """Ends this process when its parent has ended, however that was."""
    while os.getppid() == parent:
        time.sleep(_FOLLOW_S)
    os._exit(1)
