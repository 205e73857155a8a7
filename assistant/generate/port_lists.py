"""Ports as specifications list them: `- input a (8 bits)` a line, or under headings such as `Input ports:`.

A list ends where other text begins, so that a later bullet about an input is no port. A line of it that cannot be read
wholly makes the list unreadable: half an interface is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from veriloop.assistant.generate.text import bare_lines

_BULLET = r"\s*(?:(?:[-*+\u2022]|\d+[.)])\s+)?"
_DIRECT = re.compile(r"^(\s*(?:[-*+\u2022]|\d+[.)])\s*)[`*_]*(input|output|inout)s?[`*_]*\s+(\S.*)$", re.I)
_HEADING = re.compile(
    rf"^{_BULLET}[#*\s]*(?:the\s+)?(inputs?|outputs?)(?:\s+(?:ports?|signals?|pins?))?\s*(?:\(s\))?[\s*]*:?[\s*]*$",
    re.I,
)
_BETWEEN = re.compile(rf"^{_BULLET}[#*\s]*(?:[A-Za-z][\w/-]*\s*){{1,4}}[\s*]*:[\s*]*$|^[\s*=_-]{{3,}}$")
_KIND = re.compile(r"^(?:(?:wire|reg|logic|var|bit|signed|unsigned)\b\s*)*")
_RANGE = re.compile(r"^\[\s*([^\]:]+?)\s*:\s*([^\]]+?)\s*\]\s*")
_NAME = re.compile(r"^[`*_\"']*([A-Za-z]\w*)[`*\"']*\s*")
_SIZE = re.compile(r"^\(\s*(\d+)\s*-?\s*bits?(?:\s+(?:each|wide))?\s*[^()]*\)\s*", re.I)
_ANY_SIZE = re.compile(r"^\(\s*\w+\s*-?\s*bits?[^()]*\)", re.I)
_REMARK = re.compile(r"^\([^()]*\)\s*")
_SEPARATOR = re.compile(r"^(?::|--?|\u2013|\u2014|//|;|=>)\s*")
_BITS = (
    re.compile(r"^\s*(?:an?\s+|the\s+)?(\d+)[\s-]*bits?\b", re.I),
    re.compile(r"\bwidth\s+(?:of|is)\s+(\d+)(?:\s*bits?)?\b", re.I),
    re.compile(
        r"\b(\d+)[\s-]bits?(?:\s+wide)?\s+(?:input|output|register|vector|bus|signal|data|value|number)\b", re.I
    ),
)
_OPEN = re.compile(
    r"\bN-bit\b|\[\s*[A-Z]\w*\s*-\s*1\s*:\s*0\s*\]|\b(?:width|bits?)\b[^.]*\bconfigurable\b|\bparameteri[sz]ed\b", re.I
)
_RESERVED = frozenset({"interface", "port", "ports", "signal", "signals", "input", "output", "data_type"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One port of a list."""

    direction: str
    name: str
    high: int
    low: int
    numbered: bool
    """Whether the text gives a range, and not just a number of bits."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line of a list that cannot be read."""

    line: str


def read_port_list(text: str) -> tuple[Listed, ...] | Unreadable:
    """The ports that a text lists; empty where it lists none."""
    found: list[Listed] = []
    for direction, line, firm in _lines(text):
        ports = _ports(direction, line)
        if ports is None and not firm:
            break
        if ports is None:
            return Unreadable(line.strip())
        found += ports
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[str, str, bool]]:
    """The direction and the text of each line of the first list, and whether it surely belongs to it.

    After another heading a bullet that begins with `input` may be prose as well.
    """
    direction, indent, started, firm = "", 0, False, True
    for line in bare_lines(text):
        if not line.strip():
            continue
        direct = _DIRECT.match(line)
        if direct is not None and not direction:
            started, indent = True, len(direct[1])
            yield direct[2].lower(), direct[3], firm
        elif heading := _HEADING.match(line):
            if started and not direction:
                return
            direction = heading[1].lower().removesuffix("s")
        elif direction and _is_port_line(line):
            started, indent = True, len(line) - len(line.lstrip())
            yield direction, line, True
        elif started and len(line) - len(line.lstrip()) > indent and not re.match(r"\s*[-*+\u2022]\s", line):
            # The description of the port before goes on.
            continue
        elif direction and _BETWEEN.match(line):
            # Another heading: what is below it is no port, until the next list of inputs or outputs.
            direction = ""
        elif started and not direction and _BETWEEN.match(line):
            firm = False
        elif started and line.strip() not in (");", ")", "};"):
            if direction:
                direction = ""
                continue
            return


def _is_port_line(line: str) -> bool:
    named = re.match(rf"^({_BULLET})[`*_]*(?:\[[^\]]*\]\s*)?[A-Za-z]\w*[`*]*\s*(?:[,\[(:\u2013\u2014-]|$)", line)
    # `Implementation:` alone is another heading.
    return named is not None and (bool(named[1].strip()) or not line.rstrip().endswith(":"))


def _ports(direction: str, text: str) -> list[Listed] | None:
    """The ports of one line, as `wire [3:0] a, b: what they are`; none if it cannot be read wholly."""
    if direction == "inout":
        return None
    rest = re.sub(rf"^{_BULLET}", "", text).strip()
    rest = _KIND.sub("", rest)
    span, rest = _range(rest)
    names: list[tuple[str, tuple[str, str] | None]] = []
    while True:
        name = _NAME.match(rest)
        if name is None or name[1].lower() in _RESERVED:
            return None
        rest = rest[name.end() :]
        own, rest = _range(rest)
        names.append((name[1], own))
        more = re.match(r"^(?:,\s*and\s+|,\s*|and\s+)(?=[`*]*[A-Za-z])", rest)
        if more is None:
            break
        rest = rest[more.end() :]
    rest = rest.lstrip("`*").strip()
    size = _SIZE.match(rest)
    if size is None and _ANY_SIZE.match(rest):
        return None
    rest = rest[size.end() :] if size is not None else _REMARK.sub("", rest)
    words = ""
    if separator := _SEPARATOR.match(rest):
        words = rest[separator.end() :]
    elif rest.strip(" ,;.`*"):
        return None
    found = []
    for name_, own in names:
        bounds = _bounds(own or span, size[1] if size else "", words)
        if bounds is None:
            return None
        found.append(Listed(direction, name_, *bounds, numbered=(own or span) is not None))
    return found


def _range(text: str) -> tuple[tuple[str, str] | None, str]:
    text = text.lstrip("`* ")
    match = _RANGE.match(text)
    return ((match[1], match[2]), text[match.end() :].lstrip("`* ")) if match else (None, text)


def _bounds(span: tuple[str, str] | None, bits: str, words: str) -> tuple[int, int] | None:
    """The highest and the lowest index; none where the text leaves the width open or says two."""
    if span is not None:
        return (int(span[0]), int(span[1])) if span[0].isdigit() and span[1].isdigit() else None
    if bits:
        return int(bits) - 1, 0
    if _OPEN.search(words):
        return None
    inner = re.match(r".*\(\s*`?\[(\d+):(\d+)\]", words)
    if inner is not None:
        return int(inner[1]), int(inner[2])
    widths = {int(match[1]) for pattern in _BITS if (match := pattern.search(words))}
    if len(widths) > 1:
        return None
    width = widths.pop() if widths else 1
    return width - 1, 0


def prose_lines(text: str) -> list[str]:
    """The lines of a text that list no ports."""
    listed = {line.strip() for _, line, _ in _lines(text)}
    found = []
    for line in bare_lines(text):
        direct = _DIRECT.match(line)
        if (
            (direct is not None and direct[3].strip() in listed)
            or line.strip() in listed
            or line.strip() in (");", ")")
        ):
            continue
        if _HEADING.match(line):
            continue
        found.append(line)
    return found
