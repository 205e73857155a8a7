"""Which files a change of some files can make a difference to: by names, includes, macros and file names in strings.

Only tokens are read, so text that does not parse counts, too. Too much is found rather than too little: a name that is
declared twice leads to both files. What a test really reads its verdict's key tells; this says what is worth asking.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from veriloop.assistant.design.project import HEADER_SUFFIXES
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.symbols.words import read_words

_SPACE_OR_COMMENT = rb"(?:\s|//[^\n]*\n|/\*.*?\*/)+"
_UNIT = re.compile(
    rb"\b(?:module|macromodule|interface|package|program|primitive|checker|config|class)"
    + _SPACE_OR_COMMENT
    + rb"(?:(?:automatic|static)"
    + _SPACE_OR_COMMENT
    + rb")?([A-Za-z_][\w$]*)",
    re.DOTALL,
)
_INSIDE = re.compile(
    rb"\b(module|macromodule|interface|package|program|primitive|checker|config|class)\b.*?"
    rb"\bend(?:module|interface|package|program|primitive|checker|config|class)\b",
    re.DOTALL,
)
_COMMENT = re.compile(rb'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_SHARED = re.compile(
    # What stands outside of all units is seen by the files that are compiled after it (IEEE 1800-2017, 3.12.1).
    rb"\btypedef\b[^;]*?([A-Za-z_][\w$]*)\s*(?:\[[^\]]*\]\s*)*;|\b(?:function|task)\b[^;(]*?([A-Za-z_][\w$]*)\s*[;(]"
    rb"|\b(?:parameter|localparam|let)\b[^=;]*?([A-Za-z_][\w$]*)\s*=",
)
_DEFINE = re.compile(rb"`\s*(?:define|undef)\s+([A-Za-z_][\w$]*)")
_ASKED = re.compile(rb"`\s*(?:ifdef|ifndef|elsif)\s+([A-Za-z_][\w$]*)")
_INCLUDE = re.compile(rb'`\s*include\s*(?:"([^"\n]+)"|<([^>\n]+)>|(`))')
_FILE_NAME = re.compile(rb'"([^"\n]*?[\w-]+\.\w+)"')


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFacts:
    """What one file gives to others and takes from them."""

    declares: frozenset[str]
    """Its modules, packages, interfaces and the like, and what stands outside of them."""
    defines: frozenset[str]
    """The macros that it sets or clears."""
    words: frozenset[str]
    """Every name that it uses."""
    macros: frozenset[str]
    """Every macro that it uses or asks about, but for those that it sets whatever they were."""
    includes: frozenset[str]
    """As the text names them; a backtick where a macro names it."""
    files: frozenset[str]
    """The names of files in its strings: memory images, tables."""


def file_facts(content: bytes) -> FileFacts:
    """Reads one file."""
    words = read_words(content)
    bare = _COMMENT.sub(b" ", content)
    return FileFacts(
        declares=_decoded(_UNIT.findall(bare)) | _decoded(_first(_SHARED.findall(_INSIDE.sub(b" ", bare)))),
        defines=_decoded(_DEFINE.findall(bare)),
        words=frozenset((*words.plain, *words.scoped)),
        macros=frozenset(words.macro) - (_decoded(_DEFINE.findall(bare)) - _decoded(_ASKED.findall(bare))),
        includes=_decoded(_first(_INCLUDE.findall(content))),
        files=frozenset(PurePosixPath(name).name for name in _decoded(_FILE_NAME.findall(content))),
    )


class Reach:
    """Who depends on whom among the files of one tree.

    Args:
        facts: of each Verilog file, by its path with `/`.
        others: the paths of all other files, which may be named in strings.
        links: symbolic links, with what they lead to.
    """

    def __init__(
        self, facts: Mapping[str, FileFacts], others: Iterable[str] = (), links: Mapping[str, str] | None = None
    ) -> None:
        self._facts = facts
        self._others = tuple(others)
        self._links = links or {}
        declared: dict[str, set[str]] = defaultdict(set)
        defined: dict[str, set[str]] = defaultdict(set)
        named: dict[str, set[str]] = defaultdict(set)
        for path, one in facts.items():
            for name in one.declares:
                declared[name].add(path)
            for name in one.defines:
                defined[name].add(path)
        for path in (*facts, *self._others):
            named[PurePosixPath(path).name].add(path)
        self._declared, self._defined, self._named = declared, defined, named
        self._headers = frozenset(path for path in facts if PurePosixPath(path).suffix.lower() in HEADER_SUFFIXES)
        self._users: dict[str, set[str]] = defaultdict(set)
        for path in facts:
            for used in self.uses(path):
                self._users[used].add(path)
        for link, target in self._links.items():
            self._users[target].add(link)

    def __contains__(self, path: str) -> bool:
        """Whether it is a Verilog file of the tree."""
        return path in self._facts

    def uses(self, path: str) -> frozenset[str]:
        """The files that a file takes something from directly."""
        one = self._facts[path]
        found: set[str] = set()
        # What a file declares itself it takes from no other of the same name.
        for name in (one.words - one.declares) & self._declared.keys():
            found |= self._meant(path, name)
        for name in one.macros & self._defined.keys():
            found |= self._defined[name]
        found |= self.included(path)
        for name in one.files & self._named.keys():
            found |= self._named[name]
        return frozenset(found - {path})

    def _meant(self, path: str, name: str) -> set[str]:
        """The files whose declaration of a name a file may take.

        Where several tests call a module alike (`testbench`, `top`), it is theirs alone, and of two the one beside it.
        """
        declaring = self._declared[name]
        if len(declaring) < 2 or not all(is_test_path(PurePosixPath(other)) for other in declaring):
            return declaring
        if not is_test_path(PurePosixPath(path)):
            return set()
        folder = PurePosixPath(path).parent
        return {other for other in declaring if PurePosixPath(other).parent == folder} or declaring

    def included(self, path: str) -> frozenset[str]:
        """The files that a file includes directly; where a macro names one, every header."""
        found: set[str] = set()
        for name in self._facts[path].includes:
            if name == "`":
                found |= self._headers
                continue
            tail = "/" + name.lstrip("./")
            found |= {other for other in self._named.get(PurePosixPath(name).name, ()) if f"/{other}".endswith(tail)}
        return frozenset(found - {path})

    def users(self, paths: Collection[str], names: Collection[str] = ()) -> frozenset[str]:
        """The files that depend on some files, or on names that no file declares any more, and the files themselves."""
        wanted = frozenset(names)
        waiting = [path for path in paths if path in self._facts or path in self._users or path in self._others]
        if wanted:
            waiting += [path for path, one in self._facts.items() if wanted & (one.words | one.macros | one.includes)]
        found = set(waiting)
        while waiting:
            new = self._users.get(waiting.pop(), set()) - found
            found |= new
            waiting.extend(new)
        return frozenset(found)

    def reached(self, path: str) -> frozenset[str]:
        """The file and everything that it takes something from, directly or not."""
        found, waiting = {path}, [path]
        while waiting:
            one = waiting.pop()
            new = (self.uses(one) if one in self._facts else frozenset()) - found
            found |= new
            waiting.extend(new)
        return frozenset(found)


def visible_text(content: bytes) -> bytes:
    """A text without its layout and comments, as far as no tool reads them: equal texts mean the same.

    A comment that tells a tool something stays, and so do lines where the text asks for their number.
    """
    if b"`__LINE__" in content:
        return content
    pieces = []
    for match in _LAYOUT.finditer(content):
        token = match[0]
        if match["comment"] is not None and not _PRAGMA.search(token):
            continue
        pieces.append(token.rstrip())
    return b"\0".join(pieces)


_LAYOUT = re.compile(
    rb"""(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))
      | "(?:\\.|[^"\\\n])*"?
      # A directive ends with its line.
      | `\s*(?:define|include|line|timescale|pragma)\b(?:\\\r?\n|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|(?!//)[^\n])*
      | \\\S+
      | [\w$`]+
      # Operators that stand together may be one: `a && b` is not `a & &b`.
      | (?:(?!//|/\*)[^\s\w$`"\\])+""",
    re.VERBOSE | re.DOTALL,
)
_PRAGMA = re.compile(
    rb"verilator|verilog_lint|synopsys|synthesis|pragma|translate_o|spyglass|slang|verible|cadence|coverage|full_case|parallel_case",
    re.IGNORECASE,
)


def _first(groups: Iterable[tuple[bytes, ...]]) -> list[bytes]:
    return [next(filter(None, group)) for group in groups if any(group)]


def _decoded(names: Iterable[bytes]) -> frozenset[str]:
    return frozenset(name.decode("utf-8", errors="replace") for name in names)
