"""A model that says again what models have said: for tests, and for measuring on transcripts of real ones."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from veriloop.models.errors import BadModel, ModelFailed, NoModel, Stopped
from veriloop.models.model import Completion, Message, ModelInfo, OnText, Sampling, Score, Stop, never

_CHARACTERS_A_TOKEN = 4


class RecordedModel:
    """A `Model` whose answers to a prompt are known; asked again, it goes on with the next of them.

    Args:
        answers: by prompt, in the order in which they are to come. A conversation's prompt is its last turn.
        name: what it is called.
    """

    def __init__(self, answers: Mapping[str, Sequence[str]], *, name: str = "recorded") -> None:
        self._answers = answers
        self._next: dict[str, int] = {}
        self._name = name

    @classmethod
    def load(cls, path: Path) -> RecordedModel:
        """Reads a transcript: JSON lines of `{"prompt": ..., "answers": [...]}`.

        Raises:
            NoModel: there is no such file.
            BadModel: a line is something else.
        """
        answers: dict[str, list[str]] = {}
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise NoModel(f"{path} cannot be read: {error.strerror}") from error
        for number, line in enumerate(lines, 1):
            try:
                record = json.loads(line)
                answers.setdefault(record["prompt"], []).extend(map(str, record["answers"]))
            except (ValueError, KeyError, TypeError) as error:
                raise BadModel(f"{path}:{number} is no line of a transcript") from error
        return cls(answers, name=path.stem)

    @property
    def info(self) -> ModelInfo:
        """Nothing but its name."""
        return ModelInfo(name=self._name, context_tokens=1 << 20, has_fim=True, has_chat=True)

    def count(self, text: str) -> int:
        """A rough count."""
        return -(-len(text) // _CHARACTERS_A_TOKEN)

    def complete(
        self, prompt: str, sampling: Sampling, *, n: int = 1, on_text: OnText | None = None, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """The next `n` answers to the prompt.

        Raises:
            ModelFailed: so many were not recorded.
        """
        if stop():
            raise Stopped
        start = self._next.get(prompt, 0)
        texts = tuple(self._answers.get(prompt, ()))[start : start + n]
        if len(texts) < n:
            raise ModelFailed(f"{self._name} holds {len(texts)} of {n} further answers to this prompt")
        self._next[prompt] = start + n
        for number, text in enumerate(texts):
            if on_text is not None:
                on_text(number, text)
        return tuple(Completion(text=text, tokens=self.count(text), finish="stop") for text in texts)

    def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        n: int = 1,
        on_text: OnText | None = None,
        stop: Stop = never,
    ) -> tuple[Completion, ...]:
        """The next answers to the last turn."""
        return self.complete(messages[-1].content if messages else "", sampling, n=n, on_text=on_text, stop=stop)

    def infill(
        self, prefix: str, suffix: str, sampling: Sampling, *, n: int = 1, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """The next answers to what stands before the gap."""
        return self.complete(prefix, sampling, n=n, stop=stop)

    def score(self, prompt: str, continuations: Sequence[str], *, stop: Stop = never) -> tuple[Score, ...]:
        """Raises:
        ModelFailed: how likely a text was, nobody recorded.
        """
        raise ModelFailed(f"{self._name} does not tell how likely a text is")

    def score_infill(
        self, prefix: str, suffix: str, answers: Sequence[str], *, stop: Stop = never
    ) -> tuple[Score, ...]:
        """Raises:
        ModelFailed: how likely a text was, nobody recorded.
        """
        raise ModelFailed(f"{self._name} does not tell how likely a text is")

    def close(self) -> None:
        """Nothing is held."""
