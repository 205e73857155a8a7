"""What names what a change has changed outside of the RTL: register descriptions, configuration, headers, documents.

They are shown, to be looked at, and never edited. Words are compared, so a line may be about something else.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.design.changed_names import ChangedName, changed_names, number
from veriloop.assistant.design.roles import is_test_path

_KINDS = {
    "register description": (".rdl", ".hjson", ".xml", ".svd", ".ipxact", ".csv", ".tsv", ".ralf"),
    "header": (".h", ".hh", ".hpp", ".inc"),
    "configuration": (".json", ".yml", ".yaml", ".toml", ".ini", ".cfg", ".core", ".tcl", ".sdc", ".xdc"),
    "documentation": (".md", ".rst", ".txt", ".adoc", ".tex", ".org", ".wiki"),
}
_KIND_OF = {suffix: kind for kind, suffixes in _KINDS.items() for suffix in suffixes}
_VALUED = ("register description", "header")
"""Kinds in which a bare value is an address or a constant, rather than any number."""
_ASIDE = re.compile(r"(?:^|/)(?:\.\w|licen[cs]e|copying|change(?:s|log)|news|authors|requirements)", re.I)
_SUFFIX = re.compile(r"_(?:reg|new|next|nxt|ff|[qdrio])$", re.I)
_MOST_BYTES = 400_000
_MOST_FILES = 4000
_MOST = 20
_SHORTEST = 4
_LEAST_VALUE = 16
"""Smaller constants stand everywhere."""
_LINE_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """A line that names something that a change has changed.

    Attributes:
        path: from the root of the tree.
        line: counted from 1.
        kind: `register description`, `header`, `configuration` or `documentation`.
        name: as the line has it.
        change: what happened to it, in words.
        stale: the line has the value as it was.
        text: the line.
    """

    path: str
    line: int
    kind: str
    name: str
    change: str
    stale: bool
    text: str

    def __str__(self) -> str:
        stale = "; it has the value as it was" if self.stale else ""
        return f"{self.path}:{self.line} ({self.kind}) has {self.name}: {self.change}{stale}"

    def data(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def mentions(root: Path, contents: Mapping[str, tuple[bytes, bytes]]) -> tuple[Mention, ...]:
    """The lines of a tree that name what a change has changed, those first that have a value as it was.

    Args:
        root: a private copy of the tree with the change.
        contents: the changed files, before and after.
    """
    names = [one for before, after in contents.values() for one in changed_names(before, after)]
    wanted = _wanted(names)
    if not wanted:
        return ()
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in wanted), re.I)
    found: dict[tuple[str, str], Mention] = {}
    for path, kind in _files(root, set(contents)):
        try:
            lines = (root / path).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        for index, line in enumerate(lines, start=1):
            for match in pattern.finditer(line):
                one = _mention(path, index, kind, match[0], wanted[match[0].lower()], line)
                known = found.get((path, match[0].lower())) if one is not None else None
                if one is not None and (known is None or (one.stale and not known.stale)):
                    found[path, match[0].lower()] = one
    order = list(_KINDS)
    ranked = sorted(found.values(), key=lambda one: (not one.stale, order.index(one.kind), one.path, one.line))
    return tuple(ranked[:_MOST])


def _wanted(names: Sequence[ChangedName]) -> dict[str, ChangedName]:
    """What to look for, in lower case."""
    found: dict[str, ChangedName] = {}
    for one in names:
        words = {one.name, _SUFFIX.sub("", one.name)} if one.name else set(_spelt(number(one.was)))
        for word in words:
            if len(word) >= _SHORTEST or "_" in word or not one.name:
                found.setdefault(word.lower(), one)
    return found


def _spelt(value: int | None) -> Iterator[str]:
    """How a number may be written."""
    if value is not None and value >= _LEAST_VALUE:
        digits = f"{value:x}"
        yield from (f"0x{digits.zfill(width)}" for width in sorted({len(digits), 2, 4, 8}) if width >= len(digits))
        yield f"'h{digits}"
        if value >= _LEAST_VALUE * _LEAST_VALUE:
            yield str(value)


def _mention(path: str, line: int, kind: str, word: str, one: ChangedName, text: str) -> Mention | None:
    if not one.name and kind not in _VALUED and "|" not in text:
        return None
    was = number(one.was)
    stale = not one.name or (was is not None and _has(text.replace(word, " "), was, one.was))
    return Mention(
        path=path, line=line, kind=kind, name=word, change=str(one), stale=stale, text=text.strip()[:_LINE_CHARS]
    )


def _has(text: str, value: int, written: str) -> bool:
    words = [written, str(value), *_spelt(value), f"0x{value:x}", f"0x{value:02x}"]
    return any(re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.]\w)(?!\w)", text, re.I) for word in words)


def _files(root: Path, changed: set[str]) -> Iterator[tuple[str, str]]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            full = Path(folder, name)
            kind = _KIND_OF.get(full.suffix.lower())
            if kind is None or full.is_symlink():
                continue
            path = full.relative_to(root)
            if path.as_posix() in changed or is_test_path(path) or _ASIDE.search(path.as_posix()):
                continue
            if full.stat().st_size <= _MOST_BYTES and count < _MOST_FILES:
                count += 1
                yield path.as_posix(), kind
