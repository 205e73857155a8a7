"""The functions of GNU make that Makefiles use to name files, without those that act."""

from __future__ import annotations

import ast
import itertools
import operator
import os
import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from veriloop.assistant.project.tree import Tree


class Scope(Protocol):
    """What a function may ask."""

    @property
    def tree(self) -> Tree:
        """The files."""
        ...

    @property
    def directory(self) -> Path:
        """Where make runs, relative to the root."""
        ...

    def expand(self, text: str, **variables: str) -> str:
        """A text with its references replaced, some variables having other values."""
        ...

    def raw(self, name: str) -> str:
        """A variable's text as it was assigned."""
        ...

    def note_error(self, text: str) -> None:
        """Remembers what `$(error ...)` says."""
        ...

    def note_unknown(self, text: str) -> None:
        """Remembers a call that was not answered."""
        ...


_MARKS = re.compile(r"[(){},]")


def arguments(text: str, most: int = 0) -> list[str]:
    """The arguments of a call, at commas that stand in no brackets; at most so many."""
    found: list[str] = []
    depth = start = 0
    for mark in _MARKS.finditer(text):
        if mark[0] != ",":
            depth += 1 if mark[0] in "({" else -1
        elif depth == 0 and (not most or len(found) < most - 1):
            found.append(text[start : mark.start()])
            start = mark.end()
    return [*found, text[start:]]


def _stem(pattern: str, word: str) -> str | None:
    before, percent, after = pattern.partition("%")
    if not percent:
        return "" if word == pattern else None
    fits = word.startswith(before) and word.endswith(after) and len(word) >= len(before) + len(after)
    return word[len(before) : len(word) - len(after)] if fits else None


def _patsubst(scope: Scope, text: str) -> str:
    pattern, replacement, words = (*arguments(text, 3), "", "")[:3]
    pattern, replacement = scope.expand(pattern).strip(), scope.expand(replacement).strip()
    found = []
    for word in scope.expand(words).split():
        stem = _stem(pattern, word)
        found.append(word if stem is None else replacement.replace("%", stem, 1))
    return " ".join(found)


def _subst(scope: Scope, text: str) -> str:
    old, new, words = (*arguments(text.lstrip(), 3), "", "")[:3]
    old = scope.expand(old)
    return scope.expand(words).replace(old, scope.expand(new)) if old else scope.expand(words)


def _filter(scope: Scope, text: str, *, keep: bool) -> str:
    patterns, words = (*arguments(text, 2), "")[:2]
    wanted = scope.expand(patterns).split()
    return " ".join(
        word
        for word in scope.expand(words).split()
        if any(_stem(pattern, word) is not None for pattern in wanted) is keep
    )


def _wildcard(scope: Scope, text: str) -> str:
    here = scope.tree.root / scope.directory
    found: list[str] = []
    for pattern in scope.expand(text).split():
        for path in scope.tree.glob(pattern, scope.directory):
            full = scope.tree.root / path
            found.append(str(full) if pattern.startswith("/") else os.path.relpath(full, here))
    return " ".join(found)


def _absolute(scope: Scope, text: str) -> str:
    here = str(scope.tree.root / scope.directory)
    return " ".join(os.path.normpath(os.path.join(here, word)) for word in scope.expand(text).split())  # noqa: PTH118 - make's words


def _each(change: Callable[[str], str]) -> Callable[[Scope, str], str]:
    return lambda scope, text: " ".join(change(word) for word in scope.expand(text).split())


def _affix(scope: Scope, text: str, *, front: bool) -> str:
    affix, words = (*arguments(text, 2), "")[:2]
    affix = scope.expand(affix).strip()
    return " ".join(affix + word if front else word + affix for word in scope.expand(words).split())


def _foreach(scope: Scope, text: str) -> str:
    name, words, body = (*arguments(text, 3), "", "")[:3]
    name = scope.expand(name).strip()
    return " ".join(scope.expand(body, **{name: word}) for word in scope.expand(words).split())


def _if(scope: Scope, text: str) -> str:
    condition, then, otherwise = (*arguments(text, 3), "", "")[:3]
    return scope.expand(then if scope.expand(condition).strip() else otherwise)


def _call(scope: Scope, text: str) -> str:
    name, *given = arguments(text)
    variables = {str(number): scope.expand(value).strip() for number, value in enumerate(given, start=1)}
    return scope.expand(scope.raw(scope.expand(name).strip()), **variables)


def _word(scope: Scope, text: str) -> str:
    number, words = (*arguments(text, 2), "")[:2]
    found = scope.expand(words).split()
    index = int(number) if scope.expand(number).strip().isdigit() else 0
    return found[index - 1] if 0 < index <= len(found) else ""


def _sort(scope: Scope, text: str) -> str:
    return " ".join(sorted(set(scope.expand(text).split())))


def _error(scope: Scope, text: str) -> str:
    scope.note_error(scope.expand(text))
    return ""


def _or(scope: Scope, text: str) -> str:
    return next((value for one in arguments(text) if (value := scope.expand(one).strip())), "")


def _and(scope: Scope, text: str) -> str:
    values = [scope.expand(one).strip() for one in arguments(text)]
    return values[-1] if all(values) else ""


def _shell(scope: Scope, text: str) -> str:
    """What a shell would print, of commands that only look."""
    command = scope.expand(text).strip()
    for known, answer in _SHELL.items():
        if (found := re.fullmatch(known, command, re.S)) is not None:
            return answer(scope, found)
    scope.note_unknown(command)
    return ""


def _find(scope: Scope, found: re.Match[str]) -> str:
    """`find DIR -name PATTERN`, and `ls PATTERN`."""
    try:
        words = shlex.split(found[0])
    except ValueError:
        return ""
    if words[0] == "ls":
        return _wildcard(scope, " ".join(word for word in words[1:] if not word.startswith("-")))
    places = [word for word in words[1:] if not word.startswith(("-", "("))][:1] or ["."]
    patterns = [after for word, after in itertools.pairwise(words) if word in ("-name", "-iname")]
    here = scope.tree.root / scope.directory
    paths = [
        os.path.relpath(scope.tree.root / path, here)
        for place in places
        for pattern in patterns or ["*"]
        for path in scope.tree.glob(f"{place}/**/{pattern}", scope.directory)
    ]
    return " ".join(paths)


def _arithmetic(_: Scope, found: re.Match[str]) -> str:
    """`echo $(( ... ))` of whole numbers."""
    try:
        return str(int(_number(ast.parse(found[1].strip().replace("/", "//"), mode="eval").body)))
    except (SyntaxError, ValueError, ArithmeticError, RecursionError):
        return ""


def _number(node: ast.expr) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return int(_UNARY[type(node.op)](_number(node.operand)))
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right = _number(node.left), _number(node.right)
        if isinstance(node.op, ast.Pow | ast.LShift) and right > 64:
            raise ValueError("too large")
        return int(_BINARY[type(node.op)](left, right))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARE:
        return int(_COMPARE[type(node.ops[0])](_number(node.left), _number(node.comparators[0])))
    raise ValueError("no number")


_UNARY: Mapping[type, Callable[[int], int]] = {ast.USub: operator.neg, ast.Not: operator.not_, ast.Invert: operator.inv}
_BINARY: Mapping[type, Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
}
_COMPARE: Mapping[type, Callable[[int, int], bool]] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def _plain_echo(_: Scope, found: re.Match[str]) -> str:
    return " ".join(found[1].replace('"', "").replace("'", "").split())


_SHELL: Mapping[str, Callable[[Scope, re.Match[str]], str]] = {
    r"pwd(?: -P)?": lambda scope, _: str(scope.tree.root / scope.directory),
    r"git rev-parse --show-toplevel.*": lambda scope, _: str(scope.tree.root),
    r"cocotb-config\s+--makefiles.*": lambda _, __: "$cocotb",
    r"cocotb-config\b.*": lambda _, __: "$cocotb",
    # Whether the program is there is asked elsewhere; here the repository's own way is followed.
    r"(?:which|command -v|type -p)\s+([^\s;|&>]+).*": lambda _, found: f"/usr/bin/{found[1]}",
    r"(?:bash -c [\"'])?verilator -V.*": lambda _, __: "/usr/share/verilator",
    r"uname(?: -\w)?": lambda _, found: {"uname -m": "x86_64", "uname -o": "GNU/Linux"}.get(found[0], "Linux"),
    r"nproc.*": lambda _, __: "1",
    r"echo\s+\$\(\((.*)\)\)\s*": _arithmetic,
    r"echo\s+([^|;&`$<>]*)": _plain_echo,
    r"(?:find|ls)\s[^|;&`$]*": _find,
    r"cd\s+(\S+)\s*(?:&&|;)\s*pwd(?: -P)?": lambda scope, found: _absolute(scope, found[1]),
    r"(?:realpath|readlink -f|readlink -e)\s+(\S+)": lambda scope, found: _absolute(scope, found[1]),
    r"dirname\s+(\S+)": lambda _, found: os.path.dirname(found[1]) or ".",  # noqa: PTH120 - make's words
    r"basename\s+(\S+)": lambda _, found: os.path.basename(found[1]),  # noqa: PTH119 - make's words
}

FUNCTIONS: Mapping[str, Callable[[Scope, str], str]] = {
    "patsubst": _patsubst,
    "subst": _subst,
    "filter": lambda scope, text: _filter(scope, text, keep=True),
    "filter-out": lambda scope, text: _filter(scope, text, keep=False),
    "wildcard": _wildcard,
    "abspath": _absolute,
    "realpath": _absolute,
    "dir": _each(lambda word: word[: word.rfind("/") + 1] or "./"),
    "notdir": _each(lambda word: word.rpartition("/")[2]),
    "basename": _each(lambda word: os.path.splitext(word)[0]),  # noqa: PTH122 - make's words
    "suffix": _each(lambda word: os.path.splitext(word)[1]),  # noqa: PTH122 - make's words
    "addprefix": lambda scope, text: _affix(scope, text, front=True),
    "addsuffix": lambda scope, text: _affix(scope, text, front=False),
    "foreach": _foreach,
    "if": _if,
    "or": _or,
    "and": _and,
    "call": _call,
    "word": _word,
    "firstword": lambda scope, text: next(iter(scope.expand(text).split()), ""),
    "lastword": lambda scope, text: next(reversed(scope.expand(text).split()), ""),
    "words": lambda scope, text: str(len(scope.expand(text).split())),
    "sort": _sort,
    "strip": lambda scope, text: " ".join(scope.expand(text).split()),
    "findstring": lambda scope, text: _findstring(scope, text),
    "shell": _shell,
    "error": _error,
    "warning": lambda scope, text: "",
    "info": lambda scope, text: "",
    "eval": lambda scope, text: "",
    "value": lambda scope, text: scope.raw(text.strip()),
    "origin": lambda scope, text: "file" if scope.raw(text.strip()) else "undefined",
    "flavor": lambda scope, text: "recursive" if scope.raw(text.strip()) else "undefined",
}


def _findstring(scope: Scope, text: str) -> str:
    wanted, words = (*arguments(text, 2), "")[:2]
    wanted = scope.expand(wanted).strip()
    return wanted if wanted in scope.expand(words) else ""
