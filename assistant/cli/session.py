"""What every verb is handed: where it runs, how it shows progress, where its result goes, how it is stopped."""

from __future__ import annotations

import json as json_format
import os
import select
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from veriloop.assistant.cli.progress import LiveProgress, PlainProgress, Progress
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Event

if TYPE_CHECKING:
    from veriloop.assistant.config import Config

_ASK_POLL_S = 0.1


class Session:
    """One run of one verb.

    Args:
        json: the result is a JSON object instead of text.
        cwd: the directory that relative paths start from.
        cancel: set by Ctrl-C; polled by everything that takes long.
        words: the command line, without the program.
    """

    def __init__(
        self,
        *,
        json: bool = False,
        cwd: Path | None = None,
        cancel: CancelToken | None = None,
        words: Sequence[str] = (),
    ) -> None:
        self.json = json
        self.words = tuple(words)
        self.started_in = Path.cwd()
        """Where the command line was given, before any `-C`."""
        self.cwd = cwd or Path()
        self.cancel = cancel or CancelToken()
        self.deadline: float | None = None
        """When the budget is spent, on `time.monotonic()`'s clock; set by the verb that has a budget."""
        self.whole = False
        """Whether all that a result says is wanted, also where one line would do."""
        self.quiet = False
        """Whether stages and notes are not shown: what is worth knowing stands in the result."""
        self._progress: Progress | None = None

    @cached_property
    def config(self) -> Config:
        """The settings in force, read when they are first asked for.

        Raises:
            ConfigError: a file cannot be used.
        """
        # Imported here because `veriloop --help` needs no settings.
        from veriloop.assistant.config import load_config
        from veriloop.assistant.places import find_root

        return load_config(find_root(self.cwd))

    def observe(self, event: Event) -> None:
        """Shows an event of a workflow on stderr."""
        if self.quiet:
            return
        if self._progress is None:
            self._progress = self._new_progress(sys.stderr)
        self._progress.show(event)

    def result(self, text: str, data: Mapping[str, Any]) -> None:
        """Writes a result to stdout: the text, or with `--json` the object on one line.

        A verb may write several, for instance a row a case and a summary. A reader that has gone is not an error.

        Raises:
            UsageError: stdout cannot take it, for instance because the disk is full.
        """
        self.close()
        line = json_format.dumps(data) if self.json else text.rstrip("\n")
        try:
            if sys.stdout is not None:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
        except BrokenPipeError:
            silence_stdout()
        except OSError as error:
            silence_stdout()
            raise UsageError(f"the result cannot be written: {error.strerror}") from error

    def ask(self, question: str) -> bool | None:
        """Asks a question of yes or no in the terminal; no answer where nobody is there to be asked.

        Raises:
            Cancelled: Ctrl-C instead of an answer.
        """
        if sys.stdin is None or sys.stderr is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        self.close()
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        # Python goes on reading after a signal, so the token has to be looked at while nothing is there to read.
        while not select.select([sys.stdin], [], [], _ASK_POLL_S)[0]:
            self.cancel.check()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def close(self) -> None:
        """Takes the progress line off the screen."""
        if self._progress is not None:
            self._progress.close()

    def _new_progress(self, stream: TextIO | None) -> Progress:
        if stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb":
            return LiveProgress(stream, self._time_left_s)
        return PlainProgress(stream, self._time_left_s)

    def _time_left_s(self) -> float | None:
        return None if self.deadline is None else self.deadline - time.monotonic()


def silence_stdout() -> None:
    """Sends what is still to be written nowhere, so that Python's own last flush cannot fail on it."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
