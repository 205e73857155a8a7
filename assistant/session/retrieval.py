"""Which files a text is about: names, ports and comments that both have, weighed by how rare they are (BM25)."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]*|\d+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SATURATION, _LENGTH = 1.2, 0.6
"""BM25's k1 and b: how soon a repeated word counts no more, and how much a long text is held back."""
_NAME = 6
"""How many times a word of a file's or a module's name counts."""
_STOP = frozenset(
    """a an and are as at be been but by can do does for from has have how i if in into is it its me my no not of on
    or our so than that the their then there these this to too up was we were what when which while who will with you
    your module endmodule input output inout wire reg logic begin end always assign if else posedge negedge case endcase
    parameter localparam initial integer""".split()
)
_ENDINGS = ("ing", "ed", "es", "s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Something that can be found: its names count more than its words."""

    key: str
    names: tuple[str, ...]
    words: str


class Index:
    """Texts, ready to be searched."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self._counts = {text.key: _counted(text) for text in texts}
        self._lengths = {key: sum(counts.values()) for key, counts in self._counts.items()}
        self._mean = sum(self._lengths.values()) / max(1, len(self._lengths))
        holders = Counter(word for counts in self._counts.values() for word in counts)
        self._rarity = {
            word: math.log(1 + (len(texts) - count + 0.5) / (count + 0.5)) for word, count in holders.items()
        }

    def search(self, query: str) -> Mapping[str, float]:
        """How well each text fits a query; those that share no word with it are left out."""
        wanted = Counter(terms(query))
        found: dict[str, float] = {}
        for key, counts in self._counts.items():
            held_back = _SATURATION * (1 - _LENGTH + _LENGTH * self._lengths[key] / max(1.0, self._mean))
            score = sum(
                self._rarity[word] * counts[word] * (_SATURATION + 1) / (counts[word] + held_back)
                for word in wanted
                if word in counts
            )
            if score > 0:
                found[key] = score
        return found


def terms(text: str) -> list[str]:
    """The words of a text, names taken apart (`rdPtr_next`: rd, ptr, next), without endings and little words."""
    parts = (part for word in _WORD.findall(text) for part in _CAMEL.split(word))
    return [_stem(part) for part in map(str.lower, parts) if part not in _STOP and len(part) > 1]


def _counted(text: Text) -> Counter[str]:
    counts = Counter(terms(text.words))
    for word in _names(text.names):
        counts[word] += _NAME
    return counts


def _names(names: Iterable[str]) -> Iterable[str]:
    return (word for name in names for word in terms(name))


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
