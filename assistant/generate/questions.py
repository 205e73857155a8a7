"""What a specification leaves open as questions that a person can answer, and the answers that were given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from veriloop.assistant.errors import UsageError


@dataclass(frozen=True, slots=True)
class Question:
    """One concrete question.

    Attributes:
        text: in one sentence.
        options: the answers that can be gone on with; none where the specification itself has to be mended.
    """

    text: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text


@dataclass(slots=True)
class Decided:
    """Answers by the questions' texts, and which of them were needed."""

    answers: Mapping[str, str] = field(default_factory=dict)
    needed: set[str] = field(default_factory=set)

    def to(self, question: Question) -> str | None:
        """The answer to a question; none where it was not answered.

        The same alternatives in another order are the same question.

        Raises:
            UsageError: the answer is none of the options.
        """
        for text, answer in self.answers.items():
            if text != question.text and _either(text) != _either(question.text):
                continue
            if answer not in question.options:
                options = " or ".join(question.options)
                raise UsageError(f"{answer!r} is no answer to: {question.text}", hint=f'--decide "..." {options}')
            self.needed.add(text)
            return answer
        return None

    @property
    def lines(self) -> tuple[str, ...]:
        """What was decided, in the order in which it was given."""
        return tuple(f"{text} {answer}" for text, answer in self.answers.items())

    @property
    def followed(self) -> tuple[str, ...]:
        """What was decided and had to be."""
        return tuple(f"{text} {answer}" for text, answer in self.answers.items() if text in self.needed)

    @property
    def useless(self) -> tuple[str, ...]:
        """Answers to what nobody asked."""
        return tuple(text for text in self.answers if text not in self.needed)


def _either(text: str) -> tuple[str, frozenset[str]]:
    """A question without the order of its last two alternatives, as in `with a=0, is y 1 or 0?`."""
    head, _, rest = text.removesuffix("?").rpartition(" is ")
    signal, _, values = rest.partition(" ")
    first, _, second = values.partition(" or ")
    return (f"{head} {signal}", frozenset((first, second))) if second else (text, frozenset())
