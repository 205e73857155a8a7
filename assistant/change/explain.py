"""Why a test that passed fails now: the place in the change, the signal, and the cycle."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from veriloop.assistant.change.impact import VERILOG, Impact
from veriloop.assistant.change.result import Place
from veriloop.assistant.design.edits import differences
from veriloop.assistant.events import CancelToken
from veriloop.assistant.verify.divergence import Divergence, first_divergence
from veriloop.assistant.verify.protected import Contents
from veriloop.assistant.verify.testbench import Testbench
from veriloop.assistant.verify.toolchain import Toolchain

_WORD = re.compile(r"[A-Za-z_]\w*")


def explained(
    test: Testbench,
    contents: Contents,
    found: Impact,
    *,
    before: Path,
    after: Path,
    scratch: Path,
    toolchain: Toolchain,
    cancel: CancelToken,
    four_state: bool,
) -> Place | None:
    """Where a failing test and the change meet.

    Args:
        test: what fails.
        contents: the change.
        found: what the change reaches.
        before: a private copy of the tree on which the test passes.
        after: a private copy of the tree on which it fails.
        scratch: an existing directory.
        toolchain: the simulators.
        cancel: stops it.
        four_state: whether it fails under Icarus, too.
    """
    lines = _lines(test, contents, found)
    if not lines:
        return None
    likely = frozenset(word for _, _, text in lines for word in _WORD.findall(text))
    parted = first_divergence(
        test,
        before,
        after,
        likely=likely,
        scratch=scratch,
        toolchain=toolchain,
        cancel=cancel,
        four_state=four_state,
    )
    return _place(parted, lines)


def first_line(test: Testbench, contents: Contents, found: Impact) -> Place | None:
    """The first changed line that a test reads: what is left to say where nothing was recorded."""
    lines = _lines(test, contents, found)
    return _place(None, lines) if lines else None


def _lines(test: Testbench, contents: Contents, found: Impact) -> list[tuple[str, int, str]]:
    paths = [path for path in found.changed if path in contents and _is_verilog(path) and found.covers(test, path)]
    return [one for path in paths for one in changed_lines(path, contents[path])]


def changed_lines(path: str, versions: tuple[bytes, bytes]) -> list[tuple[str, int, str]]:
    """The lines that a change writes, or the line before which it only deletes: path, number from 1, text."""
    before, after = versions
    rows = after.splitlines() or [b""]
    found: dict[int, None] = {}
    shift = 0
    for start, end, text in differences(before, after):
        first = after.count(b"\n", 0, start + shift)
        last = after.count(b"\n", 0, start + shift + len(text.rstrip(b"\n")))
        found |= dict.fromkeys(range(first, last + 1))
        shift += len(text) - (end - start)
    return [(path, row + 1, rows[min(row, len(rows) - 1)].decode("utf-8", errors="replace")) for row in found]


def _place(parted: Divergence | None, lines: Sequence[tuple[str, int, str]]) -> Place:
    if parted is None:
        path, line, text = lines[0]
        return Place(path=path, line=line, text=text)
    names = [name.rpartition(".")[2].partition("[")[0] for name in (parted.signal, *parted.others)]
    path, line, text = min(lines, key=lambda one: _rank(one[2], names))
    return Place(
        path=path,
        line=line,
        text=text,
        signal=parted.signal,
        was=parted.was,
        now=parted.now,
        time=parted.time,
        cycle=parted.cycle,
        clock=parted.clock,
    )


def _rank(text: str, names: Sequence[str]) -> tuple[int, int]:
    """How near a line is to signals that part: it writes one of them, it names one, or neither."""
    for index, name in enumerate(names):
        if re.search(rf"\b{re.escape(name)}\b[^;=]*<?=[^=]", text):
            return (0, index)
    words = _WORD.findall(text)
    named = [index for index, name in enumerate(names) if name in words]
    return (1, named[0]) if named else (2, 0)


def _is_verilog(path: str) -> bool:
    return PurePosixPath(path).suffix.lower() in VERILOG
