"""What the verdict of a testbench depends on, as the key that it is kept under."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.design.model import Design
from veriloop.assistant.design.project import HEADER_SUFFIXES, SOURCE_SUFFIXES
from veriloop.assistant.design.reach import visible_text
from veriloop.assistant.verify.surroundings import environment, own_version, packages
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
    VerilogTestbench,
)

SCHEMA = 3
"""Raised when the way in which runs are judged changes."""

NAME = "testbench name"
"""The part that says what the testbench is called."""

_SIMULATORS = ("verilator", "icarus")
_VERILOG = SOURCE_SUFFIXES | HEADER_SUFFIXES
_READS_FILES = re.compile(
    rb'\$(?:readmem[bh]|f?open|fopen|fread|system)\b|import\s+"DPI|`include\s*[<"][^">]*/|`include\s+`'
)


@dataclass(frozen=True, slots=True)
class VerdictKey:
    """What a verdict depends on: names of parts, each with its value or the hash of it."""

    parts: Mapping[str, str]

    @property
    def digest(self) -> str:
        """What the verdict is kept under."""
        return digest(dict(self.parts))

    def until_red(self) -> VerdictKey:
        """The key of runs that broke off at the first that was red."""
        return VerdictKey({**self.parts, "runs": "until one is red"})


def verdict_key(
    testbench: Testbench, *, root: Path, tree: str, tools: Sequence[tuple[str, str]], layout: bool = True
) -> VerdictKey | None:
    """The key of a testbench's verdict about the files that lie at `root`.

    It covers the files that the testbench's design names and everything in the directories that it searches. Where
    that is not all that a run may read (a command, Python, `$readmemh`), it covers the whole tree, and for programs of
    the repository the environment and the Python packages that they find.

    Args:
        testbench: what judges.
        root: where the files are.
        tree: the id of the tree that lies there; empty if there is more than that tree: then none is the answer
            where the whole tree would be needed.
        tools: names and versions.
        layout: whether the layout and the comments of Verilog files count. Where they do not, only a pass may be kept,
            since what a failing run says names lines; where the whole tree counts, there is no such key.
    """
    runs_programs = isinstance(testbench, CommandTest | CocotbTestbench)
    hashes, complete = ({}, False) if isinstance(testbench, CommandTest) else _file_hashes(testbench, root, layout)
    complete = complete and not runs_programs
    if not complete and not (tree and layout):
        return None
    parts = {"schema": str(SCHEMA), "veriloop": own_version(), "kind": type(testbench).__name__}
    parts |= {f"tool {name}": version for name, version in tools if runs_programs or name in _SIMULATORS}
    parts |= {f"testbench {name}": _text(value) for name, value in asdict(testbench).items()}
    parts |= {f"file {path}": digest for path, digest in hashes.items()}
    if not layout:
        parts["layout"] = "left out"
    if not complete:
        parts["tree"] = tree
    if runs_programs:
        parts |= {f"environment {name}": digest for name, digest in environment()}
        parts |= {f"package {name}": "" for name in packages()}
    return VerdictKey(parts)


def design_key(design: Design, *, root: Path, tree: str, tools: Sequence[tuple[str, str]]) -> VerdictKey | None:
    """The key of what the static tools say about a design; as for a verdict, none where it depends on too much."""
    hashes, complete = _hashes(_design_files(design, root), root)
    if not complete and not tree:
        return None
    parts = {"schema": str(SCHEMA), "veriloop": own_version(), "kind": "static", NAME: f"static {design.toplevel}"}
    parts |= {f"tool {name}": version for name, version in tools if name == "verilator"}
    parts |= {f"design {name}": _text(value) for name, value in asdict(design).items()}
    parts |= {f"file {path}": digest for path, digest in hashes.items()}
    if not complete:
        parts["tree"] = tree
    return VerdictKey(parts)


def _file_hashes(
    testbench: VerilogTestbench | TraceTestbench | CocotbTestbench, root: Path, layout: bool
) -> tuple[dict[str, str], bool]:
    """Hashes by relative path, and whether they are all that a run reads."""
    oracle = [root / testbench.oracle] if isinstance(testbench, TraceTestbench) else []
    return _hashes([*_design_files(testbench.design, root), *oracle], root, layout=layout)


def _hashes(paths: Iterable[Path], root: Path, *, layout: bool = True) -> tuple[dict[str, str], bool]:
    hashes: dict[str, str] = {}
    complete = True
    for path in sorted(set(paths)):
        try:
            content = path.read_bytes()
        except OSError:
            content = b""
        complete = complete and not _READS_FILES.search(content)
        name = path.relative_to(root) if path.is_relative_to(root) else path
        bare = not layout and path.suffix.lower() in _VERILOG
        hashes[name.as_posix()] = _visible_hash(content) if bare else hashlib.sha256(content).hexdigest()
    return hashes, complete


@functools.lru_cache(maxsize=1024)
def _visible_hash(content: bytes) -> str:
    """Kept, since a verdict is looked for and put under the same key."""
    return hashlib.sha256(visible_text(content)).hexdigest()


def _design_files(design: Design, root: Path) -> Iterator[Path]:
    rooted = design.rooted(root)
    folders = {*rooted.include_dirs, *rooted.library_dirs, *(path.parent for path in rooted.sources)}
    yield from (*rooted.sources, *rooted.library_files)
    for folder in folders:
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if path.is_file())


def _text(value: Any) -> str:
    """A field of a testbench."""
    return value if isinstance(value, str) else _canonical(_plain(value)).decode()


def _plain(value: Any) -> Any:
    """Paths as text, for JSON."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.as_posix() if isinstance(value, Path) else value


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any) -> str:
    """The hash of plain data."""
    return hashlib.sha256(_canonical(value)).hexdigest()
