"""Is RTL fit to be built: clean under Verilator's `-Wall`, without latches, taken by Yosys where that is installed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from veriloop.assistant.design.model import Design, Diagnostic
from veriloop.assistant.events import CancelToken
from veriloop.assistant.execute import execute, find_program
from veriloop.assistant.verify.evidence import Step
from veriloop.assistant.verify.toolchain import Toolchain

_STYLE = frozenset({"DECLFILENAME", "EOFNEWLINE", "UNUSEDSIGNAL", "UNUSEDPARAM", "UNUSEDGENVAR", "PROCASSINIT"})
"""What `-Wall` says of names, files and what is left over; nothing that makes hardware wrong."""
_LATCH = re.compile(r"\blatch\b", re.I)
_YOSYS_S = 60.0


def quality_steps(
    design: Design, *, root: Path, toolchain: Toolchain, latches: bool, cancel: CancelToken
) -> Iterator[Step]:
    """One step a question, each passed or not, with what was found.

    Args:
        design: of the tree that lies at `root`.
        root: an existing directory.
        toolchain: Verilator.
        latches: whether the specification asks for a latch.
        cancel: stops it.
    """
    found = toolchain.verilator.lint(design.rooted(root), cwd=root, cancel=cancel)
    warnings = [one for one in found if one.code not in _STYLE]
    inferred = [one for one in warnings if _is_latch(one)]
    plain = [one for one in warnings if not _is_latch(one)]
    yield Step(name="lint -Wall", passed=not plain, detail=_said(plain))
    if not latches:
        yield Step(name="no latch", passed=not inferred, detail=_said(inferred))
    yosys = find_program("yosys")
    if yosys is not None:
        yield _synthesised(yosys, design, root, latches, cancel)


def _is_latch(one: Diagnostic) -> bool:
    return one.code in ("LATCH", "NOLATCH") or bool(_LATCH.search(one.message))


def _said(found: list[Diagnostic]) -> str:
    return "; ".join(f"line {one.line}: {one.message} [{one.code}]" for one in found[:3]) or "clean"


def _synthesised(yosys: Path, design: Design, root: Path, latches: bool, cancel: CancelToken) -> Step:
    """Yosys reads, elaborates and maps the design to generic cells; a latch among them is one that nobody asked for."""
    files = " ".join(f'"{path.as_posix()}"' for path in design.sources)
    script = f"read_verilog -sv {files}; synth -top {design.toplevel}; stat"
    done = execute([yosys, "-Q", "-p", script], cwd=root, timeout_s=_YOSYS_S, cancel=cancel)
    if done.timed_out:
        return Step(name="yosys", passed=False, detail=f"did not end within {_YOSYS_S:.0f} s")
    if not done.ok:
        error = re.search(r"^.*ERROR: (.*)$", done.output, re.M)
        return Step(name="yosys", passed=False, detail=error[1] if error else "failed")
    cells = re.search(r"\$_?DLATCH\w*", done.output)
    if cells is not None and not latches:
        return Step(name="yosys", passed=False, detail="maps a part of it to latches")
    return Step(name="yosys", passed=True, detail="synthesizable")
