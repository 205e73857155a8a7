"""What a change of RTL changes by name: parameters, macros, ports, registers; and constants, which have no name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from veriloop.assistant.design.hunks import FileVersions, hunks
from veriloop.assistant.design.structure import Declared, Structure
from veriloop.assistant.design.syntax import SyntaxTree

_MACRO = re.compile(rb"^[ \t]*`define[ \t]+(\w+)[ \t]+([^\n]*?)[ \t\r]*(?://[^\n]*)?$", re.M)
_LITERAL = re.compile(r"(?<![\w'])(?:\d*'[sS]?([bBoOdDhH])\s*([0-9a-fA-F_]+)|(\d[\d_]*))(?![\w'])")
_BASES = {"b": 2, "o": 8, "d": 10, "h": 16}
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class ChangedName:
    """One thing that is another one after a change; `was` and `now` as written, empty where it is not there.

    `what` is `parameter`, `macro`, `port`, `register` or `constant`; a constant has no name.
    """

    name: str
    what: str
    was: str = ""
    now: str = ""

    def __str__(self) -> str:
        if not self.was and not self.now:
            return self.what
        return f"{self.what}, was {self.was or 'not there'}, is {self.now or 'gone'}"


def changed_names(before: bytes, after: bytes) -> tuple[ChangedName, ...]:
    """What differs between two versions of a file, each once."""
    found: dict[tuple[str, str], ChangedName] = {}
    old, new = _modules(before), _modules(after)
    changes = list(_values(_macros(before), _macros(after), "macro"))
    for name in dict.fromkeys((*old, *new)):
        changes += _of_module(old.get(name), new.get(name))
    for one in (*changes, *_constants(before, after)):
        found.setdefault((one.name, one.was if not one.name else ""), one)
    return tuple(found.values())


def number(text: str) -> int | None:
    """The value of a literal, where it is one."""
    match = _LITERAL.fullmatch(text.strip())
    if match is None:
        return None
    try:
        return int((match[2] or match[3]).replace("_", ""), _BASES[(match[1] or "d").lower()])
    except ValueError:
        return None


def _macros(content: bytes) -> dict[str, str]:
    return {name.decode(): text.decode("latin-1") for name, text in _MACRO.findall(content)}


def _modules(content: bytes) -> dict[str, Structure]:
    tree = SyntaxTree(content)
    structures = [Structure(tree, module) for module in tree.modules]
    return {one.name: one for one in structures}


def _values(old: Mapping[str, str], new: Mapping[str, str], what: str) -> Iterator[ChangedName]:
    for name in dict.fromkeys((*old, *new)):
        was, now = (_SPACE.sub(" ", one.get(name, "")) for one in (old, new))
        if was != now or (name in old) != (name in new):
            yield ChangedName(name, what, was, now)


def _of_module(old: Structure | None, new: Structure | None) -> Iterator[ChangedName]:
    if old is None or new is None:
        # A module that comes or goes is more than a name that changes.
        return
    yield from _values(old.parameters, new.parameters, "parameter")
    for name in dict.fromkeys((*old.signals, *new.signals)):
        was, now = old.signals.get(name), new.signals.get(name)
        one = now or was
        if one is not None and _declared(was) != _declared(now) and (one.direction or one.is_variable):
            yield ChangedName(name, "port" if one.direction else "register", _declared(was), _declared(now))
    made, makes = _made(old), _made(new)
    for name, _ in {**(made - makes), **(makes - made)}:
        declared = new.signals.get(name) or old.signals.get(name)
        if declared is not None and (declared.direction or declared.is_variable):
            yield ChangedName(name, "port" if declared.direction else "register")


def _declared(one: Declared | None) -> str:
    return " ".join(filter(None, (one.direction, one.range_text or "1 bit"))) if one is not None else ""


def _made(structure: Structure) -> Counter[tuple[str, str]]:
    """What is assigned, by the text that assigns it and the signals that decide about it."""
    text = structure.tree.text
    return Counter(
        (name, _SPACE.sub(" ", f"{text(one.node)} {sorted(one.reads)}"))
        for one in structure.assignments
        for name in one.targets
    )


def _constants(before: bytes, after: bytes) -> Iterator[ChangedName]:
    """The literals that another one replaces where lines are otherwise the same."""
    for hunk in hunks(FileVersions(path="", before=before, after=after)):
        old, new = (b"".join(one).decode("latin-1") for one in (hunk.old, hunk.new))
        if _LITERAL.sub("#", old) == _LITERAL.sub("#", new):
            for was, now in zip(_LITERAL.finditer(old), _LITERAL.finditer(new), strict=True):
                if was[0] != now[0]:
                    yield ChangedName("", "constant", was[0], now[0])
