"""Bender: the sources of `Bender.yml` by target, with the packages that are checked out below the tree.

https://github.com/pulp-platform/bender. Packages that are elsewhere are named, not fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from veriloop.assistant.project.model import Build, Findings, Need
from veriloop.assistant.project.reading import Context, origin
from veriloop.assistant.project.tree import Tree
from veriloop.assistant.project.yaml_files import load, table, texts

NAME = "bender"

_DESIGN = frozenset({"rtl", "verilator", "simulation", "synthesis"})
_TEST = frozenset({"rtl", "test", "simulation", "verilator"})
_CALL = re.compile(r"\s*(all|any|not)\s*\(")


@dataclass(slots=True)
class _Collected:
    sources: list[Path] = field(default_factory=list)
    include_dirs: dict[Path, None] = field(default_factory=dict)
    defines: dict[str, str] = field(default_factory=dict)
    absent: list[str] = field(default_factory=list)


def read(tree: Tree, context: Context) -> Findings:
    """Each `Bender.yml` that no other one takes in, once as the design and once with its tests."""
    paths = sorted(tree.files("Bender.yml", "Bender.yaml"), key=lambda path: (len(path.parts), path))
    manifests = {path: table(load(tree, path)) for path in paths}
    builds: list[Build] = []
    missing: dict[str, None] = {}
    for path, manifest in manifests.items():
        if any(path.is_relative_to(other.parent) and path != other for other in manifests):
            continue
        for name, targets in (("design", _DESIGN), ("tests", _TEST)):
            found = _Collected()
            _package(tree, path.parent, manifest, targets, found, missing, set())
            if found.sources and (name == "design" or set(found.sources) != set(builds[-1].sources)):
                builds.append(_build(path, manifest, name, found))
    needs = [
        Need(kind="core", name=name, hint="bender checkout", present=False, wanted_by=("Bender.yml",))
        for name in missing
    ]
    return Findings(tuple(builds), (), (*needs, *(context.programs(["bender"]) if missing else ())))


def _build(path: Path, manifest: dict[str, Any], name: str, found: _Collected) -> Build:
    package = str(table(manifest.get("package")).get("name", path.parent.name))
    return Build(
        name=f"{package}: {name}",
        origin=origin(NAME, path),
        kind="files" if name == "design" else "simulation",
        sources=tuple(dict.fromkeys(found.sources)),
        include_dirs=tuple(found.include_dirs),
        defines=tuple(found.defines.items()),
        absent=tuple(found.absent),
    )


def _package(
    tree: Tree,
    directory: Path,
    manifest: dict[str, Any],
    targets: frozenset[str],
    into: _Collected,
    missing: dict[str, None],
    seen: set[Path],
) -> None:
    if directory in seen:
        return
    seen.add(directory)
    for name, about in table(manifest.get("dependencies")).items():
        place = _checkout(tree, directory, name, about)
        if place is None:
            missing[name] = None
            continue
        inner = table(load(tree, place / "Bender.yml"))
        # Tests of other packages are no part of this one.
        _package(tree, place, inner, targets - {"test"}, into, missing, seen)
    for name in texts(manifest.get("export_include_dirs")):
        _include(tree, directory / name, into)
    sources = manifest.get("sources")
    _sources(tree, directory, sources if isinstance(sources, list) else [sources], targets, into)


def _checkout(tree: Tree, directory: Path, name: str, about: object) -> Path | None:
    """Where a package lies, if it is in the tree."""
    path = table(about).get("path")
    if path:
        inside = tree.relative(directory / str(path))
        return inside if inside is not None and tree.is_dir(inside) else None
    found = sorted((tree.root / ".bender" / "git" / "checkouts").glob(f"{name}-*"))
    candidates = [tree.relative(one) for one in found]
    candidates += [Path("deps", name), Path("vendor", name)]
    return next((one for one in candidates if one is not None and tree.is_file(one / "Bender.yml")), None)


def _sources(tree: Tree, directory: Path, entries: list[Any], targets: frozenset[str], into: _Collected) -> None:
    for entry in entries:
        if isinstance(entry, str):
            _file(tree, directory / entry, into)
            continue
        group = table(entry)
        if not group or not holds(str(group.get("target", "*")), targets):
            continue
        for name in texts(group.get("include_dirs")):
            _include(tree, directory / name, into)
        for name, value in table(group.get("defines")).items():
            into.defines[name] = "" if value is None else str(value)
        files = group.get("files")
        _sources(tree, directory, files if isinstance(files, list) else [], targets, into)


def _file(tree: Tree, path: Path, into: _Collected) -> None:
    if path.suffix.lower() not in (".v", ".sv", ".svh", ".vh"):
        return
    inside = tree.relative(path)
    if inside is not None and tree.is_file(inside):
        into.sources.append(inside)
    else:
        into.absent.append(path.as_posix())


def _include(tree: Tree, path: Path, into: _Collected) -> None:
    inside = tree.relative(path)
    if inside is not None and tree.is_dir(inside):
        into.include_dirs[inside] = None


def holds(expression: str, targets: frozenset[str]) -> bool:
    """Whether a target expression holds: `all(test, not(synthesis))`; `*` always does."""
    expression = expression.strip()
    call = _CALL.match(expression)
    if call is None:
        return expression in ("*", "") or expression in targets
    inner = expression[call.end() :].rstrip()
    parts = [holds(part, targets) for part in _parts(inner[:-1] if inner.endswith(")") else inner)]
    if call[1] == "not":
        return not any(parts)
    return all(parts) if call[1] == "all" else any(parts)


def _parts(text: str) -> Iterator[str]:
    depth = start = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    yield text[start:]
