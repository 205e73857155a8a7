"""Byte-range edits: every byte of a file that an edit does not name stays as it is."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from veriloop.assistant.errors import PatchConflict


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Edit:
    """Bytes `start` up to `end` of a file become `text`.

    `path` is relative to the root of the tree, with `/`. A file that is not there is created by an edit of 0 to 0.
    """

    path: str
    start: int
    end: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """Edits and the tree that they were made for (a git tree id)."""

    edits: tuple[Edit, ...]
    base: str

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that it touches, sorted, once each."""
        return tuple(sorted({edit.path for edit in self.edits}))


def apply_edits(content: bytes, edits: Iterable[Edit]) -> bytes:
    """The content with the edits of one file made.

    Raises:
        PatchConflict: two of them overlap, or one lies outside the content.
    """
    pieces: list[bytes] = []
    position = 0
    for edit in sorted(edits):
        if edit.start < position or edit.end < edit.start or edit.end > len(content):
            raise PatchConflict(f"edits of {edit.path} overlap or lie outside the file at byte {edit.start}")
        pieces += [content[position : edit.start], edit.text]
        position = edit.end
    return b"".join([*pieces, content[position:]])


def edited(contents: Mapping[str, bytes], edits: Iterable[Edit]) -> dict[str, bytes]:
    """The touched files after the edits; `contents` holds each of them as it was (absent: it is created)."""
    by_path: dict[str, list[Edit]] = {}
    for edit in edits:
        by_path.setdefault(edit.path, []).append(edit)
    return {path: apply_edits(contents.get(path, b""), group) for path, group in by_path.items()}


def differences(before: bytes, after: bytes) -> tuple[tuple[int, int, bytes], ...]:
    """Replacements (first byte, byte after the last, new text) that make one text the other: few, small, in order."""
    start = _common(before, after)
    tail = min(_common(before[::-1], after[::-1]), len(before) - start, len(after) - start)
    old, new = before[start : len(before) - tail], after[start : len(after) - tail]
    if b"\n" not in old:
        return ((start, start + len(old), new),) if old or new else ()
    found: list[tuple[int, int, bytes]] = []
    ours, theirs = old.splitlines(keepends=True), new.splitlines(keepends=True)
    at = list(itertools.accumulate(map(len, ours), initial=start))
    for tag, low, high, first, last in difflib.SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if high - low == last - first:
            # As many lines as before: each of them was changed by itself.
            pairs = [(at[line], ours[line], theirs[first + line - low]) for line in range(low, high)]
        else:
            pairs = [(at[low], b"".join(ours[low:high]), b"".join(theirs[first:last]))]
        for begin, gone, come in pairs:
            head = _common(gone, come)
            rest = min(_common(gone[::-1], come[::-1]), len(gone) - head, len(come) - head)
            found.append((begin + head, begin + len(gone) - rest, come[head : len(come) - rest]))
    return tuple(found)


def _common(one: bytes, two: bytes) -> int:
    """How many leading bytes are equal."""
    low, high = 0, min(len(one), len(two))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == two[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def unified_diff(path: str, before: bytes, after: bytes, *, context_lines: int = 3) -> str:
    """A unified diff with git's `a/` and `b/`, as text; bytes that are no UTF-8 are shown replaced."""

    def lines(content: bytes) -> list[str]:
        return content.decode("utf-8", errors="replace").splitlines(keepends=True)

    result: list[str] = []
    for line in difflib.unified_diff(
        lines(before), lines(after), fromfile=f"a/{path}", tofile=f"b/{path}", n=context_lines
    ):
        result.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(result)
