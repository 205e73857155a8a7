"""What lint and a look at the texts say, with the side that it is about. It decides nothing by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from veriloop.assistant.design.model import Diagnostic
from veriloop.assistant.events import CancelToken
from veriloop.assistant.explain.doubts import doubts
from veriloop.assistant.explain.facts import ModuleFacts
from veriloop.assistant.judge.dispute import Subject
from veriloop.assistant.verify.toolchain import Toolchain

_TELLING = re.compile(
    r"LATCH|UNDRIVEN|MULTIDRIVEN|UNOPTFLAT|CASEINCOMPLETE|CASEOVERLAP|WIDTH|SELRANGE|BLKSEQ|COMBDLY|PIN|Width|Latch|"
    r"Unconnected|Index|Range|Multiple|Implicit",
)
"""Findings that can make hardware wrong; not those of style."""
_CONNECTS = re.compile(r"Unconnected|Port|Index|Range|Multiple|Implicit")
"""Those that can make a test wrong, whose words of 32 bits are cut everywhere."""
_MOST = 6
_WORD = re.compile(r"\w+")


def looked_at(subject: Subject, signals: Sequence[str], toolchain: Toolchain, cancel: CancelToken) -> tuple[str, ...]:
    """Findings on the design's side about what the failing outputs depend on, then on the test's side."""
    return tuple(dict.fromkeys([*_design(subject, signals, toolchain, cancel), *_test(subject)]))[:_MOST]


def _design(subject: Subject, signals: Sequence[str], toolchain: Toolchain, cancel: CancelToken) -> Iterator[str]:
    structure, dispute = subject.structures.get(subject.module), subject.dispute
    if structure is None:
        return
    facts = ModuleFacts(structure, subject.alone)
    cone = {*signals, *structure.cone(signals)}
    yield from (f"the design: {line}" for line in doubts(facts) if cone & set(_WORD.findall(line)))
    design = subject.design.rooted(dispute.root)
    for one in toolchain.verilator.lint(design, cwd=dispute.root, cancel=cancel):
        if Path(one.path).name == dispute.rtl.name and _TELLING.search(one.code):
            yield f"the design, {_placed(one, dispute.rtl)}"


def _test(subject: Subject) -> Iterator[str]:
    mine = {path.name: path for path in subject.bench_files()}
    for one in subject.whole.diagnostics if subject.whole is not None else ():
        path = mine.get(Path(one.path).name)
        if path is not None and _CONNECTS.search(one.code):
            yield f"the test, {_placed(one, path)}"


def _placed(one: Diagnostic, path: Path) -> str:
    return f"{path.as_posix()}:{one.line}: {one.message} [{one.code}]"
