"""Makefiles as text: variables, conditionals, rules, and what making a target would run. Nothing is executed.

What GNU make does (https://www.gnu.org/software/make/manual/), as far as files that build simulations use it. Of
`$(shell ...)` only what is known to have no effect is answered; the rest is empty, and noted.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from veriloop.assistant.project.make_functions import FUNCTIONS, Scope
from veriloop.assistant.project.tree import Tree

_MAX_INCLUDES = 40
_MAX_DEPTH = 60
_MAX_TARGETS = 2000
_ASSIGN = re.compile(
    r"^\s*(?P<prefix>(?:(?:export|override|private|unexport)\s+)*)(?P<name>[^\s:#=!?+$(]+|\$\([\w-]+\)[\w-]*)"
    r"\s*(?P<how>::?:?=|\+=|\?=|!=|=)\s*(?P<value>.*)$"
)
_RULE = re.compile(r"^(?P<targets>[^:=#\t][^:=#]*?)\s*::?(?!=)\s*(?P<rest>.*)$")
_TARGET_VARIABLE = re.compile(r"^(?:export\s+|override\s+|private\s+)*[\w.-]+\s*(?::|\+|\?)?=")
_CONDITION = re.compile(r"^\s*(?:(?P<else>else)\b\s*)?(?P<word>ifeq|ifneq|ifdef|ifndef)\b\s*(?P<rest>.*)$")
_DEFINE = re.compile(r"^\s*(?:override\s+|export\s+)*define\s+(?P<name>\S+)\s*(?:=|:=|\+=|\?=)?\s*$")
_INCLUDE = re.compile(r"^\s*(?P<soft>-include|sinclude|include)\s+(?P<files>.+)$")
_BRACKETS = {"(": re.compile(r"[()]"), "{": re.compile(r"[{}]")}
_IMMEDIATE = (":=", "::=", ":::=", "!=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Targets, what they need, and the lines of their recipe, not expanded."""

    targets: tuple[str, ...]
    prerequisites: tuple[str, ...]
    recipe: tuple[tuple[int, str], ...]
    """Line numbers and lines."""
    stem_pattern: str = ""
    """The target pattern of a static pattern rule."""


@dataclass
class Makefile:
    """One Makefile with all that it includes.

    Args:
        tree: where it lies.
        path: the file.
        overrides: variables of the command line.
        fallback: variables of the environment.
    """

    tree: Tree
    path: Path
    overrides: Mapping[str, str] = field(default_factory=dict)
    fallback: Mapping[str, str] = field(default_factory=dict)
    directory: Path | None = None
    variables: dict[str, str] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    included: list[str] = field(default_factory=list)
    """What was included, found or not, as it was named."""
    unread: list[str] = field(default_factory=list)
    """Includes that are not in the tree."""
    unknown: list[str] = field(default_factory=list)
    """`$(shell ...)` calls that were not answered."""
    errors: list[str] = field(default_factory=list)
    """Messages of `$(error ...)` that were met."""
    _simple: set[str] = field(default_factory=set)
    _reading: list[Path] = field(default_factory=list)
    _there: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.directory is None:
            self.directory = self.path.parent
        here = str(self.tree.root / self.directory)
        self.variables |= {"CURDIR": here, "PWD": here, "MAKE": "make", "SHELL": "/bin/sh", "MAKEFILE_LIST": ""}
        self.variables |= {"CC": "cc", "CXX": "g++", "AR": "ar", "RM": "rm -f", "MAKECMDGOALS": ""}
        self._simple |= set(self.variables)
        self.variables |= self.overrides
        self._read(self.path)

    # --- reading ---

    def _read(self, path: Path) -> None:
        if path in self._reading or len(self.included) > _MAX_INCLUDES:
            return
        self._reading.append(path)
        listed = os.path.relpath(self.tree.root / path, self.tree.root / self._directory)
        self.variables["MAKEFILE_LIST"] = f"{self.variables['MAKEFILE_LIST']} {listed}".strip()
        _File(self, path).read()
        self._reading.pop()

    @property
    def _directory(self) -> Path:
        return self.directory or Path()

    def assign(self, name: str, how: str, value: str) -> None:
        """Does what an assignment says."""
        if name in self.overrides:
            return
        if how == "?=":
            if name in self.variables:
                return
            if name in self.fallback:
                value = self.fallback[name]
        elif how == "+=" and name in self.variables:
            added = self.expand(value) if name in self._simple else value
            self.variables[name] = f"{self.variables[name]} {added}".strip()
            return
        if how in _IMMEDIATE:
            value = self.expand(value) if how != "!=" else self.expand(f"$(shell {value})")
            self._simple.add(name)
        else:
            self._simple.discard(name)
        self.variables[name] = value

    def include(self, names: list[str]) -> None:
        """Reads what an `include` names, if it is in the tree."""
        for name in names:
            self.included.append(name)
            inside = self.tree.relative(self._directory / name)
            if inside is not None and self.tree.is_file(inside):
                self._read(inside)
            else:
                self.unread.append(name)

    # --- expanding ---

    def expand(self, text: str, scope: Mapping[str, str] | None = None, depth: int = 0) -> str:
        """A text with its references to variables and functions replaced."""
        if "$" not in text or depth > _MAX_DEPTH:
            return text if "$" not in text else ""
        out: list[str] = []
        at = 0
        while at < len(text):
            start = text.find("$", at)
            if start < 0 or start + 1 >= len(text):
                out.append(text[at:])
                break
            out.append(text[at:start])
            opening = text[start + 1]
            if opening in "({":
                end = closing(text, start + 1)
                out.append(self._reference(text[start + 2 : end], scope or {}, depth + 1))
                at = end + 1
            else:
                out.append("$" if opening == "$" else self._value(opening, scope or {}, depth + 1))
                at = start + 2
        return "".join(out)

    def _reference(self, text: str, scope: Mapping[str, str], depth: int) -> str:
        name, _, rest = text.partition(" ")
        if name in FUNCTIONS and (rest or name in text):
            return FUNCTIONS[name](_Scope(self, scope, depth), rest.strip() if name != "subst" else rest)
        text = self.expand(text, scope, depth)
        substitution = re.fullmatch(r"([^:=\s]+):([^=]*)=(.*)", text, re.S)
        if substitution and substitution[1] not in self.variables:
            text = substitution[0]
        if substitution:
            name, old, new = substitution.groups()
            words = self._value(name, scope, depth).split()
            old, new = (old, new) if "%" in old else (f"%{old}", f"%{new}")
            return " ".join(substitute(old, new, word) for word in words)
        return self._value(text.strip(), scope, depth)

    def _value(self, name: str, scope: Mapping[str, str], depth: int) -> str:
        if name in scope:
            return scope[name]
        if name == ".VARIABLES":
            return " ".join(self.variables)
        if len(name) == 2 and name[1] in "DF" and name[0] in scope:
            words = scope[name[0]].split()
            pairs = (word.rpartition("/") for word in words)
            return " ".join((head or ".") if name[1] == "D" else tail for head, _, tail in pairs)
        if name not in self.variables:
            return self.fallback.get(name, "")
        value = self.variables[name]
        return value if name in self._simple else self.expand(value, scope, depth)

    # --- planning ---

    def targets(self) -> list[str]:
        """The targets that can be named on a command line, in the order of the file."""
        found = dict.fromkeys(target for rule in self.rules for target in rule.targets)
        return [target for target in found if "%" not in target and not target.startswith(".")]

    @property
    def default_target(self) -> str:
        """What a plain `make` makes."""
        goal = self.variables.get(".DEFAULT_GOAL", "")
        return self.expand(goal) if goal else next(iter(self.targets()), "")

    def plan(self, target: str) -> Iterator[tuple[int, str]]:
        """The recipe lines that making a target runs if nothing is there yet, expanded, each with its line number."""
        yield from self._plan(target, set())

    def needs(self, target: str) -> set[str]:
        """Files without a rule that making a target needs."""
        seen: set[str] = set()
        for _ in self._plan(target, seen, recipes=False):
            pass
        return {name for name in seen if not any(self._rules(name))}

    def _plan(
        self, target: str, seen: set[str], used: frozenset[int] = frozenset(), *, recipes: bool = True
    ) -> Iterator[tuple[int, str]]:
        if target in seen or len(seen) > _MAX_TARGETS:
            return
        seen.add(target)
        patterns = set(used)
        recipe: tuple[tuple[int, str], ...] = ()
        needed: list[str] = []
        before: list[str] = []
        """What has to be there, and is none of `$^` ("order-only")."""
        stem = ""
        explicit = False
        for rule, found_stem in self._rules(target, used):
            if target not in rule.targets:
                # As in make, no pattern rule is used twice on the way to one target.
                patterns.add(id(rule))
            is_explicit = target in rule.targets and not rule.stem_pattern
            if rule.recipe and recipe and not is_explicit:
                continue
            if not is_explicit and explicit and recipe:
                continue
            explicit = explicit or is_explicit
            bar = rule.prerequisites.index("|") if "|" in rule.prerequisites else len(rule.prerequisites)
            names = [name.replace("%", found_stem) for name in rule.prerequisites[:bar]]
            before += [name.replace("%", found_stem) for name in rule.prerequisites[bar + 1 :]]
            if rule.recipe:
                recipe, stem = rule.recipe, found_stem
                needed = [*names, *needed]
            else:
                needed += names
        for name in dict.fromkeys([*needed, *before]):
            yield from self._plan(name, seen, frozenset(patterns), recipes=recipes)
        if not recipes:
            return
        once = list(dict.fromkeys(needed))
        scope = {"@": target, "<": once[0] if once else "", "^": " ".join(once), "+": " ".join(needed), "*": stem}
        scope["?"] = scope["^"]
        for line, text in recipe:
            for part in self.expand(text, scope).split("\n"):
                command = part.strip().lstrip("@-+ \t")
                if command:
                    yield line, command

    def _rules(self, target: str, used: frozenset[int] = frozenset()) -> Iterator[tuple[Rule, str]]:
        """The rules that make a target, explicit ones first, with the stem."""
        for rule in self.rules:
            if target in rule.targets:
                yield rule, match_stem(rule.stem_pattern, target) or ""
        if self._is_there(target):
            return
        for rule in self.rules:
            if id(rule) in used:
                continue
            for pattern in rule.targets:
                if "%" in pattern and (stem := match_stem(pattern, target)) is not None and self._possible(rule, stem):
                    yield rule, stem
                    return

    def _is_there(self, name: str) -> bool:
        """Whether a file of the tree has a name; asked again and again of the same few."""
        known = self._there.get(name)
        if known is None:
            known = self._there[name] = self.tree.is_file(self._directory / name)
        return known

    def _possible(self, rule: Rule, stem: str) -> bool:
        """Whether what a pattern rule needs is there or has a rule of its own."""
        names = [name.replace("%", stem) for name in rule.prerequisites if name != "|"]
        known = {target for other in self.rules for target in other.targets}
        return all(
            name in known
            or self._is_there(name)
            or self.tree.is_dir(self._directory / name)
            or any("%" in pattern and match_stem(pattern, name) for pattern in known)
            for name in names
        )


@dataclass(frozen=True, slots=True)
class _Scope(Scope):
    """What functions see of the Makefile that they stand in."""

    makefile: Makefile
    variables: Mapping[str, str]
    depth: int

    @property
    def tree(self) -> Tree:
        return self.makefile.tree

    @property
    def directory(self) -> Path:
        return self.makefile.directory or Path()

    def expand(self, text: str, **variables: str) -> str:
        return self.makefile.expand(text, {**self.variables, **variables}, self.depth + 1)

    def raw(self, name: str) -> str:
        return self.makefile.variables.get(name, "")

    def note_error(self, text: str) -> None:
        self.makefile.errors.append(text)

    def note_unknown(self, text: str) -> None:
        self.makefile.unknown.append(text)


class _File:
    """One file of a Makefile, read line by line."""

    def __init__(self, into: Makefile, path: Path) -> None:
        self._into = into
        self._lines = list(_logical(into.tree.text(path)))
        self._branches: list[tuple[bool, bool]] = []
        """For each open conditional: whether its branch is taken, and whether one was taken before."""

    def read(self) -> None:
        lines = iter(self._lines)
        rule: Rule | None = None
        for number, line in lines:
            if line.startswith("\t") and rule is not None:
                if self._taken:
                    rule = self._with(rule, number, line[1:])
                continue
            bare = _without_comment(line)
            if not bare.strip() or self._conditional(bare):
                continue
            if define := _DEFINE.match(bare):
                self._define(define["name"], lines)
                continue
            if self._taken:
                rule = self._statement(number, bare, rule)

    @property
    def _taken(self) -> bool:
        return all(taken for taken, _ in self._branches)

    def _with(self, rule: Rule, number: int, line: str) -> Rule:
        new = Rule(
            targets=rule.targets,
            prerequisites=rule.prerequisites,
            recipe=(*rule.recipe, (number, line)),
            stem_pattern=rule.stem_pattern,
        )
        self._into.rules[-1] = new
        return new

    def _statement(self, number: int, line: str, rule: Rule | None) -> Rule | None:
        into = self._into
        if included := _INCLUDE.match(line):
            into.include(into.expand(included["files"]).split())
            return rule
        if assigned := _ASSIGN.match(line):
            into.assign(into.expand(assigned["name"]), assigned["how"], assigned["value"])
            return None
        expanded = into.expand(line) if line.lstrip().startswith("$") else line
        found = _RULE.match(expanded)
        if found is None:
            return None
        return self._rule(number, found)

    def _rule(self, number: int, found: re.Match[str]) -> Rule | None:
        into = self._into
        rest, _, inline = found["rest"].partition(";")
        if _TARGET_VARIABLE.match(rest):
            return None
        targets = tuple(into.expand(found["targets"]).split())
        pattern, colon, needed = rest.partition(":")
        words = tuple(into.expand(needed if colon else rest).split())
        stem_pattern = into.expand(pattern).strip() if colon else ""
        recipe = ((number, inline.strip()),) if inline.strip() else ()
        rule = Rule(targets=targets, prerequisites=words, recipe=recipe, stem_pattern=stem_pattern)
        into.rules.append(rule)
        return rule

    def _define(self, name: str, lines: Iterator[tuple[int, str]]) -> None:
        body: list[str] = []
        for _, line in lines:
            if line.strip() == "endef":
                break
            body.append(line)
        if self._taken:
            self._into.variables[name] = "\n".join(body)
            self._into._simple.discard(name)

    def _conditional(self, line: str) -> bool:
        """Whether the line opens, turns or closes a conditional; follows it."""
        word = line.split()[0]
        if word == "endif":
            if self._branches:
                self._branches.pop()
            return True
        found = _CONDITION.match(line)
        if found is None:
            if word == "else" and self._branches:
                _, before = self._branches.pop()
                self._branches.append((not before, True))
            return word == "else"
        before = self._branches.pop()[1] if found["else"] and self._branches else False
        holds = not before and self._taken and self._holds(found["word"], found["rest"])
        self._branches.append((holds, before or holds))
        return True

    def _holds(self, word: str, rest: str) -> bool:
        into = self._into
        if word in ("ifdef", "ifndef"):
            name = into.expand(rest).strip()
            defined = bool(into.variables.get(name, into.fallback.get(name, "")))
            return defined is (word == "ifdef")
        pair = _pair(rest)
        return pair is not None and (into.expand(pair[0]).strip() == into.expand(pair[1]).strip()) is (word == "ifeq")


def _pair(text: str) -> tuple[str, str] | None:
    """The two sides of `(a,b)`, `"a" "b"` or `'a' 'b'`."""
    text = text.strip()
    if text.startswith("("):
        inner = text[1 : closing(text, 0)]
        depth = 0
        for at, char in enumerate(inner):
            depth += char in "({"
            depth -= char in ")}"
            if char == "," and depth == 0:
                return inner[:at].strip(), inner[at + 1 :].strip()
        return None
    quoted = re.fullmatch(r"""(?:"([^"]*)"|'([^']*)')\s*(?:"([^"]*)"|'([^']*)')""", text)
    return (quoted[1] or quoted[2] or "", quoted[3] or quoted[4] or "") if quoted else None


def closing(text: str, opening: int) -> int:
    """Where the bracket that opens at a place closes; the end of the text where it does not."""
    one = text[opening]
    depth = 0
    for bracket in _BRACKETS[one].finditer(text, opening):
        depth += 1 if bracket[0] == one else -1
        if depth == 0:
            return bracket.start()
    return len(text)


def match_stem(pattern: str, name: str) -> str | None:
    """What `%` stands for; none where the pattern does not match."""
    before, percent, after = pattern.partition("%")
    if not percent:
        return None
    fits = name.startswith(before) and name.endswith(after) and len(name) >= len(before) + len(after)
    return name[len(before) : len(name) - len(after)] if fits else None


def substitute(pattern: str, replacement: str, word: str) -> str:
    """`$(patsubst ...)` of one word."""
    if "%" not in pattern:
        return replacement if word == pattern else word
    stem = match_stem(pattern, word)
    return word if stem is None else replacement.replace("%", stem, 1)


def _logical(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their continuations joined, and where they begin."""
    pending, first = "", 0
    for number, line in enumerate(text.split("\n"), start=1):
        joined = f"{pending} {line.lstrip()}" if pending else line
        if joined.endswith("\\") and not joined.endswith("\\\\"):
            pending, first = joined[:-1].rstrip() or " ", first or number
        else:
            yield first or number, joined
            pending, first = "", 0
    if pending:
        yield first, pending


def _without_comment(line: str) -> str:
    found = re.search(r"(?<!\\)#", line)
    return (line[: found.start()] if found else line).replace("\\#", "#")
