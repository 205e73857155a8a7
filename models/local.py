"""A model in a GGUF file on this machine, run by llama.cpp in a process of its own.

The process starts with the first call. What kills it, be it a bug of llama.cpp or too little memory, costs one call;
the next one starts it anew.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from veriloop.models.errors import BadModel, ModelError, ModelFailed, NoModel, Stopped
from veriloop.models.gbnf import check_grammar
from veriloop.models.model import Completion, Loading, Message, ModelInfo, OnText, Sampling, Score, Stop, never
from veriloop.models.worker import DONE, PIECE, serve

_POLL_S = 0.05
_STOP_S = 0.8
"""How long a call may take to end by itself once it is stopped; then its process is killed."""
_MAGIC = b"GGUF"
_LOAD_S = 600.0


def idle_threads() -> int:
    """How many threads a model may take: the processors that nobody uses now, at least one."""
    processors = len(os.sched_getaffinity(0))
    return max(1, min(processors, round(processors - os.getloadavg()[0])))


class LocalModel:
    """A `Model` in a GGUF file. It is safe to call from several threads: one call waits for the other."""

    def __init__(
        self, path: Path, *, threads: int | None = None, context_tokens: int = 0, exact_cache: bool = False
    ) -> None:
        """Names the file; nothing is loaded before the first call.

        Args:
            path: a GGUF file.
            threads: for decoding; none: the processors that are idle when it is loaded.
            context_tokens: 0: what the model was trained for, up to 8192.
            exact_cache: 32 instead of 16 bits for keys and values.
        """
        self._path = path
        self._threads = threads
        self._context_tokens = context_tokens
        self._exact_cache = exact_cache
        self._lock = threading.Lock()
        self._process: Any = None
        self._connection: Connection | None = None
        self._info: ModelInfo | None = None
        # "spawn": a forked copy of a process with threads may hang.
        self._context = get_context("spawn")
        self._stopped: Any = self._context.RawValue("b", 0)

    @property
    def info(self) -> ModelInfo:
        """What the file says; loads the model.

        Raises:
            ModelError: it cannot be loaded.
        """
        with self._lock:
            return self._start(never)

    @property
    def process_id(self) -> int | None:
        """The process that holds the model; none while there is none."""
        return self._process.pid if self._process is not None and self._process.is_alive() else None

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        return len(self._call("tokenize", text))

    def complete(
        self, prompt: str, sampling: Sampling, *, n: int = 1, on_text: OnText | None = None, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """Goes on where the prompt ends."""
        return self._generate("complete", (prompt, sampling, n), sampling, on_text, stop)

    def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        n: int = 1,
        on_text: OnText | None = None,
        stop: Stop = never,
    ) -> tuple[Completion, ...]:
        """The next turn of a conversation."""
        return self._generate("chat", (tuple(messages), sampling, n), sampling, on_text, stop)

    def infill(
        self, prefix: str, suffix: str, sampling: Sampling, *, n: int = 1, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """What stands between a prefix and a suffix."""
        return self._generate("infill", (prefix, suffix, sampling, n), sampling, None, stop)

    def score(self, prompt: str, continuations: Sequence[str], *, stop: Stop = never) -> tuple[Score, ...]:
        """How likely each continuation is."""
        scores: tuple[Score, ...] = self._call("score", prompt, tuple(continuations), stop=stop)
        return scores

    def score_infill(
        self, prefix: str, suffix: str, answers: Sequence[str], *, stop: Stop = never
    ) -> tuple[Score, ...]:
        """How likely each answer is to stand between."""
        scores: tuple[Score, ...] = self._call("score_infill", prefix, suffix, tuple(answers), stop=stop)
        return scores

    def tokens(self, text: str, *, special: bool = False) -> tuple[int, ...]:
        """A text's tokens by their numbers; `special`: with names of special tokens as those tokens."""
        return tuple(self._call("tokenize", text, special))

    def likeliest(self, text: str) -> tuple[int, ...]:
        """The likeliest next token after each token of a text."""
        found: tuple[int, ...] = self._call("likeliest", text)
        return found

    def close(self) -> None:
        """Ends the process."""
        with self._lock:
            self._end()

    # --- The process ---

    def _generate(
        self, method: str, arguments: tuple[Any, ...], sampling: Sampling, on_text: OnText | None, stop: Stop
    ) -> tuple[Completion, ...]:
        if sampling.grammar:
            # Before the process sees it: llama.cpp ends the process on some that are wrong.
            check_grammar(sampling.grammar)
        found: tuple[Completion, ...] = self._call(method, *arguments, on_text=on_text, stop=stop)
        return found

    def _call(self, method: str, *arguments: Any, on_text: OnText | None = None, stop: Stop = never) -> Any:
        with self._lock:
            self._start(stop)
            assert self._connection is not None
            # Before it is sent: the process may begin before this one waits.
            self._stopped.value = 0
            try:
                self._connection.send((method, arguments))
            except OSError:
                raise self._died() from None
            return self._wait(on_text, stop)

    def _start(self, stop: Stop) -> ModelInfo:
        if self._info is not None and self.process_id is not None:
            return self._info
        self._end()
        _check_file(self._path)
        self._stopped.value = 0
        loading = self._loading()
        self._connection, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=serve, args=(theirs, loading, self._stopped), name="veriloop-model", daemon=True
        )
        self._process.start()
        theirs.close()
        info: ModelInfo = self._wait(None, stop, limit_s=_LOAD_S)
        self._info = info
        return info

    def _loading(self) -> Loading:
        return Loading(
            path=self._path,
            threads=self._threads or idle_threads(),
            context_tokens=self._context_tokens,
            exact_cache=self._exact_cache,
        )

    def _wait(self, on_text: OnText | None, stop: Stop, *, limit_s: float | None = None) -> Any:
        """The answer to what was sent last."""
        connection = self._connection
        assert connection is not None
        began, asked_to_stop = time.monotonic(), 0.0
        try:
            while True:
                if not asked_to_stop and stop():
                    asked_to_stop = time.monotonic()
                    self._stopped.value = 1
                late = asked_to_stop and time.monotonic() - asked_to_stop > _STOP_S
                if late or (limit_s is not None and time.monotonic() - began > limit_s):
                    self._end()
                    raise Stopped if late else ModelFailed(f"{self._path.name} was not loaded in {limit_s:.0f} s")
                if not connection.poll(_POLL_S):
                    continue
                kind, *rest = connection.recv()
                if kind == PIECE:
                    if on_text is not None and not asked_to_stop:
                        on_text(*rest)
                elif kind == DONE:
                    return rest[0]
                else:
                    raise rest[0]
        except (EOFError, OSError):
            raise self._died() from None
        except (ModelError, Stopped):
            raise
        except BaseException:
            # Half an answer is still in the pipe; it must not be taken for the next call's.
            self._end()
            raise

    def _died(self) -> ModelError:
        process = self._process
        if process is not None:
            process.join(1)
        code = process.exitcode if process is not None else None
        self._end()
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return ModelFailed(
            f"the process of model {self._path.stem} {how}; the next call starts it again",
            hint=f"veriloop models verify {self._path.stem}",
        )

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        self._connection = self._process = self._info = None


def _check_file(path: Path) -> None:
    try:
        with path.open("rb") as stream:
            magic = stream.read(len(_MAGIC))
    except OSError as error:
        raise NoModel(f"the model {path} cannot be read: {error.strerror}", hint="veriloop models") from error
    if magic != _MAGIC:
        raise BadModel(f"{path.name} is no GGUF file", hint="veriloop models add FILE.gguf")
