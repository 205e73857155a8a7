"""How much judging a candidate costs: in a batch, and beside it one build for each, all measured in one run."""

from __future__ import annotations

import functools
import itertools
import math
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from veriloop.assistant.bench.loop_comparison import Comparison
from veriloop.assistant.bench.loop_designs import LoopCandidate, LoopDesign, candidates
from veriloop.assistant.bench.loop_ways import Place, by_icarus, by_verilator, changed, default_build_s, tuned_s
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.execute import cpu_seconds
from veriloop.assistant.repair.screen import Screen, Worker
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.toolchain import Toolchain

COUNTS = (50, 200)
"""Candidates a batch."""
TUNED, ICARUS = 6, 24
"""How many candidates each slow way is measured on; what it costs the others is taken to be the same."""

_SEED = 1
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One design and number of candidates; the ratios are of candidates a CPU second."""

    design: str
    lines: int
    n: int
    candidates_per_cpu_s: float
    vs_tuned_build: float
    """Against one Verilator build a candidate, with the prebuilt runtime, at the better of two optimisation levels; it
    runs from one start state after the other until one fails, as a batch does."""
    vs_default_build: float
    """Against `verilator --binary` and one run, of the unchanged design."""
    vs_icarus: float
    """Against one `iverilog` and one `vvp` a candidate."""
    agree: int
    """Candidates whose run in a Verilator batch says, to the letter, what a build of their own says."""
    disagree: int
    """Candidates of which a batch says something else, or Icarus does and no experiment tells why."""


def measure(
    design: LoopDesign,
    counts: Sequence[int],
    compare: int,
    toolchain: Toolchain,
    cancel: CancelToken,
    *,
    survivors: float = 1.0,
) -> Run[list[Row]]:
    """Measures one design with so many candidates each.

    Args:
        design: runs, whatever its testbench says of it.
        counts: the sizes of the batches.
        compare: how many candidates are built one by one as well, and compared.
        toolchain: Verilator, and Icarus where it is installed.
        cancel: stops it.
        survivors: the share of the candidates that the testbench may pass; as they come, if it is 1. Of a large design
            a program meets a small part, so that most edits change nothing that it sees.

    Raises:
        UsageError: the design does not run, or is too small for so many candidates.
    """
    with tempfile.TemporaryDirectory(prefix="veriloop-loop-") as name:
        place = Place(Path(name, "tree"), Path(name, "scratch"), toolchain, cancel)
        place.scratch.mkdir()
        design.write(place.root)
        yield Note(f"{design.name}: the unchanged design")
        baseline = by_verilator(design.testbench, place)
        four_state = by_icarus(design.testbench, place)
        runs = [*baseline, *([four_state] if four_state is not None else [])]
        unusable = next((run for run in runs if run.outcome not in (Outcome.PASS, Outcome.FAIL)), None)
        if unusable is not None:
            why = unusable.reason or next(iter(unusable.log_tail.splitlines()), unusable.outcome.value)
            raise UsageError(f"{design.name} does not run from {unusable.start} by {unusable.engine}: {why}")
        limit_s = min(_LONGEST_S, max(1.0, 20 * max(run.wall_s for run in runs)))
        any_edit = candidates(design, place.root, seed=_SEED, by_class=False)
        if survivors < 1:
            judge = functools.partial(_together, design, baseline=runs, limit_s=limit_s, place=place)
            found = yield from drawn(any_edit, max(counts), survivors, lambda part: judge(part)[1])
        else:
            found = list(itertools.islice(any_edit, max(counts)))
        any_class = candidates(design, place.root, seed=_SEED, by_class=True)
        compared = list(itertools.islice(any_class, compare))
        if len(found) < max(counts):
            raise UsageError(f"{design.name} is too small for {max(counts)} candidates: it gives {len(found)}")
        yield Note(f"{design.name}: {TUNED} candidates, and {len(compared)} to compare, one by one")
        one_by_one = yield from _one_by_one(design, found, compared, limit_s, place)
        yield from one_by_one.notes
        rows = []
        for count in counts:
            yield Note(f"{design.name}: {count} candidates together")
            cpu_s, results = _together(design, found[:count], runs, limit_s, place)
            outcomes = Counter(f"{result.outcome.value} by {result.engine}" for result in results)
            yield Note(f"{design.name}: {cpu_s:.2f} CPU s, {', '.join(f'{n} {w}' for w, n in outcomes.most_common())}")
            rate = count / cpu_s
            rows.append(
                Row(
                    design=design.name,
                    lines=design.lines,
                    n=count,
                    candidates_per_cpu_s=round(rate, 3),
                    vs_tuned_build=round(rate * one_by_one.tuned_s, 2),
                    vs_default_build=round(rate * one_by_one.default_s, 2),
                    vs_icarus=round(rate * one_by_one.icarus_s, 2),
                    agree=one_by_one.agree if count == max(counts) else 0,
                    disagree=one_by_one.disagree if count == max(counts) else 0,
                )
            )
        return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _OneByOne:
    """CPU seconds a candidate of each way, and how a batch compares."""

    tuned_s: float
    default_s: float
    icarus_s: float
    agree: int
    disagree: int
    notes: tuple[Note, ...]


def _one_by_one(
    design: LoopDesign,
    found: Sequence[LoopCandidate],
    compared: Sequence[LoopCandidate],
    limit_s: float,
    place: Place,
) -> Run[_OneByOne]:
    bench = replace(design.testbench, timeout_s=limit_s)
    one_build_s = tuned_s(design, found[:TUNED], bench, place)
    compares = Comparison(design, bench, place)
    yield from compares.run([*found[:TUNED], *compared])
    before_s = cpu_seconds()
    for one in found[:ICARUS]:
        changed(design, one, place, lambda: by_icarus(bench, place))
    icarus_s = (cpu_seconds() - before_s) / ICARUS
    return _OneByOne(
        tuned_s=one_build_s,
        default_s=default_build_s(design, limit_s, place),
        icarus_s=icarus_s,
        agree=compares.agree,
        disagree=compares.disagree,
        notes=tuple(compares.notes),
    )


def drawn(
    any_edit: Iterator[LoopCandidate],
    count: int,
    survivors: float,
    judge: Callable[[Sequence[LoopCandidate]], Sequence[SimResult]],
) -> Run[list[LoopCandidate]]:
    """So many candidates, or as many as there are, of which at most a share survives, evenly among them.

    Args:
        any_edit: candidates, in the order in which they are drawn.
        count: how many are wanted.
        survivors: the share of them that may pass.
        judge: tells beforehand which do.
    """
    wanted = math.floor(count * survivors)
    failing: list[LoopCandidate] = []
    passing: list[LoopCandidate] = []
    while len(failing) < count - min(wanted, len(passing)):
        part = list(itertools.islice(any_edit, count))
        if not part:
            break
        for one, result in zip(part, judge(part), strict=True):
            (passing if result.passed else failing).append(one)
        yield Note(f"{len(failing)} candidates fail and {len(passing)} survive of those drawn")
    passing = passing[:wanted]
    failing = failing[: count - len(passing)]
    every = math.ceil(1 / survivors) if survivors else count + 1
    found: list[LoopCandidate] = []
    while failing or passing:
        found.append(passing.pop(0) if passing and (not failing or len(found) % every == every - 1) else failing.pop(0))
    return found


def _together(
    design: LoopDesign, found: Sequence[LoopCandidate], baseline: Sequence[SimResult], limit_s: float, place: Place
) -> tuple[float, list[SimResult]]:
    """CPU seconds of judging candidates as a search does, and the results."""
    before_s = cpu_seconds()
    screen = Screen(
        design.testbench,
        engine="verilator" if place.toolchain.icarus is None else "icarus",
        original={path: design.files[path] for path in design.editable},
        workers=[Worker(place.root, place.scratch)],
        toolchain=place.toolchain,
        elaborator=None,
        timeout_s=limit_s,
        cancel=place.cancel,
    )
    try:
        screen.share({}, baseline, confirm=False)
        results = screen.judge([one.contents for one in found])
    finally:
        screen.close()
    return cpu_seconds() - before_s, results


def summary(rows: Sequence[Row]) -> dict[str, object]:
    """The figures of the design of 150 to 250 lines in its largest batch, and the disagreements of all."""
    middle = [row for row in rows if 150 <= row.lines <= 250] or list(rows)
    largest = max(row.n for row in middle)
    # Of two such designs the one that gains less.
    row = min((one for one in middle if one.n == largest), key=lambda one: one.vs_tuned_build)
    return {
        "suite": "loop",
        "vs_tuned_build": row.vs_tuned_build,
        "vs_icarus": row.vs_icarus,
        "disagree": sum(one.disagree for one in rows),
    }


def as_dict(row: Row) -> dict[str, object]:
    """A row for `--json`."""
    return asdict(row)
