"""How a line may go on, told from lines like it: no model, and an answer within milliseconds.

A line of the same shape so far, after and before lines of the same shapes, is an example. It is repeated with the
names and numbers of the place: what the lines above and the part that is typed put in place of the example's own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.complete.lines import NAME, NUMBER, Line, Token, line, lines, value, with_value, written

_ABOVE, _BELOW = 4, 2
"""Lines around a place that are compared."""
_MOST_EXAMPLES = 400
_ELSEWHERE, _AGAIN = 0.4, 0.05
"""What counts against another file's line, and for one that a second example confirms."""
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$`'")


@dataclass(frozen=True, slots=True)
class Prediction:
    """How the line may go on, and how much speaks for it."""

    text: str
    score: float


class Examples:
    """The lines of one text, to be found by their shapes."""

    def __init__(self, text: str) -> None:
        self.lines = lines(text)
        self.by_first: dict[str, list[int]] = defaultdict(list)
        """By the kind of their first token."""
        self.by_before: dict[tuple[str, ...], list[int]] = defaultdict(list)
        """By the shape of the line before."""
        before: tuple[str, ...] = ()
        for index, one in enumerate(self.lines):
            self.by_first[one.shape[0]].append(index)
            self.by_before[before].append(index)
            before = one.shape


@dataclass(slots=True)
class _Place:
    """A hole as tokens."""

    above: list[Line]
    below: list[Line]
    typed: tuple[Token, ...]
    """The tokens that are written to their end."""
    partial: str
    """The word that is being written."""
    spaced: bool
    """Whether white space stands before the cursor."""
    names: frozenset[str]
    rest: str


@dataclass(slots=True)
class _Renaming:
    """What stands here for an example's names and numbers."""

    known: frozenset[str]
    """The names of the place."""
    names: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    """Parts of names: where `a_q` is `b_q`, `a_d` is `b_d`."""
    numbers: dict[int, int] = field(default_factory=dict)

    def learn(self, theirs: Sequence[Token], ours: Sequence[Token]) -> None:
        """From two runs of tokens of one shape."""
        for one, other in zip(theirs, ours, strict=False):
            if one.kind == NAME:
                self.names[one.text] = other.text
                theirs_parts, ours_parts = one.text.split("_"), other.text.split("_")
                if len(theirs_parts) == len(ours_parts):
                    self.parts.update(zip(theirs_parts, ours_parts, strict=True))
            elif one.kind == NUMBER:
                before, after = value(one.text), value(other.text)
                if before is not None and after is not None:
                    self.numbers[before] = after

    def of(self, token: Token) -> Token:
        """A token of the example as it reads here."""
        if token.kind == NAME:
            return Token(token.space, self.names.get(token.text) or self._by_parts(token.text))
        if token.kind == NUMBER:
            worth = value(token.text)
            if worth is not None and (here := self._number(worth)) != worth:
                return Token(token.space, with_value(token.text, here))
        return token

    def _by_parts(self, name: str) -> str:
        made = "_".join(self.parts.get(part, part) for part in name.split("_"))
        return made if made in self.known else name

    def _number(self, worth: int) -> int:
        if worth in self.numbers:
            return self.numbers[worth]
        steps = {after - before for before, after in self.numbers.items()}
        step = steps.pop() if len(steps) == 1 else 0
        return worth + step if worth + step >= 0 else worth


def predict(hole: Hole, others: Sequence[Examples] = (), most: int = 5) -> list[Prediction]:
    """How the line at a hole may go on, the likeliest first.

    Args:
        hole: the place.
        others: the lines of other files, near ones first.
        most: how many are wanted.
    """
    best: dict[str, float] = {}
    for place, here in _at_home(hole):
        elsewhere = (_predicted(examples, place, -1) for examples in others)
        for found, less in ((here, 0.0), *((one, _ELSEWHERE) for one in elsewhere)):
            for one in found:
                score = one.score - less
                best[one.text] = max(score + _AGAIN * (one.text in best), best.get(one.text, -1e9))
    ordered = sorted(best.items(), key=lambda entry: -entry[1])
    return [Prediction(text, score) for text, score in ordered[:most]]


@lru_cache(maxsize=4)
def home(hole: Hole) -> Examples:
    """The lines above and below a hole."""
    return Examples(f"{hole.above}\n{hole.below}")


@lru_cache(maxsize=4)
def _at_home(hole: Hole) -> tuple[tuple[_Place, tuple[Prediction, ...]], ...]:
    """What the file itself tells; a suggestion is asked for twice, with the lines of other files and without."""
    own = home(hole)
    return tuple((place, tuple(_predicted(own, place, len(place.above)))) for place in _placed(hole))


def _predicted(examples: Examples, place: _Place, here: int) -> Iterator[Prediction]:
    for index in _candidates(examples, place):
        found = _from_example(examples, index, place, here)
        if found is not None:
            yield found


def _placed(hole: Hole) -> list[_Place]:
    """The place, and where a name ends at the cursor, once more with the name as a beginning."""
    typed = hole.typed.strip()
    read = line(typed).tokens if typed else ()
    above, below = lines(hole.above), lines(hole.below)
    names = frozenset[str]().union(*(one.names for one in (*above, *below)))
    spaced = hole.typed[-1:].isspace() or not typed
    rest = hole.rest.strip()
    if not read or spaced or read[-1].text[-1] not in _WORD:
        return [_Place(above, below, read, "", spaced, names, rest)]
    begun = _Place(above, below, read[:-1], read[-1].text, spaced, names, rest)
    return [begun, _Place(above, below, read, "", spaced, names, rest)] if read[-1].text in names else [begun]


def _candidates(examples: Examples, place: _Place) -> list[int]:
    if place.typed:
        found = examples.by_first.get(place.typed[0].kind, [])
    elif place.partial:
        found = [index for index, one in enumerate(examples.lines) if one.text.startswith(place.partial)]
    else:
        found = examples.by_before.get(place.above[-1].shape if place.above else (), [])
    return found[-_MOST_EXAMPLES:]


def _from_example(examples: Examples, index: int, place: _Place, here: int) -> Prediction | None:
    example = examples.lines[index]
    count = len(place.typed)
    if len(example.tokens) < count or example.shape[:count] != tuple(token.kind for token in place.typed):
        return None
    renaming, score = _compared(examples, index, place)
    renaming.learn(example.tokens[:count], place.typed)
    score += sum(
        1.0 if one.text == other.text else 0.3 for one, other in zip(example.tokens, place.typed, strict=False)
    )
    tail = [renaming.of(token) for token in example.tokens[count:]]
    score -= 0.4 * sum(token.kind == NAME and token.text not in place.names for token in tail)
    if place.partial:
        if not tail or not tail[0].text.startswith(place.partial):
            return None
        tail[0] = Token("", tail[0].text[len(place.partial) :])
    elif tail and (place.spaced or count == 0):
        tail[0] = Token("", tail[0].text)
    text = written(tail).rstrip()
    if place.rest and text.endswith(place.rest):
        text = text[: -len(place.rest)].rstrip()
    if not text.strip():
        return None
    whole = written((*place.typed, Token("", place.partial))).strip() + text
    score -= _unlikely(line(whole.strip()), place)
    if here >= 0:
        score -= 0.002 * min(abs(index - here), 200)
    return Prediction(text, score)


def _compared(examples: Examples, index: int, place: _Place) -> tuple[_Renaming, float]:
    """How alike the lines around are, and what their names and numbers tell."""
    renaming, score = _Renaming(place.names), 0.0
    pairs = list(_around(examples.lines, index, place))
    for theirs, ours, weight in reversed(pairs):
        if theirs.text == ours.text:
            score += weight
        elif theirs.shape == ours.shape:
            score += 0.6 * weight
            renaming.learn(theirs.tokens, ours.tokens)
        else:
            score += 0.3 * weight * _common(theirs.shape, ours.shape)
    return renaming, score


def _around(found: Sequence[Line], index: int, place: _Place) -> Iterator[tuple[Line, Line, float]]:
    for distance in range(1, _ABOVE + 1):
        if index - distance >= 0 and distance <= len(place.above):
            yield found[index - distance], place.above[-distance], 1.0 / distance
    for distance in range(1, _BELOW + 1):
        if index + distance < len(found) and distance <= len(place.below):
            yield found[index + distance], place.below[distance - 1], 0.6 / distance


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> float:
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count / max(len(one), len(other), 1)


def _unlikely(whole: Line, place: _Place) -> float:
    """What speaks against a line that stands here already: few lines but `end` are written twice."""
    if len(whole.tokens) < 3:
        return 0.0
    if place.below and whole.text == place.below[0].text:
        return 3.0
    near = (*place.above[-60:], *place.below[:60])
    return 1.5 if any(one.text == whole.text for one in near) else 0.0
