"""The part of a Python file that is followed, so that the rest needs no parsing.

Nobody follows coroutines, methods and functions within functions, and in tests they are most of the text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

_DEFINITION = re.compile(r"(?:([ \t]+)def|([ \t]*)async[ \t]+def)\b")
_HEADER_END = re.compile(r":\s*(?:#.*)?$")
_QUOTES = ('"""', "'''")


def parsed(text: str) -> ast.Module:
    """A file's syntax; functions that nobody follows have no body. Every line keeps its number.

    Raises:
        SyntaxError, ValueError, RecursionError: it is no Python.
    """
    try:
        return ast.parse("\n".join(_outlined(text.split("\n"))))
    except SyntaxError:
        # Strings, lists or the like that do not keep to the margin.
        return ast.parse(text)


def _outlined(lines: list[str]) -> Iterator[str]:
    """The lines, those of bodies empty.

    Raises:
        SyntaxError: a string begins in a body and ends outside.
    """
    at, in_text = 0, False
    while at < len(lines):
        line = lines[at]
        at += 1
        found = _DEFINITION.match(line) if "def" in line and not in_text else None
        if found is None:
            in_text ^= _parts_text(line)
            yield line
            continue
        depth = line.count("(") - line.count(")")
        while depth > 0 and at < len(lines):
            yield line
            line = lines[at]
            depth += line.count("(") - line.count(")")
            at += 1
        if not _HEADER_END.search(line):
            # Its body stands in the same line.
            yield line
            continue
        yield f"{line.partition('#')[0].rstrip()} pass"
        end = _end(lines, at, len(found[1] or found[2] or ""))
        body = "\n".join(lines[at:end])
        if _parts_text(body):
            raise SyntaxError
        yield from [""] * (end - at)
        at = end


def _parts_text(text: str) -> bool:
    """Whether a string of several lines begins in a text and ends outside, or the other way round."""
    return any(text.count(quotes) % 2 for quotes in _QUOTES)


def _end(lines: list[str], at: int, width: int) -> int:
    """The line behind a body: the first that is indented no deeper than its header."""
    for index in range(at, len(lines)):
        line = lines[index]
        bare = line.lstrip()
        if bare and len(line) - len(bare) <= width and not bare.startswith("#"):
            return index
    return len(lines)
