"""FuseSoC's core files (CAPI2): which core is which, and what a target of one comes to with all it depends on.

https://fusesoc.readthedocs.io/en/stable/ref/capi2.html. Versions are compared as numbers, of several cores that fit the
newest is taken, and of several providers of a virtual core the generic one: fusesoc's solver may choose otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.yaml_files import load, table, texts

_EXPRESSION = re.compile(r"\s*(!?)\s*([\w.+-]+)\s*\?\s*\(")
_RELATION = re.compile(r"^(>=|<=|>|<|=|~|\^)?\s*(.*)$")

Flags = Mapping[str, bool | str]


@dataclass(frozen=True, slots=True)
class Name:
    """`vendor:library:name:version`, all but the name perhaps empty."""

    vendor: str
    library: str
    name: str
    version: str = ""
    relation: str = ""

    @classmethod
    def parse(cls, text: str) -> Name:
        """A name as a core file writes it, with a relation in front or not."""
        found = _RELATION.match(text.strip())
        relation, rest = (found[1] or "", found[2]) if found else ("", text)
        parts = rest.split(":")
        if len(parts) == 1:
            # The old form, `name-version`.
            name, dash, version = rest.rpartition("-")
            parts = ["", "", name, version] if dash and re.match(r"\d", version) else ["", "", rest]
        parts = ["", "", *parts] if len(parts) < 3 else parts
        vendor, library, name, version = (part.strip() for part in (*parts, "")[:4])
        return cls(vendor, library, name, version, relation)

    @property
    def key(self) -> tuple[str, str, str]:
        """Without the version."""
        return self.vendor, self.library, self.name

    def __str__(self) -> str:
        return ":".join((self.vendor, self.library, self.name, *([self.version] if self.version else [])))


@dataclass(slots=True)
class Core:
    """One core file."""

    path: Path
    name: Name
    data: dict[str, Any]

    @property
    def targets(self) -> dict[str, dict[str, Any]]:
        """Its targets."""
        return {name: table(one) for name, one in table(self.data.get("targets")).items()}

    def target(self, name: str) -> dict[str, Any]:
        """A target, with what it appends to lists."""
        return self.targets.get(name) or self.targets.get("default", {})


@dataclass(slots=True)
class Resolved:
    """What a target comes to."""

    files: list[tuple[Path, dict[str, Any]]] = field(default_factory=list)
    """Paths relative to the root, with their attributes."""
    toplevels: list[str] = field(default_factory=list)
    parameters: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of each parameter its kind (`vlogparam`, `vlogdefine`, `plusarg` ...) and its value."""
    generators: list[str] = field(default_factory=list)
    """Generators whose files are not there before they have run."""
    missing: list[str] = field(default_factory=list)
    """Cores that are nowhere in the tree."""


class Cores:
    """All cores of a tree."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self.all: list[Core] = []
        self.old: list[Path] = []
        """Core files of the first format, which fusesoc reads no more."""
        for path in sorted(tree.files("*.core")):
            text = tree.text(path)
            if text.startswith("CAPI=1"):
                self.old.append(path)
            elif text.lstrip().startswith("CAPI=2"):
                data = table(load(tree, path))
                if isinstance(data.get("name"), str):
                    self.all.append(Core(path, Name.parse(data["name"]), data))
        self._by_name: dict[str, list[Core]] = {}
        for core in self.all:
            self._by_name.setdefault(core.name.name, []).append(core)
        self._virtual: dict[tuple[str, str, str], list[Core]] = {}
        for core in self.all:
            for virtual in texts(core.data.get("virtual")):
                self._virtual.setdefault(Name.parse(virtual).key, []).append(core)

    def find(self, wanted: Name) -> Core | None:
        """The newest core of a name, or a provider of it."""
        fits = [
            core
            for core in self._by_name.get(wanted.name, ())
            if all(not one or one == other for one, other in zip(wanted.key, core.name.key, strict=True))
            and _satisfies(core.name.version, wanted)
        ]
        if fits:
            return max(fits, key=lambda core: _number(core.name.version))
        providers = self._virtual.get(wanted.key, [])
        return min(providers, key=lambda core: ("generic" not in str(core.name), str(core.name)), default=None)

    def resolve(self, core: Core, target: str) -> Resolved:
        """What a target of a core comes to, dependencies first."""
        data = core.target(target)
        tool = str(data.get("default_tool") or table(data.get("flow_options")).get("tool") or "")
        flags: dict[str, bool | str] = {name: bool(value) for name, value in table(data.get("flags")).items()}
        flags |= {f"target_{target}": True, f"tool_{tool}": bool(tool)}
        result = Resolved()
        self._walk(core, target, flags, result, {})
        here = {**flags, "is_toplevel": True}
        result.toplevels += [name for text in texts(data.get("toplevel")) for name in evaluate(text, here)]
        declared = table(core.data.get("parameters"))
        for text in texts(data.get("parameters")):
            for one in evaluate(text, here):
                name, _, value = one.partition("=")
                about = table(declared.get(name))
                given = value or str(about.get("default", ""))
                result.parameters[name] = (str(about.get("paramtype", "")), given)
        return result

    def _walk(self, core: Core, target: str, flags: Flags, result: Resolved, seen: dict[Path, None]) -> None:
        top = not seen
        if core.path in seen:
            return
        seen[core.path] = None
        here: Flags = {**flags, "is_toplevel": top}
        data = core.target(target if top else "default")
        sets = table(core.data.get("filesets"))
        named = [*texts(data.get("filesets")), *texts(data.get("filesets_append"))]
        chosen = [table(sets.get(name)) for text in named for name in evaluate(text, here)]
        for fileset in chosen:
            for text in texts(fileset.get("depend")):
                for name in evaluate(text, here):
                    wanted = Name.parse(name)
                    found = self.find(wanted)
                    if found is None:
                        if name not in result.missing:
                            result.missing.append(name)
                    else:
                        self._walk(found, target, flags, result, seen)
        result.generators += [
            f"{core.path}: {name}" for text in texts(data.get("generate")) for name in evaluate(text, here)
        ]
        for fileset in chosen:
            result.files += self._files(core, fileset, here)

    def _files(self, core: Core, fileset: Mapping[str, Any], flags: Flags) -> Iterator[tuple[Path, dict[str, Any]]]:
        common = {name: fileset[name] for name in ("file_type", "is_include_file", "include_path") if name in fileset}
        listed = fileset.get("files")
        for entry in listed if isinstance(listed, list) else []:
            if isinstance(entry, str):
                names, attributes = evaluate(entry, flags), dict(common)
            else:
                ((text, own), *_) = table(entry).items() or [("", {})]
                names, attributes = evaluate(text, flags), {**common, **table(own)}
            for name in names:
                inside = self._tree.relative(core.path.parent / name)
                if inside is not None:
                    yield inside, attributes


def evaluate(text: str, flags: Flags) -> list[str]:
    """The words of an expression that hold: `a tool_verilator? (b c) !flag? (d)`."""
    found: list[str] = []
    at = 0
    while at < len(text):
        match = _EXPRESSION.match(text, at)
        if match is None:
            word = re.compile(r"\s*(\S+)").match(text, at)
            if word is None:
                break
            found.append(word[1])
            at = word.end()
            continue
        end = _closing(text, match.end() - 1)
        value = flags.get(match[2], False)
        if bool(value) is (match[1] != "!"):
            found += evaluate(text[match.end() : end], flags)
        at = end + 1
    return found


def _closing(text: str, opening: int) -> int:
    depth = 0
    for at in range(opening, len(text)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return at
    return len(text)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)) or (0,)


def _satisfies(version: str, wanted: Name) -> bool:
    if not wanted.version:
        return True
    mine, other = _number(version), _number(wanted.version)
    relations = {">=": mine >= other, ">": mine > other, "<": mine < other, "<=": mine <= other}
    if wanted.relation in ("~", "^"):
        return mine >= other and mine[:1] == other[:1]
    # Without a relation, fusesoc asks for exactly this version; a core without one fits all.
    return relations.get(wanted.relation, mine == other or mine == (0,))
