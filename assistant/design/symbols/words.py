"""The identifiers of a text, read from its tokens alone, so that they are found however broken the text is.

Comments, strings, numbers, keywords and system names (`$clog2`) are no identifiers. An escaped identifier is called by
its name without the backslash (IEEE 1800-2017, 5.6.1).
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from veriloop.assistant.design.symbols.keywords import DIRECTIVES, KEYWORDS

Role: TypeAlias = Literal["plain", "member", "connection", "scoped", "macro"]
"""How an identifier is led in: not at all, `a.x`, `.x` at the start of a connection, `p::x`, or a backtick."""

_MACRO_DIRECTIVES = frozenset({"ifdef", "ifndef", "elsif", "undef", "define"})

_TOKEN = re.compile(
    rb"""//[^\n]*
      | /\*.*?(?:\*/|\Z)
      | "(?:\\.|[^"\\\n])*"?
      | '[sS]?(?:[bB]\s*[01xXzZ_?]+ | [oOdDhH]\s*(?:[0-9a-fA-FxXzZ_]+|\?+) | [01xXzZ](?!\w))
      | \d[\w.]*
      | \$\w+
      | (?P<lead>`|::\s*|(?<!\.)\.\s*)?(?P<word>[A-Za-z_][\w$]*|\\[^\s]+)""",
    re.VERBOSE | re.DOTALL,
)
_BEFORE_MEMBER = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$])")

Places: TypeAlias = "array[int]"


def _places() -> dict[str, Places]:
    return {}


@dataclass(frozen=True, slots=True)
class Words:
    """The first byte of every identifier of a text, in order, by how it is led in and by name."""

    plain: dict[str, Places] = field(default_factory=_places)
    member: dict[str, Places] = field(default_factory=_places)
    connection: dict[str, Places] = field(default_factory=_places)
    scoped: dict[str, Places] = field(default_factory=_places)
    macro: dict[str, Places] = field(default_factory=_places)

    def tables(self) -> tuple[tuple[Role, Mapping[str, Places]], ...]:
        """The tables with their roles."""
        return (
            ("plain", self.plain),
            ("member", self.member),
            ("connection", self.connection),
            ("scoped", self.scoped),
            ("macro", self.macro),
        )

    def role(self, name: str, at: int) -> Role | None:
        """The role of the identifier that starts at a byte; none where there is none of that name."""
        for role, table in self.tables():
            places = table.get(name)
            if places is not None:
                index = bisect_left(places, at)
                if index < len(places) and places[index] == at:
                    return role
        return None

    def __contains__(self, name: str) -> bool:
        return any(name in table for _, table in self.tables())

    def all(self) -> Iterator[tuple[Role, str, int]]:
        """Every identifier: its role, its name, its first byte."""
        for role, table in self.tables():
            for name, places in table.items():
                for at in places:
                    yield role, name, at


def read_words(content: bytes) -> Words:
    """The identifiers of a text."""
    words = Words()
    names: dict[bytes, str] = {}
    plain, macro, scoped = words.plain, words.macro, words.scoped
    directive = False
    for match in _TOKEN.finditer(content):
        raw = match["word"]
        if raw is None:
            continue
        name = names.get(raw)
        if name is None:
            name = names[raw] = raw.decode("utf-8", errors="replace").removeprefix("\\")
        lead = match["lead"]
        at = match.start("word")
        if lead is None:
            table = macro if directive else plain
            if not directive and name in KEYWORDS:
                continue
            directive = False
        elif lead == b"`":
            directive = name in _MACRO_DIRECTIVES
            if name in DIRECTIVES:
                continue
            table = macro
        elif lead[0] == 0x3A:
            table = scoped
        else:
            before = match.start() - 1
            table = words.member if before >= 0 and content[before] in _BEFORE_MEMBER else words.connection
        if raw[0] == 0x5C:
            at += 1
        places = table.get(name)
        if places is None:
            table[name] = array("I", (at,))
        else:
            places.append(at)
    return words


_AT = re.compile(rb"[\w$]")


def word_at(content: bytes, at: int) -> tuple[str, int] | None:
    """The name that touches a byte, and its first byte; a keyword counts."""
    start = end = at
    while start > 0 and _AT.match(content, start - 1):
        start -= 1
    while end < len(content) and _AT.match(content, end):
        end += 1
    if (start > 0 and content[start - 1] == 0x5C) or content[start : start + 1] == b"\\":
        start += content[start : start + 1] == b"\\"
        while end < len(content) and not content[end : end + 1].isspace():
            end += 1
    if start == end or content[start : start + 1].isdigit():
        return None
    return content[start:end].decode("utf-8", errors="replace"), start
