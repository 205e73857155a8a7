"""Suites from specification to RTL: who answers, what the set's testbench says, and what is counted."""

from __future__ import annotations

import fnmatch
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from veriloop.assistant.bench.kept import Dataclass, Kept
from veriloop.assistant.bench.problems import Problem, chipbench_gen, hdlbits, recorded, rtllm, verilogeval
from veriloop.assistant.bench.scoring import counted, harness, passes
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Note, Run, finish
from veriloop.assistant.generate.interface import read_interface
from veriloop.assistant.generate.selection import Selection, select
from veriloop.assistant.generate.synthesis import Abstained, Synthesis, synthesise, variants
from veriloop.assistant.generate.workflow import Request, generate
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.models.model import Model

_SURE = 0.9
_Row = TypeVar("_Row", bound=Dataclass)

PUBLISHED = {"ChipMATE 4B": 75.0, "ChipMATE 9B": 80.1}
"""Published pass@1 on all 156 problems of VerilogEval v2, in percent (https://github.com/zhongkaiyu/ChipMATE)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerationRow:
    """A problem and what came of it; `kind` says what the answer was made from."""

    problem: str
    kind: str
    outcome: Literal["solved", "wrong", "abstained", "harness"]
    why: str = ""

    @property
    def design(self) -> str:
        """What the row is about."""
        return self.problem


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionRow:
    """A problem and one answer chosen from the recorded ones of a model."""

    recorded: str
    problem: str
    pass_at_1: float
    """Share of the answers that pass."""
    pass_at_20: bool
    """Whether any does."""
    selected: bool
    """Whether the chosen one does."""
    confidence: float
    how: str
    notes: tuple[str, ...] = ()
    harness: str = ""

    @property
    def design(self) -> str:
        """What the row is about."""
        return f"{self.recorded} {self.problem}"


def asked(problems: Iterator[Problem], only: str) -> list[Problem]:
    """The problems whose names match.

    Raises:
        UsageError: none does.
    """
    found = [one for one in problems if fnmatch.fnmatch(one.name, only) or fnmatch.fnmatch(one.name, f"*{only}*")]
    if not found:
        raise UsageError(f"no problem matches {only!r}")
    return found


SETS: Mapping[str, Callable[[Path], Iterator[Problem]]] = {
    "verilogeval": verilogeval,
    "rtllm": rtllm,
    "chipbench-gen": chipbench_gen,
}
"""The sets of specifications whose answers a testbench judges."""


def run_generation(
    suite: str,
    data: Path,
    *,
    only: str,
    jobs: int,
    model: Model | None,
    count: int,
    toolchain: Toolchain,
    cancel: CancelToken,
    kept: Kept | None = None,
) -> Run[list[GenerationRow]]:
    """What comes of each specification, judged by the set's testbench.

    Args:
        suite: one of `SETS`.
        data: where the set lies.
        only: the problems whose names match.
        jobs: problems at once.
        model: who answers what does not follow from the specification; none: nobody.
        count: answers of each kind that it is asked for.
        toolchain: the simulators.
        cancel: stops it.
        kept: where rows are kept, and those of an earlier run.
    """

    def one(problem: Problem) -> GenerationRow:
        return _generated(problem, model, count, toolchain, cancel)

    kept = kept or Kept()
    rows = dict(kept.rows(GenerationRow))
    problems = asked(SETS[suite](data), only)
    waiting = [problem for problem in problems if problem.name not in rows]
    for row in (yield from _each(waiting, one, lambda row: f"{row.problem}: {row.outcome}", jobs, kept)):
        rows[row.design] = row
    return [rows[problem.name] for problem in problems]


def _generated(
    problem: Problem, model: Model | None, count: int, toolchain: Toolchain, cancel: CancelToken
) -> GenerationRow:
    tried = harness(problem, toolchain=toolchain, cancel=cancel)
    if tried.fault:
        return GenerationRow(problem=problem.name, kind="", outcome="harness", why=tried.fault)
    kind, made = _answered(problem, model, count, toolchain, cancel)
    if isinstance(made, Abstained):
        why = "; ".join((made.reason, *map(str, made.questions)))
        return GenerationRow(problem=problem.name, kind="", outcome="abstained", why=why)
    rtl, why = made
    right = passes(problem, rtl + problem.given, tried.engine, toolchain=toolchain, cancel=cancel)
    return GenerationRow(problem=problem.name, kind=kind, outcome="solved" if right else "wrong", why=why)


def _answered(
    problem: Problem, model: Model | None, count: int, toolchain: Toolchain, cancel: CancelToken
) -> tuple[str, tuple[bytes, str] | Abstained]:
    """The kind of the answer, and the answer with what it rests on."""
    interface = read_interface(problem.specification, header=problem.header)
    made = synthesise(problem.specification, interface) if interface else Abstained(reason="it names no ports")
    if isinstance(made, Synthesis):
        return made.kind, (made.rtl.encode(), "; ".join(made.assumed))
    if model is None or interface is None:
        return "", made
    request = Request(text=problem.specification, header=problem.header, model=model, count=count)
    found = finish(generate(request, toolchain=toolchain, cancel=cancel))
    if isinstance(found, Abstained):
        return "", found
    return "agreement", (found.rtl, f"{found.how}, {found.confidence} sure")


def generation_summary(suite: str, rows: Sequence[GenerationRow]) -> dict[str, object]:
    """The counts over all problems."""

    def count(outcome: str) -> int:
        return sum(row.outcome == outcome for row in rows)

    return {
        "suite": suite,
        "problems": len(rows),
        "solved": count("solved"),
        "wrong": count("wrong"),
        "abstained": count("abstained"),
        "harness_failures": count("harness"),
        "by_kind": counted(row.kind for row in rows if row.outcome == "solved"),
    }


def run_hdlbits_select(
    data: Path,
    models: Sequence[str],
    *,
    only: str,
    jobs: int,
    toolchain: Toolchain,
    cancel: CancelToken,
    kept: Kept | None = None,
) -> Run[list[SelectionRow]]:
    """One answer a problem from a model's recorded ones, chosen by the specification and the answers alone."""
    kept = kept or Kept()
    known = dict(kept.rows(SelectionRow))
    problems = asked(hdlbits(data), only)
    for model in models:
        answers = recorded(data, model)

        def one(
            problem: Problem, model: str = model, answers: Mapping[str, tuple[bytes, ...]] = answers
        ) -> SelectionRow:
            return _selected(problem, model, answers.get(problem.name, ()), toolchain, cancel)

        def line(row: SelectionRow) -> str:
            said = row.harness or ("right" if row.selected else "wrong")
            return f"{row.recorded} {row.problem}: {said}, {row.confidence:.2f} sure"

        waiting = [problem for problem in problems if f"{model} {problem.name}" not in known]
        for row in (yield from _each(waiting, one, line, jobs, kept)):
            known[row.design] = row
    return [known[f"{model} {problem.name}"] for model in models for problem in problems]


def _selected(
    problem: Problem, model: str, answers: Sequence[bytes], toolchain: Toolchain, cancel: CancelToken
) -> SelectionRow:
    tried = harness(problem, toolchain=toolchain, cancel=cancel)

    def right(text: bytes) -> bool:
        return passes(problem, text, tried.engine, toolchain=toolchain, cancel=cancel)

    scored = {text: right(text) for text in dict.fromkeys(answers)}
    passed = [scored[text] for text in answers]
    chosen = _chosen(problem, answers, toolchain, cancel)
    return SelectionRow(
        recorded=model,
        problem=problem.name,
        pass_at_1=sum(passed) / len(passed) if passed else 0.0,
        pass_at_20=any(passed),
        selected=chosen is not None and right(chosen.text),
        confidence=chosen.confidence if chosen else 0.0,
        how=chosen.how if chosen else "no answer can be used",
        notes=chosen.notes if chosen else (),
        harness=tried.fault,
    )


def _chosen(problem: Problem, answers: Sequence[bytes], toolchain: Toolchain, cancel: CancelToken) -> Selection | None:
    interface = read_interface(problem.specification, header=problem.header)
    if interface is None:
        return None
    made = synthesise(problem.specification, interface)
    with tempfile.TemporaryDirectory(prefix="veriloop-bench-") as name:
        return finish(
            select(
                answers,
                interface,
                specification=problem.specification,
                synthesis=made if isinstance(made, Synthesis) else None,
                variants=() if isinstance(made, Synthesis) else variants(problem.specification, interface),
                scratch=Path(name),
                toolchain=toolchain,
                cancel=cancel,
            )
        )


def selection_summary(named: str, rows: Sequence[SelectionRow]) -> dict[str, object]:
    """Figures in percent; several models are pooled. A problem that cannot be scored counts as one that fails."""
    count = max(1, len(rows))
    first = 100 * sum(row.pass_at_1 for row in rows) / count
    chosen = 100 * sum(row.selected for row in rows) / count
    any_ = 100 * sum(row.pass_at_20 for row in rows) / count
    sure = [row for row in rows if row.confidence >= _SURE]
    return {
        "recorded": named,
        "problems": len(rows),
        "pass_at_1": round(first, 2),
        "selected": round(chosen, 2),
        "pass_at_20": round(any_, 2),
        "gap_closed": round((chosen - first) / (any_ - first), 3) if any_ > first else None,
        "calibration_90": round(100 * sum(row.selected for row in sure) / len(sure), 2) if sure else None,
        "sure_90": round(100 * len(sure) / count, 2),
    }


def _each(
    items: Sequence[Problem], work: Callable[[Problem], _Row], line: Callable[[_Row], str], jobs: int, kept: Kept
) -> Run[list[_Row]]:
    """The rows in the order in which they are ready: one that takes long must not keep others from being kept."""
    rows: list[_Row] = []
    # Threads: what takes time is in the simulators.
    with ThreadPoolExecutor(jobs) as pool:
        try:
            waiting = [pool.submit(work, item) for item in items]
            for number, done in enumerate(as_completed(waiting), start=1):
                row = done.result()
                rows.append(row)
                kept.keep(row)
                yield Note(f"[{number}/{len(items)}] {line(row)}")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return rows
