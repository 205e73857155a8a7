"""A change cut into hunks that can be taken one by one, and put together again from any of them, byte for byte."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_TIGHT_LINES = 4000
"""Above so many changed lines, equal lines that occur everywhere no longer count: it would take minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersions:
    """A file before and after a change; none: it is not there."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Lines that are replaced: `old`, from line `line` on (counted from 1), become `new`; with their ends."""

    path: str
    line: int
    old: tuple[bytes, ...]
    new: tuple[bytes, ...]


def hunks(file: FileVersions) -> tuple[Hunk, ...]:
    """The runs of changed lines of a file; one that comes or goes as a whole is one."""
    if file.before is None or file.after is None:
        return (Hunk(path=file.path, line=1, old=lines(file.before or b""), new=lines(file.after or b"")),)
    old, new = lines(file.before), lines(file.after)
    return tuple(
        Hunk(path=file.path, line=low + 1, old=old[low:high], new=new[first:last])
        for low, high, first, last in _changed(old, new)
    )


def assembled(file: FileVersions, made: Mapping[int, Sequence[bytes]]) -> bytes | None:
    """The file with some of its hunks made.

    Args:
        file: before and after the whole change.
        made: by the hunk's place among `hunks(file)`, the lines that stand there in the end: the hunk's own, or others.
            Those that are not named stay as they were.
    """
    found = hunks(file)
    if file.before is None or file.after is None:
        if 0 not in made:
            return file.before
        return file.after if tuple(made[0]) == found[0].new else b"".join(made[0])
    old = lines(file.before)
    pieces: list[bytes] = []
    position = 0
    for place, hunk in enumerate(found):
        start = hunk.line - 1
        pieces += old[position:start]
        pieces += made.get(place, hunk.old)
        position = start + len(hunk.old)
    return b"".join([*pieces, *old[position:]])


def patch(files: Sequence[FileVersions], *, context_lines: int = 3) -> bytes:
    """A unified diff that `git apply` takes, in the files' own bytes; empty where nothing differs."""
    return b"".join(_patch(file, context_lines) for file in files if file.before != file.after)


def lines(content: bytes) -> tuple[bytes, ...]:
    """The lines with their ends, which are newlines alone: a carriage return is part of its line, as it is to git."""
    pieces = content.split(b"\n")
    last = pieces.pop()
    return (*(piece + b"\n" for piece in pieces), *([last] if last else []))


def _changed(old: Sequence[bytes], new: Sequence[bytes]) -> Iterator[tuple[int, int, int, int]]:
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    ours, theirs = old[head : len(old) - tail], new[head : len(new) - tail]
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=len(ours) + len(theirs) > _TIGHT_LINES)
    for tag, low, high, first, last in matcher.get_opcodes():
        if tag != "equal":
            yield head + low, head + high, head + first, head + last


def _patch(file: FileVersions, context_lines: int) -> bytes:
    name = file.path.encode("utf-8", errors="surrogateescape")
    old = b"/dev/null" if file.before is None else b"a/" + name
    new = b"/dev/null" if file.after is None else b"b/" + name
    mode = b"new file mode 100644\n" if file.before is None else b""
    mode = b"deleted file mode 100644\n" if file.after is None else mode
    # Without the header, git takes a path with spaces for one that ends at the first of them.
    result = [b"diff --git a/%s b/%s\n" % (name, name), mode]
    body = difflib.diff_bytes(
        difflib.unified_diff, lines(file.before or b""), lines(file.after or b""), old, new, n=context_lines
    )
    for line in body:
        result.append(line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n")
    return b"".join(result)
