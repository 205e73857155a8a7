"""Command lines of shells, Makefiles and workflow files, taken apart without running anything."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.project.tree import Tree

_ENDS = frozenset({"&&", "||", ";", "|", "&", "(", ")", ";;", "{", "}"})
_REDIRECTIONS = frozenset({">", ">>", "<", "2>", "&>", ">&", "<<", "|&", ">|"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_VARIABLE = re.compile(r"\$(?:\{(\w+)(?::?[-=]([^}]*))?\}|(\w+))")
_HERE = re.compile(
    r"\"?\$\(\s*cd\s+\"?\$\(\s*dirname\s+[^)]*\)(?P<up>[/.]*)\"?[^)]*\)\"?|\$\(\s*dirname\s+[^)]*\)|`\s*dirname[^`]*`"
)
_TOPLEVEL = re.compile(r"\$\(\s*git rev-parse --show-toplevel\s*\)|`\s*git rev-parse --show-toplevel\s*`")
_PWD = re.compile(r"\$\(\s*pwd\s*\)|`\s*pwd\s*`|\$\{?PWD\}?")
_PREFIXES = frozenset({"sudo", "time", "exec", "nice", "env", "command", "then", "do", "else", "!", "if", "while"})
_PREFIX_ARGUMENTS = re.compile(r"(?:-.*|\d+|[A-Za-z_]\w*=.*)$")
_FUNCTION = re.compile(r"\s*(?:function\s+)?[\w-]+\s*\(\s*\)\s*\{?\s*$|\s*function\s+[\w-]+\s*\{?\s*$|\}\s*$")
_SPECIAL = re.compile(r"['\"\\;&|()<>#]")
_KEYWORDS = frozenset({"fi", "done", "esac", "for", "case", "function", "in"})
_DECLARED = re.compile(r"^[ \t]*(?:function[ \t]+([\w-]+)|([\w-]+)[ \t]*\([ \t]*\))", re.M)
_HERE_DOCUMENT = re.compile(r"<<-?\s*(['\"\\]?)(\w+)\1?")
_MOST_QUOTED_LINES = 200
"""Beyond which an open quote is a slip, or one that is not understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program and its arguments.

    `directory` is where it runs, relative to the root; `text` the line that it stands in.
    """

    words: tuple[str, ...]
    directory: Path
    line: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    @property
    def program(self) -> str:
        """The program's base name."""
        return self.words[0].rpartition("/")[2]


@dataclass
class Shell:
    """Follows what a script does to its variables and its directory, without running it."""

    tree: Tree
    directory: Path
    variables: dict[str, str] = field(default_factory=dict)
    fallback: Mapping[str, str] = field(default_factory=dict)
    """Values of variables that nothing has set."""

    def script(self, text: str) -> Iterator[Command]:
        """The commands of a script, in order; both branches of an `if`, the body of a loop once."""
        home = self.directory
        own = {one or other for one, other in _DECLARED.findall(text)}
        for line, raw in _logical_lines(text):
            if _FUNCTION.match(raw):
                # What a function changes does not reach the next one.
                self.directory = home
                continue
            # What a function does stands in its body.
            yield from (command for command in self.line(raw, line=line) if command.words[0] not in own)
        self.directory = home

    def line(self, text: str, *, line: int = 0) -> Iterator[Command]:
        """The commands of one line; `cd` holds for those after it."""
        for words in _split(self._known(text)):
            words = self._assign(words)
            if not words:
                continue
            if words[0] in ("cd", "pushd"):
                self._enter(words[1:])
            elif words[0] not in _KEYWORDS:
                yield Command(
                    words=tuple(self.expand(word) for word in words),
                    directory=self.directory,
                    line=line,
                    environment=dict(self.variables),
                    text=text.strip(),
                )

    def expand(self, word: str) -> str:
        """A word with the variables that are known; those that are not become empty."""

        def value(match: re.Match[str]) -> str:
            name = match[1] or match[3]
            return self.variables.get(name) or match[2] or self.fallback.get(name) or ""

        for _ in range(5):
            new = _VARIABLE.sub(value, word)
            if new == word:
                break
            word = new
        return word

    def _known(self, text: str) -> str:
        here = str(self.tree.root / self.directory)

        def place(match: re.Match[str]) -> str:
            # `cd "$(dirname "$0")/.." && pwd`
            return os.path.normpath(here + "/" + (match["up"] or ""))

        text = _TOPLEVEL.sub(str(self.tree.root), text)
        return _PWD.sub(here, _HERE.sub(place, text))

    def _assign(self, words: list[str]) -> list[str]:
        """Takes `NAME=value`, `export NAME=value` and prefixes such as `sudo` off the front."""
        while words:
            if words[0] in ("export", "local", "declare", "readonly") and len(words) > 1:
                words = words[1:]
                if not _ASSIGNMENT.match(words[0]):
                    return []
            elif _ASSIGNMENT.match(words[0]):
                name, _, value = words[0].partition("=")
                self.variables[name.rstrip("+")] = self.expand(value)
                words = words[1:]
            elif words[0] in _PREFIXES:
                words = words[1:]
                while words and _PREFIX_ARGUMENTS.match(words[0]) and not _ASSIGNMENT.match(words[0]):
                    words = words[1:]
            else:
                return words
        return words

    def _enter(self, words: list[str]) -> None:
        target = next((self.expand(word) for word in words if not word.startswith("-")), "")
        inside = self.tree.relative(self.directory / target) if target else None
        if inside is not None and self.tree.is_dir(inside):
            self.directory = inside


def _split(text: str) -> Iterator[list[str]]:
    """The simple commands of a line; nothing where its quotes do not match."""
    if not _SPECIAL.search(text):
        # Most lines; the lexer looks at each character.
        if plain := text.split():
            yield plain
        return
    lexer = shlex.shlex(text, posix=True, punctuation_chars=";&|()<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words: list[str] = []
    skip = False
    try:
        for word in lexer:
            if word in _ENDS:
                if words:
                    yield words
                words = []
            elif skip:
                skip = False
            elif word in _REDIRECTIONS:
                if words and words[-1] in ("1", "2"):
                    words.pop()
                skip = True
            else:
                words.append(word)
    except ValueError:
        return
    if words:
        yield words


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """A script's lines with their numbers: joined where a backslash or a quote goes on, without here-documents."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        first, whole = at, lines[at]
        at += 1
        while whole.endswith("\\") and at < len(lines):
            whole = whole[:-1] + "  " + lines[at]
            at += 1
        if _open_quote(whole):
            end = _closing(lines, at, whole)
            if end:
                whole = "\n".join([whole, *lines[at:end]])
                at = end
        yield first + 1, whole
        for _, end_mark in _HERE_DOCUMENT.findall(whole):
            body = next((index for index in range(at, len(lines)) if lines[index].strip() == end_mark), None)
            at = body + 1 if body is not None else at


def _closing(lines: list[str], at: int, whole: str) -> int:
    """The index after the line that closes an open quote; 0 where none does."""
    for end in range(at + 1, min(len(lines), at + _MOST_QUOTED_LINES) + 1):
        whole = f"{whole}\n{lines[end - 1]}"
        if not _open_quote(whole):
            return end
    return 0


def _open_quote(text: str) -> bool:
    """Whether a quote of the shell is open at the end."""
    if "'" not in text and '"' not in text:
        return False
    quote, escaped, before = "", False, " "
    for character in text:
        if quote == "#":
            quote = "" if character == "\n" else "#"
        elif escaped:
            escaped = False
        elif character == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"" or (character == "#" and before.isspace()):
            quote = character
        before = character
    return quote in ("'", '"')
