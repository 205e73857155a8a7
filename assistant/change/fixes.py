"""What would mend a finding of lint, where the rule leaves one answer: shown as a patch, never applied by itself."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from veriloop.assistant.design.edits import Edit, edited
from veriloop.assistant.design.model import Diagnostic

_NAME = re.compile(rb"[A-Za-z_][\w$]*")
_INDENT = re.compile(rb"[ \t]*")


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that mends a finding."""

    finding: Diagnostic
    edit: Edit
    said: str
    """In a few words."""

    def __str__(self) -> str:
        return f"{self.finding.path}:{self.finding.line}: {self.said} [{self.finding.code}]"


def fixes(findings: Iterable[Diagnostic], contents: Mapping[str, bytes]) -> tuple[Fix, ...]:
    """The fixes of those findings that have one; of two that meet in the text, the first.

    Args:
        findings: of lint, with their places in `contents`.
        contents: files by their path.
    """
    found: list[Fix] = []
    taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in findings:
        maker, content = _MAKERS.get(one.code), contents.get(one.path)
        fix = maker(one, content) if maker is not None and content is not None else None
        if fix is None:
            continue
        span = (fix.edit.start, fix.edit.end)
        apart = all(span[0] >= end or span[1] <= start for start, end in taken[one.path])
        if apart and span not in taken[one.path]:
            taken[one.path].append(span)
            found.append(fix)
    return tuple(found)


def as_patch(found: Iterable[Fix], contents: Mapping[str, bytes]) -> str:
    """All fixes as one unified diff, for `git apply` or `veriloop check PATCH --apply`."""
    by_path: dict[str, list[Edit]] = defaultdict(list)
    for fix in found:
        by_path[fix.edit.path].append(fix.edit)
    lines: list[str] = []
    for path, edits in sorted(by_path.items()):
        after = edited({path: contents[path]}, edits)[path]
        old, new = (
            text.decode("utf-8", errors="surrogateescape").splitlines(keepends=True) for text in (contents[path], after)
        )
        for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"):
            lines.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(lines)


def _offset(one: Diagnostic, content: bytes) -> int | None:
    """The byte that a finding points at; columns count bytes, from 1."""
    lines = content.split(b"\n")
    if not 0 < one.line <= len(lines) or not 0 < one.column <= len(lines[one.line - 1]):
        return None
    return sum(len(line) + 1 for line in lines[: one.line - 1]) + one.column - 1


def _token(old: bytes, new: bytes, said: str) -> Callable[[Diagnostic, bytes], Fix | None]:
    """Another token where the finding points at one."""

    def make(one: Diagnostic, content: bytes) -> Fix | None:
        at = _offset(one, content)
        if at is None or not content.startswith(old, at) or content[at + len(old) : at + len(old) + 1] == b"=":
            return None
        return Fix(one, Edit(path=one.path, start=at, end=at + len(old), text=new), said)

    return make


def _declared(one: Diagnostic, content: bytes) -> Fix | None:
    """A declaration of what is implicit, before the line that uses it: a wire of one bit, as it is now."""
    at = _offset(one, content)
    name = _NAME.match(content, at) if at is not None else None
    if at is None or name is None:
        return None
    start = content.rfind(b"\n", 0, at) + 1
    indent = _INDENT.match(content, start)
    head = indent[0] if indent else b""
    text = head + b"wire " + name[0] + b";\n"
    said = f"declare `wire {name[0].decode()};`, which is what it is taken for"
    return Fix(one, Edit(path=one.path, start=start, end=start, text=text), said)


def _ended(one: Diagnostic, content: bytes) -> Fix | None:
    if content.endswith(b"\n"):
        return None
    end = len(content)
    return Fix(one, Edit(path=one.path, start=end, end=end, text=b"\n"), "end the last line")


_MAKERS: dict[str, Callable[[Diagnostic, bytes], Fix | None]] = {
    "BLKSEQ": _token(b"=", b"<=", "`<=` for `=`"),
    "COMBDLY": _token(b"<=", b"=", "`=` for `<=`"),
    "INITIALDLY": _token(b"<=", b"=", "`=` for `<=`"),
    "CASEX": _token(b"casex", b"casez", "`casez` for `casex`"),
    "IMPLICIT": _declared,
    "EOFNEWLINE": _ended,
}
