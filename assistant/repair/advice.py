"""A model's advice to a search that has not found a repair soon: which lines it suspects, and its own edits of them.

It is asked in a thread beside the search, once, and only where the likeliest candidates have failed and the search
takes longer than asking: what is found before that is found as soon as without a model. What goes wrong with the model
ends the advice, never the search.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from veriloop.assistant.design.edits import Edit, apply_edits
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.repair.model_rank import Window, answer, changed, kept_answer, window_of
from veriloop.assistant.repair.operators import Replacement
from veriloop.assistant.repair.prompt import BEFORE, FIX, LINES, REPAIR, Seen, line_token, repair_prompt
from veriloop.assistant.verify.results import SimResult
from veriloop.models.errors import ModelError, Stopped
from veriloop.models.local import LocalModel
from veriloop.models.model import Model, Sampling, Stop, never
from veriloop.models.named import opened
from veriloop.models.store import Store, data_home

PATIENCE = 16
PATIENCE_S = 8.0
"""How many candidates are judged, and how many seconds the search has taken, before the model is asked: loading it and
asking costs a few, which a search that is over sooner would not get back."""
WEIGHED = 256
"""How many of the likeliest candidates the model weighs one by one."""
LINE_WEIGHT = 0.2
"""How much nearer to the front a candidate is for each factor of e by which the model suspects its line."""
CHANGE_WEIGHT = 0.2
"""How much for each factor of e by which the changed line is likelier than the line as it stands. On 89 slips in
HDLBits' designs, with three models, the mean places by weights of lines from 0 to 0.2 and of changes from 0.1 to 0.2
differ by an eighth at most."""
_LINE_LEAST, _MOST = -2.0, 4.0
_OWN_LINES = 4
_EDITS_A_LINE = 2
OWN_COST = 2.5
"""The prior of an edit that the model wrote; see the operators' own."""
_EDIT_TOKENS = 48
_SPARE_TOKENS = 64
_CHARACTERS_A_TOKEN = 1.8
_TRIES = 4


Edits: TypeAlias = tuple[Replacement, ...]
"""Replacements in one file that are made together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What a model says of one file.

    Attributes:
        path: the file.
        lines: for each line that it saw, by its number from 0, how much sooner candidates there are to be tried.
        changes: how much sooner for the changes themselves, of those that it weighed.
        others: how much sooner for changes that it did not weigh: the mean, so that they lose and gain nothing.
        edits: its own.
        saw: which part of the file it was shown, in words; what its prompt has no room for is left out.
        prompt: what it was shown, word for word.
        tokens_per_s: how fast it wrote.
    """

    path: str
    lines: Mapping[int, float] = field(default_factory=dict)
    changes: Mapping[Edits, float] = field(default_factory=dict)
    others: float = 0.0
    edits: tuple[Edits, ...] = ()
    saw: str = ""
    prompt: str = ""
    tokens_per_s: float = 0.0

    def gain(self, content: bytes, places: Sequence[Replacement]) -> float:
        """How much sooner replacements in that file are to be tried."""
        if not places:
            return 0.0
        numbers = (content.count(b"\n", 0, start) for start, _, _ in places)
        return max(self.lines.get(number, 0.0) for number in numbers) + self.changes.get(tuple(places), self.others)


class Adviser:
    """Asks a model about a broken design while the search goes on.

    Args:
        model: any model that knows the prompts of `repair/prompt.py`.
        patience: how many candidates are judged before.
        patience_s: how many seconds the search has taken before.
        knows: whether a model knows our prompts, asked once it is needed; the advice of one that does not is noise.
    """

    def __init__(
        self,
        model: Model,
        *,
        patience: int = PATIENCE,
        patience_s: float = PATIENCE_S,
        knows: Callable[[Model], bool] = lambda model: True,
    ) -> None:
        self._knows = knows
        self.patience = patience
        self.patience_s = patience_s
        self._model = model
        self._thread: threading.Thread | None = None
        self._stopped = False
        self._advice: Advice | None = None
        self.saw, self.prompt, self.tokens_per_s = "", "", 0.0
        """What the model was shown of the file, word for word as well, and how fast it wrote."""
        self.trouble = ""
        """Why there is no advice; empty where there is."""

    @property
    def asked(self) -> bool:
        """Whether it has been asked."""
        return self._thread is not None

    def ask(self, path: str, content: bytes, candidates: Sequence[Edits], result: SimResult) -> None:
        """Asks about a file, once; the answer is there when `take` gives it.

        Args:
            path: the file.
            content: the broken text.
            candidates: what may be changed in it, the likeliest first.
            result: what the simulator saw.
        """
        if self._thread is None:
            self._thread = threading.Thread(
                target=self._think, args=(path, content, candidates, result), name="veriloop-advice", daemon=True
            )
            self._thread.start()

    def take(self) -> Advice | None:
        """The advice, once, when it is there."""
        if self._thread is None or self._thread.is_alive():
            return None
        advice, self._advice = self._advice, None
        if advice is not None:
            self.saw, self.prompt, self.tokens_per_s = advice.saw, advice.prompt, advice.tokens_per_s
        return advice

    def close(self) -> None:
        """Ends what it is doing, within a second."""
        self._stopped = True
        if self._thread is not None:
            self._thread.join()
        self._model.close()

    def _think(self, path: str, content: bytes, candidates: Sequence[Edits], result: SimResult) -> None:
        try:
            if not self._knows(self._model):
                self.trouble = "this model does not know how repairs are asked for"
                return
            self._advice = advise(self._model, path, content, candidates, result, stop=lambda: self._stopped)
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
        made = Adviser(model, knows=knows_prompts)
        try:
            yield made
        finally:
            made.close()


def knows_prompts(model: Model) -> bool:
    """Whether the special tokens of our prompts are single tokens of a model.

    Raises:
        ModelError: the model cannot be used.
    """
    words = (REPAIR, FIX, line_token(LINES - 1))
    return isinstance(model, LocalModel) and all(len(model.tokens(word, special=True)) == 1 for word in words)


def advise(
    model: Model,
    path: str,
    content: bytes,
    candidates: Sequence[Edits],
    result: SimResult,
    *,
    stop: Stop = never,
) -> Advice:
    """Asks a model where a file is wrong, and what it thinks of the likeliest candidates.

    Args:
        model: the model.
        path: the file's name, for the answer.
        content: its broken text.
        candidates: what may be changed in it, the likeliest first.
        result: what the simulator saw.
        stop: polled; true ends it with `Stopped`.

    Raises:
        ModelError: the model cannot be used.
    """
    lines = content.decode("utf-8", errors="replace").split("\n")
    window = _window(model, content, lines, candidates[0][0][0] if candidates else 0)
    prompt = repair_prompt(window.lines, seen_by(result))
    suspicion = _suspicion(model, prompt, window, stop)
    changes = _weighed(model, prompt, content, lines, window, candidates[:WEIGHED], stop)
    likeliest = sorted(suspicion, key=lambda number: -suspicion[number])[:_OWN_LINES]
    edits: dict[Edits, None] = {}
    tokens, started = 0, time.monotonic()
    for line in likeliest:
        sampling = Sampling(max_tokens=_EDIT_TOKENS, temperature=0.6)
        asked = prompt + line_token(line - window.first)
        for written in model.complete(asked, sampling, n=_EDITS_A_LINE, stop=stop):
            tokens += written.tokens
            if written.finish == "stop" and (edit := changed(content, line, written.text)) is not None:
                edits[edit] = None
    return Advice(
        path=path,
        lines={number: LINE_WEIGHT * value for number, value in suspicion.items()},
        changes=changes,
        others=sum(changes.values()) / max(1, len(changes)),
        edits=tuple(edits),
        saw=_seen_of(window, lines, path),
        prompt=prompt,
        tokens_per_s=tokens / max(1e-3, time.monotonic() - started),
    )


def _seen_of(window: Window, lines: Sequence[str], path: str) -> str:
    """What of a file a prompt holds, in words."""
    whole = len(lines) - (not lines[-1])
    last = min(whole, window.first + len(window.lines))
    if window.first == 0 and last == whole:
        return f"{path} as a whole"
    return f"lines {window.first + 1} to {last} of the {whole} of {path}; the rest did not fit"


def _suspicion(model: Model, prompt: str, window: Window, stop: Stop) -> dict[int, float]:
    """How much likelier than by chance an answer is about a line, as a logarithm, by the line's number in the file."""
    scores = model.score(prompt, [line_token(number) for number in range(len(window.lines))], stop=stop)
    uniform = -math.log(max(1, len(scores)))
    return {
        window.first + number: max(_LINE_LEAST, min(_MOST, score.total - uniform))
        for number, score in enumerate(scores)
        if window.lines[number].strip()
    }


def _weighed(
    model: Model,
    prompt: str,
    content: bytes,
    lines: Sequence[str],
    window: Window,
    candidates: Sequence[Edits],
    stop: Stop,
) -> dict[Edits, float]:
    """How much sooner candidates are to be tried because of how the line reads once it is changed."""
    answers: dict[Edits, str] = {}
    for edits in candidates:
        made = [Edit(path="", start=start, end=end, text=text.encode()) for start, end, text in edits]
        after = apply_edits(content, made).decode("utf-8", errors="replace").split("\n")
        said = answer(lines, after, window)
        if said is not None and BEFORE not in said:
            answers[edits] = said
    kept = {said: kept_answer(said, window) for said in dict.fromkeys(answers.values())}
    texts = list(dict.fromkeys([*kept, *kept.values()]))
    totals = dict(zip(texts, (score.total for score in model.score(prompt, texts, stop=stop)), strict=True))
    return {
        edits: CHANGE_WEIGHT * max(-_MOST, min(_MOST, totals[said] - totals[kept[said]]))
        for edits, said in answers.items()
    }


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
