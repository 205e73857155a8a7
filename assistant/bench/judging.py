"""Does the judge say who is wrong? Cases of HDLBits of which that is known, each judged as a user would have it."""

from __future__ import annotations

import contextlib
import fnmatch
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from veriloop.assistant.bench.disputes import CLASSES, DisputeCase, Maker, Origin, origins
from veriloop.assistant.bench.kept import Running
from veriloop.assistant.bench.processes import everywhere
from veriloop.assistant.design.model import Design
from veriloop.assistant.errors import ToolError, UsageError
from veriloop.assistant.events import CancelToken, Note, Run, finish
from veriloop.assistant.execute import cpu_seconds
from veriloop.assistant.judge.dispute import Dispute
from veriloop.assistant.judge.verdict import Side, Verdict
from veriloop.assistant.judge.workflow import judge
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.verify.testbench import VerilogTestbench
from veriloop.assistant.verify.toolchain import Toolchain

_TIMEOUT_S = 10.0
_RTL, _BENCH, _SPEC = Path("rtl/design.sv"), Path("tests/test.sv"), Path("docs/specification.md")
_BINS = (0.6, 0.7, 0.8, 0.9, 0.95, 1.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeRow:
    """One case and what was said of it."""

    case: str
    made: str
    truth: str
    """Empty where the problem gives no case."""
    side: str = ""
    confidence: float = 0.0
    why: str = ""
    evidence: tuple[str, ...] = ()
    exists: bool = False
    """Whether there is evidence and each line of it stands where it is said to."""
    findings: tuple[str, ...] = ()
    cpu_s: float = 0.0
    error: str = ""

    @property
    def design(self) -> str:
        """What a row is kept under."""
        return self.case

    @property
    def decided(self) -> bool:
        """Whether a side was named."""
        return self.side not in ("", Side.UNKNOWN.value)

    @property
    def right(self) -> bool:
        """Whether it is the right one, with evidence."""
        return self.decided and self.side == self.truth and self.exists


def run_judge(data: Path, *, model: str, only: str, running: Running) -> Run[list[JudgeRow]]:
    """Every problem in a process of its own; the rows are kept as soon as they are there.

    Args:
        data: where HDLBits lies.
        model: whose recorded answers the judge may hear; empty: nobody's.
        only: the cases whose names match, `PROBLEM/CLASS`.
        running: how many problems at once, and where.

    Raises:
        UsageError: the set is not there, or no case matches.
    """
    # The answers make cases, too, whoever may hear them.
    asked = [one for one in origins(data, model or "gpt-4o-mini") if any(_wanted(one, side, only) for side in CLASSES)]
    if not asked:
        raise UsageError(f"no case matches {only!r}")
    rows = dict(running.kept.rows(JudgeRow))
    waiting = [one for one in asked if not all(name in rows for name in _cases(one, only))]
    yield Note(f"{len(asked) - len(waiting)} of {len(asked)} problems are known from an earlier run")
    work = partial(judge_problem, heard=bool(model), only=only)
    made = everywhere(work, waiting, jobs=running.jobs, farm=running.farm, cancel=running.cancel)
    with contextlib.closing(made) as found:
        for several in found:
            for row in several:
                rows[row.case] = row
                running.kept.keep(row)
                yield Note(line(row))
    return [rows[name] for one in asked for name in _cases(one, only)]


def _cases(origin: Origin, only: str) -> list[str]:
    """The names of a problem's cases that are wanted."""
    return [f"{origin.problem.name}/{side.value}" for side in CLASSES if _wanted(origin, side, only)]


def _glob(only: str) -> str:
    return only if any(sign in only for sign in "*?[") else f"*{only}*"


def _wanted(origin: Origin, side: Side, only: str) -> bool:
    return fnmatch.fnmatch(f"{origin.problem.name}/{side.value}", _glob(only))


def judge_problem(origin: Origin, cancel: CancelToken, *, heard: bool, only: str) -> list[JudgeRow]:
    """The cases of one problem; a row without a truth stands for each class of which it gives none."""
    toolchain = Toolchain.find(cache=cache_home(), cancel=cancel)
    rows = []
    made = {case.truth: case for case in Maker(origin, toolchain, cancel).cases()}
    for side in CLASSES:
        if not _wanted(origin, side, only):
            continue
        case = made.get(side)
        if case is None:
            rows.append(JudgeRow(case=f"{origin.problem.name}/{side.value}", made="no case", truth=""))
        else:
            rows.append(_judged(case, toolchain, cancel, heard=heard))
    return rows


def _judged(case: DisputeCase, toolchain: Toolchain, cancel: CancelToken, *, heard: bool) -> JudgeRow:
    started_s = cpu_seconds()
    row = JudgeRow(case=case.name, made=case.made, truth=case.truth.value)
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        root = Path(name, "tree").resolve()
        scratch = Path(name, "scratch")
        scratch.mkdir()
        for path, content in ((_RTL, case.rtl), (_BENCH, case.bench), (_SPEC, case.specification.encode())):
            (root / path).parent.mkdir(parents=True)
            (root / path).write_bytes(content)
        design = Design(toplevel=case.toplevel, sources=(_BENCH, _RTL))
        dispute = Dispute(
            testbench=VerilogTestbench(name=str(_BENCH), design=design, timeout_s=_TIMEOUT_S),
            root=root,
            scratch=scratch,
            rtl=_RTL,
            bench=(_BENCH,),
            specification=case.specification,
            spec_path=_SPEC,
            header=case.header,
            answers=case.answers if heard else (),
        )
        try:
            verdict: Verdict = finish(judge(dispute, toolchain=toolchain, cancel=cancel))
        except ToolError as error:
            return replace(row, error=error.message, cpu_s=round(cpu_seconds() - started_s, 2))
        exists = bool(verdict.evidence) and all(one.exists(root) for one in verdict.evidence)
    return replace(
        row,
        side=verdict.side.value,
        confidence=verdict.confidence,
        why=verdict.why,
        evidence=tuple(map(str, verdict.evidence)),
        exists=exists,
        findings=verdict.findings,
        cpu_s=round(cpu_seconds() - started_s, 2),
    )


def line(row: JudgeRow) -> str:
    """A row in one line."""
    if not row.truth:
        return f"{row.case}: no such case can be made"
    said = row.error or f"{row.side} ({row.confidence:.2f}), {row.why}"
    mark = "right" if row.right else "undecided" if not row.decided else "WRONG"
    return f"{row.case}: {mark}: {said} [{row.made}; {row.cpu_s} CPU s]"


def _counts(rows: Sequence[JudgeRow]) -> dict[str, int]:
    right = sum(row.right for row in rows)
    undecided = sum(not row.decided for row in rows)
    return {"cases": len(rows), "right": right, "wrong": len(rows) - right - undecided, "undecided": undecided}


def judge_summary(rows: Sequence[JudgeRow]) -> dict[str, object]:
    """The counts over all cases; a verdict without evidence that exists counts as wrong."""
    cases = [row for row in rows if row.truth]
    counts = _counts(cases)
    decided = counts["right"] + counts["wrong"]
    return {
        **counts,
        "accuracy_decided": round(100 * counts["right"] / decided, 2) if decided else None,
        "by_class": {side.value: _counts([row for row in cases if row.truth == side.value]) for side in CLASSES},
    }


def further(rows: Sequence[JudgeRow]) -> dict[str, object]:
    """What else a reader wants to know: how far the confidence can be believed, and what a verdict costs."""
    cases = [row for row in rows if row.truth]
    costs = sorted(row.cpu_s for row in cases)
    return {
        "calibration": dict(_calibration(cases)),
        "without_evidence": sum(not row.exists for row in cases),
        "cpu_s_median": costs[len(costs) // 2] if costs else 0.0,
    }


def _calibration(cases: Sequence[JudgeRow]) -> Iterator[tuple[str, str]]:
    low = 0.0
    for high in _BINS:
        inside = [row for row in cases if row.decided and low <= row.confidence < high]
        if inside:
            yield f"{low:.2f}-{min(high, 1.0):.2f}", f"{sum(row.right for row in inside)} of {len(inside)}"
        low = high
