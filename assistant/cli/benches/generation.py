"""Public sets of specifications: an answer to each, and what the set's own testbench says of it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from veriloop.assistant.cli.benches.provenance import provenance
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import UsageError
from veriloop.assistant.events import finish

SUITES = {
    "verilogeval": "make RTL from VerilogEval's specifications, without a model",
    "hdlbits-select": "choose one of a model's recorded answers to each problem of HDLBits",
}

_MODELS = ("gpt-4o-mini", "gpt-4o", "claude-3.5-sonnet", "all")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares where a suite's data is, and whose answers are chosen from."""
    parser.add_argument("--data", required=True, metavar="DIR", help="the directory that holds the set")
    parser.add_argument("--only", default="*", metavar="GLOB", help="the problems whose names match")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="problems at once (default: 1)")
    if parser.prog.endswith("hdlbits-select"):
        parser.add_argument("--recorded", default="all", choices=_MODELS, help="whose answers (default: all)")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Runs the suite: a row a problem, then the counts. 0, whatever they are."""
    from veriloop.assistant.bench import generation
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
    }
    rows: Sequence[Any]
    if arguments.suite == "verilogeval":
        rows = finish(generation.run_verilogeval(data, **common), session.observe)
        counts = generation.generation_summary("verilogeval", rows)
        lines = [f"{row.problem}: {row.outcome} {row.kind} {row.why}".rstrip() for row in rows]
        lines += [f"{name}, published, all 156 problems: {share} %" for name, share in generation.PUBLISHED.items()]
    else:
        models = _MODELS[:-1] if arguments.recorded == "all" else (arguments.recorded,)
        rows = finish(generation.run_hdlbits_select(data, models, **common), session.observe)
        counts = generation.selection_summary(arguments.recorded, rows)
        lines = [
            f"{row.recorded} {row.problem}: {'right' if row.selected else 'wrong'}, {row.confidence} sure, {row.how}"
            for row in rows
        ]
        for model in models if len(models) > 1 else ():
            own = generation.selection_summary(model, [row for row in rows if row.recorded == model])
            lines.append(", ".join(f"{key}: {value}" for key, value in own.items() if key != "suite"))
    counts |= provenance()
    if session.json:
        for row in rows:
            session.result("", dataclasses.asdict(row))
    session.result("\n".join([*lines, *(f"{key}: {value}" for key, value in counts.items())]) + "\n", counts)
    return 0
