"""`veriloop train data`: designs that Veriloop generates itself, checked by simulation."""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from collections.abc import Sequence

from veriloop.assistant.cli.farming import add_farm_option, farm_of, go_on_without
from veriloop.assistant.cli.session import Session
from veriloop.assistant.errors import ToolNotFound, UsageError
from veriloop.assistant.events import Note, finish
from veriloop.assistant.repository.repository import Repository
from veriloop.assistant.training.check import Problem, check_families, lint
from veriloop.assistant.training.corpus import TASKS, design
from veriloop.assistant.training.draft import Family, families
from veriloop.assistant.training.mine.rows import mined
from veriloop.assistant.training.produce import produce
from veriloop.assistant.training.row import Task, distinct
from veriloop.assistant.verify.verilator import Verilator

HELP = "generate designs with specifications and broken copies, all checked by simulation"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares which families, how many designs of each, and what is made of them."""
    parser.add_argument("--families", default="all", metavar="GLOBS", help="names or kinds, separated by commas")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="designs of each family (default: 1)")
    parser.add_argument("--out", metavar="DIR", help="where the rows go; a run that was cut off goes on there")
    parser.add_argument("--tasks", default=",".join(TASKS), metavar="TASKS", help="module, repair, or both (default)")
    parser.add_argument("--mutants", type=int, default=5, metavar="N", help="broken copies of a design (default: 5)")
    parser.add_argument("--compose", type=int, default=0, metavar="N", help="hierarchies of several families, too")
    parser.add_argument("--testbenches", action="store_true", help="write a testbench into each row")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="processes (default: 1)")
    add_farm_option(parser)
    parser.add_argument("--check", action="store_true", help="simulate every variant against its reference model")
    parser.add_argument("--show", action="store_true", help="print the designs")
    parser.add_argument("--mine", metavar="REPO", help="instead: a git repository's modules, and the fixes of its bugs")
    parser.add_argument("--commits", type=int, default=5000, metavar="N", help="how far back (default: 5000)")
    parser.add_argument("--any-licence", action="store_true", help="take files under other people's licences, too")
    parser.add_argument("--list", action="store_true", help="name the families")


def run(arguments: argparse.Namespace, session: Session) -> int:
    """Lists, shows, checks or writes. 0; 1 where a design does not do what its model does."""
    if arguments.detach:
        return go_on_without(session)
    if arguments.seeds < 1 or arguments.jobs < 1 or arguments.mutants < 0 or arguments.compose < 0:
        raise UsageError("--seeds and --jobs must be above 0, --mutants and --compose not below")
    if arguments.mine:
        return _mine(arguments, session)
    chosen = families(arguments.families)
    if arguments.list:
        return _list(chosen, session)
    if arguments.show:
        return _show(chosen, arguments.seeds, session)
    if arguments.check:
        return _check(chosen, arguments.seeds, session)
    if arguments.out is None:
        raise UsageError("where do the rows go?", hint="veriloop train data --out DIR")
    with farm_of(arguments, session) as farm:
        work = produce(
            chosen,
            arguments.seeds,
            session.cwd / str(arguments.out),
            tasks=_tasks(arguments.tasks),
            mutants=arguments.mutants,
            compositions=arguments.compose,
            testbenches=arguments.testbenches,
            jobs=arguments.jobs,
            cancel=session.cancel,
            farm=farm,
        )
        made = finish(work, session.observe)
    session.result(f"{made.rows} new rows in {made.new_files} of {made.files} files", dataclasses.asdict(made))
    return 0


def _mine(arguments: argparse.Namespace, session: Session) -> int:
    """Writes the rows of a repository into one file, and says what was left out and why."""
    if arguments.out is None or arguments.commits < 1:
        raise UsageError("where do the rows go?", hint="veriloop train data --mine REPO --out DIR")
    repository = Repository.open(session.cwd / str(arguments.mine))
    out = session.cwd / str(arguments.out)
    target = out / f"mined-{repository.root.name}.jsonl"
    dropped: Counter[str] = Counter()
    found = distinct(
        mined(
            repository,
            most_commits=arguments.commits,
            any_licence=arguments.any_licence,
            dropped=dropped,
            cancel=session.cancel,
        )
    )
    counts: Counter[str] = Counter()
    try:
        out.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        with part.open("w") as stream:
            for row in found:
                counts[f"{row.task} {row.split}"] += 1
                stream.write(row.to_json() + "\n")
        part.replace(target)
    except OSError as error:
        raise UsageError(f"cannot keep rows in {out}: {error.strerror}") from error
    modules, fixes = (sum(n for key, n in counts.items() if key.startswith(task)) for task in TASKS)
    left_out = ", ".join(f"{count} {why}" for why, count in dropped.most_common()) or "nothing"
    session.result(
        f"{modules} modules and {fixes} fixes in {target.name}; left out: {left_out}",
        {"file": str(target), "modules": modules, "fixes": fixes, "rows": dict(counts), "left_out": dict(dropped)},
    )
    return 0


def _tasks(text: str) -> tuple[Task, ...]:
    asked = [one.strip() for one in text.split(",")]
    if unknown := [one for one in asked if one not in TASKS]:
        raise UsageError(f"there is no task {unknown[0]!r}", hint=f"--tasks {','.join(TASKS)}")
    return tuple(task for task in TASKS if task in asked)


def _show(chosen: Sequence[Family], seeds: int, session: Session) -> int:
    for family in chosen:
        for seed in range(seeds):
            one = design(family, seed)
            text = (
                f"// {family.name}, seed {seed}, variant {one.variant}\n// {one.rendered.about}\n\n{one.rendered.text}"
            )
            data = {"family": family.name, "seed": seed, "about": one.rendered.about, "rtl": one.rendered.text}
            session.result(text, data)
    return 0


def _list(chosen: Sequence[Family], session: Session) -> int:
    lines = [f"{one.kind:<14} {one.name}{'  (held out)' if one.held_out else ''}" for one in chosen]
    kinds = Counter(one.kind for one in chosen)
    rows = [{"name": one.name, "kind": one.kind, "variants": one.variants, "held_out": one.held_out} for one in chosen]
    lines.append(f"{len(chosen)} families of {len(kinds)} kinds, {sum(one.held_out for one in chosen)} held out")
    session.result("\n".join(lines), {"families": rows})
    return 0


def _check(chosen: Sequence[Family], seeds: int, session: Session) -> int:
    checked, problems = 0, list[Problem]()
    for count, found in check_families(chosen, range(seeds), cancel=session.cancel):
        checked += count
        problems += found
        session.observe(Note(f"{checked} designs, {len(problems)} problems"))
    try:
        tools = session.config.user.tools
        verilator = Verilator.find(configured=tools.verilator, compiler=None, cache=session.cwd, cancel=session.cancel)
    except ToolNotFound as error:
        session.observe(Note(f"not linted: {error.message}"))
    else:
        problems += lint(chosen, 0, verilator, cancel=session.cancel)
    text = "\n".join(f"{problem}\n{problem.text}".rstrip() for problem in problems)
    text += f"\n{checked} designs of {len(chosen)} families checked, {len(problems)} problems"
    data = {"families": len(chosen), "designs": checked, "problems": [str(problem) for problem in problems]}
    session.result(text.lstrip(), data)
    return 1 if problems else 0
