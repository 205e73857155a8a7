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
        joined = re.sub(r"\\\n", "  ", text)
        home = self.directory
        for raw, line in zip(joined.split("\n"), _numbers(text), strict=False):
            if _FUNCTION.match(raw):
                # What a function changes does not reach the next one.
                self.directory = home
                continue
            yield from self.line(raw, line=line)
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


def _numbers(text: str) -> Iterator[int]:
    """The line numbers at which logical lines begin."""
    joined = False
    for number, line in enumerate(text.split("\n"), start=1):
        if not joined:
            yield number
        joined = line.endswith("\\")
