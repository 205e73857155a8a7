"""What a model is worth for repairs and completion, measured on designs that no training has seen."""

from __future__ import annotations

import importlib.util
import itertools
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

from veriloop.assistant.bench import chipbench, cirfix
from veriloop.assistant.bench.case import Case
from veriloop.assistant.bench.filling import fill_by_model, fill_by_model_alone, fill_by_statistics, gaps, measured
from veriloop.assistant.bench.problems import Problem, hdlbits
from veriloop.assistant.bench.ranking import Bug, Position, medians, positions
from veriloop.assistant.bench.run import replay, write_files
from veriloop.assistant.bench.scoring import scored
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import Note, Stage
from veriloop.assistant.repository.private import cache_home
from veriloop.assistant.training.corpus import generate
from veriloop.assistant.training.draft import families
from veriloop.assistant.training.row import Row, Task
from veriloop.assistant.training.slips import draw
from veriloop.assistant.verify.results import Mismatch, Outcome, SimResult
from veriloop.assistant.verify.toolchain import Toolchain
from veriloop.models.bundled import bundled
from veriloop.models.local import LocalModel
from veriloop.models.model import Model

_FIRST_SEED = 500_000
"""Designs from here on are drawn by no training run of ordinary length."""
_MUTANTS = 3
_LINES = 1000


def ranking(model: Model, data: Path | None, count: int, session: Session) -> dict[str, Any]:
    """Medians over bugs of families that are held out and, where there is HDLBits, of its designs."""
    bugs: Iterator[Bug] = itertools.islice(family_bugs(session), count)
    session.observe(Stage("ranking"))
    found = list(positions(bugs, model, cancel=session.cancel))
    others: list[Position] = []
    folder = _hdlbits_of(data)
    if folder is not None:
        drawn = itertools.islice(problem_bugs(folder, session), count)
        others = list(positions(drawn, model, cancel=session.cancel))
    by_model, by_prior = medians([*found, *others])
    for name, part in (("families that are held out", found), ("HDLBits", others)):
        if part:
            one, two = medians(part)
            session.observe(Note(f"{name}: {len(part)} bugs, median place {one:g} with the model, {two:g} without"))
    for name, theirs in case_bugs(data, session):
        part = list(positions(theirs, model, cancel=session.cancel))
        if part:
            one, two = medians(part)
            aside = f"{len(part)} bugs that one edit makes as they were, median place {one:g} with the model"
            session.observe(Note(f"{name}, not in the summary: {aside}, {two:g} without"))
    return {"rank_median_model": by_model, "rank_median_prior": by_prior}


def case_bugs(data: Path | None, session: Session) -> Iterator[tuple[str, Iterator[Bug]]]:
    """The bugs of ChipBench and of CirFix, where they are there: other people's, each with its own testbench."""
    for name, load in (("ChipBench", chipbench.load), ("CirFix", cirfix.load)):
        folder = data / name.lower() if data is not None else None
        if folder is not None and folder.is_dir():
            yield name, _failing(load(folder), session)


def _failing(cases: Iterable[Case], session: Session) -> Iterator[Bug]:
    toolchain = Toolchain.find(cache=cache_home(), cancel=session.cancel)
    for case in cases:
        with tempfile.TemporaryDirectory(prefix="veriloop-") as name:
            root, scratch = Path(name, "case"), Path(name, "scratch")
            scratch.mkdir()
            write_files(root, case.files)
            runs = replay(case, case.files[case.rtl], root, scratch, toolchain, session.cancel)
        seen = next((run for run in runs if not run.passed), None)
        if seen is not None:
            broken, right = (text.decode("utf-8", errors="replace") for text in (case.files[case.rtl], case.golden))
            yield Bug(name=case.name, broken=broken, right=right, result=seen)


def family_bugs(session: Session) -> Iterator[Bug]:
    """Slips in designs of the families that are held out, each simulated against its reference model."""
    held_out = [one for one in families() if one.held_out]
    tasks: tuple[Task, ...] = ("repair",)
    for seed in itertools.count(_FIRST_SEED):
        for row in generate(held_out, [seed], tasks, mutants=_MUTANTS, cancel=session.cancel):
            yield bug_of(row)


def bug_of(row: Row) -> Bug:
    """A row of broken RTL as a bug to be found."""
    seen = row.failure
    assert seen is not None
    result = SimResult(
        outcome=Outcome.FAIL,
        engine="icarus",
        checks=seen.cycles,
        failures=seen.failures,
        failing=seen.failing,
        passing=seen.passing,
        mismatches=(Mismatch(signal=seen.signal, time=str(seen.cycle), expected=str(seen.expected), got=seen.seen),),
    )
    return Bug(name=f"{row.family} {row.seed} {row.slip}", broken=row.buggy, right=row.rtl, result=result)


def problem_bugs(data: Path, session: Session) -> Iterator[Bug]:
    """Slips in HDLBits' references that their testbenches notice, one a problem and round."""
    toolchain = Toolchain.find(cache=cache_home(), cancel=session.cancel)
    problems = list(hdlbits(data))
    for turn in itertools.count():
        for problem in problems:
            yield from _noticed(problem, turn, toolchain, session)


def _noticed(problem: Problem, turn: int, toolchain: Toolchain, session: Session) -> Iterator[Bug]:
    right = problem.golden.decode("utf-8", errors="replace")
    for slip in draw(right, Random(f"{problem.name} {turn}"), count=_MUTANTS):
        broken = slip.apply(right)
        result = scored(problem, broken.encode(), "icarus", toolchain, session.cancel)
        if result.outcome is Outcome.FAIL and result.checks:
            yield Bug(name=f"{problem.name} {slip.kind}", broken=broken, right=right, result=result)
            return


def _hdlbits_of(data: Path | None) -> Path | None:
    if data is None:
        return None
    return next((one for one in (data, data / "hdlbits") if (one / "HDLBits_data.jsonl").is_file()), None)


def filling(model: LocalModel, data: Path | None, count: int, session: Session) -> dict[str, Any]:
    """How well gaps in other people's RTL are filled, with the model as an editor does it, and without."""
    keys = ("fim_edit_similarity_model", "fim_edit_similarity_baseline", "fim_exact_model", "fim_exact_baseline")
    if data is None or not model.info.has_fim:
        return dict.fromkeys(keys)
    try:
        found = gaps(data, count=count)
    except UsageError as error:
        session.observe(Note(error.message))
        return dict.fromkeys(keys)
    session.observe(Stage("filling gaps"))
    by_model = measured(found, fill_by_model(model), cancel=session.cancel)
    alone = measured(found, fill_by_model_alone(model), cancel=session.cancel)
    session.observe(Note(f"the model alone: edit similarity {alone.edit_similarity}, exact {alone.exact}"))
    by_statistics = measured(found, fill_by_statistics, cancel=session.cancel)
    values = (by_model.edit_similarity, by_statistics.edit_similarity, by_model.exact, by_statistics.exact)
    return dict(zip(keys, values, strict=True))


def parity(path: Path, run: Path | None, session: Session) -> Mapping[str, Any]:
    """Agreement with the exact weights of a run of training, and with its tokenizer; else as it was when exported."""
    needed = ("torch", "transformers", "tokenizers", "gguf")
    if run is None or not all(map(importlib.util.find_spec, needed)):
        ours = bundled()
        if ours is None or ours.path != path:
            return {"quant_top1_agreement": None, "tokeniser_equal": None}
        session.observe(Note("agreement with 32 bits is as it was when this model was exported; --run DIR measures it"))
        return {"quant_top1_agreement": ours.quant_top1_agreement, "tokeniser_equal": ours.tokeniser_equal}
    from veriloop.assistant.training.lm.parity import compare_with_run

    session.observe(Stage("comparing with the run"))
    found = compare_with_run(path, run, count=_LINES)
    return {"quant_top1_agreement": round(found[0], 4), "tokeniser_equal": round(found[1], 4)}
