"""What a language model can be asked, whatever runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Stop = Callable[[], bool]
"""Polled during a call; true ends it with `Stopped`, within a second."""
OnText = Callable[[int, str], None]
"""Called with the number of a candidate and the next piece of its text."""


def never() -> bool:
    """For calls that nothing stops."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How an answer is drawn."""

    max_tokens: int = 256
    temperature: float = 0.0
    """0 takes the likeliest token every time."""
    top_k: int = 40
    top_p: float = 0.95
    seed: int = 1
    """The first candidate's; the following candidates count on from it."""
    stop: tuple[str, ...] = ()
    """Strings that end the answer; they are not part of it."""
    grammar: str = ""
    """GBNF that the answer has to follow; empty: none."""
    draft_tokens: int = 0
    """How many tokens to draft from the prompt's own text (prompt lookup); pays where an answer repeats its prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One candidate's answer."""

    text: str
    tokens: int
    finish: Literal["stop", "length"]
    """`length`: `max_tokens` cut it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How likely a continuation is: the natural logarithm of each token's probability."""

    logprobs: tuple[float, ...]

    @property
    def total(self) -> float:
        """The logarithm of the whole continuation's probability."""
        return sum(self.logprobs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What is known of a loaded model."""

    name: str
    context_tokens: int
    """Prompt and answer together."""
    parameters: int = 0
    file_bytes: int = 0
    has_fim: bool = False
    """Whether it knows prefix, suffix and middle (FIM)."""
    has_chat: bool = False
    """Whether it brings a chat template."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """How a model in a file is loaded."""

    path: Path
    threads: int
    context_tokens: int = 0
    """0: what the model was trained for, up to 8192."""
    exact_cache: bool = False
    """Keys and values in 32 instead of 16 bits, for comparing with another implementation."""


class Model(Protocol):
    """A language model.

    Every call may raise `ModelError`, and `Stopped` where `stop` became true.
    """

    @property
    def info(self) -> ModelInfo:
        """What is known of it; loads it where that is needed."""
        ...

    def count(self, text: str) -> int:
        """How many tokens a text has."""
        ...

    def complete(
        self, prompt: str, sampling: Sampling, *, n: int = 1, on_text: OnText | None = None, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """Goes on where the prompt ends, `n` times from one reading of the prompt."""
        ...

    def chat(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        n: int = 1,
        on_text: OnText | None = None,
        stop: Stop = never,
    ) -> tuple[Completion, ...]:
        """The next turn of a conversation, in the model's own template."""
        ...

    def infill(
        self, prefix: str, suffix: str, sampling: Sampling, *, n: int = 1, stop: Stop = never
    ) -> tuple[Completion, ...]:
        """What stands between a prefix and a suffix."""
        ...

    def score(self, prompt: str, continuations: Sequence[str], *, stop: Stop = never) -> tuple[Score, ...]:
        """How likely each continuation of one prompt is; the prompt is read once.

        A continuation is split into tokens by itself, so that no token spans the prompt's end.
        """
        ...

    def score_infill(
        self, prefix: str, suffix: str, answers: Sequence[str], *, stop: Stop = never
    ) -> tuple[Score, ...]:
        """How likely each answer, with its end, is to stand between a prefix and a suffix; both are read once."""
        ...

    def close(self) -> None:
        """Frees what it holds; a later call loads it again."""
        ...
