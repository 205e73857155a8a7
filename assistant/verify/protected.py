"""What a change may not touch, because it judges the change: tests, waivers, assertions, file lists."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from veriloop.assistant.design.model import Design
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.design.syntax import SyntaxTree
from veriloop.assistant.verify.testbench import (
    CocotbTestbench,
    CommandTest,
    Testbench,
    TraceTestbench,
)

Workflow = Literal["repair", "testbench", "any"]
"""Who proposes: repair may change RTL only, testbench work tests only; anybody's change is told apart, not refused."""

Contents = Mapping[str, tuple[bytes, bytes]]
"""For each touched file, with `/`, what it was and what it becomes; empty where it is not there."""

HDL_SUFFIXES = frozenset({".v", ".sv", ".vh", ".svh", ".vp", ".svp", ".inc", ".vinc", ".h"})

_WAIVER = re.compile(r".*\.(?:vlt|waiver|waive|awl|swl|sby)|\.rules\.verible_lint|.*verible.*|\.?slang.*\.(?:f|json)")
_BUILD = re.compile(
    r".*\.(?:f|fl|core|mk|tcl|do)|veriloop\.toml|(?:gnu)?makefile|cmakelists\.txt|bender\.(?:yml|lock)|.*\.vc", re.I
)
_ASSERTION = re.compile(
    r"(?:simple|deferred)_immediate_(?:assert|assume|cover)_statement|(?:assert|assume|cover|restrict)_property_statement"
    r"|(?:property|sequence|covergroup|checker)_declaration|cover_sequence_statement|expect_property_statement"
    r"|bind_directive"
)
_SEVERITY_TASK = re.compile(r"\$(?:error|fatal)\b")
_LINT_COMMENT = re.compile(
    rb"(?://|/\*)\s*(?:verilator\s+\w+_off|verilator\s+lint_\w+|(?:synthesis|synopsys|pragma)\s+translate_off|spyglass\s+disable"
    rb"|verilog_lint:|slang\s+lint_off)",
    re.I,
)
_SPEAKS = re.compile(
    # What could end a simulation early, print a pass, or reach into the testbench.
    r"\$(?:finish|stop|exit|system|s?write[bho]?|f?display[bho]?|f?write[bho]?|f?strobe[bho]?|f?monitor\w*|fopen|assert\w+"
    r"|(?:test|value)\$plusargs|dumpoff)\b|\$root\b|\b(?:force|release)\b"
)
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Protected:
    """A touched file that judges, and why it counts as that."""

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


def protected(
    contents: Contents,
    testbenches: Sequence[Testbench],
    workflow: Workflow,
    *,
    named: Collection[str] = (),
    editable: Sequence[str] = (),
    locked: Sequence[str] = (),
) -> tuple[Protected, ...]:
    """The touched files that the workflow may not touch; for `any`, those that judge.

    Args:
        contents: what the change does.
        testbenches: what judges it.
        workflow: who proposes it.
        named: RTL that the user names as such, wherever it lies.
        editable: globs of the files that a repair may change; none: all that do not judge. `*` crosses directories.
        locked: globs of files that no patch may touch, beside those that judge.
    """
    own = {path: bench.name for bench in testbenches for path in own_files(bench, contents)}
    found = []
    for path, (before, after) in sorted(contents.items()):
        chosen = path in named or _matches(path, editable)
        why = f"is part of the testbench {own[path]}" if path in own else judging(path, rtl=chosen)
        if _matches(path, locked):
            why = why or "is protected by veriloop.toml"
        elif editable and not chosen and workflow == "repair":
            why = why or "is not among the editable files of veriloop.toml"
        if workflow == "testbench":
            why = "" if why else "is RTL: testbench work does not touch it"
        elif not why and workflow == "repair" and PurePosixPath(path).suffix.lower() not in HDL_SUFFIXES:
            why = "is no RTL"
        elif not why:
            why = removed_checks(before, after) if PurePosixPath(path).suffix.lower() in HDL_SUFFIXES else ""
        if why:
            found.append(Protected(path, why))
    return tuple(found)


def judging(path: str, *, rtl: bool = False) -> str:
    """Why a file counts as one that judges, by its name alone; empty if it does not."""
    pure = PurePosixPath(path)
    name = pure.name.lower()
    if _WAIVER.fullmatch(name):
        return "is a waiver or configures a checker"
    if _BUILD.fullmatch(name):
        return "says what is built or tested"
    if rtl:
        return ""
    named_so = any(is_test_path(PurePosixPath(part)) for part in name.split(".")[:-1]) or name == "conftest.py"
    if named_so or is_test_path(pure) or "formal" in pure.parent.parts:
        return "is a test by its name or its directory"
    return ""


def own_files(testbench: Testbench, contents: Contents) -> set[str]:
    """Those of the touched files that are the testbench itself: its top module, its oracle, its Python modules."""
    if isinstance(testbench, CommandTest):
        return set()
    if isinstance(testbench, CocotbTestbench):
        folders = {path.as_posix() for path in testbench.search_path}
        return {path for path in contents if PurePosixPath(path).parent.as_posix() in folders and path.endswith(".py")}
    own = {testbench.oracle.as_posix()} if isinstance(testbench, TraceTestbench) else set()
    sources = {_plain(path) for path in testbench.design.sources}
    return own | {path for path in contents if path in sources and _holds_top(testbench.design, contents[path])}


def removed_checks(before: bytes, after: bytes) -> str:
    """What a change of an RTL file does to its own checks; empty if it leaves them as they are."""
    lost = _checks(before) - _checks(after)
    if lost:
        return f"changes a check of its own: {next(iter(lost))[:80]}"
    if len(_LINT_COMMENT.findall(after)) > len(_LINT_COMMENT.findall(before)):
        return "switches a checker off in a comment"
    spoken = _spoken(after) - _spoken(before)
    if spoken:
        return f"adds {next(iter(spoken))}, with which a design could answer for its testbench"
    return ""


def _checks(content: bytes) -> Counter[str]:
    """Assertions, assumptions, coverage and severity tasks, by their text without the layout."""
    if not re.search(rb"assert|assume|cover|property|sequence|checker|expect|bind|\$error|\$fatal", content):
        return Counter()
    tree = SyntaxTree(content)
    found = Counter(_SPACE.sub(" ", tree.text(node)) for node in tree.nodes if _ASSERTION.fullmatch(node.type))
    # By count: which value it prints is no check.
    found.update(match[0] for match in _SEVERITY_TASK.finditer(_without_comments(tree)))
    return found


def _spoken(content: bytes) -> Counter[str]:
    if not _SPEAKS.search(content.decode("latin-1")):
        return Counter()
    return Counter(match[0] for match in _SPEAKS.finditer(_without_comments(SyntaxTree(content))))


def _without_comments(tree: SyntaxTree) -> str:
    content = bytearray(tree.content)
    for node in tree.nodes:
        if node.type in ("one_line_comment", "block_comment", "comment", "quoted_string", "string_literal"):
            content[node.start_byte : node.end_byte] = b" " * (node.end_byte - node.start_byte)
    return content.decode("utf-8", errors="replace")


def _holds_top(design: Design, versions: tuple[bytes, bytes]) -> bool:
    pattern = re.compile(
        rb"^\s*(?:module|program)\s+(?:automatic\s+)?" + re.escape(design.toplevel.encode()) + rb"\b", re.M
    )
    return any(pattern.search(content) for content in versions)


def _matches(path: str, globs: Sequence[str]) -> bool:
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in globs)


def _plain(path: Path) -> str:
    return PurePosixPath(path.as_posix()).as_posix().removeprefix("./")
