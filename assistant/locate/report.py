"""What a bug report says: its words, the names that it writes as code, the files and lines that it points at."""

from __future__ import annotations

import re
from dataclasses import dataclass

from veriloop.assistant.locate.words import identifiers, parts, widened

_FENCED = re.compile(r"^(```|~~~)[^\n]*\n(.*?)^\1", re.M | re.S)
_CODE = re.compile(r"`([^`\n]+)`")
_PLACE = re.compile(r"([\w./-]+\.(?:sv|svh|v|vh))(?::(\d+))?")
_MOST_CHARS = 60_000
_LIKE_CODE = re.compile(r"[a-z]\w*_\w+|[a-z]+[A-Z]\w*|[A-Z][A-Z0-9]*_[A-Z0-9_]+|\w+\d\w*")


@dataclass(frozen=True, slots=True, kw_only=True)
class BugReport:
    """A report taken apart."""

    title: str
    words: tuple[str, ...]
    """The words to look for, in the order in which they come, each once."""
    names: frozenset[str]
    """What is written as code, or looks like a name of the design."""
    title_names: frozenset[str]
    """Every name in the title: one that is a module's says where to look before anything else does."""
    places: tuple[tuple[str, int], ...]
    """Files that are named, with the line or 0."""


def read_report(text: str) -> BugReport:
    """Takes a report in Markdown or plain text apart."""
    text = text[:_MOST_CHARS]
    code = [body for _, body in _FENCED.findall(text)] + _CODE.findall(text)
    names = {name for piece in code for name in identifiers(piece)}
    names |= {name for name in identifiers(text) if _LIKE_CODE.fullmatch(name)}
    title = next((line.strip("# \t") for line in text.splitlines() if line.strip("# \t")), "")
    # What the title says counts twice: its words come first, and once more with the rest.
    words = widened(parts(identifiers(f"{title} {text}")))
    places = tuple(dict.fromkeys((name, int(line or 0)) for name, line in _PLACE.findall(text)))
    return BugReport(
        title=title,
        words=tuple(words),
        names=frozenset(names),
        title_names=frozenset(identifiers(title)),
        places=places,
    )
