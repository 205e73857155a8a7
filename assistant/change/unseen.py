"""What no step looks at in the files that were changed: said with every answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from veriloop.assistant.change.impact import Impact
from veriloop.assistant.design.roles import is_test_path
from veriloop.assistant.verify.testbench import Testbench

_MOST = 6
"""Names in one line."""
_COMMENT = re.compile(rb'//[^\n]*|/\*.*?(?:\*/|\Z)|"(?:\\.|[^"\\\n])*"', re.DOTALL)
_DIRECTIVE = re.compile(rb"`\s*(ifdef|ifndef|elsif|else|endif)\b[ \t]*(\w*)")
_ASSERTION = re.compile(rb"\b(?:assert|assume|cover|restrict)\s*(?:property|final|#0)?\s*\(|`ASSERT\w*\s*\(")
_CLOCK = re.compile(rb"@\s*\(\s*(?:pos|neg)edge\s+([A-Za-z_][\w$.]*)")
_PARAMETER = re.compile(
    rb"\bparameter\b(?:\s+(?:integer|int|logic|bit|string|real|type|signed|unsigned|\[[^\]]*\]|\w+(?=\s+\w+\s*=)))*\s*(\w+)\s*="
)
_GUARD = re.compile(r"_(?:SVH?|VH?|H)_*$|^_|_INCLUDED_*$|GUARD", re.I)
_TOOLS = frozenset({"VERILATOR", "SYNTHESIS", "__ICARUS__", "FORMAL", "YOSYS", "XILINX_SIMULATOR", "MODEL_TECH"})


def unseen(root: Path, found: Impact, testbenches: Sequence[Testbench]) -> Iterator[str]:
    """Lines about the changed RTL: hidden assertions, clock crossings, other configurations."""
    for path in found.changed:
        if path not in found.reach or path in found.layout_only or is_test_path(PurePosixPath(path)):
            continue
        text = _COMMENT.sub(_blanked, (root / path).read_bytes())
        for line in _hidden_assertions(text):
            yield f"{path}:{line}: an assertion that Verilator is not shown (`ifndef VERILATOR)"
        clocks = list(dict.fromkeys(name.decode() for name in _CLOCK.findall(text)))
        if len(clocks) > 1:
            yield f"{path}: clock-domain crossings between {_names(clocks)}"
        macros = [name for name in _asked(text) if not _GUARD.search(name)]
        if macros:
            yield f"{path}: the other ways of `ifdef {_names(macros)}"
        parameters = list(dict.fromkeys(name.decode() for name in _PARAMETER.findall(text)))
        if parameters:
            whose = "the tests'" if testbenches else "the defaults"
            yield f"{path}: values of {_names(parameters)} other than {whose}"


def _hidden_assertions(text: bytes) -> Iterator[int]:
    """The lines of assertions that stand where `VERILATOR` is not defined."""
    hidden: list[bool] = []
    at = 0
    for match in _DIRECTIVE.finditer(text):
        if any(hidden):
            yield from (text.count(b"\n", 0, one.start()) + 1 for one in _ASSERTION.finditer(text, at, match.start()))
        at = match.end()
        kind, name = match[1], match[2]
        if kind in (b"ifdef", b"ifndef"):
            hidden.append(kind == b"ifndef" and name == b"VERILATOR")
        elif kind == b"endif" and hidden:
            hidden.pop()
        elif kind in (b"else", b"elsif") and hidden:
            start = _opening(text, match.start())
            hidden[-1] = start == (b"ifdef", b"VERILATOR")


def _opening(text: bytes, before: int) -> tuple[bytes, bytes]:
    """The directive that an `else` belongs to."""
    depth = 0
    for match in reversed(list(_DIRECTIVE.finditer(text, 0, before))):
        if match[1] == b"endif":
            depth += 1
        elif match[1] in (b"ifdef", b"ifndef"):
            if depth == 0:
                return match[1], match[2]
            depth -= 1
    return b"", b""


def _asked(text: bytes) -> list[str]:
    """The macros that decide what is compiled, but for the tools' own and for those that the file sets."""
    names = dict.fromkeys(
        match[2].decode() for match in _DIRECTIVE.finditer(text) if match[1] in (b"ifdef", b"ifndef", b"elsif")
    )
    own = {name.decode() for name in re.findall(rb"`\s*define\s+(\w+)", text)}
    return [name for name in names if name and name not in _TOOLS and name not in own]


def _blanked(match: re.Match[bytes]) -> bytes:
    return re.sub(rb"[^\n]", b" ", match[0])


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join(names[:_MOST]) + more
