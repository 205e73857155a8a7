"""File lists (`.f`), as Verilator, Icarus, VCS and Xcelium read them.

slang's own reader keeps its include and library directories to itself, so that it cannot be used here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import ConfigError

_SOURCE_SUFFIXES = frozenset({".v", ".sv", ".vh", ".svh", ".vp", ".svp", ".vo", ".vlib", ".vlog", ".inc", ".h", ".pkg"})
_HARMLESS = frozenset({"-sv", "-sverilog", "+v2k", "-full64", "--timing", "--binary", "--lint-only", "--cc", "-Wall"})
"""Says nothing about what the design is."""

_TOKEN = re.compile(
    r"""(?P<space>\s+|\\\r?\n)
      | (?P<comment>(?://|\#)[^\n]*|/\*.*?(?:\*/|\Z))
      | (?P<word>(?:"[^"\n]*"|'[^'\n]*'|\\(?!\r?\n)|[^\s"'\\])+)
      | (?P<quote>["'])""",
    re.VERBOSE | re.DOTALL,
)
_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|\((?P<parens>\w+)\)|(?P<plain>\w+))")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileList:
    """What a file list and the lists nested in it name; each file once, in order."""

    sources: tuple[Path, ...]
    include_dirs: tuple[Path, ...] = ()
    defines: tuple[tuple[str, str], ...] = ()
    library_dirs: tuple[Path, ...] = ()
    library_files: tuple[Path, ...] = ()
    library_extensions: tuple[str, ...] = ()
    toplevel: str = ""
    lists: tuple[Path, ...] = ()
    """The lists that were read."""
    unknown: tuple[str, ...] = ()
    """Options that are not understood, as `file:line: option`."""

    def design(self, toplevel: str = "") -> Design:
        """The list as a design."""
        extensions = self.library_extensions or Design(toplevel="", sources=()).library_extensions
        return Design(
            toplevel=toplevel or self.toplevel,
            sources=self.sources,
            include_dirs=self.include_dirs,
            defines=self.defines,
            library_dirs=self.library_dirs,
            library_files=self.library_files,
            library_extensions=extensions,
        )


def read_filelist(
    path: Path, *, base: Path, environment: Mapping[str, str] | None = None, lenient: bool = False
) -> FileList:
    """Reads a file list and the lists that it names.

    Args:
        path: the list.
        base: where the tools that read it are started: paths of `-f` lists are relative to it. A path that is not
            there but beside the list is taken from beside the list.
        environment: for `$NAME`, `${NAME}` and `$(NAME)`; this process's by default.
        lenient: what would raise is noted among what is unknown, and the rest is read.

    Raises:
        ConfigError: a list cannot be read, includes itself, or uses a variable that is not set.
    """
    reader = _Reader(os.environ if environment is None else environment, lenient)
    reader.read(path, base, place=str(path), above=())
    return reader.result()


def read_words(
    words: Sequence[str], *, base: Path, place: str, environment: Mapping[str, str] | None = None
) -> FileList:
    """Reads the arguments of a simulator's command line, leniently; see `read_filelist`.

    Args:
        words: the arguments, without options that say nothing of the design.
        base: where the command runs.
        place: where it stands, for what is not understood.
        environment: for variables in the lists that it names.
    """
    reader = _Reader(os.environ if environment is None else environment, lenient=True)
    rest = iter([(0, word) for word in words])
    for _, word in rest:
        _List(reader, base / "command", base, place, (), rest).take_leniently(word)
    return reader.result()


@dataclass(slots=True)
class _Reader:
    environment: Mapping[str, str]
    lenient: bool = False
    sources: list[Path] = field(default_factory=list)
    include_dirs: list[Path] = field(default_factory=list)
    defines: dict[str, str] = field(default_factory=dict)
    library_dirs: list[Path] = field(default_factory=list)
    library_files: list[Path] = field(default_factory=list)
    extensions: list[str] = field(default_factory=list)
    toplevel: str = ""
    lists: list[Path] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def result(self) -> FileList:
        def once(paths: list[Path]) -> tuple[Path, ...]:
            return tuple(dict.fromkeys(paths))

        return FileList(
            sources=once(self.sources),
            include_dirs=once(self.include_dirs),
            defines=tuple(self.defines.items()),
            library_dirs=once(self.library_dirs),
            library_files=once(self.library_files),
            library_extensions=tuple(dict.fromkeys(self.extensions)),
            toplevel=self.toplevel,
            lists=once(self.lists),
            unknown=tuple(self.unknown),
        )

    def read(self, path: Path, base: Path, *, place: str, above: tuple[Path, ...]) -> None:
        identity = path.resolve()
        if identity in above:
            chain = " -> ".join(item.name for item in (*above, identity))
            raise ConfigError(f"{place}: the file list includes itself: {chain}")
        try:
            text = path.read_bytes().decode("utf-8", errors="replace")
        except OSError as error:
            raise ConfigError(f"{place}: cannot read the file list {path}: {error.strerror}") from error
        self.lists.append(path)
        words = _words(text, path)
        for line, word in words:
            one = _List(self, path, base, f"{path}:{line}", (*above, identity), words)
            if self.lenient:
                one.take_leniently(word)
            else:
                one.take(word)


@dataclass(slots=True)
class _List:
    """One word of a list and where it stands; options take the words after it from `words`."""

    into: _Reader
    path: Path
    base: Path
    place: str
    above: tuple[Path, ...]
    words: Iterator[tuple[int, str]]

    def take_leniently(self, raw: str) -> None:
        """As `take`, but what cannot be read is noted."""
        try:
            self.take(raw)
        except ConfigError as error:
            self.into.unknown.append(error.message)

    def take(self, raw: str) -> None:
        word = self._expand(raw)
        if word.startswith("+"):
            self._plus(word)
        elif word.startswith("-"):
            self._option(word)
        else:
            self.into.sources.append(self._path(word))

    def _plus(self, word: str) -> None:
        name, *values = word[1:].split("+")
        values = [value for value in values if value]
        if name == "incdir":
            self.into.include_dirs += [self._path(value) for value in values]
        elif name == "define":
            for value in values:
                self._define(value)
        elif name == "libext":
            self.into.extensions += values
        elif word not in _HARMLESS:
            self.into.unknown.append(f"{self.place}: {word}")

    def _option(self, word: str) -> None:
        long, joined, value = word.partition("=")
        if long in ("--top-module", "--top", "-top", "-s"):
            self.into.toplevel = value if joined else self._next(word)
        elif word in ("-f", "-F", "-file"):
            self._nested(word)
        elif word in ("-y", "--library-dir"):
            self.into.library_dirs.append(self._path(self._next(word)))
        elif word == "-v":
            self.into.library_files.append(self._path(self._next(word)))
        elif word in ("-incdir", "--include-directory"):
            self.into.include_dirs.append(self._path(self._next(word)))
        elif word.startswith("-I"):
            self.into.include_dirs.append(self._path(word[2:] or self._next(word)))
        elif word == "-define" or word.startswith("-D"):
            self._define(self._next(word) if word in ("-define", "-D") else word[2:])
        elif word not in _HARMLESS and not word.startswith(("-W", "-g20")):
            self._skip(word)

    def _skip(self, word: str) -> None:
        """Notes an unknown option, with the word after it where that is no source."""
        line, following = next(self.words, (0, ""))
        is_argument = following and following[0] not in "+-" and Path(following).suffix not in _SOURCE_SUFFIXES
        self.into.unknown.append(f"{self.place}: {word} {following}" if is_argument else f"{self.place}: {word}")
        if following and not is_argument:
            place = f"{self.path}:{line}"
            _List(self.into, self.path, self.base, place, self.above, self.words).take(following)

    def _nested(self, option: str) -> None:
        path = self._path(self._next(option))
        base = path.parent if option == "-F" else self.base
        self.into.read(path, base, place=self.place, above=self.above)

    def _next(self, option: str) -> str:
        _, word = next(self.words, (0, ""))
        if not word:
            raise ConfigError(f"{self.place}: {option} needs a value")
        return self._expand(word)

    def _define(self, text: str) -> None:
        name, _, value = text.partition("=")
        self.into.defines[name] = value

    def _path(self, text: str) -> Path:
        """Relative to the base, or to the list where only that exists."""
        found = Path(os.path.normpath(self.base / text))
        beside = Path(os.path.normpath(self.path.parent / text))
        return beside if beside.exists() and not found.exists() else found

    def _expand(self, word: str) -> str:
        return _VARIABLE.sub(self._value, word)

    def _value(self, match: re.Match[str]) -> str:
        name = match["braced"] or match["parens"] or match["plain"]
        value = self.into.environment.get(name)
        if value is None:
            raise ConfigError(f"{self.place}: the environment variable {name} is not set", hint=f"export {name}=...")
        return value


def _words(text: str, path: Path) -> Iterator[tuple[int, str]]:
    """The words of a list with their lines; comments begin a word, so that `dir//a.v` and `dir/*.v` are none."""
    for match in _TOKEN.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["quote"]:
            raise ConfigError(f"{path}:{line}: a quote is not closed")
        if match["word"]:
            yield line, _unquoted(match["word"])


def _unquoted(word: str) -> str:
    return re.sub(r"\"([^\"]*)\"|'([^']*)'", lambda match: match[1] or match[2] or "", word)
