"""`python -m veriloop.assistant.farm.call CALL RESULT`: the program of the jobs that call a function of ours."""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from veriloop.assistant.errors import Cancelled
from veriloop.assistant.events import CancelToken

_WATCH_S = 0.5


def main(call: str, result: str) -> None:
    """Reads a pickled `(function, item)`, calls the function, and writes what it returns."""
    token = CancelToken()

    def stop(number: int, frame: FrameType | None) -> None:
        token.cancel()
        raise Cancelled

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    work, item = pickle.loads(Path(call).read_bytes())
    answer = pickle.dumps(work(item, token))
    # Whole or not there: a worker that runs full must not leave half an answer.
    half = Path(f"{result}.part")
    half.write_bytes(answer)
    half.rename(result)


def _watch(parent: int) -> None:
    """Ends this process, and with it what it has started, once the worker that wants its answer is dead."""
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
