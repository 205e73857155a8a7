"""Keeps what an import found, until a file of the tree changes."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import json
import os
import types
import typing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from veriloop.assistant.durable import write_whole
from veriloop.assistant.project import needs
from veriloop.assistant.project.imports import import_project
from veriloop.assistant.project.model import Imported, Need, Test
from veriloop.assistant.project.tree import Tree

_FORMAT = 3
"""Raised when what is found changes without any file of the tree changing."""
_KEPT = 40
"""Imports that are kept, one a tree."""

T = TypeVar("T")


def known_project(root: Path, cache: Path | None) -> Imported:
    """What a repository says about itself, from an earlier import where no file has changed since.

    Args:
        root: where its tree lies.
        cache: a directory of the user's own; none: nothing is kept.

    Raises:
        UsageError: the root is no directory.
    """
    if cache is None or not root.is_dir():
        return import_project(root)
    tree = Tree(root)
    place = cache / "imports" / f"{hashlib.sha256(os.fsencode(tree.root)).hexdigest()[:24]}.json"
    mark = _mark(tree)
    found = _read(place, mark, tree)
    if found is None:
        found = import_project(root)
        _write(place, mark, found)
    return found


def _mark(tree: Tree) -> str:
    """Changes with every file: its name, its size, its time."""
    digest = hashlib.blake2b(str(_FORMAT).encode(), digest_size=16)
    for name in tree.names:
        try:
            state = os.lstat(f"{tree.root}/{name}")
        except OSError:
            continue
        digest.update(f"{name}\0{state.st_size}\0{state.st_mtime_ns}\0".encode("utf-8", errors="surrogateescape"))
    digest.update(json.dumps(sorted(tree.submodules.items())).encode())
    return digest.hexdigest()


def _read(place: Path, mark: str, tree: Tree) -> Imported | None:
    try:
        data = json.loads(place.read_bytes())
        if data["mark"] != mark:
            return None
        return _looked_for(decode(Imported, data["found"]), tree)
    except (OSError, ValueError, KeyError, TypeError):
        # Damaged, or of another version: made again.
        return None


def _write(place: Path, mark: str, found: Imported) -> None:
    with contextlib.suppress(OSError):
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(place, json.dumps({"mark": mark, "found": encode(found)}))
        old = sorted(place.parent.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for one in old[_KEPT:]:
            one.unlink(missing_ok=True)


def _looked_for(found: Imported, tree: Tree) -> Imported:
    """With what is installed now, which no file of the tree tells."""
    python = needs.own_environment(tree)

    @functools.cache
    def now(need: Need) -> Need:
        return replace(need, present=needs.is_present(need, python))

    def of_test(test: Test) -> Test:
        return replace(test, needs=tuple(map(now, test.needs))) if test.needs else test

    tests = sorted(map(of_test, found.tests), key=lambda test: not test.runnable)
    return replace(found, needs=tuple(map(now, found.needs)), tests=tuple(tests))


def encode(value: Any) -> Any:
    """Data classes, paths and tuples as JSON has them."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: encode(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, list | tuple):
        return [encode(one) for one in value]
    return str(value) if isinstance(value, Path) else value


def decode(hint: type[T], data: Any) -> T:
    """The inverse of `encode`, by the types of the fields.

    Raises:
        TypeError, KeyError, ValueError: the data is not of this form.
    """
    decoder: typing.Callable[[Any], T] = _decoder(typing.cast(typing.Hashable, hint))
    return decoder(data)


@functools.cache
def _decoder(hint: Any) -> typing.Callable[[Any], Any]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            one = _decoder(inner[0])
            return lambda data: tuple(map(one, data))
        parts = [_decoder(part) for part in inner]
        return lambda data: tuple(part(value) for part, value in zip(parts, data, strict=True))
    if origin is types.UnionType:
        some = _decoder(inner[0])
        return lambda data: None if data is None else some(data)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = typing.get_type_hints(hint)
        fields = [(field.name, _decoder(hints[field.name])) for field in dataclasses.fields(hint)]
        return lambda data: hint(**{name: read(data[name]) for name, read in fields})
    return Path if hint is Path else lambda data: data
