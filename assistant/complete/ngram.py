"""How a line may go on, token by token: what followed the last few tokens before, in this file most of all.

The longest run of tokens that was seen before decides (stupid backoff; Brants and others, 2007). It says something
where no line like this one stands anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from veriloop.assistant.complete.hole import Hole
from veriloop.assistant.complete.lines import Line, Token, line, lines, written

_ORDER = 5
_MOST_TOKENS = 24
_END = "\n"
_OWN_WEIGHT = 4
_NEAR_LINES = 300
"""Lines above and below that are read."""


class Ngrams:
    """What followed which runs of tokens."""

    def __init__(self) -> None:
        # Plain dictionaries: a Counter takes longer to make than to fill.
        self._after: dict[tuple[str, ...], dict[str, int]] = {}
        self._spaces: dict[tuple[str, str], dict[str, int]] = {}

    def add(self, found: Iterable[Line], weight: int = 1) -> None:
        """Reads lines that follow one another."""
        last: list[str] = [_END]
        for one in found:
            for token in (*one.tokens, Token("", _END)):
                for order in range(1, _ORDER):
                    if order <= len(last):
                        following = self._after.setdefault(tuple(last[-order:]), {})
                        following[token.text] = following.get(token.text, 0) + weight
                spaces = self._spaces.setdefault((last[-1], token.text), {})
                spaces[token.space] = spaces.get(token.space, 0) + weight
                last = [*last[-_ORDER:], token.text]

    def next(self, before: Sequence[str], begun: str = "") -> str | None:
        """The token that followed the longest known run most often; none where nothing did.

        Args:
            before: the tokens before it.
            begun: letters that it begins with.
        """
        for order in range(min(_ORDER - 1, len(before)), 0, -1):
            found = self._after.get(tuple(before[-order:]), {})
            fitting = [(count, token) for token, count in found.items() if token.startswith(begun)]
            if fitting:
                return max(fitting)[1]
        return None

    def space(self, before: str, token: str) -> str:
        """The white space that stood between two tokens most often."""
        found = self._spaces.get((before, token))
        return max(found, key=found.__getitem__) if found else " "


def go_on(hole: Hole, others: Sequence[Sequence[Line]] = ()) -> str:
    """How the line at a hole may go on; empty where nothing is known."""
    ngrams = Ngrams()
    above, below = lines(hole.above)[-_NEAR_LINES:], lines(hole.below)[:_NEAR_LINES]
    for found in others:
        ngrams.add(found)
    ngrams.add(above, _OWN_WEIGHT)
    ngrams.add(below, _OWN_WEIGHT)
    read = list(line(hole.typed.strip()).tokens) if hole.typed.strip() else []
    begun = read.pop().text if read and hole.typed[-1:].isalnum() else ""
    before = [_END, *(token.text for one in above[-2:] for token in (*one.tokens, Token("", _END)))]
    before += [token.text for token in read]
    made: list[Token] = []
    while len(made) < _MOST_TOKENS:
        token = ngrams.next(before, begun if not made else "")
        if token is None or token == _END:
            break
        made.append(Token(ngrams.space(before[-1], token), token))
        before.append(token)
    if made and begun:
        made[0] = Token("", made[0].text[len(begun) :])
    elif made and (hole.typed[-1:].isspace() or not hole.typed):
        made[0] = Token("", made[0].text)
    return written(made)
