"""How much judging a candidate costs: in a batch, and beside it one build for each, all measured in one run."""

from __future__ import annotations

import itertools
import resource
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from veriloop.assistant.bench.loop_designs import LoopCandidate, LoopDesign, candidates
from veriloop.assistant.errors import ToolFailed, UsageError
from veriloop.assistant.events import CancelToken, Note, Run
from veriloop.assistant.execute import execute
from veriloop.assistant.repair.screen import Screen, Worker
from veriloop.assistant.verify.batch.chooser import Choice
from veriloop.assistant.verify.batch.judge import Batch, same_run
from veriloop.assistant.verify.results import Outcome, SimResult
from veriloop.assistant.verify.simulation import run_icarus, run_verilator
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.assistant.verify.verilator import VERILATE_TIMEOUT_S, design_arguments

COUNTS = (50, 200)
"""Candidates a batch."""
TUNED, ICARUS = 6, 24
"""How many candidates each slow way is measured on; what it costs the others is taken to be the same."""

_SEED = 1
T = TypeVar("T")
_BATCHED = 64
_LONGEST_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One design and number of candidates; the ratios are of candidates a CPU second."""

    design: str
    lines: int
    n: int
    candidates_per_cpu_s: float
    vs_tuned_build: float
    """Against one Verilator build a candidate, with the prebuilt runtime."""
    vs_default_build: float
    """Against `verilator --binary` and one run, of the unchanged design."""
    vs_icarus: float
    """Against one `iverilog` and one `vvp` a candidate."""
    agree: int
    """Candidates whose run in a Verilator batch says, to the letter, what a build of their own says."""
    disagree: int


@dataclass(frozen=True, slots=True)
class _Place:
    root: Path
    scratch: Path
    toolchain: Toolchain
    cancel: CancelToken


def measure(
    design: LoopDesign, counts: Sequence[int], compare: int, toolchain: Toolchain, cancel: CancelToken
) -> Run[list[Row]]:
    """Measures one design with so many candidates each.

    Args:
        design: runs, whatever its testbench says of it.
        counts: the sizes of the batches.
        compare: how many candidates are built one by one as well, and compared.
        toolchain: Verilator, and Icarus where it is installed.
        cancel: stops it.

    Raises:
        UsageError: the design does not run, or is too small for so many candidates.
    """
    with tempfile.TemporaryDirectory(prefix="veriloop-loop-") as name:
        place = _Place(Path(name, "tree"), Path(name, "scratch"), toolchain, cancel)
        place.scratch.mkdir()
        design.write(place.root)
        yield Note(f"{design.name}: the unchanged design")
        baseline = run_verilator(
            design.testbench, root=place.root, scratch=place.scratch, toolchain=toolchain, cancel=cancel
        )
        unusable = next((run for run in baseline if run.outcome not in (Outcome.PASS, Outcome.FAIL)), None)
        if unusable is not None:
            raise UsageError(f"{design.name} does not run from {unusable.start}: {unusable.reason}")
        by_icarus = _icarus(design, place, design.testbench.timeout_s)
        runs = [*baseline, *([by_icarus] if by_icarus is not None else [])]
        limit_s = min(_LONGEST_S, max(1.0, 20 * max(run.wall_s for run in runs)))
        any_edit = candidates(design, place.root, seed=_SEED, by_class=False)
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
    place: _Place,
) -> Run[_OneByOne]:
    bench = replace(design.testbench, timeout_s=limit_s)
    sample = [*found[:TUNED], *compared]
    notes: list[Note] = []
    batch = Batch(
        bench,
        usual="verilator",
        original={path: design.files[path] for path in design.editable},
        root=place.root,
        scratch=place.scratch,
        toolchain=place.toolchain,
        cancel=place.cancel,
    )
    together: list[SimResult | None] = []
    for first in range(0, len(sample), _BATCHED):
        part = [one.contents for one in sample[first : first + _BATCHED]]
        together += batch.judge_by(part, Choice("verilator", 1))
    agree = disagree = 0
    tuned_s = 0.0
    for index, (one, shared) in enumerate(zip(sample, together, strict=True)):
        before_s = cpu_s()
        alone = _changed(
            design,
            one,
            place,
            lambda: run_verilator(
                bench, root=place.root, scratch=place.scratch, toolchain=place.toolchain, cancel=place.cancel
            ),
        )
        tuned_s += cpu_s() - before_s if index < TUNED else 0.0
        if index % _BATCHED == _BATCHED - 1:
            yield Note(f"{design.name}: {index + 1} of {len(sample)}")
        if shared is None:
            # What no batch can hold is built alone in any case.
            agree += 1
            continue
        like = next((run for run in alone if run.start == shared.start), alone[-1])
        if same_run(shared, like) and shared.passed == all(run.passed for run in alone):
            agree += 1
        else:
            disagree += 1
            notes.append(Note(f"{one.operator}: together {shared.reason!r}, alone {like.reason!r} from {like.start}"))
    notes += _by_icarus(design, sample[:ICARUS], together, limit_s, place)
    before_s = cpu_s()
    for one in found[:ICARUS]:
        _changed(design, one, place, lambda: _icarus(design, place, limit_s))
    icarus_s = (cpu_s() - before_s) / ICARUS
    before_s = cpu_s()
    _default_build(design, limit_s, place)
    return _OneByOne(
        tuned_s=tuned_s / TUNED,
        default_s=cpu_s() - before_s,
        icarus_s=icarus_s,
        agree=agree,
        disagree=disagree,
        notes=tuple(notes),
    )


def _by_icarus(
    design: LoopDesign,
    sample: Sequence[LoopCandidate],
    together: Sequence[SimResult | None],
    limit_s: float,
    place: _Place,
) -> list[Note]:
    """Where Icarus's verdict is another one, and why, for each."""
    notes = []
    for one, shared in zip(sample, together, strict=False):
        four_state = _changed(design, one, place, lambda: _icarus(design, place, limit_s))
        if four_state is None or shared is None or four_state.passed == shared.passed:
            continue
        unknown = "an unknown value" if "x" in four_state.reason.lower() else "another order of events or start state"
        notes.append(
            Note(f"{one.operator}: Verilator {shared.outcome.value}, Icarus {four_state.outcome.value}: {unknown}")
        )
    return notes


def _together(
    design: LoopDesign, found: Sequence[LoopCandidate], baseline: Sequence[SimResult], limit_s: float, place: _Place
) -> tuple[float, list[SimResult]]:
    """CPU seconds of judging candidates as a search does, and the results."""
    before_s = cpu_s()
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
    return cpu_s() - before_s, results


def _icarus(design: LoopDesign, place: _Place, limit_s: float) -> SimResult | None:
    return run_icarus(
        replace(design.testbench, timeout_s=limit_s),
        root=place.root,
        scratch=place.scratch,
        toolchain=place.toolchain,
        cancel=place.cancel,
    )


def _default_build(design: LoopDesign, limit_s: float, place: _Place) -> None:
    """What `verilator --binary` does by itself, and a run."""
    verilator = place.toolchain.verilator
    with tempfile.TemporaryDirectory(dir=place.scratch) as name:
        arguments = ["--binary", "--timing", "-Wno-fatal", "-Wno-lint", "-CFLAGS", "-std=c++20", "--Mdir", name]
        built = execute(
            [verilator.program, *arguments, *design_arguments(design.testbench.design.rooted(place.root))],
            cwd=place.root,
            timeout_s=VERILATE_TIMEOUT_S,
            cancel=place.cancel,
            env={"VERILATOR_ROOT": str(verilator.root)},
        )
        if not built.ok:
            raise ToolFailed("verilator --binary fails", output=built.output[-2000:], hint="veriloop doctor")
        binary = Path(name, f"V{design.testbench.design.toplevel}")
        execute([binary], cwd=place.root, timeout_s=limit_s, cancel=place.cancel)


def _changed(design: LoopDesign, one: LoopCandidate, place: _Place, run: Callable[[], T]) -> T:
    """What a run says while a candidate's files are in place."""
    try:
        for path, content in one.contents.items():
            (place.root / path).write_bytes(content)
        return run()
    finally:
        for path in one.contents:
            (place.root / path).write_bytes(design.files[path])


def cpu_s() -> float:
    """CPU seconds of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


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
