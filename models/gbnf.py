"""Whether a GBNF grammar may be handed to llama.cpp, which ends the process on one that names a rule it lacks."""

from __future__ import annotations

import re

from veriloop.models.errors import BadGrammar

_TOKEN = re.compile(
    r"""(?P<space>[ \t]+|\#[^\n]*)|(?P<newline>\r?\n)|(?P<literal>"(?:[^"\\\n]|\\.)*")"""
    r"""|(?P<class>\[(?:[^\]\\\n]|\\.)*\])"""
    r"""|(?P<is>::=)|(?P<name>[A-Za-z][A-Za-z0-9_-]*)|(?P<repeat>[*+?]|\{\d*,?\d*\})|(?P<mark>[()|.])"""
)
_DEEPEST = 200


def check_grammar(text: str) -> None:
    """Accepts a grammar whose parts are well formed and whose rules are all there.

    Raises:
        BadGrammar: it is not, in words that name the line.
    """
    defined: dict[str, int] = {}
    used: dict[str, int] = {}
    line, depth, at, previous = 1, 0, 0, ""
    names: list[tuple[str, int, int]] = []
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise BadGrammar(f"line {line} of the grammar: {text[at : at + 20].splitlines()[0]!r} is not understood")
        kind = match.lastgroup or ""
        at = match.end()
        if kind == "newline":
            line += 1
        elif kind == "is":
            if not names or names[-1][2] != depth or previous != "name":
                raise BadGrammar(f"line {line} of the grammar: `::=` without a name before it")
            name, where, _ = names.pop()
            if name in defined:
                raise BadGrammar(f"line {where} of the grammar: {name} is defined twice")
            defined[name] = where
        elif kind == "name":
            names.append((match[0], line, depth))
        elif kind == "mark":
            depth += (match[0] == "(") - (match[0] == ")")
            if depth < 0 or depth > _DEEPEST:
                raise BadGrammar(f"line {line} of the grammar: brackets do not match")
        elif kind == "repeat" and previous in {"", "is", "repeat"}:
            raise BadGrammar(f"line {line} of the grammar: {match[0]} repeats nothing")
        if kind not in {"space", "newline"}:
            previous = kind
    used = {name: where for name, where, _ in reversed(names)}
    if depth:
        raise BadGrammar("the grammar's brackets do not match")
    for name, where in used.items():
        if name not in defined:
            raise BadGrammar(f"line {where} of the grammar: there is no rule {name}")
    if "root" not in defined:
        raise BadGrammar("the grammar has no rule root")
    _check_recursion(text)


def _check_recursion(text: str) -> None:
    """A rule that begins with itself has no end; llama.cpp follows it until its stack is gone."""
    first: dict[str, set[str]] = {}
    for rule in re.split(r"\n(?=\s*[A-Za-z][\w-]*\s*::=)", re.sub(r"#[^\n]*", "", text)):
        match = re.match(r"\s*([A-Za-z][\w-]*)\s*::=(.*)", rule, re.S)
        if match:
            bare = re.sub(r'"(?:[^"\\]|\\.)*"|\[(?:[^\]\\]|\\.)*\]', "'", match[2])
            heads = [re.match(r"[\s(]*([A-Za-z][\w-]*)", part) for part in re.split(r"[|(]", bare)]
            first[match[1]] = {head[1] for head in heads if head}
    for name in first:
        seen, waiting = set[str](), list(first[name])
        while waiting:
            head = waiting.pop()
            if head == name:
                raise BadGrammar(f"rule {name} of the grammar begins with itself")
            if head not in seen:
                seen.add(head)
                waiting += first.get(head, ())
