"""Rows of training data from a git repository: its modules with what their comments say, and the fixes of its bugs."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from veriloop.assistant.design.project import SOURCE_SUFFIXES
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.events import CancelToken
from veriloop.assistant.repository.history import Commit, commits, content
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.training.mine.filters import Seen, impersonal, refusal
from veriloop.assistant.training.row import LineEdit, Note, Row, Spec, Split

KIND = "mined"
_FIX = re.compile(
    r"\b(?:fix(?:e[sd]|ing)?|bug(?:s|fix)?|hotfix|wrong|incorrect(?:ly)?|mistake|typo|broken|repair(?:ed)?|regression|"
    r"off.by.one|missing|deadlock|overflow|mismatch)\b",
    re.I,
)
_NO_FIX = re.compile(
    r"\b(?:comments?|docs?|readme|lint|whitespace|indent\w*|format\w*|rename\w*|licen[cs]e|merge)\b", re.I
)
_MOST_FILES = 4
_MOST_LINES = 8
_MOST_BYTES = 200_000
_HELD_OUT = 10
"""One file in so many is kept out of training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Module:
    name: str
    text: str
    about: str


def mined(
    repository: Repository, *, most_commits: int, any_licence: bool, dropped: Counter[str], cancel: CancelToken
) -> Iterator[Row]:
    """The rows of a repository: the modules of its last commit, then what its fixes have changed in modules.

    Args:
        repository: where.
        most_commits: how far back is looked for fixes.
        any_licence: whether other people's licences do not matter.
        dropped: counts what was left out, by the reason.
        cancel: stops it.
    """
    seen = Seen()
    tree = repository.head_tree()
    for path in sorted(repository.entries(tree)):
        cancel.check()
        if _is_rtl(path):
            text = _readable(repository.read(tree, path), any_licence, dropped)
            for number, module in enumerate(_modules(text)):
                if seen.again(module.text):
                    dropped["near copy"] += 1
                else:
                    yield _row(path, number, module)
    fixes = Seen()
    for commit in commits(repository, most=most_commits):
        cancel.check()
        for row in _fixes(repository, commit, any_licence, dropped):
            if fixes.again(f"{row.buggy}\n{' '.join(' '.join(edit.fixed) for edit in row.edits)}"):
                dropped["near copy"] += 1
            else:
                yield row


def is_fix(subject: str) -> bool:
    """Whether a commit says that it mends RTL that was wrong."""
    return bool(_FIX.search(subject)) and not _NO_FIX.search(subject)


def _fixes(repository: Repository, commit: Commit, any_licence: bool, dropped: Counter[str]) -> Iterator[Row]:
    changed = [one for one in commit.changed if _is_rtl(one.path)]
    if not is_fix(commit.subject) or not 0 < len(changed) <= _MOST_FILES:
        return
    for number, one in enumerate(changed):
        before = {
            module.name: module for module in _modules(_readable(content(repository, one.before), any_licence, dropped))
        }
        for module in _modules(_readable(content(repository, one.after), any_licence, dropped)):
            buggy = before.get(module.name)
            edits = line_edits(buggy.text, module.text) if buggy is not None else ()
            if buggy is None or not edits:
                continue
            if sum(max(len(edit.buggy), len(edit.fixed)) for edit in edits) > _MOST_LINES:
                dropped["too large a fix"] += 1
                continue
            yield _row(one.path, number, module, buggy=buggy.text, edits=edits, slip=commit.subject)


def line_edits(buggy: str, fixed: str) -> tuple[LineEdit, ...]:
    """What makes one text of another, line by line; nothing where only comments and spaces differ."""
    one, two = buggy.split("\n"), fixed.split("\n")
    found = []
    for tag, low, high, start, end in difflib.SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        old, new = tuple(one[low:high]), tuple(two[start:end])
        if tag == "equal" or [_code(line) for line in old if _code(line)] == [
            _code(line) for line in new if _code(line)
        ]:
            continue
        if len(old) == len(new):
            pairs = zip(range(low, high), old, new, strict=True)
            found += [LineEdit(line=at + 1, buggy=(a,), fixed=(b,)) for at, a, b in pairs if _code(a) != _code(b)]
        else:
            found.append(LineEdit(line=low + 1, buggy=old, fixed=new))
    return tuple(found)


def _codes(lines: Sequence[str]) -> list[str]:
    return [code for line in lines if (code := _code(line))]


def _code(line: str) -> str:
    return " ".join(re.sub(r"//.*|/\*.*?\*/", " ", line).split())


def _row(
    path: str, number: int, module: _Module, *, buggy: str = "", edits: Sequence[LineEdit] = (), slip: str = ""
) -> Row:
    # By the file, so that what was a fix there does not meet training either.
    split: Split = "family" if crc32(path.encode()) % _HELD_OUT == 0 else "train"
    return Row(
        family=f"{KIND}:{Path(path).stem}",
        kind=KIND,
        seed=number,
        variant=0,
        style={},
        split=split,
        task="repair" if edits else "module",
        top=module.name,
        rtl=module.text,
        spec=Spec(module=module.about, blocks=tuple(_remarks(module.text))),
        buggy=buggy,
        slip=slip[:120],
        edits=tuple(edits),
    )


def _remarks(text: str) -> Iterator[Note]:
    """Comments on lines of their own, each about the line below it."""
    for number, line in enumerate(text.split("\n"), 1):
        match = re.fullmatch(r"\s*//+\s*(\w.*?)\s*", line)
        if match is not None and not match[1].endswith(";"):
            yield Note(line=number + 1, text=match[1])


def _is_rtl(path: str) -> bool:
    return Path(path).suffix.lower() in SOURCE_SUFFIXES and not is_test_path(Path(path))


def _readable(data: bytes | None, any_licence: bool, dropped: Counter[str]) -> str:
    """A file's text; empty where it may not be learnt from."""
    if data is None or len(data) > _MOST_BYTES:
        return ""
    try:
        text = data.decode().replace("\r\n", "\n")
    except UnicodeDecodeError:
        dropped["no UTF-8"] += 1
        return ""
    why = refusal(text, any_licence=any_licence)
    if why:
        dropped[why] += 1
        return ""
    return impersonal(text)


def _modules(text: str) -> Iterator[_Module]:
    """The modules of a text that a parser understands, each with the comment above it."""
    data = text.encode()
    for node in SyntaxTree(data).modules:
        if node.has_error:
            continue
        body = data[node.start_byte : node.end_byte].decode()
        name = re.search(r"\bmodule\s+(?:automatic\s+|static\s+)?(\w+)", body)
        if name is not None:
            yield _Module(name=name[1], text=body + "\n", about=_comment_above(data[: node.start_byte].decode()))


def _comment_above(text: str) -> str:
    """The words of the comment that ends where a module begins; what is about licences and files is left out."""
    match = re.search(r"((?:[ \t]*//[^\n]*\n)+|/\*(?:(?!\*/).)*\*/\s*)\s*\Z", text, re.S)
    if match is None:
        return ""
    lines = [re.sub(r"^[\s/*=#-]+|[\s/*=#-]+$", "", line) for line in match[1].split("\n")]
    apart = re.compile(r"(?i)copyright|licen[cs]e|spdx|warrant|redistribut|timescale|^(?:file|author|date|company)\b")
    kept = [line for line in lines if line and not apart.search(line)]
    return " ".join(kept)[:600]
