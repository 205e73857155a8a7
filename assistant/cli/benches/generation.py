"""Public sets of specifications: an answer to each, and what the set's own testbench says of it."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from veriloop.assistant.cli.benches.provenance import OUT, kept_at, provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish
from veriloop.models.named import opened
from veriloop.models.store import Store, data_home

SUITES = {
    "verilogeval": "make RTL from VerilogEval's specifications",
    "rtllm": "make RTL from RTLLM's descriptions",
    "chipbench-gen": "make RTL from ChipBench's specifications",
    "hdlbits-select": "choose one of a model's recorded answers to each problem of HDLBits",
}

_MODELS = ("gpt-4o-mini", "gpt-4o", "claude-3.5-sonnet", "all")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares where a suite's data is, and whose answers are chosen from."""
    parser.add_argument("--data", required=True, metavar="DIR", help="the directory that holds the set")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the problems whose names match")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="problems at once (default: 1)")
    parser.add_argument("--resume", action="store_true", help="keep the rows of an earlier run that was cut off")
    parser.add_argument("--out", metavar="DIR", help=f"where the rows are kept (default: {OUT}/SUITE-COMMIT)")
    if parser.prog.endswith("hdlbits-select"):
        parser.add_argument("--recorded", default="all", choices=_MODELS, help="whose answers (default: all)")
        return
    parser.add_argument("--model", default="", metavar="NAME", help="who answers what is no data (default: nobody)")
    parser.add_argument("-n", type=int, default=12, metavar="N", help="how many answers of each kind (default: 12)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the suite: a row a problem, then the counts. 0, whatever they are."""
    from veriloop.assistant.bench import generation
    from veriloop.assistant.bench.kept import Kept
    from veriloop.assistant.repository.private import cache_home
    from veriloop.assistant.verify.toolchain import Toolchain

    if arguments.jobs < 1:
        raise UsageError("--jobs must be above 0")
    data = (session.cwd / str(arguments.data)).resolve()
    toolchain = Toolchain.find(cache=cache_home(), cancel=session.cancel)
    common: dict[str, Any] = {
        "only": arguments.only,
        "jobs": arguments.jobs,
        "toolchain": toolchain,
        "cancel": session.cancel,
        "kept": Kept(kept_at(arguments, session, *_answering(arguments)), resume=arguments.resume),
    }
    report = _generated if arguments.suite in generation.SETS else _selected
    rows, lines, summaries = report(arguments, session, data, common)
    *parts, counts = summaries
    counts |= provenance()
    if session.json:
        for row in rows:
            session.result("", dataclasses.asdict(row))
        for part in parts:
            session.result("", part)
    lines += [", ".join(f"{key}: {value}" for key, value in part.items()) for part in parts]
    session.result("\n".join([*lines, *(f"{key}: {value}" for key, value in counts.items())]) + "\n", counts)
    return 0


def _answering(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Who answers: rows of different models must not meet in one table. Recorded ones tell it themselves."""
    model = getattr(arguments, "model", "")
    return (re.sub(r"\W+", "-", model), f"n{arguments.n}") if model else ()


_Report = tuple[Sequence[Any], list[str], list[dict[str, object]]]
"""Rows, lines for people, and the counts, those of all rows last."""


def _generated(arguments: argparse.Namespace, session: Session, data: Path, common: dict[str, Any]) -> _Report:
    from veriloop.assistant.bench import generation

    with contextlib.ExitStack() as stack:
        model = None
        if arguments.model:
            model = stack.enter_context(opened(arguments.model, Store(data_home(os.environ)), cwd=session.cwd))
        run = generation.run_generation(arguments.suite, data, model=model, count=arguments.n, **common)
        rows = finish(run, session.observe)
    lines = [f"{row.problem}: {row.outcome} {row.kind} {row.why}".rstrip() for row in rows]
    if arguments.suite == "verilogeval":
        lines += [f"{name}, published, all 156 problems: {share} %" for name, share in generation.PUBLISHED.items()]
    return rows, lines, [generation.generation_summary(arguments.suite, rows)]


def _selected(arguments: argparse.Namespace, session: Session, data: Path, common: dict[str, Any]) -> _Report:
    from veriloop.assistant.bench import generation

    models = _MODELS[:-1] if arguments.recorded == "all" else (arguments.recorded,)
    rows = finish(generation.run_hdlbits_select(data, models, **common), session.observe)
    lines = [
        f"{row.recorded} {row.problem}: {row.harness or ('right' if row.selected else 'wrong')}, "
        f"{row.confidence} sure, {row.how}"
        for row in rows
    ]
    parts = [generation.selection_summary(model, [row for row in rows if row.recorded == model]) for model in models]
    whole = generation.selection_summary(arguments.recorded, rows)
    return rows, lines, [*(parts if len(models) > 1 else ()), whole]
