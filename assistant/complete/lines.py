"""Lines of Verilog as tokens, and the shape that two lines have in common whatever their names and numbers are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from veriloop.assistant.design.symbols.keywords import KEYWORDS

_TOKEN = re.compile(
    r"""(?P<space>\s*)(?P<text>
        //.*
      | /\*.*?(?:\*/|$)
      | "(?:\\.|[^"\\])*"?
      | (?:\d+\s*)?'[sS]?[bBoOdDhH]\s*[0-9a-fA-FxXzZ_?]+ | \d[\w.]*
      | [`$]?[A-Za-z_][\w$]* | \\\S+
      | <<<|>>>|===|!==|<=|>=|==|!=|&&|\|\||<<|>>|\*\*|\+:|-:|::|->|'\{ | \S
    )""",
    re.VERBOSE,
)
BLOCK_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
NAME, NUMBER, COMMENT = "name", "number", "comment"
_BASED = re.compile(r"(\d*)\s*('[sS]?)([bBoOdDhH])\s*([0-9a-fA-F_]+)")
_BASES = {"b": (2, "b"), "o": (8, "o"), "d": (10, "d"), "h": (16, "x")}


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the white space before it."""

    space: str
    text: str

    @property
    def kind(self) -> str:
        """`name`, `number` or `comment`; anything else is its own kind."""
        return _kind(self.text)


@lru_cache(maxsize=200_000)
def _kind(text: str) -> str:
    first = text[0]
    if first.isdigit() or (first == "'" and len(text) > 2):
        return NUMBER
    if (first.isalpha() or first in "_\\") and text not in KEYWORDS:
        return NAME
    return COMMENT if text[:2] in ("//", "/*") else text


@dataclass(frozen=True)
class Line:
    """A line of a text."""

    text: str
    """Without the white space around it."""

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """Its tokens, without the comment that may end it."""
        found = [Token(match["space"], match["text"]) for match in _TOKEN.finditer(self.text)]
        while found and found[-1].kind == COMMENT:
            found.pop()
        return tuple(found)

    @cached_property
    def shape(self) -> tuple[str, ...]:
        """The kinds of its tokens: `a <= b + 1;` and `q <= d + 2;` have one shape."""
        return tuple(token.kind for token in self.tokens)

    @cached_property
    def names(self) -> frozenset[str]:
        """Its identifiers."""
        return frozenset(token.text for token in self.tokens if token.kind == NAME)


@lru_cache(maxsize=200_000)
def line(text: str) -> Line:
    """A line; lines that read the same are one object, so that a text that changes by a key is not read again."""
    return Line(text)


def lines(text: str) -> list[Line]:
    """The lines of a text that hold more than white space and comment."""
    text = BLOCK_COMMENT.sub("", text)
    return [found for raw in text.split("\n") if (stripped := raw.strip()) and (found := line(stripped)).tokens]


def written(tokens: Iterable[Token]) -> str:
    """Tokens as text."""
    return "".join(token.space + token.text for token in tokens)


def value(number: str) -> int | None:
    """What a number is worth; none for one with unknown digits or a fraction."""
    match = _BASED.fullmatch(number)
    try:
        return int(match[4], _BASES[match[3].lower()][0]) if match else int(number)
    except ValueError:
        return None


def with_value(number: str, worth: int) -> str:
    """Another value, written as a number is written: in its base, as wide as it is."""
    match = _BASED.fullmatch(number)
    if match is None:
        return str(worth)
    base, form = _BASES[match[3].lower()]
    digits = format(worth, form)
    if base != 10:
        digits = digits.zfill(len(match[4]))
    if match[4].isupper():
        digits = digits.upper()
    return f"{match[1]}{match[2]}{match[3]}{digits}"
