"""A model's advice to a search that has not found a repair soon: which lines it suspects, and its own edits of them.

It is asked in a thread beside the search, once, and only after the likeliest candidates have failed: what is found
before that is found as soon as without a model. What goes wrong with the model ends the advice, never the search.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.repair.model_rank import Window, changed, window_of
from veriloop.assistant.repair.operators import Replacement
from veriloop.assistant.repair.prompt import Seen, line_token, repair_prompt
from veriloop.assistant.verify.results import SimResult
from veriloop.models.errors import ModelError, Stopped
from veriloop.models.model import Model, Sampling, Stop, never
from veriloop.models.named import opened
from veriloop.models.store import Store, data_home

PATIENCE = 64
"""How many candidates are judged before the model is asked."""
LINE_WEIGHT = 0.25
"""How much nearer to the front a candidate is for each factor of e by which the model suspects its line."""
_HIGHEST, _LOWEST = 4.0, -2.0
_OWN_LINES = 4
_EDITS_A_LINE = 2
OWN_COST = 2.5
"""The prior of an edit that the model wrote; see the operators' own."""
_EDIT_TOKENS = 48
_SPARE_TOKENS = 64
_CHARACTERS_A_TOKEN = 1.8
_TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a model says of one file.

    Attributes:
        path: the file.
        lines: for each line that it saw, by its number from 0, how much sooner candidates there are to be tried.
        edits: its own.
    """

    path: str
    lines: Mapping[int, float] = field(default_factory=dict)
    edits: tuple[tuple[Replacement, ...], ...] = ()


class Adviser:
    """Asks a model about a broken design while the search goes on.

    Args:
        model: any model that knows the prompts of `repair/prompt.py`.
        patience: how many candidates are judged before.
    """

    def __init__(self, model: Model, *, patience: int = PATIENCE) -> None:
        self.patience = patience
        self._model = model
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._advice: Advice | None = None
        self.trouble = ""
        """Why there is no advice; empty where there is."""

    @property
    def asked(self) -> bool:
        """Whether it has been asked."""
        return self._thread is not None

    def ask(self, path: str, content: bytes, suspect: int, result: SimResult) -> None:
        """Asks about a file, once; the answer is there when `take` gives it.

        Args:
            path: the file.
            content: the broken text.
            suspect: a byte of the module that is likeliest at fault.
            result: what the simulator saw.
        """
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._think, args=(path, content, suspect, result), name="veriloop-advice", daemon=True
            )
            self._thread.start()

    def take(self) -> Advice | None:
        """The advice, once, when it is there."""
        if self._thread is None or self._thread.is_alive():
            return None
        advice, self._advice = self._advice, None
        return advice

    def close(self) -> None:
        """Ends what it is doing, within a second."""
        self._stopped = True
        if self._thread is not None:
            self._thread.join()
        self._model.close()

    def _think(self, path: str, content: bytes, suspect: int, result: SimResult) -> None:
        try:
            self._advice = advise(self._model, path, content, suspect, result, stop=lambda: self._stopped)
        except Stopped:
            self.trouble = "the search was over before"
        except (ModelError, OSError) as error:
            self.trouble = str(error)


@contextlib.contextmanager
def adviser(name: str, *, cwd: Path) -> Iterator[Adviser | None]:
    """An adviser for as long as it is needed.

    Args:
        name: of a model, as `models/named.py` takes it; empty: there is none.
        cwd: what a file's name is relative to.
    """
    if not name:
        yield None
        return
    with opened(name, Store(data_home(os.environ)), cwd=cwd) as model:
        made = Adviser(model)
        try:
            yield made
        finally:
            made.close()


def advise(model: Model, path: str, content: bytes, suspect: int, result: SimResult, *, stop: Stop = never) -> Advice:
    """Asks a model where a file is wrong.

    Args:
        model: the model.
        path: the file's name, for the answer.
        content: its broken text.
        suspect: a byte of the module that is likeliest at fault.
        result: what the simulator saw.
        stop: polled; true ends it with `Stopped`.

    Raises:
        ModelError: the model cannot be used.
    """
    lines = content.decode("utf-8", errors="replace").split("\n")
    window = _window(model, content, lines, suspect)
    prompt = repair_prompt(window.lines, seen_by(result))
    scores = model.score(prompt, [line_token(number) for number in range(len(window.lines))], stop=stop)
    uniform = -math.log(max(1, len(scores)))
    bonus = {
        window.first + number: max(_LOWEST, min(_HIGHEST, score.total - uniform))
        for number, score in enumerate(scores)
        if window.lines[number].strip()
    }
    likeliest = sorted(bonus, key=lambda number: -bonus[number])[:_OWN_LINES]
    edits: dict[tuple[Replacement, ...], None] = {}
    for line in likeliest:
        sampling = Sampling(max_tokens=_EDIT_TOKENS, temperature=0.6)
        asked = prompt + line_token(line - window.first)
        for written in model.complete(asked, sampling, n=_EDITS_A_LINE, stop=stop):
            if written.finish == "stop" and (edit := changed(content, line, written.text)) is not None:
                edits[edit] = None
    return Advice(path=path, lines={number: LINE_WEIGHT * value for number, value in bonus.items()}, edits=tuple(edits))


def seen_by(result: SimResult) -> Seen:
    """What a run saw, in the words of a prompt."""
    first = result.mismatches[0] if result.mismatches else None
    return Seen(
        signal=first.signal if first else "",
        expected=first.expected if first else "",
        got=first.got if first else "",
        failing=result.failing,
        passing=result.passing,
    )


def _window(model: Model, content: bytes, lines: Sequence[str], suspect: int) -> Window:
    """The module around a byte, or as much of it as the model's context holds."""
    first, last = 0, len(lines) - 1
    for module in SyntaxTree(content).modules:
        if module.start_byte <= suspect < module.end_byte:
            first = content.count(b"\n", 0, module.start_byte)
            last = content.count(b"\n", 0, module.end_byte)
    room = model.info.context_tokens - _EDIT_TOKENS - _SPARE_TOKENS
    here = content.count(b"\n", 0, suspect)
    characters = int(room * _CHARACTERS_A_TOKEN)
    for _ in range(_TRIES):
        size = sum(len(line) + 1 for line in lines[first : last + 1])
        whole = size <= characters
        window = window_of(lines, *((first, last) if whole else (here, here)), characters=characters)
        if model.count(repair_prompt(window.lines, Seen())) <= room:
            return window
        characters = characters * 3 // 4
    return window_of(lines, here, here, characters=characters // 2)
